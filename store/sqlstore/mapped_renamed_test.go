package sqlstore_test

import (
	"context"
	"strings"
	"testing"

	"github.com/scimkit/scim/store/sqlstore"
)

// The application renames a mapped column, and gives its name to another one. The triggers follow the
// old column, until Migrate. MariaDB's triggers are texts, but the values of before are those of the old
// column there, too.
func TestMappedColumnReplaced(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		for _, table := range []string{"people", "people_emails", "teams", "team_people"} { // They hold their own columns.
			a.exec("ALTER TABLE " + table + " ADD COLUMN note text")
		}
		if err := a.s.Check(a.t.Context()); err != nil {
			a.t.Fatalf("before: %v", err)
		}
		a.want("notes of a Migrate that finds its triggers", "0", a.row("SELECT count(*) FROM scim_stale"))
		a.exec("ALTER TABLE people RENAME COLUMN mobile TO old_mobile")
		a.exec("ALTER TABLE people ADD COLUMN mobile text")
		err := a.s.Check(a.t.Context())
		if err == nil || !strings.Contains(err.Error(), "table people: triggers follow a column that was renamed") ||
			strings.Contains(err.Error(), "team_people") {
			a.t.Errorf("Check says: %v", err)
		}
		a.s = newStore(a.t, a.db, a.d, appOptions("o"))
		if err := a.s.Check(a.t.Context()); err != nil {
			a.t.Errorf("after Migrate: %v", err)
		}
		a.want("the number of before", nil, a.get("User", "1").Get("phoneNumbers"))
		a.exec("UPDATE people SET mobile = '7' WHERE id = 1")
		a.want("the number", "7", phone(a))
		a.exec("UPDATE people SET old_mobile = '8' WHERE id = 1")
		a.want("notes of a column that is not mapped", "0", a.row("SELECT count(*) FROM scim_stale"))
		a.want("the number", "7", phone(a))
	})
}

// phone is the number of the first person.
func phone(a app) any {
	for _, n := range a.get("User", "1").Get("phoneNumbers").([]any) {
		return n.(map[string]any)["value"]
	}
	return nil
}

// The same with the column that is the key, and with quoted names.
func TestMappedKeyReplaced(t *testing.T) {
	o := sqlstore.Options{Tables: []sqlstore.Table{{Type: "User", Name: "staff", Key: `"No"`, KeepID: true,
		Columns: []sqlstore.Column{{Name: `"eMail"`, Path: "userName"}}}}}
	inApp(t, appOptions("o"), func(a app) {
		o := o
		if a.d == sqlstore.MariaDB {
			o.Tables[0].Key, o.Tables[0].Columns[0].Name = "`No`", "`eMail`"
		}
		quoted := func(text string) string {
			if a.d == sqlstore.MariaDB {
				return strings.ReplaceAll(text, `"`, "`")
			}
			return text
		}
		o.Prefix = "q_"
		a.exec(quoted(`CREATE TABLE staff ("No" varchar(40) UNIQUE, "other" varchar(40), "eMail" varchar(40) NOT NULL UNIQUE)`))
		a.exec(`INSERT INTO staff VALUES ('a', 'b', 'ann')`)
		a.s = newStore(a.t, a.db, a.d, o)
		a.want("who", "ann", a.get("User", "a").String("userName"))
		if err := a.s.Check(a.t.Context()); err != nil {
			a.t.Fatal(err)
		}
		a.exec(quoted(`ALTER TABLE staff RENAME COLUMN "No" TO "Was"`))
		a.exec(quoted(`ALTER TABLE staff RENAME COLUMN "other" TO "No"`))
		a.exec(quoted(`CREATE UNIQUE INDEX staff_no ON staff ("No")`))
		a.s = newStore(a.t, a.db, a.d, o)
		a.want("who has the new key", "ann", a.get("User", "b").String("userName"))
		a.exec(quoted(`UPDATE staff SET "No" = 'c'`))
		a.want("who has the next key", "ann", a.get("User", "c").String("userName"))
		a.want("names", []string{"ann"}, names(a.t, a.s))
	})
}

// A trigger is left of which the tables of before know nothing. It is older than the table of notes,
// which takes each note once. So the second write of the application failed.
func TestMappedStrayTrigger(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("CREATE TABLE visits (id integer PRIMARY KEY, person text, n integer)")
		a.exec("INSERT INTO visits VALUES (1, '2', 0)")
		note := "INSERT INTO scim_stale (tenant, type, id, member) SELECT 'o', 'User', NEW.person, '' FROM scim_schema n WHERE n.part = 'tenant o'"
		switch a.d {
		case sqlstore.SQLite:
			a.exec("CREATE TRIGGER scim_visits_00000000_update AFTER UPDATE ON visits BEGIN " + note + "; END")
			a.exec("CREATE TRIGGER scim_of_the_application AFTER UPDATE ON visits BEGIN UPDATE people SET last_name = 'seen'; END")
		case sqlstore.Postgres:
			a.exec("CREATE FUNCTION scim_visits_00000000() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + note + "; RETURN NULL; END $$")
			a.exec("CREATE TRIGGER scim_visits_00000000_update AFTER UPDATE ON visits FOR EACH ROW EXECUTE FUNCTION scim_visits_00000000()")
			a.exec("CREATE FUNCTION scim_of_the_application() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE people SET last_name = 'seen'; RETURN NULL; END $$")
			a.exec("CREATE TRIGGER scim_of_the_application AFTER UPDATE ON visits FOR EACH ROW EXECUTE FUNCTION scim_of_the_application()")
		case sqlstore.MariaDB:
			a.exec("CREATE TRIGGER scim_visits_00000000_update AFTER UPDATE ON visits FOR EACH ROW BEGIN " + note + "; END")
			a.exec("CREATE TRIGGER scim_of_the_application AFTER UPDATE ON visits FOR EACH ROW UPDATE people SET last_name = 'seen'")
		}
		a.s = newStore(a.t, a.db, a.d, appOptions("o"))
		for range 2 {
			a.exec("UPDATE visits SET n = n + 1")
		}
		a.want("the trigger of the application", "seen", a.get("User", "2").String("name.familyName"))
	})
}

// The same with columns that no trigger compares: of a child table, and of memberships.
func TestMappedPartReplaced(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("INSERT INTO people_emails (person_id, address) VALUES (1, 'a@x.com')")
		a.want("the address", "a@x.com", a.get("User", "1").Primary("emails"))
		for _, text := range []string{
			"ALTER TABLE people_emails RENAME COLUMN address TO was", "ALTER TABLE people_emails ADD COLUMN address varchar(99)",
			"ALTER TABLE team_people RENAME COLUMN person_id TO giver_id", "ALTER TABLE team_people ADD COLUMN person_id bigint",
			"UPDATE team_people SET person_id = 2",
		} {
			a.exec(text)
		}
		o := appOptions("o")
		o.Members.Insert = func(context.Context, string, string) map[string]any { return map[string]any{"giver_id": 1} }
		a.s = newStore(a.t, a.db, a.d, o)
		a.want("the addresses", nil, a.get("User", "1").Get("emails"))
		a.want("the members", []string{"2"}, a.members("1"))
	})
}
