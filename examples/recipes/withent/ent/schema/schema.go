// Package schema has the application's entities.
package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
)

// User is a user. The application makes its id, a UUID.
type User struct{ ent.Schema }

// Fields returns the columns.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(uuid.New),
		field.String("email").Unique(),
		field.String("name").Default(""),
		field.Enum("status").Values("active", "suspended").Default("active"),
		field.String("role").Default("member"),
		field.Time("created_at").Default(time.Now).Immutable(),
		field.Time("updated_at").Default(time.Now).UpdateDefault(time.Now),
		field.Time("deleted_at").Optional().Nillable(), // ent has no soft delete of its own
	}
}

// Edges returns the teams of the user.
func (User) Edges() []ent.Edge { return []ent.Edge{edge.From("teams", Team.Type).Ref("members")} }

// Team is a team. The database makes its id, a number.
type Team struct{ ent.Schema }

// Fields returns the columns.
func (Team) Fields() []ent.Field { return []ent.Field{field.String("name").Unique()} }

// Edges returns the members: ent makes the table team_members of them.
func (Team) Edges() []ent.Edge { return []ent.Edge{edge.To("members", User.Type)} }
