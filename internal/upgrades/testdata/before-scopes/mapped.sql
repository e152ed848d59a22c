CREATE FUNCTION public.idp_x2_people_0515176d() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '$user', 'public', 'pg_temp'
    AS $$ BEGIN IF TG_OP = 'DELETE' THEN INSERT INTO idp_x2_stale (tenant, type, id, member) SELECT CAST(OLD.org AS text), 'User', CAST(OLD.id AS text), 'gone' WHERE OLD.id IS NOT NULL AND OLD.org IS NOT NULL AND EXISTS (SELECT 1 FROM idp_x2_schema n WHERE n.part = 'tenant ' || CAST(OLD.org AS text)); RETURN NULL; END IF; IF TG_OP = 'UPDATE' THEN IF (CAST(OLD.id AS text) IS DISTINCT FROM CAST(NEW.id AS text) OR CAST(OLD.org AS text) IS DISTINCT FROM CAST(NEW.org AS text)) THEN INSERT INTO idp_x2_stale (tenant, type, id, member) SELECT CAST(OLD.org AS text), 'User', CAST(OLD.id AS text), 'gone' WHERE OLD.id IS NOT NULL AND OLD.org IS NOT NULL AND EXISTS (SELECT 1 FROM idp_x2_schema n WHERE n.part = 'tenant ' || CAST(OLD.org AS text)); END IF; END IF; INSERT INTO idp_x2_stale (tenant, type, id, member) SELECT CAST(NEW.org AS text), 'User', CAST(NEW.id AS text), '' WHERE NEW.id IS NOT NULL AND NEW.org IS NOT NULL AND EXISTS (SELECT 1 FROM idp_x2_schema n WHERE n.part = 'tenant ' || CAST(NEW.org AS text)); RETURN NULL; END $$;
CREATE FUNCTION public.idp_x2_team_people_3350f5d9() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '$user', 'public', 'pg_temp'
    AS $$ BEGIN IF TG_OP <> 'INSERT' THEN INSERT INTO idp_x2_stale (tenant, type, id, member) SELECT CAST(t.org AS text), 'Members', CAST(o.team_id AS text), CAST(o.person_id AS text) FROM old_rows AS o, teams AS t WHERE t.id = o.team_id AND o.person_id IS NOT NULL AND t.org IS NOT NULL AND t.id IS NOT NULL AND EXISTS (SELECT 1 FROM idp_x2_schema n WHERE n.part = 'tenant ' || CAST(t.org AS text)) AND CAST(o.team_id AS text) IS DISTINCT FROM current_setting('scim.idp_x2_own', true); END IF; IF TG_OP <> 'DELETE' THEN INSERT INTO idp_x2_stale (tenant, type, id, member) SELECT CAST(t.org AS text), 'Members', CAST(o.team_id AS text), CAST(o.person_id AS text) FROM new_rows AS o, teams AS t WHERE t.id = o.team_id AND o.person_id IS NOT NULL AND t.org IS NOT NULL AND t.id IS NOT NULL AND EXISTS (SELECT 1 FROM idp_x2_schema n WHERE n.part = 'tenant ' || CAST(t.org AS text)) AND CAST(o.team_id AS text) IS DISTINCT FROM current_setting('scim.idp_x2_own', true); END IF; RETURN NULL; END $$;
CREATE FUNCTION public.idp_x2_teams_e1d65b7e() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '$user', 'public', 'pg_temp'
    AS $$ BEGIN IF TG_OP = 'DELETE' THEN INSERT INTO idp_x2_stale (tenant, type, id, member) SELECT CAST(OLD.org AS text), 'Group', CAST(OLD.id AS text), 'gone' WHERE OLD.id IS NOT NULL AND OLD.org IS NOT NULL AND EXISTS (SELECT 1 FROM idp_x2_schema n WHERE n.part = 'tenant ' || CAST(OLD.org AS text)); RETURN NULL; END IF; IF TG_OP = 'UPDATE' THEN IF (CAST(OLD.id AS text) IS DISTINCT FROM CAST(NEW.id AS text) OR CAST(OLD.org AS text) IS DISTINCT FROM CAST(NEW.org AS text)) THEN INSERT INTO idp_x2_stale (tenant, type, id, member) SELECT CAST(OLD.org AS text), 'Group', CAST(OLD.id AS text), 'gone' WHERE OLD.id IS NOT NULL AND OLD.org IS NOT NULL AND EXISTS (SELECT 1 FROM idp_x2_schema n WHERE n.part = 'tenant ' || CAST(OLD.org AS text)); END IF; END IF; INSERT INTO idp_x2_stale (tenant, type, id, member) SELECT CAST(NEW.org AS text), 'Group', CAST(NEW.id AS text), '' WHERE NEW.id IS NOT NULL AND NEW.org IS NOT NULL AND EXISTS (SELECT 1 FROM idp_x2_schema n WHERE n.part = 'tenant ' || CAST(NEW.org AS text)); RETURN NULL; END $$;
