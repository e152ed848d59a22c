-- Made by hand before SCIM: lists, roles and people.
INSERT INTO lists (uuid, name, type) VALUES
	('00000000-0000-4000-8000-000000000001', 'Newsletter', 'public'),
	('00000000-0000-4000-8000-000000000002', 'Board', 'private');
INSERT INTO subscribers (uuid, email, name) VALUES ('00000000-0000-4000-8000-00000000000a', 'Olive@Example.com', 'Olive, who reads');
INSERT INTO subscriber_lists (subscriber_id, list_id, status) VALUES (1, 2, 'confirmed');
INSERT INTO roles (type, name) VALUES ('user', 'Super Admin'), ('user', 'Editor'), ('user', 'Marketing'), ('user', 'No access'), ('list', 'Marketing'), ('list', 'Board');
INSERT INTO roles (type, parent_id, list_id, permissions) VALUES ('list', 5, 1, '{list:get}'), ('list', 6, 2, '{list:get,list:manage}');
INSERT INTO users (username, password_login, password, email, name, user_role_id, list_role_id, status, twofa_type, twofa_key) VALUES
	('olive', true, 'hash 1', 'olive@example.com', 'Olive, the owner', 1, NULL, 'enabled', 'totp', 'key'),
	('Max', true, 'hash 2', 'Max@Example.com', 'Max', 2, 5, 'enabled', 'none', NULL),
	('dora', true, 'hash 3', 'dora@example.com', 'Dora, disabled', 3, 6, 'disabled', 'none', NULL),
	('twin', true, 'hash 4', 'twin@example.com', 'One twin', 4, NULL, 'enabled', 'none', NULL),
	('TWIN', true, 'hash 5', 'Twin@Example.com', 'The other twin', 2, NULL, 'enabled', 'none', NULL),
	('nora', true, 'hash 6', '', 'Nora, without an address', 4, NULL, 'enabled', 'none', NULL),
	('sso', false, NULL, 'sso@example.com', 'Of single sign-on', 2, NULL, 'enabled', 'none', NULL),
	('second', true, 'hash 8', 'second@example.com', 'A disabled administrator', 1, NULL, 'disabled', 'none', NULL);
INSERT INTO users (username, password, email, name, type, user_role_id, list_role_id, status) VALUES
	('mailer', 'token', 'mailer@api', 'Mailer', 'api', 2, 5, 'enabled'),
	('root', 'token', 'root@api', 'Root', 'api', 1, NULL, 'enabled');
INSERT INTO sessions (id, data) VALUES ('olive', '{"user_id": 1}'), ('max', '{"user_id": 2}'), ('twin', '{"user_id": 4}');
-- What the application adds for SCIM.
ALTER TABLE roles ADD COLUMN is_super {bool} GENERATED ALWAYS AS (id = 1) {stored};
ALTER TABLE users ADD COLUMN deleted_at {time};
ALTER TABLE users ADD COLUMN break_glass {bool} NOT NULL DEFAULT false;
UPDATE users SET break_glass = true WHERE username = 'olive'
