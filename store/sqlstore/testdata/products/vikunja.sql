-- Tables of Vikunja that matter for people and teams. There are no foreign keys, and no unique
-- index but the one on username. A status is 0 active, 1 not confirmed, 2 disabled, 3 locked.
CREATE TABLE users (
	id {serial},
	name text,
	username varchar(250) NOT NULL,
	password varchar(250),
	email varchar(250),
	pending_email varchar(250),
	status integer DEFAULT 0,
	is_admin {flag} NOT NULL DEFAULT {no},
	avatar_provider varchar(255),
	issuer text,
	subject text,
	discoverable_by_name {flag} DEFAULT {no},
	overdue_tasks_reminders_time varchar(5) NOT NULL DEFAULT '09:00',
	default_project_id bigint,
	bot_owner_id bigint,
	week_start integer,
	language varchar(50),
	timezone varchar(255),
	deletion_scheduled_at {time},
	created {time} NOT NULL,
	updated {time} NOT NULL
);
CREATE UNIQUE INDEX "UQE_users_username" ON users (username);
CREATE TABLE teams (
	id {serial},
	name varchar(250) NOT NULL,
	description text,
	created_by_id bigint NOT NULL,
	external_id varchar(250),
	issuer text,
	created {time},
	updated {time},
	is_public {flag} NOT NULL DEFAULT {no}
);
CREATE INDEX "IDX_teams_created_by_id" ON teams (created_by_id);
CREATE TABLE team_members (
	id {serial},
	team_id bigint NOT NULL,
	user_id bigint NOT NULL,
	admin {flag},
	created {time} NOT NULL
);
CREATE INDEX "IDX_team_members_team_id" ON team_members (team_id);
CREATE INDEX "IDX_team_members_user_id" ON team_members (user_id);
CREATE TABLE team_projects (
	id {serial},
	team_id bigint NOT NULL,
	project_id bigint NOT NULL,
	permission bigint NOT NULL DEFAULT 0,
	created {time} NOT NULL,
	updated {time} NOT NULL
);
CREATE TABLE users_projects (
	id {serial},
	user_id bigint NOT NULL,
	project_id bigint NOT NULL,
	permission bigint NOT NULL DEFAULT 0,
	created {time} NOT NULL,
	updated {time} NOT NULL
);
CREATE TABLE sessions (
	id varchar(36) PRIMARY KEY NOT NULL,
	user_id bigint NOT NULL,
	token_hash varchar(64) NOT NULL UNIQUE,
	created {time} NOT NULL
);
CREATE TABLE api_tokens (
	id {serial},
	title varchar(255) NOT NULL,
	token_hash varchar(255) NOT NULL UNIQUE,
	owner_id bigint NOT NULL
);
INSERT INTO users (name, username, password, email, status, is_admin, issuer, bot_owner_id, created, updated) VALUES
	('Olga', 'owner', 'hash-1', 'owner@example.com', 0, {yes}, 'local', NULL, '2026-01-01 00:00:00', '2026-01-01 00:00:00')
