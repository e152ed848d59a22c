package apptables

import "testing"

// Names of columns tell that they are swapped, if there are no foreign keys. An application may
// also call them what it likes.
func TestCheckWords(t *testing.T) {
	for _, test := range []struct {
		users, groups, user, group string
		swapped                    bool
	}{
		{"users", "teams", "user_id", "team_id", false},
		{"users", "teams", "team_id", "user_id", true},
		{"people", "teams", "person_id", "team_id", false},
		{"people", "teams", "team_id", "person_id", true},
		{`app."User"`, `app."Team"`, `"userId"`, `"teamId"`, false},
		{`app."User"`, `app."Team"`, `"teamId"`, `"userId"`, true},
		{"auth_user", "auth_group", "user_id", "group_id", false},
		{"auth_user", "auth_group", "group_id", "user_id", true},
		{"users", "user_groups", "user_id", "user_group_id", false},
		{"users", "user_groups", "user_group_id", "user_id", true},
		{"companies_users", "companies", "user_id", "company_id", false},
		{"companies_users", "companies", "company_id", "user_id", true},
		{"user_accounts", "accounts", "user_id", "account_id", false}, // the word is in both
		{"users", "teams", "a", "b", false},
		{"users", "teams", "member", "parent", false},
		{"members", "groups", "member_uuid", "group_uuid", false},
		{"members", "groups", "group_uuid", "member_uuid", true},
	} {
		p := Pair{A: "Group", ColumnA: test.group, TableA: test.groups, B: "User", ColumnB: test.user, TableB: test.users}
		if err := p.checkWords("j"); (err != nil) != test.swapped {
			t.Errorf("%+v: error %v", test, err)
		}
	}
}
