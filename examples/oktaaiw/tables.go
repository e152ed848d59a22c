package main

// tables is the schema of the application, Fieldbook, and its people from before SCIM. It plans the visits
// of service teams. The words in braces differ between databases.
const tables = `
CREATE TABLE people (
	id {key}, login text NOT NULL UNIQUE, email text, given_name text NOT NULL DEFAULT '', family_name text NOT NULL DEFAULT '',
	status text NOT NULL DEFAULT 'active', -- or deactivated
	is_admin boolean NOT NULL DEFAULT FALSE, created_at {time} NOT NULL DEFAULT {now});
CREATE TABLE teams (id {key}, name text NOT NULL UNIQUE, created_at {time} NOT NULL DEFAULT {now});
CREATE TABLE team_members (
	team_id bigint NOT NULL REFERENCES teams (id), person_id bigint NOT NULL REFERENCES people (id),
	PRIMARY KEY (team_id, person_id));
CREATE INDEX team_members_person ON team_members (person_id);
CREATE TABLE provisioning (
	id integer PRIMARY KEY CHECK (id = 1), base text NOT NULL, field text NOT NULL,
	import_users boolean NOT NULL, push_users boolean NOT NULL, push_updates boolean NOT NULL, push_groups boolean NOT NULL,
	basic boolean NOT NULL, header boolean NOT NULL, oauth boolean NOT NULL, basic_hash text NOT NULL);
INSERT INTO people (login, email, given_name, family_name, is_admin) VALUES
	('ada@fieldbook.example', 'ada@fieldbook.example', 'Ada', 'Moss', TRUE), ('ben@fieldbook.example', 'ben@fieldbook.example', 'Ben', 'Roe', FALSE);
INSERT INTO teams (name) VALUES ('North');
INSERT INTO team_members (team_id, person_id) SELECT t.id, p.id FROM teams t, people p WHERE p.login = 'ben@fieldbook.example';
INSERT INTO provisioning VALUES (1, '/scim/v2', 'userName', TRUE, TRUE, TRUE, TRUE, TRUE, TRUE, TRUE, '');
`
