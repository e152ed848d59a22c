CREATE TABLE "user" (
	id {serial},
	created_ts bigint NOT NULL DEFAULT {seconds},
	updated_ts bigint NOT NULL DEFAULT {seconds},
	row_status text NOT NULL DEFAULT 'NORMAL' CHECK (row_status IN ('NORMAL', 'ARCHIVED')),
	username text NOT NULL UNIQUE,
	role text NOT NULL DEFAULT 'USER',
	email text UNIQUE,
	nickname text NOT NULL DEFAULT '',
	password_hash text NOT NULL,
	avatar_url text NOT NULL DEFAULT '',
	description text NOT NULL DEFAULT '',
	left_ts bigint -- added for SCIM: who is deleted
);
-- The refresh tokens of sessions and the personal tokens are JSON here.
CREATE TABLE user_setting (
	user_id bigint NOT NULL,
	key text NOT NULL,
	value text NOT NULL,
	UNIQUE (user_id, key)
);
-- Log-ins of an identity provider.
CREATE TABLE user_identity (
	id {serial},
	user_id bigint NOT NULL,
	provider text NOT NULL,
	extern_uid text NOT NULL,
	UNIQUE (provider, extern_uid),
	UNIQUE (user_id, provider)
);
CREATE INDEX idx_user_identity_user_id ON user_identity (user_id);
-- People make spaces. The uid is in the address, the title is not unique.
CREATE TABLE space (
	id {serial},
	uid text NOT NULL UNIQUE,
	title text NOT NULL,
	description text NOT NULL DEFAULT '',
	payload text NOT NULL DEFAULT '{}'
);
-- The status is INVITED until the person accepts, and then ACTIVE.
CREATE TABLE space_member (
	space_id bigint NOT NULL,
	user_id bigint NOT NULL,
	status text NOT NULL,
	role text NOT NULL CHECK (role IN ('ADMIN', 'USER')),
	PRIMARY KEY (space_id, user_id)
);
CREATE INDEX idx_space_member_user_id ON space_member (user_id, space_id);
CREATE TABLE memo (
	id {serial},
	uid text NOT NULL UNIQUE,
	creator_id bigint NOT NULL,
	visibility text NOT NULL DEFAULT 'PRIVATE' CHECK (visibility IN ('PUBLIC', 'PROTECTED', 'PRIVATE', 'SPACE')),
	space_id bigint
);
CREATE TABLE memo_share (
	id {serial},
	memo_id bigint NOT NULL REFERENCES memo (id) ON DELETE CASCADE,
	creator_id bigint NOT NULL
)
