CREATE TABLE public.held (
    tenant text NOT NULL,
    user_id text NOT NULL,
    role text NOT NULL
);
CREATE TABLE public.people (
    id text NOT NULL,
    org text NOT NULL,
    email text NOT NULL,
    status text NOT NULL
);
CREATE TABLE public.scim_grants (
    tenant text NOT NULL COLLATE pg_catalog."C",
    user_id text NOT NULL COLLATE pg_catalog."C",
    role_id text NOT NULL COLLATE pg_catalog."C",
    source text NOT NULL COLLATE pg_catalog."C",
    at bigint NOT NULL,
    by_hand smallint NOT NULL,
    waiting smallint NOT NULL
);
CREATE TABLE public.scim_links (
    tenant text NOT NULL COLLATE pg_catalog."C",
    group_id text NOT NULL COLLATE pg_catalog."C",
    role_id text NOT NULL,
    role_name text NOT NULL,
    weight bigint NOT NULL,
    protected smallint NOT NULL,
    confirmed smallint NOT NULL
);
CREATE TABLE public.scim_lookups (
    tenant text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    path text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.scim_members (
    tenant text NOT NULL COLLATE pg_catalog."C",
    group_id text NOT NULL COLLATE pg_catalog."C",
    member_type text NOT NULL COLLATE pg_catalog."C",
    member_id text NOT NULL COLLATE pg_catalog."C",
    since bigint NOT NULL,
    claimed smallint DEFAULT 1 NOT NULL
);
CREATE TABLE public.scim_resources (
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
CREATE TABLE public.scim_schema (
    part text NOT NULL,
    version bigint NOT NULL
);
CREATE TABLE public.scim_users (
    tenant text NOT NULL COLLATE pg_catalog."C",
    user_id text NOT NULL COLLATE pg_catalog."C"
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
INSERT INTO public.scim_grants VALUES ('first', 'hal', 'viewer', 'attr:userType', 1767323045030000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'ian', 'editor', 'attr:userType', 1767323045033000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'sue', 'viewer', 'attr:userType', 1767323045045000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'ann', 'editor', 'group:editors', 1767323045055000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'bob', 'editor', 'group:editors', 1767323045055000, 1, 0);
INSERT INTO public.scim_grants VALUES ('first', 'qi', 'editor', 'group:editors', 1767323045055000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'ann', 'editor', 'group:writers', 1767323045061000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'nia', 'viewer', 'group:viewers', 1767323045064000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'qi', 'viewer', 'group:viewers', 1767323045064000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'sue', 'viewer', 'group:viewers', 1767323045064000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'nia', 'o''d"d\ü🙂', 'group:odd', 1767323045076000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'qi', 'o''d"d\ü🙂', 'group:odd', 1767323045076000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'eve', 'auditor', 'group:auditors', 1767323045084000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'rob', 'editor', 'group:group:a', 1767323045087000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'rob', 'editor', 'group:GROUP:b', 1767323045090000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'rob', 'editor', 'group:attr:userType=contractor', 1767323045093000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'rob', 'editor', 'group:Attr:c', 1767323045096000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'rob', 'editor', 'group:group', 1767323045099000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'rob', 'editor', 'group:%', 1767323045102000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'kim', 'auditor', 'attr:userType', 1767323045104000, 0, 0);
INSERT INTO public.scim_grants VALUES ('first', 'fay', 'auditor', 'group:auditors', 1767323045107000, 0, 1);
INSERT INTO public.scim_grants VALUES ('first', 'ola', 'auditor', 'group:auditors', 1767323045110000, 0, 1);
INSERT INTO public.scim_grants VALUES ('first', 'gil', 'auditor', 'group:auditors', 1767323045113000, 0, 1);
INSERT INTO public.scim_grants VALUES ('first', 'lea', 'auditor', 'attr:userType', 1767323045119000, 0, 1);
INSERT INTO public.scim_grants VALUES ('first', 'tom', 'auditor', 'group:auditors', 1767323045125000, 0, 1);
INSERT INTO public.scim_grants VALUES ('first', 'una', 'auditor', 'attr:userType', 1767323045131000, 0, 1);
INSERT INTO public.scim_grants VALUES ('first', 'una', 'auditor', 'group:auditors', 1767323045131000, 0, 0);
INSERT INTO public.scim_grants VALUES ('o''ther "ü"', 'x-ann', 'viewer', 'group:x-viewers', 1767323045018000, 0, 1);
INSERT INTO public.scim_grants VALUES ('o''ther "ü"', 'x-bob', 'editor', 'group:x-editors', 1767323045021000, 0, 0);
INSERT INTO public.scim_grants VALUES ('o''ther "ü"', 'x-dan', 'editor', 'group:x-editors', 1767323045021000, 0, 0);
INSERT INTO public.scim_grants VALUES ('o''ther "ü"', 'x-cal', 'auditor', 'group:x-auditors', 1767323045026000, 0, 1);
INSERT INTO public.scim_grants VALUES ('o''ther "ü"', 'x-fay', 'auditor', 'group:x-auditors', 1767323045026000, 0, 1);
INSERT INTO public.scim_grants VALUES ('o''ther "ü"', 'x-eve', 'editor', 'group:x-editors', 1767323045041000, 0, 1);
INSERT INTO public.scim_links VALUES ('first', 'attr:userType=contractor', 'viewer', 'Viewer', -3, 0, 1);
INSERT INTO public.scim_links VALUES ('first', 'attr:userType=sha256:4c961965193bef12da42ebee742ab829c0510193ac0670b841b7b5ceacdb99cb', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.scim_links VALUES ('first', 'attr:userType=chief', 'auditor', 'Auditor', 7, 1, 0);
INSERT INTO public.scim_links VALUES ('first', 'editors', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.scim_links VALUES ('first', 'writers', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.scim_links VALUES ('first', 'viewers', 'viewer', 'Viewer', -3, 0, 1);
INSERT INTO public.scim_links VALUES ('first', 'odd', 'o''d"d\ü🙂', 'O''Dd "quoted" \ <ü>& 	{p}$1?', -9223372036854775808, 0, 1);
INSERT INTO public.scim_links VALUES ('first', 'admins', 'admin', 'Admin', 9223372036854775807, 1, 0);
INSERT INTO public.scim_links VALUES ('first', 'auditors', 'auditor', 'Auditor', 7, 1, 1);
INSERT INTO public.scim_links VALUES ('first', 'group:group:a', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.scim_links VALUES ('first', 'GROUP:b', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.scim_links VALUES ('first', 'group:attr:userType=contractor', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.scim_links VALUES ('first', 'Attr:c', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.scim_links VALUES ('first', 'group', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.scim_links VALUES ('first', '%', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.scim_links VALUES ('first', 'attr:userType=boss', 'auditor', 'Auditor', 7, 1, 1);
INSERT INTO public.scim_links VALUES ('o''ther "ü"', 'x-viewers', 'viewer', 'Viewer', -3, 0, 1);
INSERT INTO public.scim_links VALUES ('o''ther "ü"', 'x-editors', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.scim_links VALUES ('o''ther "ü"', 'x-auditors', 'auditor', 'Auditor', 7, 1, 1);
INSERT INTO public.scim_links VALUES ('o''ther "ü"', 'x-admins', 'admin', 'Admin', 9223372036854775807, 1, 0);
INSERT INTO public.scim_members VALUES ('first', 'editors', 'User', 'ann', 1767323045001000, 1);
INSERT INTO public.scim_members VALUES ('first', 'editors', 'User', 'bob', 1767323045001000, 1);
INSERT INTO public.scim_members VALUES ('first', 'editors', 'User', 'ola', 1767323045001000, 1);
INSERT INTO public.scim_members VALUES ('first', 'editors', 'User', 'qi', 1767323045001000, 1);
INSERT INTO public.scim_members VALUES ('first', 'writers', 'User', 'ann', 1767323045002000, 1);
INSERT INTO public.scim_members VALUES ('first', 'viewers', 'User', 'nia', 1767323045003000, 1);
INSERT INTO public.scim_members VALUES ('first', 'viewers', 'User', 'qi', 1767323045003000, 1);
INSERT INTO public.scim_members VALUES ('first', 'viewers', 'User', 'sue', 1767323045003000, 1);
INSERT INTO public.scim_members VALUES ('first', 'former', 'User', 'max', 1767323045004000, 1);
INSERT INTO public.scim_members VALUES ('first', 'nobody', 'User', 'max', 1767323045005000, 1);
INSERT INTO public.scim_members VALUES ('first', 'odd', 'User', 'nia', 1767323045006000, 1);
INSERT INTO public.scim_members VALUES ('first', 'odd', 'User', 'qi', 1767323045006000, 1);
INSERT INTO public.scim_members VALUES ('first', 'admins', 'User', 'ann', 1767323045007000, 1);
INSERT INTO public.scim_members VALUES ('first', 'admins', 'User', 'dan', 1767323045007000, 1);
INSERT INTO public.scim_members VALUES ('first', 'auditors', 'User', 'eve', 1767323045008000, 1);
INSERT INTO public.scim_members VALUES ('first', 'auditors', 'User', 'fay', 1767323045008000, 1);
INSERT INTO public.scim_members VALUES ('first', 'auditors', 'User', 'gil', 1767323045008000, 1);
INSERT INTO public.scim_members VALUES ('first', 'auditors', 'User', 'ola', 1767323045008000, 1);
INSERT INTO public.scim_members VALUES ('first', 'auditors', 'User', 'tom', 1767323045008000, 1);
INSERT INTO public.scim_members VALUES ('first', 'auditors', 'User', 'una', 1767323045008000, 1);
INSERT INTO public.scim_members VALUES ('first', 'group:a', 'User', 'rob', 1767323045009000, 1);
INSERT INTO public.scim_members VALUES ('first', 'GROUP:b', 'User', 'rob', 1767323045010000, 1);
INSERT INTO public.scim_members VALUES ('first', 'attr:userType=contractor', 'User', 'rob', 1767323045011000, 1);
INSERT INTO public.scim_members VALUES ('first', 'Attr:c', 'User', 'rob', 1767323045012000, 1);
INSERT INTO public.scim_members VALUES ('first', 'group', 'User', 'rob', 1767323045013000, 1);
INSERT INTO public.scim_members VALUES ('first', '%', 'User', 'rob', 1767323045014000, 1);
INSERT INTO public.scim_members VALUES ('o''ther "ü"', 'x-viewers', 'User', 'x-ann', 1767323045001000, 1);
INSERT INTO public.scim_members VALUES ('o''ther "ü"', 'x-viewers', 'User', 'x-bob', 1767323045001000, 1);
INSERT INTO public.scim_members VALUES ('o''ther "ü"', 'x-editors', 'User', 'x-bob', 1767323045002000, 1);
INSERT INTO public.scim_members VALUES ('o''ther "ü"', 'x-editors', 'User', 'x-dan', 1767323045002000, 1);
INSERT INTO public.scim_members VALUES ('o''ther "ü"', 'x-editors', 'User', 'x-eve', 1767323045002000, 1);
INSERT INTO public.scim_members VALUES ('o''ther "ü"', 'x-auditors', 'User', 'x-cal', 1767323045003000, 1);
INSERT INTO public.scim_members VALUES ('o''ther "ü"', 'x-auditors', 'User', 'x-fay', 1767323045003000, 1);
INSERT INTO public.scim_members VALUES ('o''ther "ü"', 'x-admins', 'User', 'x-dan', 1767323045004000, 1);
INSERT INTO public.scim_resources VALUES ('first', 'User', 'ann', 'User:first', 0, 1767323045001000, 1767323045001000, 'XZ2PCBKUGL4TTNUZ6MIAMUOJOY', 'ann@example.com', 'ext-ann', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"ann","externalId":"ext-ann","userName":"ann@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.001Z","lastModified":"2026-01-02T03:04:05.001Z","version":"W/\"XZ2PCBKUGL4TTNUZ6MIAMUOJOY\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "ann@example.com", "externalId": "ext-ann", "meta.created": "80000000695735a5000f42402026-01-02T03:04:05.001Z", "meta.version": "XZ2PCBKUGL4TTNUZ6MIAMUOJOY", "meta.lastModified": "80000000695735a5000f42402026-01-02T03:04:05.001Z", "meta.resourceType": "User"}', NULL, 0, '"ann@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'bob', 'User:first', 0, 1767323045003000, 1767323045003000, '2MBLYN7YXX7IZTCNW7VVYH2FZU', 'bob@example.com', 'ext-bob', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"bob","externalId":"ext-bob","userName":"bob@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.003Z","lastModified":"2026-01-02T03:04:05.003Z","version":"W/\"2MBLYN7YXX7IZTCNW7VVYH2FZU\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "bob@example.com", "externalId": "ext-bob", "meta.created": "80000000695735a5002dc6c02026-01-02T03:04:05.003Z", "meta.version": "2MBLYN7YXX7IZTCNW7VVYH2FZU", "meta.lastModified": "80000000695735a5002dc6c02026-01-02T03:04:05.003Z", "meta.resourceType": "User"}', NULL, 0, '"bob@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'cal', 'User:first', 0, 1767323045005000, 1767323045005000, 'RDYXJUXC3IRMAVTEAKZ7GAQ66C', 'cal@example.com', 'ext-cal', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"cal","externalId":"ext-cal","userName":"cal@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.005Z","lastModified":"2026-01-02T03:04:05.005Z","version":"W/\"RDYXJUXC3IRMAVTEAKZ7GAQ66C\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "cal@example.com", "externalId": "ext-cal", "meta.created": "80000000695735a5004c4b402026-01-02T03:04:05.005Z", "meta.version": "RDYXJUXC3IRMAVTEAKZ7GAQ66C", "meta.lastModified": "80000000695735a5004c4b402026-01-02T03:04:05.005Z", "meta.resourceType": "User"}', NULL, 0, '"cal@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'dan', 'User:first', 0, 1767323045007000, 1767323045007000, '7GZWBAFQTZSFJ77NG24TBPXRHH', 'dan@example.com', 'ext-dan', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"dan","externalId":"ext-dan","userName":"dan@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.007Z","lastModified":"2026-01-02T03:04:05.007Z","version":"W/\"7GZWBAFQTZSFJ77NG24TBPXRHH\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "dan@example.com", "externalId": "ext-dan", "meta.created": "80000000695735a5006acfc02026-01-02T03:04:05.007Z", "meta.version": "7GZWBAFQTZSFJ77NG24TBPXRHH", "meta.lastModified": "80000000695735a5006acfc02026-01-02T03:04:05.007Z", "meta.resourceType": "User"}', NULL, 0, '"dan@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'eve', 'User:first', 0, 1767323045009000, 1767323045009000, 'SHN2DW43XDTZ5UZRQPAXJIRN6M', 'eve@example.com', 'ext-eve', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"eve","externalId":"ext-eve","userName":"eve@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.009Z","lastModified":"2026-01-02T03:04:05.009Z","version":"W/\"SHN2DW43XDTZ5UZRQPAXJIRN6M\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "eve@example.com", "externalId": "ext-eve", "meta.created": "80000000695735a5008954402026-01-02T03:04:05.009Z", "meta.version": "SHN2DW43XDTZ5UZRQPAXJIRN6M", "meta.lastModified": "80000000695735a5008954402026-01-02T03:04:05.009Z", "meta.resourceType": "User"}', NULL, 0, '"eve@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'max', 'User:first', 0, 1767323045015000, 1767323045015000, 'DA4AAOGDQNRBV4CALJNLRTNHBN', 'max@example.com', 'ext-max', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"max","externalId":"ext-max","userName":"max@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.015Z","lastModified":"2026-01-02T03:04:05.015Z","version":"W/\"DA4AAOGDQNRBV4CALJNLRTNHBN\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "max@example.com", "externalId": "ext-max", "meta.created": "80000000695735a500e4e1c02026-01-02T03:04:05.015Z", "meta.version": "DA4AAOGDQNRBV4CALJNLRTNHBN", "meta.lastModified": "80000000695735a500e4e1c02026-01-02T03:04:05.015Z", "meta.resourceType": "User"}', NULL, 0, '"max@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'nia', 'User:first', 0, 1767323045017000, 1767323045017000, 'ESSAPQFLYJNBV25SPL7G4GBAPR', 'nia@example.com', 'ext-nia', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"nia","externalId":"ext-nia","userName":"nia@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.017Z","lastModified":"2026-01-02T03:04:05.017Z","version":"W/\"ESSAPQFLYJNBV25SPL7G4GBAPR\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "nia@example.com", "externalId": "ext-nia", "meta.created": "80000000695735a5010366402026-01-02T03:04:05.017Z", "meta.version": "ESSAPQFLYJNBV25SPL7G4GBAPR", "meta.lastModified": "80000000695735a5010366402026-01-02T03:04:05.017Z", "meta.resourceType": "User"}', NULL, 0, '"nia@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'gil', 'User:first', 0, 1767323045013000, 1767323045115000, 'NDOHMTSI3D4Z7B3C2KTFR2UGIV', 'gil@example.com', 'ext-gil', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"gil","externalId":"ext-gil","userName":"gil@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.013Z","lastModified":"2026-01-02T03:04:05.115Z","version":"W/\"NDOHMTSI3D4Z7B3C2KTFR2UGIV\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "gil@example.com", "externalId": "ext-gil", "meta.created": "80000000695735a500c65d402026-01-02T03:04:05.013Z", "meta.version": "NDOHMTSI3D4Z7B3C2KTFR2UGIV", "meta.lastModified": "80000000695735a506dac2c02026-01-02T03:04:05.115Z", "meta.resourceType": "User"}', NULL, 0, '"gil@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'qi', 'User:first', 0, 1767323045023000, 1767323045023000, 'C5C6CAX7QKAVQQB6LV6XWTTIGN', 'qi@example.com', 'ext-qi', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"qi","externalId":"ext-qi","userName":"qi@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.023Z","lastModified":"2026-01-02T03:04:05.023Z","version":"W/\"C5C6CAX7QKAVQQB6LV6XWTTIGN\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "qi@example.com", "externalId": "ext-qi", "meta.created": "80000000695735a5015ef3c02026-01-02T03:04:05.023Z", "meta.version": "C5C6CAX7QKAVQQB6LV6XWTTIGN", "meta.lastModified": "80000000695735a5015ef3c02026-01-02T03:04:05.023Z", "meta.resourceType": "User"}', NULL, 0, '"qi@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'rob', 'User:first', 0, 1767323045025000, 1767323045025000, 'KZZJ73LQ6BQXDTV7HCJIFSEHML', 'rob@example.com', 'ext-rob', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"rob","externalId":"ext-rob","userName":"rob@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.025Z","lastModified":"2026-01-02T03:04:05.025Z","version":"W/\"KZZJ73LQ6BQXDTV7HCJIFSEHML\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "rob@example.com", "externalId": "ext-rob", "meta.created": "80000000695735a5017d78402026-01-02T03:04:05.025Z", "meta.version": "KZZJ73LQ6BQXDTV7HCJIFSEHML", "meta.lastModified": "80000000695735a5017d78402026-01-02T03:04:05.025Z", "meta.resourceType": "User"}', NULL, 0, '"rob@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'hal', 'User:first', 0, 1767323045029000, 1767323045029000, 'NGADUP7GCUQQXMYLEIY7MDDXUJ', 'hal@example.com', 'ext-hal', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"hal","externalId":"ext-hal","userName":"hal@example.com","userType":"contractor","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.029Z","lastModified":"2026-01-02T03:04:05.029Z","version":"W/\"NGADUP7GCUQQXMYLEIY7MDDXUJ\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "hal@example.com", "userType": "contractor", "externalId": "ext-hal", "meta.created": "80000000695735a501ba81402026-01-02T03:04:05.029Z", "meta.version": "NGADUP7GCUQQXMYLEIY7MDDXUJ", "meta.lastModified": "80000000695735a501ba81402026-01-02T03:04:05.029Z", "meta.resourceType": "User"}', NULL, 0, '"hal@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'ian', 'User:first', 0, 1767323045032000, 1767323045032000, 'LLRQXLNA34L65F2X7GMW6SG3QJ', 'ian@example.com', 'ext-ian', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"ian","externalId":"ext-ian","userName":"ian@example.com","userType":"lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü ","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.032Z","lastModified":"2026-01-02T03:04:05.032Z","version":"W/\"LLRQXLNA34L65F2X7GMW6SG3QJ\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "ian@example.com", "userType": "lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü lang ü ", "externalId": "ext-ian", "meta.created": "80000000695735a501e848002026-01-02T03:04:05.032Z", "meta.version": "LLRQXLNA34L65F2X7GMW6SG3QJ", "meta.lastModified": "80000000695735a501e848002026-01-02T03:04:05.032Z", "meta.resourceType": "User"}', NULL, 0, '"ian@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'jan', 'User:first', 0, 1767323045035000, 1767323045035000, 'X5OPZD4GWC5RPEVHBXBAVERXAF', 'jan@example.com', 'ext-jan', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"jan","externalId":"ext-jan","userName":"jan@example.com","userType":"chief","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.035Z","lastModified":"2026-01-02T03:04:05.035Z","version":"W/\"X5OPZD4GWC5RPEVHBXBAVERXAF\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "jan@example.com", "userType": "chief", "externalId": "ext-jan", "meta.created": "80000000695735a502160ec02026-01-02T03:04:05.035Z", "meta.version": "X5OPZD4GWC5RPEVHBXBAVERXAF", "meta.lastModified": "80000000695735a502160ec02026-01-02T03:04:05.035Z", "meta.resourceType": "User"}', NULL, 0, '"jan@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'tom', 'User:first', 0, 1767323045027000, 1767323045127000, '67B3O6GV52E3QHPJ7DBTYNHJEG', 'tom@example.com', 'ext-tom', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"tom","externalId":"ext-tom","userName":"tom@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.027Z","lastModified":"2026-01-02T03:04:05.127Z","version":"W/\"67B3O6GV52E3QHPJ7DBTYNHJEG\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "tom@example.com", "externalId": "ext-tom", "meta.created": "80000000695735a5019bfcc02026-01-02T03:04:05.027Z", "meta.version": "67B3O6GV52E3QHPJ7DBTYNHJEG", "meta.lastModified": "80000000695735a50791ddc02026-01-02T03:04:05.127Z", "meta.resourceType": "User"}', NULL, 0, '"tom@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'kim', 'User:first', 0, 1767323045038000, 1767323045038000, '7NQ5G6YWTNB4UCX5KLL23UFJXY', 'kim@example.com', 'ext-kim', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"kim","externalId":"ext-kim","userName":"kim@example.com","userType":"boss","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.038Z","lastModified":"2026-01-02T03:04:05.038Z","version":"W/\"7NQ5G6YWTNB4UCX5KLL23UFJXY\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "kim@example.com", "userType": "boss", "externalId": "ext-kim", "meta.created": "80000000695735a50243d5802026-01-02T03:04:05.038Z", "meta.version": "7NQ5G6YWTNB4UCX5KLL23UFJXY", "meta.lastModified": "80000000695735a50243d5802026-01-02T03:04:05.038Z", "meta.resourceType": "User"}', NULL, 0, '"kim@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'sue', 'User:first', 0, 1767323045044000, 1767323045044000, 'TIKN2AJ6BIXYM2G5MMXNSBTFCA', 'sue@example.com', 'ext-sue', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"sue","externalId":"ext-sue","userName":"sue@example.com","userType":"contractor","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.044Z","lastModified":"2026-01-02T03:04:05.044Z","version":"W/\"TIKN2AJ6BIXYM2G5MMXNSBTFCA\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "sue@example.com", "userType": "contractor", "externalId": "ext-sue", "meta.created": "80000000695735a5029f63002026-01-02T03:04:05.044Z", "meta.version": "TIKN2AJ6BIXYM2G5MMXNSBTFCA", "meta.lastModified": "80000000695735a5029f63002026-01-02T03:04:05.044Z", "meta.resourceType": "User"}', NULL, 0, '"sue@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'Group', 'writers', 'Group:first', 0, 1767323045057000, 1767323045060000, 'ABKKSCXV7WICOXDSY2QLYJAY7P', NULL, NULL, 'writers', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"writers","displayName":"Writers","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.057Z","lastModified":"2026-01-02T03:04:05.06Z","version":"W/\"ABKKSCXV7WICOXDSY2QLYJAY7P\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "writers", "meta.created": "80000000695735a50365c0402026-01-02T03:04:05.057Z", "meta.version": "ABKKSCXV7WICOXDSY2QLYJAY7P", "meta.lastModified": "80000000695735a5039387002026-01-02T03:04:05.06Z", "meta.resourceType": "Group"}', NULL, 0, '"Writers"');
INSERT INTO public.scim_resources VALUES ('first', 'Group', 'viewers', 'Group:first', 0, 1767323045063000, 1767323045063000, 'TEXEQSSVBVNMNW6W2XRUPX6UBD', NULL, NULL, 'viewers', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"viewers","displayName":"Viewers","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.063Z","lastModified":"2026-01-02T03:04:05.063Z","version":"W/\"TEXEQSSVBVNMNW6W2XRUPX6UBD\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "viewers", "meta.created": "80000000695735a503c14dc02026-01-02T03:04:05.063Z", "meta.version": "TEXEQSSVBVNMNW6W2XRUPX6UBD", "meta.lastModified": "80000000695735a503c14dc02026-01-02T03:04:05.063Z", "meta.resourceType": "Group"}', NULL, 0, '"Viewers"');
INSERT INTO public.scim_resources VALUES ('first', 'Group', 'former', 'Group:first', 0, 1767323045066000, 1767323045069000, 'NO3XOTS7K6KF2ACMYNRJT5EOF3', NULL, NULL, 'former viewers', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"former","displayName":"Former viewers","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.066Z","lastModified":"2026-01-02T03:04:05.069Z","version":"W/\"NO3XOTS7K6KF2ACMYNRJT5EOF3\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "former viewers", "meta.created": "80000000695735a503ef14802026-01-02T03:04:05.066Z", "meta.version": "NO3XOTS7K6KF2ACMYNRJT5EOF3", "meta.lastModified": "80000000695735a5041cdb402026-01-02T03:04:05.069Z", "meta.resourceType": "Group"}', NULL, 0, '"Former viewers"');
INSERT INTO public.scim_resources VALUES ('first', 'Group', 'nobody', 'Group:first', 0, 1767323045072000, 1767323045072000, 'H5VP53DDZEEAV674GDCTCZ6XL5', NULL, NULL, 'nobody', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"nobody","displayName":"Nobody","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.072Z","lastModified":"2026-01-02T03:04:05.072Z","version":"W/\"H5VP53DDZEEAV674GDCTCZ6XL5\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "nobody", "meta.created": "80000000695735a5044aa2002026-01-02T03:04:05.072Z", "meta.version": "H5VP53DDZEEAV674GDCTCZ6XL5", "meta.lastModified": "80000000695735a5044aa2002026-01-02T03:04:05.072Z", "meta.resourceType": "Group"}', NULL, 0, '"Nobody"');
INSERT INTO public.scim_resources VALUES ('first', 'Group', 'odd', 'Group:first', 0, 1767323045075000, 1767323045075000, 'ZU575J4SVSNXJEDZG35KDSRV6A', NULL, NULL, 'odd', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"odd","displayName":"Odd","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.075Z","lastModified":"2026-01-02T03:04:05.075Z","version":"W/\"ZU575J4SVSNXJEDZG35KDSRV6A\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "odd", "meta.created": "80000000695735a5047868c02026-01-02T03:04:05.075Z", "meta.version": "ZU575J4SVSNXJEDZG35KDSRV6A", "meta.lastModified": "80000000695735a5047868c02026-01-02T03:04:05.075Z", "meta.resourceType": "Group"}', NULL, 0, '"Odd"');
INSERT INTO public.scim_resources VALUES ('first', 'Group', 'editors', 'Group:first', 0, 1767323045054000, 1767323045139000, 'NFDFWKHQX4FP4GO52DDKDKJFPA', NULL, NULL, 'editors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"editors","displayName":"Editors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.054Z","lastModified":"2026-01-02T03:04:05.139Z","version":"W/\"NFDFWKHQX4FP4GO52DDKDKJFPA\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "editors", "meta.created": "80000000695735a50337f9802026-01-02T03:04:05.054Z", "meta.version": "NFDFWKHQX4FP4GO52DDKDKJFPA", "meta.lastModified": "80000000695735a50848f8c02026-01-02T03:04:05.139Z", "meta.resourceType": "Group"}', NULL, 0, '"Editors"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'una', 'User:first', 0, 1767323045047000, 1767323045133000, 'CCHD5DJDIEG2RZYL7G37IUXNL7', 'una@example.com', 'ext-una', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"una","externalId":"ext-una","userName":"una@example.com","userType":"boss","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.047Z","lastModified":"2026-01-02T03:04:05.133Z","version":"W/\"CCHD5DJDIEG2RZYL7G37IUXNL7\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "una@example.com", "userType": "boss", "externalId": "ext-una", "meta.created": "80000000695735a502cd29c02026-01-02T03:04:05.047Z", "meta.version": "CCHD5DJDIEG2RZYL7G37IUXNL7", "meta.lastModified": "80000000695735a507ed6b402026-01-02T03:04:05.133Z", "meta.resourceType": "User"}', NULL, 0, '"una@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'Group', 'admins', 'Group:first', 0, 1767323045078000, 1767323045078000, 'SOVNGX5O5HJWZCW6UDSXOVOYBF', NULL, NULL, 'admins', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"admins","displayName":"Admins","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.078Z","lastModified":"2026-01-02T03:04:05.078Z","version":"W/\"SOVNGX5O5HJWZCW6UDSXOVOYBF\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "admins", "meta.created": "80000000695735a504a62f802026-01-02T03:04:05.078Z", "meta.version": "SOVNGX5O5HJWZCW6UDSXOVOYBF", "meta.lastModified": "80000000695735a504a62f802026-01-02T03:04:05.078Z", "meta.resourceType": "Group"}', NULL, 0, '"Admins"');
INSERT INTO public.scim_resources VALUES ('first', 'Group', 'auditors', 'Group:first', 0, 1767323045081000, 1767323045081000, 'FFJ5VIWO2CPVF54CL4FOWIVCV5', NULL, NULL, 'auditors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"auditors","displayName":"Auditors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.081Z","lastModified":"2026-01-02T03:04:05.081Z","version":"W/\"FFJ5VIWO2CPVF54CL4FOWIVCV5\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "auditors", "meta.created": "80000000695735a504d3f6402026-01-02T03:04:05.081Z", "meta.version": "FFJ5VIWO2CPVF54CL4FOWIVCV5", "meta.lastModified": "80000000695735a504d3f6402026-01-02T03:04:05.081Z", "meta.resourceType": "Group"}', NULL, 0, '"Auditors"');
INSERT INTO public.scim_resources VALUES ('first', 'Group', 'group:a', 'Group:first', 0, 1767323045086000, 1767323045086000, 'H4X66HW3DTEBWYIMBUM43KAUFG', NULL, NULL, 'editors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"group:a","displayName":"Editors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.086Z","lastModified":"2026-01-02T03:04:05.086Z","version":"W/\"H4X66HW3DTEBWYIMBUM43KAUFG\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "editors", "meta.created": "80000000695735a5052041802026-01-02T03:04:05.086Z", "meta.version": "H4X66HW3DTEBWYIMBUM43KAUFG", "meta.lastModified": "80000000695735a5052041802026-01-02T03:04:05.086Z", "meta.resourceType": "Group"}', NULL, 0, '"Editors"');
INSERT INTO public.scim_resources VALUES ('first', 'Group', 'GROUP:b', 'Group:first', 0, 1767323045089000, 1767323045089000, '6Q2T5IV6IWBWX42HKPLM5M34W7', NULL, NULL, 'editors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"GROUP:b","displayName":"Editors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.089Z","lastModified":"2026-01-02T03:04:05.089Z","version":"W/\"6Q2T5IV6IWBWX42HKPLM5M34W7\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "editors", "meta.created": "80000000695735a5054e08402026-01-02T03:04:05.089Z", "meta.version": "6Q2T5IV6IWBWX42HKPLM5M34W7", "meta.lastModified": "80000000695735a5054e08402026-01-02T03:04:05.089Z", "meta.resourceType": "Group"}', NULL, 0, '"Editors"');
INSERT INTO public.scim_resources VALUES ('first', 'Group', 'attr:userType=contractor', 'Group:first', 0, 1767323045092000, 1767323045092000, '7OWWNX7EIW4FXDSW7G3N27RLMN', NULL, NULL, 'editors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"attr:userType=contractor","displayName":"Editors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.092Z","lastModified":"2026-01-02T03:04:05.092Z","version":"W/\"7OWWNX7EIW4FXDSW7G3N27RLMN\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "editors", "meta.created": "80000000695735a5057bcf002026-01-02T03:04:05.092Z", "meta.version": "7OWWNX7EIW4FXDSW7G3N27RLMN", "meta.lastModified": "80000000695735a5057bcf002026-01-02T03:04:05.092Z", "meta.resourceType": "Group"}', NULL, 0, '"Editors"');
INSERT INTO public.scim_resources VALUES ('first', 'Group', 'Attr:c', 'Group:first', 0, 1767323045095000, 1767323045095000, 'XH7F2OVOJMNCP6CALYXVOZ3WWJ', NULL, NULL, 'editors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"Attr:c","displayName":"Editors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.095Z","lastModified":"2026-01-02T03:04:05.095Z","version":"W/\"XH7F2OVOJMNCP6CALYXVOZ3WWJ\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "editors", "meta.created": "80000000695735a505a995c02026-01-02T03:04:05.095Z", "meta.version": "XH7F2OVOJMNCP6CALYXVOZ3WWJ", "meta.lastModified": "80000000695735a505a995c02026-01-02T03:04:05.095Z", "meta.resourceType": "Group"}', NULL, 0, '"Editors"');
INSERT INTO public.scim_resources VALUES ('first', 'Group', 'group', 'Group:first', 0, 1767323045098000, 1767323045098000, 'JUSLZZE5U6S2ARVRBEAF62BZQB', NULL, NULL, 'editors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"group","displayName":"Editors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.098Z","lastModified":"2026-01-02T03:04:05.098Z","version":"W/\"JUSLZZE5U6S2ARVRBEAF62BZQB\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "editors", "meta.created": "80000000695735a505d75c802026-01-02T03:04:05.098Z", "meta.version": "JUSLZZE5U6S2ARVRBEAF62BZQB", "meta.lastModified": "80000000695735a505d75c802026-01-02T03:04:05.098Z", "meta.resourceType": "Group"}', NULL, 0, '"Editors"');
INSERT INTO public.scim_resources VALUES ('first', 'Group', '%', 'Group:first', 0, 1767323045101000, 1767323045101000, 'XIRU3JHOWR6MMN3THYMDELWGUW', NULL, NULL, 'editors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"%","displayName":"Editors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.101Z","lastModified":"2026-01-02T03:04:05.101Z","version":"W/\"XIRU3JHOWR6MMN3THYMDELWGUW\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "editors", "meta.created": "80000000695735a5060523402026-01-02T03:04:05.101Z", "meta.version": "XIRU3JHOWR6MMN3THYMDELWGUW", "meta.lastModified": "80000000695735a5060523402026-01-02T03:04:05.101Z", "meta.resourceType": "Group"}', NULL, 0, '"Editors"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'fay', 'User:first', 0, 1767323045011000, 1767323045106000, 'V7LDMVX553PVWEYSVCRHX4SWNU', 'fay@example.com', 'ext-fay', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"fay","externalId":"ext-fay","userName":"fay@example.com","active":false,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.011Z","lastModified":"2026-01-02T03:04:05.106Z","version":"W/\"V7LDMVX553PVWEYSVCRHX4SWNU\""}}', '{"meta": "", "active": "false", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "fay@example.com", "externalId": "ext-fay", "meta.created": "80000000695735a500a7d8c02026-01-02T03:04:05.011Z", "meta.version": "V7LDMVX553PVWEYSVCRHX4SWNU", "meta.lastModified": "80000000695735a506516e802026-01-02T03:04:05.106Z", "meta.resourceType": "User"}', NULL, 0, '"fay@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'ola', 'User:first', 0, 1767323045019000, 1767323045109000, 'H3UKIKKCD6UR7UJBOI7WIYSWR5', 'ola@example.com', 'ext-ola', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"ola","externalId":"ext-ola","userName":"ola@example.com","active":false,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.019Z","lastModified":"2026-01-02T03:04:05.109Z","version":"W/\"H3UKIKKCD6UR7UJBOI7WIYSWR5\""}}', '{"meta": "", "active": "false", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "ola@example.com", "externalId": "ext-ola", "meta.created": "80000000695735a50121eac02026-01-02T03:04:05.019Z", "meta.version": "H3UKIKKCD6UR7UJBOI7WIYSWR5", "meta.lastModified": "80000000695735a5067f35402026-01-02T03:04:05.109Z", "meta.resourceType": "User"}', NULL, 0, '"ola@example.com"');
INSERT INTO public.scim_resources VALUES ('first', 'User', 'lea', 'User:first', 0, 1767323045041000, 1767323045121000, 'FV3Z4MRAMUBSLN6D3KYIG4HIRM', 'lea@example.com', 'ext-lea', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"lea","externalId":"ext-lea","userName":"lea@example.com","userType":"boss","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.041Z","lastModified":"2026-01-02T03:04:05.121Z","version":"W/\"FV3Z4MRAMUBSLN6D3KYIG4HIRM\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "lea@example.com", "userType": "boss", "externalId": "ext-lea", "meta.created": "80000000695735a502719c402026-01-02T03:04:05.041Z", "meta.version": "FV3Z4MRAMUBSLN6D3KYIG4HIRM", "meta.lastModified": "80000000695735a5073650402026-01-02T03:04:05.121Z", "meta.resourceType": "User"}', NULL, 0, '"lea@example.com"');
INSERT INTO public.scim_resources VALUES ('o''ther "ü"', 'User', 'x-ann', 'User:o''ther "ü"', 0, 1767323045001000, 1767323045001000, 'UZH7HYEMUIQMSH2ERIXM2M5TX5', 'ann@example.com', 'ext-ann', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"x-ann","externalId":"ext-ann","userName":"ann@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.001Z","lastModified":"2026-01-02T03:04:05.001Z","version":"W/\"UZH7HYEMUIQMSH2ERIXM2M5TX5\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "ann@example.com", "externalId": "ext-ann", "meta.created": "80000000695735a5000f42402026-01-02T03:04:05.001Z", "meta.version": "UZH7HYEMUIQMSH2ERIXM2M5TX5", "meta.lastModified": "80000000695735a5000f42402026-01-02T03:04:05.001Z", "meta.resourceType": "User"}', NULL, 0, '"ann@example.com"');
INSERT INTO public.scim_resources VALUES ('o''ther "ü"', 'User', 'x-bob', 'User:o''ther "ü"', 0, 1767323045003000, 1767323045003000, '5B5G3MGDIUZAT5GHEA6N7YCYDX', 'bob@example.com', 'ext-bob', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"x-bob","externalId":"ext-bob","userName":"bob@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.003Z","lastModified":"2026-01-02T03:04:05.003Z","version":"W/\"5B5G3MGDIUZAT5GHEA6N7YCYDX\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "bob@example.com", "externalId": "ext-bob", "meta.created": "80000000695735a5002dc6c02026-01-02T03:04:05.003Z", "meta.version": "5B5G3MGDIUZAT5GHEA6N7YCYDX", "meta.lastModified": "80000000695735a5002dc6c02026-01-02T03:04:05.003Z", "meta.resourceType": "User"}', NULL, 0, '"bob@example.com"');
INSERT INTO public.scim_resources VALUES ('o''ther "ü"', 'User', 'x-dan', 'User:o''ther "ü"', 0, 1767323045007000, 1767323045007000, '2GEPNJ4UHIENWKXXJYCD6HOEYQ', 'dan@example.com', 'ext-dan', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"x-dan","externalId":"ext-dan","userName":"dan@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.007Z","lastModified":"2026-01-02T03:04:05.007Z","version":"W/\"2GEPNJ4UHIENWKXXJYCD6HOEYQ\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "dan@example.com", "externalId": "ext-dan", "meta.created": "80000000695735a5006acfc02026-01-02T03:04:05.007Z", "meta.version": "2GEPNJ4UHIENWKXXJYCD6HOEYQ", "meta.lastModified": "80000000695735a5006acfc02026-01-02T03:04:05.007Z", "meta.resourceType": "User"}', NULL, 0, '"dan@example.com"');
INSERT INTO public.scim_resources VALUES ('o''ther "ü"', 'User', 'x-fay', 'User:o''ther "ü"', 0, 1767323045011000, 1767323045011000, 'F34XNNFWVTVYIN2SNUGBS2KHFS', 'fay@example.com', 'ext-fay', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"x-fay","externalId":"ext-fay","userName":"fay@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.011Z","lastModified":"2026-01-02T03:04:05.011Z","version":"W/\"F34XNNFWVTVYIN2SNUGBS2KHFS\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "fay@example.com", "externalId": "ext-fay", "meta.created": "80000000695735a500a7d8c02026-01-02T03:04:05.011Z", "meta.version": "F34XNNFWVTVYIN2SNUGBS2KHFS", "meta.lastModified": "80000000695735a500a7d8c02026-01-02T03:04:05.011Z", "meta.resourceType": "User"}', NULL, 0, '"fay@example.com"');
INSERT INTO public.scim_resources VALUES ('o''ther "ü"', 'Group', 'x-viewers', 'Group:o''ther "ü"', 0, 1767323045017000, 1767323045017000, 'YKFRPIK25XWUSXBW622ZAFDXGE', NULL, NULL, 'viewers', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"x-viewers","displayName":"Viewers","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.017Z","lastModified":"2026-01-02T03:04:05.017Z","version":"W/\"YKFRPIK25XWUSXBW622ZAFDXGE\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "viewers", "meta.created": "80000000695735a5010366402026-01-02T03:04:05.017Z", "meta.version": "YKFRPIK25XWUSXBW622ZAFDXGE", "meta.lastModified": "80000000695735a5010366402026-01-02T03:04:05.017Z", "meta.resourceType": "Group"}', NULL, 0, '"Viewers"');
INSERT INTO public.scim_resources VALUES ('o''ther "ü"', 'Group', 'x-editors', 'Group:o''ther "ü"', 0, 1767323045020000, 1767323045020000, 'WJHGNN5YGO7OO5MWPEF7OGXUA6', NULL, NULL, 'editors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"x-editors","displayName":"Editors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.02Z","lastModified":"2026-01-02T03:04:05.02Z","version":"W/\"WJHGNN5YGO7OO5MWPEF7OGXUA6\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "editors", "meta.created": "80000000695735a501312d002026-01-02T03:04:05.02Z", "meta.version": "WJHGNN5YGO7OO5MWPEF7OGXUA6", "meta.lastModified": "80000000695735a501312d002026-01-02T03:04:05.02Z", "meta.resourceType": "Group"}', NULL, 0, '"Editors"');
INSERT INTO public.scim_resources VALUES ('o''ther "ü"', 'User', 'x-eve', 'User:o''ther "ü"', 0, 1767323045009000, 1767323045040000, '3GANVSABPWVDUGSV7LDJBQJLQY', 'eve@example.com', 'ext-eve', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"x-eve","externalId":"ext-eve","userName":"eve@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.009Z","lastModified":"2026-01-02T03:04:05.04Z","version":"W/\"3GANVSABPWVDUGSV7LDJBQJLQY\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "eve@example.com", "externalId": "ext-eve", "meta.created": "80000000695735a5008954402026-01-02T03:04:05.009Z", "meta.version": "3GANVSABPWVDUGSV7LDJBQJLQY", "meta.lastModified": "80000000695735a502625a002026-01-02T03:04:05.04Z", "meta.resourceType": "User"}', NULL, 0, '"eve@example.com"');
INSERT INTO public.scim_resources VALUES ('o''ther "ü"', 'Group', 'x-auditors', 'Group:o''ther "ü"', 0, 1767323045023000, 1767323045023000, 'P6666ZNZWSGYWIK72SWETOFLWD', NULL, NULL, 'auditors', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"x-auditors","displayName":"Auditors","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.023Z","lastModified":"2026-01-02T03:04:05.023Z","version":"W/\"P6666ZNZWSGYWIK72SWETOFLWD\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "auditors", "meta.created": "80000000695735a5015ef3c02026-01-02T03:04:05.023Z", "meta.version": "P6666ZNZWSGYWIK72SWETOFLWD", "meta.lastModified": "80000000695735a5015ef3c02026-01-02T03:04:05.023Z", "meta.resourceType": "Group"}', NULL, 0, '"Auditors"');
INSERT INTO public.scim_resources VALUES ('o''ther "ü"', 'Group', 'x-admins', 'Group:o''ther "ü"', 0, 1767323045028000, 1767323045028000, 'MQN4G7GP3QAZOOBAGGDVQMX6ZI', NULL, NULL, 'admins', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"x-admins","displayName":"Admins","meta":{"resourceType":"Group","created":"2026-01-02T03:04:05.028Z","lastModified":"2026-01-02T03:04:05.028Z","version":"W/\"MQN4G7GP3QAZOOBAGGDVQMX6ZI\""}}', '{"meta": "", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:group"], "displayName": "admins", "meta.created": "80000000695735a501ab3f002026-01-02T03:04:05.028Z", "meta.version": "MQN4G7GP3QAZOOBAGGDVQMX6ZI", "meta.lastModified": "80000000695735a501ab3f002026-01-02T03:04:05.028Z", "meta.resourceType": "Group"}', NULL, 0, '"Admins"');
INSERT INTO public.scim_resources VALUES ('o''ther "ü"', 'User', 'x-cal', 'User:o''ther "ü"', 0, 1767323045005000, 1767323045034000, 'KXOGXXNFGFVRGAQVQP6QMCB4YQ', 'cal@example.com', 'ext-cal', NULL, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"x-cal","externalId":"ext-cal","userName":"cal@example.com","active":true,"meta":{"resourceType":"User","created":"2026-01-02T03:04:05.005Z","lastModified":"2026-01-02T03:04:05.034Z","version":"W/\"KXOGXXNFGFVRGAQVQP6QMCB4YQ\""}}', '{"meta": "", "active": "true", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:user"], "userName": "cal@example.com", "externalId": "ext-cal", "meta.created": "80000000695735a5004c4b402026-01-02T03:04:05.005Z", "meta.version": "KXOGXXNFGFVRGAQVQP6QMCB4YQ", "meta.lastModified": "80000000695735a50206cc802026-01-02T03:04:05.034Z", "meta.resourceType": "User"}', NULL, 0, '"cal@example.com"');
INSERT INTO public.scim_schema VALUES ('ledger', 1);
INSERT INTO public.scim_schema VALUES ('store', 3);
INSERT INTO public.scim_users VALUES ('first', 'hal');
INSERT INTO public.scim_users VALUES ('first', 'ian');
INSERT INTO public.scim_users VALUES ('first', 'jan');
INSERT INTO public.scim_users VALUES ('first', 'kim');
INSERT INTO public.scim_users VALUES ('first', 'lea');
INSERT INTO public.scim_users VALUES ('first', 'sue');
INSERT INTO public.scim_users VALUES ('first', 'una');
INSERT INTO public.scim_users VALUES ('first', 'bob');
INSERT INTO public.scim_users VALUES ('first', 'cal');
INSERT INTO public.scim_users VALUES ('first', 'fay');
INSERT INTO public.scim_users VALUES ('first', 'tom');
INSERT INTO public.scim_users VALUES ('first', 'ann');
INSERT INTO public.scim_users VALUES ('first', 'ola');
INSERT INTO public.scim_users VALUES ('first', 'qi');
INSERT INTO public.scim_users VALUES ('first', 'nia');
INSERT INTO public.scim_users VALUES ('first', 'max');
INSERT INTO public.scim_users VALUES ('first', 'dan');
INSERT INTO public.scim_users VALUES ('first', 'eve');
INSERT INTO public.scim_users VALUES ('first', 'gil');
INSERT INTO public.scim_users VALUES ('first', 'rob');
INSERT INTO public.scim_users VALUES ('o''ther "ü"', 'x-ann');
INSERT INTO public.scim_users VALUES ('o''ther "ü"', 'x-cal');
INSERT INTO public.scim_users VALUES ('o''ther "ü"', 'x-eve');
INSERT INTO public.scim_users VALUES ('o''ther "ü"', 'x-fay');
INSERT INTO public.scim_users VALUES ('o''ther "ü"', 'x-bob');
INSERT INTO public.scim_users VALUES ('o''ther "ü"', 'x-dan');
ALTER TABLE ONLY public.held
    ADD CONSTRAINT held_pkey PRIMARY KEY (user_id, role);
ALTER TABLE ONLY public.people
    ADD CONSTRAINT people_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.scim_grants
    ADD CONSTRAINT scim_grants_pkey PRIMARY KEY (user_id, tenant, role_id, source);
ALTER TABLE ONLY public.scim_links
    ADD CONSTRAINT scim_links_pkey PRIMARY KEY (group_id, tenant);
ALTER TABLE ONLY public.scim_lookups
    ADD CONSTRAINT scim_lookups_pkey PRIMARY KEY (value, path, type, tenant, id);
ALTER TABLE ONLY public.scim_members
    ADD CONSTRAINT scim_members_pkey PRIMARY KEY (group_id, tenant, member_type, member_id);
ALTER TABLE ONLY public.scim_resources
    ADD CONSTRAINT scim_resources_pkey PRIMARY KEY (id, type, tenant, deleted);
ALTER TABLE ONLY public.scim_schema
    ADD CONSTRAINT scim_schema_pkey PRIMARY KEY (part);
ALTER TABLE ONLY public.scim_users
    ADD CONSTRAINT scim_users_pkey PRIMARY KEY (user_id, tenant);
ALTER TABLE ONLY public.team_people
    ADD CONSTRAINT team_people_pkey PRIMARY KEY (team_id, person_id);
ALTER TABLE ONLY public.teams
    ADD CONSTRAINT teams_pkey PRIMARY KEY (id);
CREATE INDEX scim_grants_source ON public.scim_grants USING btree (source, tenant, user_id);
CREATE INDEX scim_lookups_id ON public.scim_lookups USING btree (id, type, tenant);
CREATE INDEX scim_members_member ON public.scim_members USING btree (member_id, member_type, tenant);
CREATE INDEX scim_resources_claimed ON public.scim_resources USING btree (collection, created, id) WHERE ((deleted = 0) AND (claimed = 1));
CREATE INDEX scim_resources_created ON public.scim_resources USING btree (collection, deleted, created, id);
CREATE INDEX scim_resources_display_name ON public.scim_resources USING btree (display_name, type, tenant);
CREATE INDEX scim_resources_external_id ON public.scim_resources USING btree (external_id, type, tenant);
CREATE INDEX scim_resources_former_name ON public.scim_resources USING btree (user_name, type, tenant) WHERE (deleted <> 0);
CREATE INDEX scim_resources_mapped_name ON public.scim_resources USING btree (user_name, type, tenant) WHERE ((deleted = 0) AND (seen IS NOT NULL));
CREATE UNIQUE INDEX scim_resources_user_name ON public.scim_resources USING btree (user_name, type, tenant) WHERE ((deleted = 0) AND (seen IS NULL));
ALTER TABLE ONLY public.team_people
    ADD CONSTRAINT team_people_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.people(id);
ALTER TABLE ONLY public.team_people
    ADD CONSTRAINT team_people_team_id_fkey FOREIGN KEY (team_id) REFERENCES public.teams(id);
