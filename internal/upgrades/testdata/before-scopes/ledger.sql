CREATE TABLE public.held (
    tenant text NOT NULL,
    user_id text NOT NULL,
    role text NOT NULL
);
CREATE TABLE public.led_grants (
    tenant text NOT NULL COLLATE pg_catalog."C",
    user_id text NOT NULL COLLATE pg_catalog."C",
    role_id text NOT NULL COLLATE pg_catalog."C",
    source text NOT NULL COLLATE pg_catalog."C",
    at bigint NOT NULL,
    by_hand smallint NOT NULL,
    waiting smallint NOT NULL
);
CREATE TABLE public.led_links (
    tenant text NOT NULL COLLATE pg_catalog."C",
    group_id text NOT NULL COLLATE pg_catalog."C",
    role_id text NOT NULL,
    role_name text NOT NULL,
    weight bigint NOT NULL,
    protected smallint NOT NULL,
    confirmed smallint NOT NULL
);
CREATE TABLE public.led_schema (
    part text NOT NULL,
    version bigint NOT NULL
);
CREATE TABLE public.led_users (
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
INSERT INTO public.led_grants VALUES ('first', 'hal', 'viewer', 'attr:userType', 1767323045030000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'ian', 'editor', 'attr:userType', 1767323045034000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'sue', 'viewer', 'attr:userType', 1767323045050000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'ann', 'editor', 'group:editors', 1767323045062000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'bob', 'editor', 'group:editors', 1767323045062000, 1, 0);
INSERT INTO public.led_grants VALUES ('first', 'qi', 'editor', 'group:editors', 1767323045062000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'ann', 'editor', 'group:writers', 1767323045070000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'nia', 'viewer', 'group:viewers', 1767323045074000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'qi', 'viewer', 'group:viewers', 1767323045074000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'sue', 'viewer', 'group:viewers', 1767323045074000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'nia', 'o''d"d\ü🙂', 'group:odd', 1767323045090000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'qi', 'o''d"d\ü🙂', 'group:odd', 1767323045090000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'eve', 'auditor', 'group:auditors', 1767323045101000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'rob', 'editor', 'group:group:a', 1767323045105000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'rob', 'editor', 'group:GROUP:b', 1767323045109000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'rob', 'editor', 'group:attr:userType=contractor', 1767323045113000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'rob', 'editor', 'group:Attr:c', 1767323045117000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'rob', 'editor', 'group:group', 1767323045121000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'rob', 'editor', 'group:%', 1767323045125000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'kim', 'auditor', 'attr:userType', 1767323045128000, 0, 0);
INSERT INTO public.led_grants VALUES ('first', 'fay', 'auditor', 'group:auditors', 1767323045133000, 0, 1);
INSERT INTO public.led_grants VALUES ('first', 'ola', 'auditor', 'group:auditors', 1767323045137000, 0, 1);
INSERT INTO public.led_grants VALUES ('first', 'gil', 'auditor', 'group:auditors', 1767323045141000, 0, 1);
INSERT INTO public.led_grants VALUES ('first', 'lea', 'auditor', 'attr:userType', 1767323045149000, 0, 1);
INSERT INTO public.led_grants VALUES ('first', 'tom', 'auditor', 'group:auditors', 1767323045157000, 0, 1);
INSERT INTO public.led_grants VALUES ('first', 'una', 'auditor', 'attr:userType', 1767323045165000, 0, 1);
INSERT INTO public.led_grants VALUES ('first', 'una', 'auditor', 'group:auditors', 1767323045165000, 0, 0);
INSERT INTO public.led_grants VALUES ('o''ther "ü"', 'x-ann', 'viewer', 'group:x-viewers', 1767323045018000, 0, 1);
INSERT INTO public.led_grants VALUES ('o''ther "ü"', 'x-bob', 'editor', 'group:x-editors', 1767323045022000, 0, 0);
INSERT INTO public.led_grants VALUES ('o''ther "ü"', 'x-dan', 'editor', 'group:x-editors', 1767323045022000, 0, 0);
INSERT INTO public.led_grants VALUES ('o''ther "ü"', 'x-cal', 'auditor', 'group:x-auditors', 1767323045029000, 0, 1);
INSERT INTO public.led_grants VALUES ('o''ther "ü"', 'x-fay', 'auditor', 'group:x-auditors', 1767323045029000, 0, 1);
INSERT INTO public.led_grants VALUES ('o''ther "ü"', 'x-eve', 'editor', 'group:x-editors', 1767323045049000, 0, 1);
INSERT INTO public.led_links VALUES ('first', 'attr:userType=contractor', 'viewer', 'Viewer', -3, 0, 1);
INSERT INTO public.led_links VALUES ('first', 'attr:userType=sha256:4c961965193bef12da42ebee742ab829c0510193ac0670b841b7b5ceacdb99cb', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.led_links VALUES ('first', 'attr:userType=chief', 'auditor', 'Auditor', 7, 1, 0);
INSERT INTO public.led_links VALUES ('first', 'editors', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.led_links VALUES ('first', 'writers', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.led_links VALUES ('first', 'viewers', 'viewer', 'Viewer', -3, 0, 1);
INSERT INTO public.led_links VALUES ('first', 'odd', 'o''d"d\ü🙂', 'O''Dd "quoted" \ <ü>& 	{p}$1?', -9223372036854775808, 0, 1);
INSERT INTO public.led_links VALUES ('first', 'admins', 'admin', 'Admin', 9223372036854775807, 1, 0);
INSERT INTO public.led_links VALUES ('first', 'auditors', 'auditor', 'Auditor', 7, 1, 1);
INSERT INTO public.led_links VALUES ('first', 'group:group:a', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.led_links VALUES ('first', 'GROUP:b', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.led_links VALUES ('first', 'group:attr:userType=contractor', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.led_links VALUES ('first', 'Attr:c', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.led_links VALUES ('first', 'group', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.led_links VALUES ('first', '%', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.led_links VALUES ('first', 'attr:userType=boss', 'auditor', 'Auditor', 7, 1, 1);
INSERT INTO public.led_links VALUES ('o''ther "ü"', 'x-viewers', 'viewer', 'Viewer', -3, 0, 1);
INSERT INTO public.led_links VALUES ('o''ther "ü"', 'x-editors', 'editor', 'Editor', 10, 0, 1);
INSERT INTO public.led_links VALUES ('o''ther "ü"', 'x-auditors', 'auditor', 'Auditor', 7, 1, 1);
INSERT INTO public.led_links VALUES ('o''ther "ü"', 'x-admins', 'admin', 'Admin', 9223372036854775807, 1, 0);
INSERT INTO public.led_schema VALUES ('ledger', 1);
ALTER TABLE ONLY public.held
    ADD CONSTRAINT held_pkey PRIMARY KEY (user_id, role);
ALTER TABLE ONLY public.led_grants
    ADD CONSTRAINT led_grants_pkey PRIMARY KEY (user_id, tenant, role_id, source);
ALTER TABLE ONLY public.led_links
    ADD CONSTRAINT led_links_pkey PRIMARY KEY (group_id, tenant);
ALTER TABLE ONLY public.led_schema
    ADD CONSTRAINT led_schema_pkey PRIMARY KEY (part);
ALTER TABLE ONLY public.led_users
    ADD CONSTRAINT led_users_pkey PRIMARY KEY (user_id, tenant);
ALTER TABLE ONLY public.people
    ADD CONSTRAINT people_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.team_people
    ADD CONSTRAINT team_people_pkey PRIMARY KEY (team_id, person_id);
ALTER TABLE ONLY public.teams
    ADD CONSTRAINT teams_pkey PRIMARY KEY (id);
CREATE INDEX led_grants_source ON public.led_grants USING btree (source, tenant, user_id);
ALTER TABLE ONLY public.team_people
    ADD CONSTRAINT team_people_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.people(id);
ALTER TABLE ONLY public.team_people
    ADD CONSTRAINT team_people_team_id_fkey FOREIGN KEY (team_id) REFERENCES public.teams(id);
