package main

// tables is the schema of the application, Formhouse: companies, their accounts, and the forms that these make.
// personal_role and group_role are what the two kinds of roles give. The words in braces differ between databases.
const tables = `
CREATE TABLE companies (
	slug text PRIMARY KEY, name text NOT NULL, sign_on boolean NOT NULL DEFAULT FALSE,
	scim text NOT NULL DEFAULT '', -- or on, or off
	unassigned text NOT NULL DEFAULT 'deactivate', -- or remove
	default_role text NOT NULL DEFAULT 'Viewer');
CREATE TABLE accounts (
	id {key}, company text NOT NULL REFERENCES companies (slug), email text NOT NULL, name text NOT NULL DEFAULT '',
	status text NOT NULL DEFAULT 'active', -- or deactivated
	personal_role text, group_role text, is_admin boolean NOT NULL DEFAULT FALSE, created_at {time} NOT NULL DEFAULT {now},
	UNIQUE (company, email));
CREATE TABLE forms (
	id {key}, company text NOT NULL REFERENCES companies (slug), title text NOT NULL,
	maker bigint REFERENCES accounts (id) ON DELETE SET NULL);
CREATE INDEX forms_maker ON forms (maker);
INSERT INTO companies (slug, name) VALUES ('acme', 'Acme'), ('birch', 'Birch');
INSERT INTO accounts (company, email, name, is_admin) VALUES
	('acme', 'ana@acme.example', 'Ana Lind', TRUE), ('acme', 'sam@acme.example', 'Sam Orr', FALSE), ('birch', 'bea@birch.example', 'Bea Falk', TRUE);
INSERT INTO forms (company, title, maker) SELECT company, 'Feedback', id FROM accounts WHERE email IN ('sam@acme.example', 'bea@birch.example');
`
