CREATE TABLE IF NOT EXISTS users (
	id integer PRIMARY KEY AUTOINCREMENT,
	email text NOT NULL UNIQUE,
	name text NOT NULL DEFAULT '',
	role text NOT NULL DEFAULT 'member',
	is_active boolean NOT NULL DEFAULT TRUE,
	created_at timestamp NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
	updated_at timestamp NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
	deleted_at timestamp
);
CREATE TABLE IF NOT EXISTS teams (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS team_members (
	team_id integer NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
	user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	PRIMARY KEY (team_id, user_id)
);
INSERT INTO teams (name) VALUES ('Everyone') ON CONFLICT DO NOTHING;