CREATE TABLE public.held (
    tenant text NOT NULL,
    user_id text NOT NULL,
    role text NOT NULL
);
CREATE TABLE public.idp_x2_grants (
    tenant text NOT NULL COLLATE pg_catalog."C",
    user_id text NOT NULL COLLATE pg_catalog."C",
    role_id text NOT NULL COLLATE pg_catalog."C",
    source text NOT NULL COLLATE pg_catalog."C",
    at bigint NOT NULL,
    by_hand smallint NOT NULL,
    waiting smallint NOT NULL
);
CREATE TABLE public.idp_x2_links (
    tenant text NOT NULL COLLATE pg_catalog."C",
    group_id text NOT NULL COLLATE pg_catalog."C",
    role_id text NOT NULL,
    role_name text NOT NULL,
    weight bigint NOT NULL,
    protected smallint NOT NULL,
    confirmed smallint NOT NULL
);
CREATE TABLE public.idp_x2_lookups (
    tenant text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    path text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.idp_x2_members (
    tenant text NOT NULL COLLATE pg_catalog."C",
    group_id text NOT NULL COLLATE pg_catalog."C",
    member_type text NOT NULL COLLATE pg_catalog."C",
    member_id text NOT NULL COLLATE pg_catalog."C",
    since bigint NOT NULL,
    claimed smallint DEFAULT 1 NOT NULL
);
CREATE TABLE public.idp_x2_resources (
    tenant text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    collection text NOT NULL COLLATE pg_catalog."C",
    deleted bigint NOT NULL,
    created bigint NOT NULL,
    modified bigint NOT NULL,
    version text NOT NULL,
    user_name text COLLATE pg_catalog."C",
    external_id text COLLATE pg_catalog."C",
    display_name text COLLATE pg_catalog."C",
    doc text NOT NULL,
    search jsonb NOT NULL,
    seen text,
    claimed smallint NOT NULL,
    display text
);
CREATE TABLE public.idp_x2_schema (
    part text NOT NULL,
    version bigint NOT NULL
);
CREATE TABLE public.idp_x2_stale (
    seq bigint NOT NULL,
    tenant text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    member text NOT NULL COLLATE pg_catalog."C",
    tx bigint DEFAULT txid_current() NOT NULL
);
ALTER TABLE public.idp_x2_stale ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.idp_x2_stale_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.idp_x2_users (
    tenant text NOT NULL COLLATE pg_catalog."C",
    user_id text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.people (
    id text NOT NULL,
    org text NOT NULL,
    email text NOT NULL,
    status text NOT NULL
);
CREATE TABLE public.team_people (
    team_id text NOT NULL,
    person_id text NOT NULL
);
CREATE TABLE public.teams (
    id text NOT NULL,
    org text NOT NULL,
    title text
);
INSERT INTO public.held VALUES ('first', 'hal', 'viewer');
INSERT INTO public.held VALUES ('first', 'ian', 'editor');
INSERT INTO public.held VALUES ('first', 'sue', 'viewer');
INSERT INTO public.held VALUES ('first', 'bob', 'editor');
INSERT INTO public.held VALUES ('first', 'cal', 'viewer');
INSERT INTO public.held VALUES ('first', 'fay', 'viewer');
INSERT INTO public.held VALUES ('first', 'tom', 'auditor');
INSERT INTO public.held VALUES ('first', 'ann', 'editor');
INSERT INTO public.held VALUES ('first', 'qi', 'editor');
INSERT INTO public.held VALUES ('first', 'nia', 'viewer');
INSERT INTO public.held VALUES ('first', 'qi', 'viewer');
INSERT INTO public.held VALUES ('first', 'nia', 'o''d"d\ü🙂');
INSERT INTO public.held VALUES ('first', 'qi', 'o''d"d\ü🙂');
INSERT INTO public.held VALUES ('first', 'eve', 'auditor');
INSERT INTO public.held VALUES ('first', 'rob', 'editor');
INSERT INTO public.held VALUES ('first', 'kim', 'auditor');
INSERT INTO public.held VALUES ('first', 'una', 'auditor');
INSERT INTO public.held VALUES ('o''ther "ü"', 'x-ann', 'editor');
INSERT INTO public.held VALUES ('o''ther "ü"', 'x-cal', 'viewer');
INSERT INTO public.held VALUES ('o''ther "ü"', 'x-eve', 'viewer');
INSERT INTO public.held VALUES ('o''ther "ü"', 'x-fay', 'viewer');
INSERT INTO public.held VALUES ('o''ther "ü"', 'x-bob', 'editor');
INSERT INTO public.held VALUES ('o''ther "ü"', 'x-dan', 'editor');
INSERT INTO public.idp_x2_grants VALUES ('first', 'hal', 'viewer', 'attr:userType', 1767323045030000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'ian', 'editor', 'attr:userType', 1767323045033000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'sue', 'viewer', 'attr:userType', 1767323045045000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'ann', 'editor', 'group:editors', 1767323045055000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'bob', 'editor', 'group:editors', 1767323045055000, 1, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'qi', 'editor', 'group:editors', 1767323045055000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'ann', 'editor', 'group:writers', 1767323045061000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'nia', 'viewer', 'group:viewers', 1767323045064000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'qi', 'viewer', 'group:viewers', 1767323045064000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'sue', 'viewer', 'group:viewers', 1767323045064000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'nia', 'o''d"d\ü🙂', 'group:odd', 1767323045076000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'qi', 'o''d"d\ü🙂', 'group:odd', 1767323045076000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'eve', 'auditor', 'group:auditors', 1767323045084000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'rob', 'editor', 'group:group:a', 1767323045087000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'rob', 'editor', 'group:GROUP:b', 1767323045090000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'rob', 'editor', 'group:attr:userType=contractor', 1767323045093000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'rob', 'editor', 'group:Attr:c', 1767323045096000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'rob', 'editor', 'group:group', 1767323045099000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'rob', 'editor', 'group:%', 1767323045102000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'kim', 'auditor', 'attr:userType', 1767323045104000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('first', 'fay', 'auditor', 'group:auditors', 1767323045107000, 0, 1);
INSERT INTO public.idp_x2_grants VALUES ('first', 'ola', 'auditor', 'group:auditors', 1767323045110000, 0, 1);
INSERT INTO public.idp_x2_grants VALUES ('first', 'gil', 'auditor', 'group:auditors', 1767323045113000, 0, 1);
INSERT INTO public.idp_x2_grants VALUES ('first', 'lea', 'auditor', 'attr:userType', 1767323045119000, 0, 1);
INSERT INTO public.idp_x2_grants VALUES ('first', 'tom', 'auditor', 'group:auditors', 1767323045125000, 0, 1);
INSERT INTO public.idp_x2_grants VALUES ('first', 'una', 'auditor', 'attr:userType', 1767323045131000, 0, 1);
INSERT INTO public.idp_x2_grants VALUES ('first', 'una', 'auditor', 'group:auditors', 1767323045131000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('o''ther "ü"', 'x-ann', 'viewer', 'group:x-viewers', 1767323045018000, 0, 1);
INSERT INTO public.idp_x2_grants VALUES ('o''ther "ü"', 'x-bob', 'editor', 'group:x-editors', 1767323045021000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('o''ther "ü"', 'x-dan', 'editor', 'group:x-editors', 1767323045021000, 0, 0);
INSERT INTO public.idp_x2_grants VALUES ('o''ther "ü"', 'x-cal', 'auditor', 'group:x-auditors', 1767323045026000, 0, 1);
INSERT INTO public.idp_x2_grants VALUES ('o''ther "ü"', 'x-fay', 'auditor', 'group:x-auditors', 1767323045026000, 0, 1);
INSERT INTO public.idp_x2_grants VALUES ('o''ther "ü"', 'x-eve', 'editor', 'group:x-editors', 1767323045041000, 0, 1);
INSERT INTO public.idp_x2_links VALUES ('first', 'attr:userType=contractor', 'viewer', 'Viewer', -3, 0, 1);
INSERT INTO public.idp_x2_links VALUES ('first', 'attr:userType=sha256:4c961965193bef12da42ebee742ab829c0510193ac0670b841b7b5ceacdb99cb', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.idp_x2_links VALUES ('first', 'attr:userType=chief', 'auditor', 'Auditor', 7, 1, 0);
INSERT INTO public.idp_x2_links VALUES ('first', 'editors', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.idp_x2_links VALUES ('first', 'writers', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.idp_x2_links VALUES ('first', 'viewers', 'viewer', 'Viewer', -3, 0, 1);
INSERT INTO public.idp_x2_links VALUES ('first', 'odd', 'o''d"d\ü🙂', 'O''Dd "quoted" \ <ü>& 	{p}$1?', -9223372036854775808, 0, 1);
INSERT INTO public.idp_x2_links VALUES ('first', 'admins', 'admin', 'Admin', 9223372036854775807, 1, 0);
INSERT INTO public.idp_x2_links VALUES ('first', 'auditors', 'auditor', 'Auditor', 7, 1, 1);
INSERT INTO public.idp_x2_links VALUES ('first', 'group:group:a', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.idp_x2_links VALUES ('first', 'GROUP:b', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.idp_x2_links VALUES ('first', 'group:attr:userType=contractor', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.idp_x2_links VALUES ('first', 'Attr:c', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.idp_x2_links VALUES ('first', 'group', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.idp_x2_links VALUES ('first', '%', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.idp_x2_links VALUES ('first', 'attr:userType=boss', 'auditor', 'Auditor', 7, 1, 1);
INSERT INTO public.idp_x2_links VALUES ('o''ther "ü"', 'x-viewers', 'viewer', 'Viewer', -3, 0, 1);
INSERT INTO public.idp_x2_links VALUES ('o''ther "ü"', 'x-editors', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.idp_x2_links VALUES ('o''ther "ü"', 'x-auditors', 'auditor', 'Auditor', 7, 1, 1);
INSERT INTO public.idp_x2_links VALUES ('o''ther "ü"', 'x-admins', 'admin', 'Admin', 9223372036854775807, 1, 0);
INSERT INTO public.idp_x2_members VALUES ('first', 'editors', 'User', 'ann', 1767323045001000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'editors', 'User', 'bob', 1767323045001000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'editors', 'User', 'ola', 1767323045001000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'editors', 'User', 'qi', 1767323045001000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'writers', 'User', 'ann', 1767323045002000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'viewers', 'User', 'nia', 1767323045003000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'viewers', 'User', 'qi', 1767323045003000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'viewers', 'User', 'sue', 1767323045003000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'former', 'User', 'max', 1767323045004000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'nobody', 'User', 'max', 1767323045005000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'odd', 'User', 'nia', 1767323045006000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'odd', 'User', 'qi', 1767323045006000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'admins', 'User', 'ann', 1767323045007000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'admins', 'User', 'dan', 1767323045007000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'auditors', 'User', 'eve', 1767323045008000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'auditors', 'User', 'fay', 1767323045008000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'auditors', 'User', 'gil', 1767323045008000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'auditors', 'User', 'ola', 1767323045008000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'auditors', 'User', 'tom', 1767323045008000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'auditors', 'User', 'una', 1767323045008000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'group:a', 'User', 'rob', 1767323045009000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'GROUP:b', 'User', 'rob', 1767323045010000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'attr:userType=contractor', 'User', 'rob', 1767323045011000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'Attr:c', 'User', 'rob', 1767323045012000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', 'group', 'User', 'rob', 1767323045013000, 1);
INSERT INTO public.idp_x2_members VALUES ('first', '%', 'User', 'rob', 1767323045014000, 1);
INSERT INTO public.idp_x2_members VALUES ('o''ther "ü"', 'x-viewers', 'User', 'x-ann', 1767323045001000, 1);
INSERT INTO public.idp_x2_members VALUES ('o''ther "ü"', 'x-viewers', 'User', 'x-bob', 1767323045001000, 1);
INSERT INTO public.idp_x2_members VALUES ('o''ther "ü"', 'x-editors', 'User', 'x-bob', 1767323045002000, 1);
INSERT INTO public.idp_x2_members VALUES ('o''ther "ü"', 'x-editors', 'User', 'x-dan', 1767323045002000, 1);
INSERT INTO public.idp_x2_members VALUES ('o''ther "ü"', 'x-editors', 'User', 'x-eve', 1767323045002000, 1);
INSERT INTO public.idp_x2_members VALUES ('o''ther "ü"', 'x-auditors', 'User', 'x-cal', 1767323045003000, 1);
INSERT INTO public.idp_x2_members VALUES ('o''ther "ü"', 'x-auditors', 'User', 'x-fay', 1767323045003000, 1);
INSERT INTO public.idp_x2_members VALUES ('o''ther "ü"', 'x-admins', 'User', 'x-dan', 1767323045004000, 1);
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'ann', 'User:first', 0, 1767323045001000, 1767323045001000, 'SS7L66RMAXS3UZLODLC5PPZBDM', 'ann@example.com', 'ext-ann', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"ann","externalId":"ext-ann","userName":"ann@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.001Z","lastModified":"2026-01-02T03:04:05.001Z","version":"W/\"SS7L66RMAXS3UZLODLC5PPZBDM\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "ann@example.com", "externalId": "ext-ann", "meta.created": "80000000695735a5000f42402026-01-02T03:04:05.001Z", "meta.version": "SS7L66RMAXS3UZLODLC5PPZBDM", "meta.lastModified": "80000000695735a5000f42402026-01-02T03:04:05.001Z", "meta.resourceType": "User"}', '{"email userName ":"ann@example.com","status active ":"active"}', 1, '"ann@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'bob', 'User:first', 0, 1767323045003000, 1767323045003000, 'WM5NUZQUYU5SYQV5V43O63FQ76', 'bob@example.com', 'ext-bob', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"bob","externalId":"ext-bob","userName":"bob@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.003Z","lastModified":"2026-01-02T03:04:05.003Z","version":"W/\"WM5NUZQUYU5SYQV5V43O63FQ76\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "bob@example.com", "externalId": "ext-bob", "meta.created": "80000000695735a5002dc6c02026-01-02T03:04:05.003Z", "meta.version": "WM5NUZQUYU5SYQV5V43O63FQ76", "meta.lastModified": "80000000695735a5002dc6c02026-01-02T03:04:05.003Z", "meta.resourceType": "User"}', '{"email userName ":"bob@example.com","status active ":"active"}', 1, '"bob@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'cal', 'User:first', 0, 1767323045005000, 1767323045005000, 'ZPKJHTAQ2FTK5UIFLPDRSJXVS2', 'cal@example.com', 'ext-cal', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"cal","externalId":"ext-cal","userName":"cal@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.005Z","lastModified":"2026-01-02T03:04:05.005Z","version":"W/\"ZPKJHTAQ2FTK5UIFLPDRSJXVS2\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "cal@example.com", "externalId": "ext-cal", "meta.created": "80000000695735a5004c4b402026-01-02T03:04:05.005Z", "meta.version": "ZPKJHTAQ2FTK5UIFLPDRSJXVS2", "meta.lastModified": "80000000695735a5004c4b402026-01-02T03:04:05.005Z", "meta.resourceType": "User"}', '{"email userName ":"cal@example.com","status active ":"active"}', 1, '"cal@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'dan', 'User:first', 0, 1767323045007000, 1767323045007000, 'ZWJUQZQMO42VLS4TWLRCHT5S73', 'dan@example.com', 'ext-dan', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"dan","externalId":"ext-dan","userName":"dan@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.007Z","lastModified":"2026-01-02T03:04:05.007Z","version":"W/\"ZWJUQZQMO42VLS4TWLRCHT5S73\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "dan@example.com", "externalId": "ext-dan", "meta.created": "80000000695735a5006acfc02026-01-02T03:04:05.007Z", "meta.version": "ZWJUQZQMO42VLS4TWLRCHT5S73", "meta.lastModified": "80000000695735a5006acfc02026-01-02T03:04:05.007Z", "meta.resourceType": "User"}', '{"email userName ":"dan@example.com","status active ":"active"}', 1, '"dan@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'eve', 'User:first', 0, 1767323045009000, 1767323045009000, 'YMN2RM6BSDGTV6R6UQZORIYQNB', 'eve@example.com', 'ext-eve', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"eve","externalId":"ext-eve","userName":"eve@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.009Z","lastModified":"2026-01-02T03:04:05.009Z","version":"W/\"YMN2RM6BSDGTV6R6UQZORIYQNB\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "eve@example.com", "externalId": "ext-eve", "meta.created": "80000000695735a5008954402026-01-02T03:04:05.009Z", "meta.version": "YMN2RM6BSDGTV6R6UQZORIYQNB", "meta.lastModified": "80000000695735a5008954402026-01-02T03:04:05.009Z", "meta.resourceType": "User"}', '{"email userName ":"eve@example.com","status active ":"active"}', 1, '"eve@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'max', 'User:first', 0, 1767323045015000, 1767323045015000, 'U45EHXMOG4557HL3ZO25VPZFNN', 'max@example.com', 'ext-max', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"max","externalId":"ext-max","userName":"max@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.015Z","lastModified":"2026-01-02T03:04:05.015Z","version":"W/\"U45EHXMOG4557HL3ZO25VPZFNN\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "max@example.com", "externalId": "ext-max", "meta.created": "80000000695735a500e4e1c02026-01-02T03:04:05.015Z", "meta.version": "U45EHXMOG4557HL3ZO25VPZFNN", "meta.lastModified": "80000000695735a500e4e1c02026-01-02T03:04:05.015Z", "meta.resourceType": "User"}', '{"email userName ":"max@example.com","status active ":"active"}', 1, '"max@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'Group', 'former', 'Group:first', 0, 1767323045066000, 1767323045069000, 'UEXHPZRUOLCRCR7I6EM3N5EAAY', NULL, NULL, 'former viewers', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"former","displayName":"Former viewers","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.066Z","lastModified":"2026-01-02T03:04:05.069Z","version":"W/\"UEXHPZRUOLCRCR7I6EM3N5EAAY\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "former viewers", "meta.created": "80000000695735a503ef14802026-01-02T03:04:05.066Z", "meta.version": "UEXHPZRUOLCRCR7I6EM3N5EAAY", "meta.lastModified": "80000000695735a5041cdb402026-01-02T03:04:05.069Z", "meta.resourceType": "Group"}', '{"title displayName ":"Former viewers"}', 1, '"Former viewers"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'gil', 'User:first', 0, 1767323045013000, 1767323045115000, 'WIHR3MWKBH4TL2M6DXUB2JIVUD', 'gil@example.com', 'ext-gil', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"gil","externalId":"ext-gil","userName":"gil@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.013Z","lastModified":"2026-01-02T03:04:05.115Z","version":"W/\"WIHR3MWKBH4TL2M6DXUB2JIVUD\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "gil@example.com", "externalId": "ext-gil", "meta.created": "80000000695735a500c65d402026-01-02T03:04:05.013Z", "meta.version": "WIHR3MWKBH4TL2M6DXUB2JIVUD", "meta.lastModified": "80000000695735a506dac2c02026-01-02T03:04:05.115Z", "meta.resourceType": "User"}', '{"email userName ":"gil@example.com","status active ":"active"}', 1, '"gil@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'nia', 'User:first', 0, 1767323045017000, 1767323045017000, 'HNJUTNMUUOCAFOHWKWVSN2GBIZ', 'nia@example.com', 'ext-nia', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"nia","externalId":"ext-nia","userName":"nia@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.017Z","lastModified":"2026-01-02T03:04:05.017Z","version":"W/\"HNJUTNMUUOCAFOHWKWVSN2GBIZ\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "nia@example.com", "externalId": "ext-nia", "meta.created": "80000000695735a5010366402026-01-02T03:04:05.017Z", "meta.version": "HNJUTNMUUOCAFOHWKWVSN2GBIZ", "meta.lastModified": "80000000695735a5010366402026-01-02T03:04:05.017Z", "meta.resourceType": "User"}', '{"email userName ":"nia@example.com","status active ":"active"}', 1, '"nia@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'qi', 'User:first', 0, 1767323045023000, 1767323045023000, '52BYZNJLYK77YIL5NBPKGDDITZ', 'qi@example.com', 'ext-qi', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"qi","externalId":"ext-qi","userName":"qi@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.023Z","lastModified":"2026-01-02T03:04:05.023Z","version":"W/\"52BYZNJLYK77YIL5NBPKGDDITZ\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "qi@example.com", "externalId": "ext-qi", "meta.created": "80000000695735a5015ef3c02026-01-02T03:04:05.023Z", "meta.version": "52BYZNJLYK77YIL5NBPKGDDITZ", "meta.lastModified": "80000000695735a5015ef3c02026-01-02T03:04:05.023Z", "meta.resourceType": "User"}', '{"email userName ":"qi@example.com","status active ":"active"}', 1, '"qi@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'rob', 'User:first', 0, 1767323045025000, 1767323045025000, 'PWUPRCXDYLKPLJRLOMZLPNQ3KF', 'rob@example.com', 'ext-rob', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"rob","externalId":"ext-rob","userName":"rob@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.025Z","lastModified":"2026-01-02T03:04:05.025Z","version":"W/\"PWUPRCXDYLKPLJRLOMZLPNQ3KF\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "rob@example.com", "externalId": "ext-rob", "meta.created": "80000000695735a5017d78402026-01-02T03:04:05.025Z", "meta.version": "PWUPRCXDYLKPLJRLOMZLPNQ3KF", "meta.lastModified": "80000000695735a5017d78402026-01-02T03:04:05.025Z", "meta.resourceType": "User"}', '{"email userName ":"rob@example.com","status active ":"active"}', 1, '"rob@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'hal', 'User:first', 0, 1767323045029000, 1767323045029000, 'VONSV26JOBGDECUX3G7WFOANEU', 'hal@example.com', 'ext-hal', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"hal","externalId":"ext-hal","userName":"hal@example.com","userType":"contractor","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.029Z","lastModified":"2026-01-02T03:04:05.029Z","version":"W/\"VONSV26JOBGDECUX3G7WFOANEU\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "hal@example.com", "userType": "contractor", "externalId": "ext-hal", "meta.created": "80000000695735a501ba81402026-01-02T03:04:05.029Z", "meta.version": "VONSV26JOBGDECUX3G7WFOANEU", "meta.lastModified": "80000000695735a501ba81402026-01-02T03:04:05.029Z", "meta.resourceType": "User"}', '{"email userName ":"hal@example.com","status active ":"active"}', 1, '"hal@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'ian', 'User:first', 0, 1767323045032000, 1767323045032000, 'RPTCWXTI7ZPX2S4ROJTQROWIWZ', 'ian@example.com', 'ext-ian', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"ian","externalId":"ext-ian","userName":"ian@example.com","userType":"lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü ","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.032Z","lastModified":"2026-01-02T03:04:05.032Z","version":"W/\"RPTCWXTI7ZPX2S4ROJTQROWIWZ\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "ian@example.com", "userType": "lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü ", "externalId": "ext-ian", "meta.created": "80000000695735a501e848002026-01-02T03:04:05.032Z", "meta.version": "RPTCWXTI7ZPX2S4ROJTQROWIWZ", "meta.lastModified": "80000000695735a501e848002026-01-02T03:04:05.032Z", "meta.resourceType": "User"}', '{"email userName ":"ian@example.com","status active ":"active"}', 1, '"ian@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'tom', 'User:first', 0, 1767323045027000, 1767323045127000, 'YXBNPRGAMS5LTVWYW7POXDSZKZ', 'tom@example.com', 'ext-tom', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"tom","externalId":"ext-tom","userName":"tom@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.027Z","lastModified":"2026-01-02T03:04:05.127Z","version":"W/\"YXBNPRGAMS5LTVWYW7POXDSZKZ\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "tom@example.com", "externalId": "ext-tom", "meta.created": "80000000695735a5019bfcc02026-01-02T03:04:05.027Z", "meta.version": "YXBNPRGAMS5LTVWYW7POXDSZKZ", "meta.lastModified": "80000000695735a50791ddc02026-01-02T03:04:05.127Z", "meta.resourceType": "User"}', '{"email userName ":"tom@example.com","status active ":"active"}', 1, '"tom@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'jan', 'User:first', 0, 1767323045035000, 1767323045035000, 'BHJO66WOZ4AZZ3TX3BAZGYWVOY', 'jan@example.com', 'ext-jan', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"jan","externalId":"ext-jan","userName":"jan@example.com","userType":"chief","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.035Z","lastModified":"2026-01-02T03:04:05.035Z","version":"W/\"BHJO66WOZ4AZZ3TX3BAZGYWVOY\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "jan@example.com", "userType": "chief", "externalId": "ext-jan", "meta.created": "80000000695735a502160ec02026-01-02T03:04:05.035Z", "meta.version": "BHJO66WOZ4AZZ3TX3BAZGYWVOY", "meta.lastModified": "80000000695735a502160ec02026-01-02T03:04:05.035Z", "meta.resourceType": "User"}', '{"email userName ":"jan@example.com","status active ":"active"}', 1, '"jan@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'kim', 'User:first', 0, 1767323045038000, 1767323045038000, '6TRG75DL6VQY5LIREDDJDCQEIA', 'kim@example.com', 'ext-kim', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"kim","externalId":"ext-kim","userName":"kim@example.com","userType":"boss","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.038Z","lastModified":"2026-01-02T03:04:05.038Z","version":"W/\"6TRG75DL6VQY5LIREDDJDCQEIA\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "kim@example.com", "userType": "boss", "externalId": "ext-kim", "meta.created": "80000000695735a50243d5802026-01-02T03:04:05.038Z", "meta.version": "6TRG75DL6VQY5LIREDDJDCQEIA", "meta.lastModified": "80000000695735a50243d5802026-01-02T03:04:05.038Z", "meta.resourceType": "User"}', '{"email userName ":"kim@example.com","status active ":"active"}', 1, '"kim@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'sue', 'User:first', 0, 1767323045044000, 1767323045044000, 'VOP2ICD53KDI7GTVOS7PEOHMNF', 'sue@example.com', 'ext-sue', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"sue","externalId":"ext-sue","userName":"sue@example.com","userType":"contractor","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.044Z","lastModified":"2026-01-02T03:04:05.044Z","version":"W/\"VOP2ICD53KDI7GTVOS7PEOHMNF\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "sue@example.com", "userType": "contractor", "externalId": "ext-sue", "meta.created": "80000000695735a5029f63002026-01-02T03:04:05.044Z", "meta.version": "VOP2ICD53KDI7GTVOS7PEOHMNF", "meta.lastModified": "80000000695735a5029f63002026-01-02T03:04:05.044Z", "meta.resourceType": "User"}', '{"email userName ":"sue@example.com","status active ":"active"}', 1, '"sue@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'Group', 'writers', 'Group:first', 0, 1767323045057000, 1767323045060000, 'XSYFBNN5HXZEBBXDZ6AEQEWYWN', NULL, NULL, 'writers', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"writers","displayName":"Writers","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.057Z","lastModified":"2026-01-02T03:04:05.06Z","version":"W/\"XSYFBNN5HXZEBBXDZ6AEQEWYWN\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "writers", "meta.created": "80000000695735a50365c0402026-01-02T03:04:05.057Z", "meta.version": "XSYFBNN5HXZEBBXDZ6AEQEWYWN", "meta.lastModified": "80000000695735a5039387002026-01-02T03:04:05.06Z", "meta.resourceType": "Group"}', '{"title displayName ":"Writers"}', 1, '"Writers"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'Group', 'viewers', 'Group:first', 0, 1767323045063000, 1767323045063000, 'CCP7YUWUNJWQ3YIOSDP3A33YO2', NULL, NULL, 'viewers', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"viewers","displayName":"Viewers","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.063Z","lastModified":"2026-01-02T03:04:05.063Z","version":"W/\"CCP7YUWUNJWQ3YIOSDP3A33YO2\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "viewers", "meta.created": "80000000695735a503c14dc02026-01-02T03:04:05.063Z", "meta.version": "CCP7YUWUNJWQ3YIOSDP3A33YO2", "meta.lastModified": "80000000695735a503c14dc02026-01-02T03:04:05.063Z", "meta.resourceType": "Group"}', '{"title displayName ":"Viewers"}', 1, '"Viewers"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'lea', 'User:first', 0, 1767323045041000, 1767323045121000, 'SIAALCI6LLPEMI26ZJUUHG33TB', 'lea@example.com', 'ext-lea', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"lea","externalId":"ext-lea","userName":"lea@example.com","userType":"boss","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.041Z","lastModified":"2026-01-02T03:04:05.121Z","version":"W/\"SIAALCI6LLPEMI26ZJUUHG33TB\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "lea@example.com", "userType": "boss", "externalId": "ext-lea", "meta.created": "80000000695735a502719c402026-01-02T03:04:05.041Z", "meta.version": "SIAALCI6LLPEMI26ZJUUHG33TB", "meta.lastModified": "80000000695735a5073650402026-01-02T03:04:05.121Z", "meta.resourceType": "User"}', '{"email userName ":"lea@example.com","status active ":"active"}', 1, '"lea@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'una', 'User:first', 0, 1767323045047000, 1767323045133000, '5DTWPNCPBWVQ7NE4LUDIPVHOQX', 'una@example.com', 'ext-una', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"una","externalId":"ext-una","userName":"una@example.com","userType":"boss","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.047Z","lastModified":"2026-01-02T03:04:05.133Z","version":"W/\"5DTWPNCPBWVQ7NE4LUDIPVHOQX\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "una@example.com", "userType": "boss", "externalId": "ext-una", "meta.created": "80000000695735a502cd29c02026-01-02T03:04:05.047Z", "meta.version": "5DTWPNCPBWVQ7NE4LUDIPVHOQX", "meta.lastModified": "80000000695735a507ed6b402026-01-02T03:04:05.133Z", "meta.resourceType": "User"}', '{"email userName ":"una@example.com","status active ":"active"}', 1, '"una@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'Group', 'editors', 'Group:first', 0, 1767323045054000, 1767323045139000, 'BXX3QPAX3O4YB5RZSY5ATF2UCV', NULL, NULL, 'editors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"editors","displayName":"Editors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.054Z","lastModified":"2026-01-02T03:04:05.139Z","version":"W/\"BXX3QPAX3O4YB5RZSY5ATF2UCV\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "editors", "meta.created": "80000000695735a50337f9802026-01-02T03:04:05.054Z", "meta.version": "BXX3QPAX3O4YB5RZSY5ATF2UCV", "meta.lastModified": "80000000695735a50848f8c02026-01-02T03:04:05.139Z", "meta.resourceType": "Group"}', '{"title displayName ":"Editors"}', 1, '"Editors"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'Group', 'nobody', 'Group:first', 0, 1767323045072000, 1767323045072000, 'REZ3MSK4GLG23ROR45QK65LFXO', NULL, NULL, 'nobody', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"nobody","displayName":"Nobody","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.072Z","lastModified":"2026-01-02T03:04:05.072Z","version":"W/\"REZ3MSK4GLG23ROR45QK65LFXO\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "nobody", "meta.created": "80000000695735a5044aa2002026-01-02T03:04:05.072Z", "meta.version": "REZ3MSK4GLG23ROR45QK65LFXO", "meta.lastModified": "80000000695735a5044aa2002026-01-02T03:04:05.072Z", "meta.resourceType": "Group"}', '{"title displayName ":"Nobody"}', 1, '"Nobody"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'Group', 'odd', 'Group:first', 0, 1767323045075000, 1767323045075000, 'KKOIDNAGEZJZN3FORHSJSS7654', NULL, NULL, 'odd', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"odd","displayName":"Odd","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.075Z","lastModified":"2026-01-02T03:04:05.075Z","version":"W/\"KKOIDNAGEZJZN3FORHSJSS7654\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "odd", "meta.created": "80000000695735a5047868c02026-01-02T03:04:05.075Z", "meta.version": "KKOIDNAGEZJZN3FORHSJSS7654", "meta.lastModified": "80000000695735a5047868c02026-01-02T03:04:05.075Z", "meta.resourceType": "Group"}', '{"title displayName ":"Odd"}', 1, '"Odd"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'Group', 'admins', 'Group:first', 0, 1767323045078000, 1767323045078000, '3TTALIXBT7KADFIX6OOEYMKAOQ', NULL, NULL, 'admins', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"admins","displayName":"Admins","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.078Z","lastModified":"2026-01-02T03:04:05.078Z","version":"W/\"3TTALIXBT7KADFIX6OOEYMKAOQ\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "admins", "meta.created": "80000000695735a504a62f802026-01-02T03:04:05.078Z", "meta.version": "3TTALIXBT7KADFIX6OOEYMKAOQ", "meta.lastModified": "80000000695735a504a62f802026-01-02T03:04:05.078Z", "meta.resourceType": "Group"}', '{"title displayName ":"Admins"}', 1, '"Admins"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'Group', 'auditors', 'Group:first', 0, 1767323045081000, 1767323045081000, '2NAXEUYS3H72IN2EZ4VOPEOBOO', NULL, NULL, 'auditors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"auditors","displayName":"Auditors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.081Z","lastModified":"2026-01-02T03:04:05.081Z","version":"W/\"2NAXEUYS3H72IN2EZ4VOPEOBOO\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "auditors", "meta.created": "80000000695735a504d3f6402026-01-02T03:04:05.081Z", "meta.version": "2NAXEUYS3H72IN2EZ4VOPEOBOO", "meta.lastModified": "80000000695735a504d3f6402026-01-02T03:04:05.081Z", "meta.resourceType": "Group"}', '{"title displayName ":"Auditors"}', 1, '"Auditors"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'Group', 'group:a', 'Group:first', 0, 1767323045086000, 1767323045086000, 'KZUZTZMMYFPCYTNGCPTXLC6777', NULL, NULL, 'editors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"group:a","displayName":"Editors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.086Z","lastModified":"2026-01-02T03:04:05.086Z","version":"W/\"KZUZTZMMYFPCYTNGCPTXLC6777\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "editors", "meta.created": "80000000695735a5052041802026-01-02T03:04:05.086Z", "meta.version": "KZUZTZMMYFPCYTNGCPTXLC6777", "meta.lastModified": "80000000695735a5052041802026-01-02T03:04:05.086Z", "meta.resourceType": "Group"}', '{"title displayName ":"Editors"}', 1, '"Editors"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'Group', 'GROUP:b', 'Group:first', 0, 1767323045089000, 1767323045089000, 'Z7K6B7YLV3DDPGXJWOXIRPWYSL', NULL, NULL, 'editors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"GROUP:b","displayName":"Editors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.089Z","lastModified":"2026-01-02T03:04:05.089Z","version":"W/\"Z7K6B7YLV3DDPGXJWOXIRPWYSL\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "editors", "meta.created": "80000000695735a5054e08402026-01-02T03:04:05.089Z", "meta.version": "Z7K6B7YLV3DDPGXJWOXIRPWYSL", "meta.lastModified": "80000000695735a5054e08402026-01-02T03:04:05.089Z", "meta.resourceType": "Group"}', '{"title displayName ":"Editors"}', 1, '"Editors"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'Group', 'attr:userType=contractor', 'Group:first', 0, 1767323045092000, 1767323045092000, '2TUN2DEM26K5JVZMFPNMUV4FSC', NULL, NULL, 'editors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"attr:userType=contractor","displayName":"Editors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.092Z","lastModified":"2026-01-02T03:04:05.092Z","version":"W/\"2TUN2DEM26K5JVZMFPNMUV4FSC\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "editors", "meta.created": "80000000695735a5057bcf002026-01-02T03:04:05.092Z", "meta.version": "2TUN2DEM26K5JVZMFPNMUV4FSC", "meta.lastModified": "80000000695735a5057bcf002026-01-02T03:04:05.092Z", "meta.resourceType": "Group"}', '{"title displayName ":"Editors"}', 1, '"Editors"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'Group', 'Attr:c', 'Group:first', 0, 1767323045095000, 1767323045095000, 'ETXUXQ4IDRG6L7Y2ADKGMCFLA6', NULL, NULL, 'editors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"Attr:c","displayName":"Editors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.095Z","lastModified":"2026-01-02T03:04:05.095Z","version":"W/\"ETXUXQ4IDRG6L7Y2ADKGMCFLA6\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "editors", "meta.created": "80000000695735a505a995c02026-01-02T03:04:05.095Z", "meta.version": "ETXUXQ4IDRG6L7Y2ADKGMCFLA6", "meta.lastModified": "80000000695735a505a995c02026-01-02T03:04:05.095Z", "meta.resourceType": "Group"}', '{"title displayName ":"Editors"}', 1, '"Editors"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'Group', 'group', 'Group:first', 0, 1767323045098000, 1767323045098000, 'UNIF6SWLZ22GLTJYB2KPYFSJE2', NULL, NULL, 'editors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"group","displayName":"Editors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.098Z","lastModified":"2026-01-02T03:04:05.098Z","version":"W/\"UNIF6SWLZ22GLTJYB2KPYFSJE2\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "editors", "meta.created": "80000000695735a505d75c802026-01-02T03:04:05.098Z", "meta.version": "UNIF6SWLZ22GLTJYB2KPYFSJE2", "meta.lastModified": "80000000695735a505d75c802026-01-02T03:04:05.098Z", "meta.resourceType": "Group"}', '{"title displayName ":"Editors"}', 1, '"Editors"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'Group', '%', 'Group:first', 0, 1767323045101000, 1767323045101000, 'BYYS6B7BISJX7F3D6L3OLH6XH4', NULL, NULL, 'editors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"%","displayName":"Editors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.101Z","lastModified":"2026-01-02T03:04:05.101Z","version":"W/\"BYYS6B7BISJX7F3D6L3OLH6XH4\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "editors", "meta.created": "80000000695735a5060523402026-01-02T03:04:05.101Z", "meta.version": "BYYS6B7BISJX7F3D6L3OLH6XH4", "meta.lastModified": "80000000695735a5060523402026-01-02T03:04:05.101Z", "meta.resourceType": "Group"}', '{"title displayName ":"Editors"}', 1, '"Editors"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'fay', 'User:first', 0, 1767323045011000, 1767323045106000, 'XHCFBWD3HKHN7BADTP36OEVZYG', 'fay@example.com', 'ext-fay', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"fay","externalId":"ext-fay","userName":"fay@example.com","active":false,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.011Z","lastModified":"2026-01-02T03:04:05.106Z","version":"W/\"XHCFBWD3HKHN7BADTP36OEVZYG\""}}', '{"meta": "", "active": "false", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "fay@example.com", "externalId": "ext-fay", "meta.created": "80000000695735a500a7d8c02026-01-02T03:04:05.011Z", "meta.version": "XHCFBWD3HKHN7BADTP36OEVZYG", "meta.lastModified": "80000000695735a506516e802026-01-02T03:04:05.106Z", "meta.resourceType": "User"}', '{"email userName ":"fay@example.com","status active ":"left"}', 1, '"fay@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('first', 'User', 'ola', 'User:first', 0, 1767323045019000, 1767323045109000, 'N3JHQIWSK67PCKT6TUBY3TIUXB', 'ola@example.com', 'ext-ola', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"ola","externalId":"ext-ola","userName":"ola@example.com","active":false,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.019Z","lastModified":"2026-01-02T03:04:05.109Z","version":"W/\"N3JHQIWSK67PCKT6TUBY3TIUXB\""}}', '{"meta": "", "active": "false", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "ola@example.com", "externalId": "ext-ola", "meta.created": "80000000695735a50121eac02026-01-02T03:04:05.019Z", "meta.version": "N3JHQIWSK67PCKT6TUBY3TIUXB", "meta.lastModified": "80000000695735a5067f35402026-01-02T03:04:05.109Z", "meta.resourceType": "User"}', '{"email userName ":"ola@example.com","status active ":"left"}', 1, '"ola@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('o''ther "ü"', 'User', 'x-ann', 'User:o''ther "ü"', 0, 1767323045001000, 1767323045001000, 'SDTKXYFJHS4VUX2QDXDF5DJKIP', 'ann@example.com', 'ext-ann', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"x-ann","externalId":"ext-ann","userName":"ann@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.001Z","lastModified":"2026-01-02T03:04:05.001Z","version":"W/\"SDTKXYFJHS4VUX2QDXDF5DJKIP\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "ann@example.com", "externalId": "ext-ann", "meta.created": "80000000695735a5000f42402026-01-02T03:04:05.001Z", "meta.version": "SDTKXYFJHS4VUX2QDXDF5DJKIP", "meta.lastModified": "80000000695735a5000f42402026-01-02T03:04:05.001Z", "meta.resourceType": "User"}', '{"email userName ":"ann@example.com","status active ":"active"}', 1, '"ann@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('o''ther "ü"', 'User', 'x-bob', 'User:o''ther "ü"', 0, 1767323045003000, 1767323045003000, 'MA6SGE3YR72EGNJSV7HFI6CLVO', 'bob@example.com', 'ext-bob', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"x-bob","externalId":"ext-bob","userName":"bob@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.003Z","lastModified":"2026-01-02T03:04:05.003Z","version":"W/\"MA6SGE3YR72EGNJSV7HFI6CLVO\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "bob@example.com", "externalId": "ext-bob", "meta.created": "80000000695735a5002dc6c02026-01-02T03:04:05.003Z", "meta.version": "MA6SGE3YR72EGNJSV7HFI6CLVO", "meta.lastModified": "80000000695735a5002dc6c02026-01-02T03:04:05.003Z", "meta.resourceType": "User"}', '{"email userName ":"bob@example.com","status active ":"active"}', 1, '"bob@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('o''ther "ü"', 'User', 'x-dan', 'User:o''ther "ü"', 0, 1767323045007000, 1767323045007000, 'T2HQNKHJ5FIJ7526WW75G4D45X', 'dan@example.com', 'ext-dan', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"x-dan","externalId":"ext-dan","userName":"dan@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.007Z","lastModified":"2026-01-02T03:04:05.007Z","version":"W/\"T2HQNKHJ5FIJ7526WW75G4D45X\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "dan@example.com", "externalId": "ext-dan", "meta.created": "80000000695735a5006acfc02026-01-02T03:04:05.007Z", "meta.version": "T2HQNKHJ5FIJ7526WW75G4D45X", "meta.lastModified": "80000000695735a5006acfc02026-01-02T03:04:05.007Z", "meta.resourceType": "User"}', '{"email userName ":"dan@example.com","status active ":"active"}', 1, '"dan@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('o''ther "ü"', 'User', 'x-fay', 'User:o''ther "ü"', 0, 1767323045011000, 1767323045011000, '6YOESDFWGS7MX5FPPTY6R5JQPM', 'fay@example.com', 'ext-fay', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"x-fay","externalId":"ext-fay","userName":"fay@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.011Z","lastModified":"2026-01-02T03:04:05.011Z","version":"W/\"6YOESDFWGS7MX5FPPTY6R5JQPM\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "fay@example.com", "externalId": "ext-fay", "meta.created": "80000000695735a500a7d8c02026-01-02T03:04:05.011Z", "meta.version": "6YOESDFWGS7MX5FPPTY6R5JQPM", "meta.lastModified": "80000000695735a500a7d8c02026-01-02T03:04:05.011Z", "meta.resourceType": "User"}', '{"email userName ":"fay@example.com","status active ":"active"}', 1, '"fay@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('o''ther "ü"', 'Group', 'x-viewers', 'Group:o''ther "ü"', 0, 1767323045017000, 1767323045017000, 'M4T2FKUOATHT6BMCA3HVVZDQQF', NULL, NULL, 'viewers', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"x-viewers","displayName":"Viewers","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.017Z","lastModified":"2026-01-02T03:04:05.017Z","version":"W/\"M4T2FKUOATHT6BMCA3HVVZDQQF\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "viewers", "meta.created": "80000000695735a5010366402026-01-02T03:04:05.017Z", "meta.version": "M4T2FKUOATHT6BMCA3HVVZDQQF", "meta.lastModified": "80000000695735a5010366402026-01-02T03:04:05.017Z", "meta.resourceType": "Group"}', '{"title displayName ":"Viewers"}', 1, '"Viewers"');
INSERT INTO public.idp_x2_resources VALUES ('o''ther "ü"', 'User', 'x-eve', 'User:o''ther "ü"', 0, 1767323045009000, 1767323045040000, '7QLDHXSFCKZDPSU35XBGSPCWUA', 'eve@example.com', 'ext-eve', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"x-eve","externalId":"ext-eve","userName":"eve@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.009Z","lastModified":"2026-01-02T03:04:05.04Z","version":"W/\"7QLDHXSFCKZDPSU35XBGSPCWUA\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "eve@example.com", "externalId": "ext-eve", "meta.created": "80000000695735a5008954402026-01-02T03:04:05.009Z", "meta.version": "7QLDHXSFCKZDPSU35XBGSPCWUA", "meta.lastModified": "80000000695735a502625a002026-01-02T03:04:05.04Z", "meta.resourceType": "User"}', '{"email userName ":"eve@example.com","status active ":"active"}', 1, '"eve@example.com"');
INSERT INTO public.idp_x2_resources VALUES ('o''ther "ü"', 'Group', 'x-editors', 'Group:o''ther "ü"', 0, 1767323045020000, 1767323045020000, '2YU3KLNFNTMRIY2NSQANLPIE3M', NULL, NULL, 'editors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"x-editors","displayName":"Editors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.02Z","lastModified":"2026-01-02T03:04:05.02Z","version":"W/\"2YU3KLNFNTMRIY2NSQANLPIE3M\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "editors", "meta.created": "80000000695735a501312d002026-01-02T03:04:05.02Z", "meta.version": "2YU3KLNFNTMRIY2NSQANLPIE3M", "meta.lastModified": "80000000695735a501312d002026-01-02T03:04:05.02Z", "meta.resourceType": "Group"}', '{"title displayName ":"Editors"}', 1, '"Editors"');
INSERT INTO public.idp_x2_resources VALUES ('o''ther "ü"', 'Group', 'x-auditors', 'Group:o''ther "ü"', 0, 1767323045023000, 1767323045023000, '3OHPAAHU74YMD3FNSSGKROEI2G', NULL, NULL, 'auditors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"x-auditors","displayName":"Auditors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.023Z","lastModified":"2026-01-02T03:04:05.023Z","version":"W/\"3OHPAAHU74YMD3FNSSGKROEI2G\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "auditors", "meta.created": "80000000695735a5015ef3c02026-01-02T03:04:05.023Z", "meta.version": "3OHPAAHU74YMD3FNSSGKROEI2G", "meta.lastModified": "80000000695735a5015ef3c02026-01-02T03:04:05.023Z", "meta.resourceType": "Group"}', '{"title displayName ":"Auditors"}', 1, '"Auditors"');
INSERT INTO public.idp_x2_resources VALUES ('o''ther "ü"', 'Group', 'x-admins', 'Group:o''ther "ü"', 0, 1767323045028000, 1767323045028000, 'LATBA7Z6YL734HAFII534MEKLT', NULL, NULL, 'admins', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"x-admins","displayName":"Admins","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.028Z","lastModified":"2026-01-02T03:04:05.028Z","version":"W/\"LATBA7Z6YL734HAFII534MEKLT\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "admins", "meta.created": "80000000695735a501ab3f002026-01-02T03:04:05.028Z", "meta.version": "LATBA7Z6YL734HAFII534MEKLT", "meta.lastModified": "80000000695735a501ab3f002026-01-02T03:04:05.028Z", "meta.resourceType": "Group"}', '{"title displayName ":"Admins"}', 1, '"Admins"');
INSERT INTO public.idp_x2_resources VALUES ('o''ther "ü"', 'User', 'x-cal', 'User:o''ther "ü"', 0, 1767323045005000, 1767323045034000, 'YLP5EUVKY67QBO5Q3JO6AKG47H', 'cal@example.com', 'ext-cal', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"x-cal","externalId":"ext-cal","userName":"cal@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.005Z","lastModified":"2026-01-02T03:04:05.034Z","version":"W/\"YLP5EUVKY67QBO5Q3JO6AKG47H\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "cal@example.com", "externalId": "ext-cal", "meta.created": "80000000695735a5004c4b402026-01-02T03:04:05.005Z", "meta.version": "YLP5EUVKY67QBO5Q3JO6AKG47H", "meta.lastModified": "80000000695735a50206cc802026-01-02T03:04:05.034Z", "meta.resourceType": "User"}', '{"email userName ":"cal@example.com","status active ":"active"}', 1, '"cal@example.com"');
INSERT INTO public.idp_x2_schema VALUES ('ledger', 1);
INSERT INTO public.idp_x2_schema VALUES ('store', 3);
INSERT INTO public.idp_x2_schema VALUES ('mapped', 1);
INSERT INTO public.idp_x2_schema VALUES ('watch teams Group', 7977817581807274961);
INSERT INTO public.idp_x2_schema VALUES ('watch people User', 3829147192899289919);
INSERT INTO public.idp_x2_schema VALUES ('watch team_people Members', 4885398507400831137);
INSERT INTO public.idp_x2_schema VALUES ('tenant first', 1);
INSERT INTO public.idp_x2_schema VALUES ('tenant o''ther "ü"', 1);
INSERT INTO public.idp_x2_stale OVERRIDING SYSTEM VALUE VALUES (63, 'first', 'User', 'zoe', '', 1101);
INSERT INTO public.idp_x2_users VALUES ('first', 'hal');
INSERT INTO public.idp_x2_users VALUES ('first', 'ian');
INSERT INTO public.idp_x2_users VALUES ('first', 'jan');
INSERT INTO public.idp_x2_users VALUES ('first', 'kim');
INSERT INTO public.idp_x2_users VALUES ('first', 'lea');
INSERT INTO public.idp_x2_users VALUES ('first', 'sue');
INSERT INTO public.idp_x2_users VALUES ('first', 'una');
INSERT INTO public.idp_x2_users VALUES ('first', 'bob');
INSERT INTO public.idp_x2_users VALUES ('first', 'cal');
INSERT INTO public.idp_x2_users VALUES ('first', 'fay');
INSERT INTO public.idp_x2_users VALUES ('first', 'tom');
INSERT INTO public.idp_x2_users VALUES ('first', 'ann');
INSERT INTO public.idp_x2_users VALUES ('first', 'ola');
INSERT INTO public.idp_x2_users VALUES ('first', 'qi');
INSERT INTO public.idp_x2_users VALUES ('first', 'nia');
INSERT INTO public.idp_x2_users VALUES ('first', 'max');
INSERT INTO public.idp_x2_users VALUES ('first', 'dan');
INSERT INTO public.idp_x2_users VALUES ('first', 'eve');
INSERT INTO public.idp_x2_users VALUES ('first', 'gil');
INSERT INTO public.idp_x2_users VALUES ('first', 'rob');
INSERT INTO public.idp_x2_users VALUES ('o''ther "ü"', 'x-ann');
INSERT INTO public.idp_x2_users VALUES ('o''ther "ü"', 'x-cal');
INSERT INTO public.idp_x2_users VALUES ('o''ther "ü"', 'x-eve');
INSERT INTO public.idp_x2_users VALUES ('o''ther "ü"', 'x-fay');
INSERT INTO public.idp_x2_users VALUES ('o''ther "ü"', 'x-bob');
INSERT INTO public.idp_x2_users VALUES ('o''ther "ü"', 'x-dan');
INSERT INTO public.people VALUES ('ann', 'first', 'ann@example.com', 'active');
INSERT INTO public.people VALUES ('bob', 'first', 'bob@example.com', 'active');
INSERT INTO public.people VALUES ('cal', 'first', 'cal@example.com', 'active');
INSERT INTO public.people VALUES ('dan', 'first', 'dan@example.com', 'active');
INSERT INTO public.people VALUES ('eve', 'first', 'eve@example.com', 'active');
INSERT INTO public.people VALUES ('max', 'first', 'max@example.com', 'active');
INSERT INTO public.people VALUES ('nia', 'first', 'nia@example.com', 'active');
INSERT INTO public.people VALUES ('qi', 'first', 'qi@example.com', 'active');
INSERT INTO public.people VALUES ('rob', 'first', 'rob@example.com', 'active');
INSERT INTO public.people VALUES ('hal', 'first', 'hal@example.com', 'active');
INSERT INTO public.people VALUES ('ian', 'first', 'ian@example.com', 'active');
INSERT INTO public.people VALUES ('jan', 'first', 'jan@example.com', 'active');
INSERT INTO public.people VALUES ('kim', 'first', 'kim@example.com', 'active');
INSERT INTO public.people VALUES ('sue', 'first', 'sue@example.com', 'active');
INSERT INTO public.people VALUES ('fay', 'first', 'fay@example.com', 'left');
INSERT INTO public.people VALUES ('ola', 'first', 'ola@example.com', 'left');
INSERT INTO public.people VALUES ('gil', 'first', 'gil@example.com', 'active');
INSERT INTO public.people VALUES ('lea', 'first', 'lea@example.com', 'active');
INSERT INTO public.people VALUES ('tom', 'first', 'tom@example.com', 'active');
INSERT INTO public.people VALUES ('una', 'first', 'una@example.com', 'active');
INSERT INTO public.people VALUES ('x-ann', 'o''ther "ü"', 'ann@example.com', 'active');
INSERT INTO public.people VALUES ('x-bob', 'o''ther "ü"', 'bob@example.com', 'active');
INSERT INTO public.people VALUES ('x-dan', 'o''ther "ü"', 'dan@example.com', 'active');
INSERT INTO public.people VALUES ('x-fay', 'o''ther "ü"', 'fay@example.com', 'active');
INSERT INTO public.people VALUES ('x-cal', 'o''ther "ü"', 'cal@example.com', 'active');
INSERT INTO public.people VALUES ('x-eve', 'o''ther "ü"', 'eve@example.com', 'active');
INSERT INTO public.people VALUES ('zoe', 'first', 'zoe@example.com', 'active');
INSERT INTO public.team_people VALUES ('editors', 'ann');
INSERT INTO public.team_people VALUES ('editors', 'bob');
INSERT INTO public.team_people VALUES ('editors', 'ola');
INSERT INTO public.team_people VALUES ('editors', 'qi');
INSERT INTO public.team_people VALUES ('writers', 'ann');
INSERT INTO public.team_people VALUES ('viewers', 'nia');
INSERT INTO public.team_people VALUES ('viewers', 'qi');
INSERT INTO public.team_people VALUES ('viewers', 'sue');
INSERT INTO public.team_people VALUES ('former', 'max');
INSERT INTO public.team_people VALUES ('nobody', 'max');
INSERT INTO public.team_people VALUES ('odd', 'nia');
INSERT INTO public.team_people VALUES ('odd', 'qi');
INSERT INTO public.team_people VALUES ('admins', 'ann');
INSERT INTO public.team_people VALUES ('admins', 'dan');
INSERT INTO public.team_people VALUES ('auditors', 'eve');
INSERT INTO public.team_people VALUES ('auditors', 'fay');
INSERT INTO public.team_people VALUES ('auditors', 'gil');
INSERT INTO public.team_people VALUES ('auditors', 'ola');
INSERT INTO public.team_people VALUES ('auditors', 'tom');
INSERT INTO public.team_people VALUES ('auditors', 'una');
INSERT INTO public.team_people VALUES ('group:a', 'rob');
INSERT INTO public.team_people VALUES ('GROUP:b', 'rob');
INSERT INTO public.team_people VALUES ('attr:userType=contractor', 'rob');
INSERT INTO public.team_people VALUES ('Attr:c', 'rob');
INSERT INTO public.team_people VALUES ('group', 'rob');
INSERT INTO public.team_people VALUES ('%', 'rob');
INSERT INTO public.team_people VALUES ('x-viewers', 'x-ann');
INSERT INTO public.team_people VALUES ('x-viewers', 'x-bob');
INSERT INTO public.team_people VALUES ('x-editors', 'x-bob');
INSERT INTO public.team_people VALUES ('x-editors', 'x-dan');
INSERT INTO public.team_people VALUES ('x-editors', 'x-eve');
INSERT INTO public.team_people VALUES ('x-auditors', 'x-cal');
INSERT INTO public.team_people VALUES ('x-auditors', 'x-fay');
INSERT INTO public.team_people VALUES ('x-admins', 'x-dan');
INSERT INTO public.teams VALUES ('editors', 'first', 'Editors');
INSERT INTO public.teams VALUES ('writers', 'first', 'Writers');
INSERT INTO public.teams VALUES ('viewers', 'first', 'Viewers');
INSERT INTO public.teams VALUES ('former', 'first', 'Former viewers');
INSERT INTO public.teams VALUES ('nobody', 'first', 'Nobody');
INSERT INTO public.teams VALUES ('odd', 'first', 'Odd');
INSERT INTO public.teams VALUES ('admins', 'first', 'Admins');
INSERT INTO public.teams VALUES ('auditors', 'first', 'Auditors');
INSERT INTO public.teams VALUES ('group:a', 'first', 'Editors');
INSERT INTO public.teams VALUES ('GROUP:b', 'first', 'Editors');
INSERT INTO public.teams VALUES ('attr:userType=contractor', 'first', 'Editors');
INSERT INTO public.teams VALUES ('Attr:c', 'first', 'Editors');
INSERT INTO public.teams VALUES ('group', 'first', 'Editors');
INSERT INTO public.teams VALUES ('%', 'first', 'Editors');
INSERT INTO public.teams VALUES ('x-viewers', 'o''ther "ü"', 'Viewers');
INSERT INTO public.teams VALUES ('x-editors', 'o''ther "ü"', 'Editors');
INSERT INTO public.teams VALUES ('x-auditors', 'o''ther "ü"', 'Auditors');
INSERT INTO public.teams VALUES ('x-admins', 'o''ther "ü"', 'Admins');
SELECT pg_catalog.setval('public.idp_x2_stale_seq_seq', 63, true);
ALTER TABLE ONLY public.held
    ADD CONSTRAINT held_pkey PRIMARY KEY (user_id, role);
ALTER TABLE ONLY public.idp_x2_grants
    ADD CONSTRAINT idp_x2_grants_pkey PRIMARY KEY (user_id, tenant, role_id, source);
ALTER TABLE ONLY public.idp_x2_links
    ADD CONSTRAINT idp_x2_links_pkey PRIMARY KEY (group_id, tenant);
ALTER TABLE ONLY public.idp_x2_lookups
    ADD CONSTRAINT idp_x2_lookups_pkey PRIMARY KEY (value, path, type, tenant, id);
ALTER TABLE ONLY public.idp_x2_members
    ADD CONSTRAINT idp_x2_members_pkey PRIMARY KEY (group_id, tenant, member_type, member_id);
ALTER TABLE ONLY public.idp_x2_resources
    ADD CONSTRAINT idp_x2_resources_pkey PRIMARY KEY (id, type, tenant, deleted);
ALTER TABLE ONLY public.idp_x2_schema
    ADD CONSTRAINT idp_x2_schema_pkey PRIMARY KEY (part);
ALTER TABLE ONLY public.idp_x2_stale
    ADD CONSTRAINT idp_x2_stale_pkey PRIMARY KEY (tenant, type, id, seq);
ALTER TABLE ONLY public.idp_x2_users
    ADD CONSTRAINT idp_x2_users_pkey PRIMARY KEY (user_id, tenant);
ALTER TABLE ONLY public.people
    ADD CONSTRAINT people_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.team_people
    ADD CONSTRAINT team_people_pkey PRIMARY KEY (team_id, person_id);
ALTER TABLE ONLY public.teams
    ADD CONSTRAINT teams_pkey PRIMARY KEY (id);
CREATE INDEX idp_x2_grants_source ON public.idp_x2_grants USING btree (source, tenant, user_id);
CREATE INDEX idp_x2_lookups_id ON public.idp_x2_lookups USING btree (id, type, tenant);
CREATE INDEX idp_x2_members_member ON public.idp_x2_members USING btree (member_id, member_type, tenant);
CREATE INDEX idp_x2_resources_claimed ON public.idp_x2_resources USING btree (collection, created, id) WHERE ((deleted = 0) AND (claimed = 1));
CREATE INDEX idp_x2_resources_created ON public.idp_x2_resources USING btree (collection, deleted, created, id);
CREATE INDEX idp_x2_resources_display_name ON public.idp_x2_resources USING btree (display_name, type, tenant);
CREATE INDEX idp_x2_resources_external_id ON public.idp_x2_resources USING btree (external_id, type, tenant);
CREATE INDEX idp_x2_resources_former_name ON public.idp_x2_resources USING btree (user_name, type, tenant) WHERE (deleted <> 0);
CREATE INDEX idp_x2_resources_mapped_name ON public.idp_x2_resources USING btree (user_name, type, tenant) WHERE ((deleted = 0) AND (seen IS NOT NULL));
CREATE UNIQUE INDEX idp_x2_resources_user_name ON public.idp_x2_resources USING btree (user_name, type, tenant) WHERE ((deleted = 0) AND (seen IS NULL));
CREATE TRIGGER idp_x2_people_0515176d_delete AFTER DELETE ON public.people FOR EACH ROW EXECUTE FUNCTION public.idp_x2_people_0515176d();
CREATE TRIGGER idp_x2_people_0515176d_insert AFTER INSERT ON public.people FOR EACH ROW EXECUTE FUNCTION public.idp_x2_people_0515176d();
CREATE TRIGGER idp_x2_people_0515176d_update AFTER UPDATE ON public.people FOR EACH ROW WHEN (((old.id IS DISTINCT FROM new.id) OR (old.org IS DISTINCT FROM new.org) OR (old.email IS DISTINCT FROM new.email) OR (old.status IS DISTINCT FROM new.status))) EXECUTE FUNCTION public.idp_x2_people_0515176d();
CREATE TRIGGER idp_x2_team_people_3350f5d9_delete AFTER DELETE ON public.team_people REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.idp_x2_team_people_3350f5d9();
CREATE TRIGGER idp_x2_team_people_3350f5d9_insert AFTER INSERT ON public.team_people REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.idp_x2_team_people_3350f5d9();
CREATE TRIGGER idp_x2_team_people_3350f5d9_update AFTER UPDATE ON public.team_people REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.idp_x2_team_people_3350f5d9();
CREATE TRIGGER idp_x2_teams_e1d65b7e_delete AFTER DELETE ON public.teams FOR EACH ROW EXECUTE FUNCTION public.idp_x2_teams_e1d65b7e();
CREATE TRIGGER idp_x2_teams_e1d65b7e_insert AFTER INSERT ON public.teams FOR EACH ROW EXECUTE FUNCTION public.idp_x2_teams_e1d65b7e();
CREATE TRIGGER idp_x2_teams_e1d65b7e_update AFTER UPDATE ON public.teams FOR EACH ROW WHEN (((old.id IS DISTINCT FROM new.id) OR (old.org IS DISTINCT FROM new.org) OR (old.title IS DISTINCT FROM new.title))) EXECUTE FUNCTION public.idp_x2_teams_e1d65b7e();
ALTER TABLE ONLY public.team_people
    ADD CONSTRAINT team_people_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.people(id);
ALTER TABLE ONLY public.team_people
    ADD CONSTRAINT team_people_team_id_fkey FOREIGN KEY (team_id) REFERENCES public.teams(id);
