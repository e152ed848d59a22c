-- listmonk's tables of people, roles, lists and log-ins.
{types}
CREATE TABLE lists (
	id {serial},
	uuid {uuid} NOT NULL UNIQUE,
	name text NOT NULL,
	type {list_type} NOT NULL,
	optin {list_optin} NOT NULL DEFAULT 'single',
	tags {texts},
	created_at {time} DEFAULT CURRENT_TIMESTAMP,
	updated_at {time} DEFAULT CURRENT_TIMESTAMP
);
-- Subscribers get the mails. They are no users.
CREATE TABLE subscribers (
	id {serial},
	uuid {uuid} NOT NULL UNIQUE,
	email text NOT NULL UNIQUE,
	name text NOT NULL,
	attribs {json} NOT NULL DEFAULT '{}',
	status {subscriber_status} NOT NULL DEFAULT 'enabled'
);
CREATE UNIQUE INDEX subscribers_email ON subscribers (lower(email));
CREATE TABLE subscriber_lists (
	subscriber_id bigint REFERENCES subscribers (id) ON DELETE CASCADE ON UPDATE CASCADE,
	list_id bigint REFERENCES lists (id) ON DELETE CASCADE ON UPDATE CASCADE,
	status {subscription_status} NOT NULL DEFAULT 'unconfirmed',
	PRIMARY KEY (subscriber_id, list_id)
);
-- A user role, a list role, and what a list role allows on one list: the last has a parent, and no name. Role 1 is the
-- super administrator's.
CREATE TABLE roles (
	id {serial},
	type {role_type} NOT NULL DEFAULT 'user',
	parent_id bigint REFERENCES roles (id) ON DELETE CASCADE ON UPDATE CASCADE,
	list_id bigint REFERENCES lists (id) ON DELETE CASCADE ON UPDATE CASCADE,
	permissions {texts} NOT NULL DEFAULT '{}',
	name text,
	created_at {time} DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX roles_list ON roles (parent_id, list_id);
CREATE UNIQUE INDEX roles_name ON roles (type, name) WHERE name IS NOT NULL;
-- A row of the type api is the token of a program. If a list role is deleted, so are its users.
CREATE TABLE users (
	id {serial},
	username text NOT NULL UNIQUE,
	password_login {bool} NOT NULL DEFAULT false,
	password text,
	email text NOT NULL UNIQUE,
	name text NOT NULL,
	avatar text,
	type {user_type} NOT NULL DEFAULT 'user',
	user_role_id bigint NOT NULL REFERENCES roles (id) ON DELETE RESTRICT,
	list_role_id bigint REFERENCES roles (id) ON DELETE CASCADE,
	status {user_status} NOT NULL DEFAULT 'disabled',
	twofa_type {twofa_type} NOT NULL DEFAULT 'none',
	twofa_key text,
	loggedin_at {time},
	created_at {time} DEFAULT CURRENT_TIMESTAMP,
	updated_at {time} DEFAULT CURRENT_TIMESTAMP
);
-- The user of a session is in its data.
CREATE TABLE sessions (
	id text PRIMARY KEY,
	data {json} NOT NULL DEFAULT '{}',
	created_at {time} NOT NULL DEFAULT CURRENT_TIMESTAMP
)
