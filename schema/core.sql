-- SPDX-License-Identifier: Apache-2.0
-- The tables around the records.  tools/records.py writes it for both databases: BYTES becomes BLOB
-- or BYTEA, INT becomes INTEGER or BIGINT, TEXT is compared byte by byte, COMPACT becomes WITHOUT
-- ROWID or nothing.  Instants are microseconds UTC.  An identifier is the 16 bytes of a UUID.

-- Facts about the store itself: its identity, its site prefix.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BYTES NOT NULL
);

-- The next number of what is counted: files ("file"), printed codes by kind and site ("AM-K3"),
-- erasures ("erased").
CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    next INT NOT NULL
);

-- The key of an operation, sealed under a master key of the keeper.
CREATE TABLE operation_key (
    operation BYTES PRIMARY KEY,
    master BYTES NOT NULL,
    wrapped BYTES NOT NULL
);

-- The key and the salt of a person, sealed under the operation's key.  Erasing makes them null.
CREATE TABLE person_key (
    person BYTES PRIMARY KEY,
    operation BYTES NOT NULL,
    wrapped BYTES
);

-- The tombstones of erased persons, numbered in the order in which they were committed.
CREATE TABLE erased (
    n INT PRIMARY KEY,
    person BYTES NOT NULL UNIQUE,
    operation BYTES NOT NULL,
    at INT NOT NULL,
    account BYTES NOT NULL
);

-- One row a file, whatever its kind: what lists and searches read.  `n` stands for the file in the
-- token table, `site` and `number` are those of its code, `sort` is the beginning of the sort key
-- of its name.  An unknown sex and a state of kinds that have none are empty texts.
CREATE TABLE file (
    n INT PRIMARY KEY,
    id BYTES NOT NULL UNIQUE,
    operation BYTES NOT NULL,
    kind TEXT NOT NULL,
    code TEXT NOT NULL UNIQUE,
    site TEXT NOT NULL,
    number INT NOT NULL,
    state TEXT NOT NULL,
    sex TEXT NOT NULL,
    sort BYTES NOT NULL,
    changed INT NOT NULL,
    withdrawn INT NOT NULL
) COMPACT;
-- Of all states and sexes.  "+ 0" keeps PostgreSQL from taking these for a list of one state, whose
-- files it would look for among all.
CREATE INDEX file_code ON file (operation, kind, (withdrawn + 0), site, number);
CREATE INDEX file_name ON file (operation, kind, (withdrawn + 0), sort, n);
CREATE INDEX file_changed ON file (operation, kind, (withdrawn + 0), changed, n);
CREATE INDEX file_some_code ON file (operation, kind, withdrawn, state, sex, site, number);
CREATE INDEX file_some_name ON file (operation, kind, withdrawn, state, sex, sort, n);
CREATE INDEX file_some_changed ON file (operation, kind, withdrawn, state, sex, changed, n);

-- How many files there are by state, without those that were withdrawn.
CREATE TABLE file_count (
    operation BYTES NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    n INT NOT NULL,
    PRIMARY KEY (operation, kind, state)
) COMPACT;

-- Keyed tokens of what can be searched for; `count` of the file's records have it.
CREATE TABLE token (
    token INT NOT NULL,
    file INT NOT NULL,
    count INT NOT NULL,
    PRIMARY KEY (token, file)
) COMPACT;

-- The hash chain of each file.
CREATE TABLE audit (
    file BYTES NOT NULL,
    seq INT NOT NULL,
    at INT NOT NULL,
    account BYTES NOT NULL,
    action TEXT NOT NULL,
    kind TEXT NOT NULL,
    record BYTES NOT NULL,
    rev INT NOT NULL,
    detail TEXT NOT NULL,
    prev BYTES NOT NULL,
    hash BYTES NOT NULL,
    PRIMARY KEY (file, seq)
);

-- What an entry changed in personal fields, sealed under the person's key.
CREATE TABLE history (
    file BYTES NOT NULL,
    seq INT NOT NULL,
    person BYTES NOT NULL,
    sealed BYTES NOT NULL,
    PRIMARY KEY (file, seq)
);
CREATE INDEX history_person ON history (person);

-- Entries that the sequencer has not put in order yet, and the order of those that it has.
CREATE TABLE pending (
    file BYTES NOT NULL,
    seq INT NOT NULL,
    hash BYTES NOT NULL,
    PRIMARY KEY (file, seq)
) COMPACT;
CREATE TABLE leaf (
    n INT PRIMARY KEY,
    file BYTES NOT NULL,
    seq INT NOT NULL,
    hash BYTES NOT NULL
);
CREATE UNIQUE INDEX leaf_entry ON leaf (file, seq);
CREATE TABLE tree (
    one INT PRIMARY KEY CHECK (one = 1),
    size INT NOT NULL,
    state BYTES NOT NULL
);
CREATE TABLE checkpoint (
    size INT NOT NULL,
    at INT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (size, at)
);

-- Work that is waiting, being done, or failed: store/jobs.h.  It may begin at `due`, or its lease
-- ends then; `since` is when that was written.
CREATE TABLE job (
    id BYTES PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    operation BYTES NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    due INT NOT NULL,
    since INT NOT NULL,
    attempts INT NOT NULL,
    worker TEXT NOT NULL,
    error TEXT NOT NULL
);
CREATE INDEX job_due ON job (kind, state, due, id);
CREATE UNIQUE INDEX job_waiting ON job (operation, kind, subject) WHERE state = 'waiting';

-- Pictures drawn small or blurred (store/forms.h): `made` is a blob of the same person.
CREATE TABLE picture_form (
    hash BYTES NOT NULL,
    person BYTES NOT NULL,
    form INT NOT NULL,
    made BYTES NOT NULL,
    PRIMARY KEY (hash, person, form)
);
CREATE INDEX picture_form_person ON picture_form (person, hash);

-- Long work that somebody asked the service for: store/tasks.h.  `ask` and `answer` are sealed.
CREATE TABLE task (
    id BYTES PRIMARY KEY,
    account BYTES NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    made INT NOT NULL,
    ended INT NOT NULL,
    lease INT NOT NULL,
    worker TEXT NOT NULL,
    again INT NOT NULL,
    cancel INT NOT NULL,
    phase TEXT NOT NULL,
    done INT NOT NULL,
    total INT NOT NULL,
    ask BYTES NOT NULL,
    answer BYTES NOT NULL
);
CREATE INDEX task_account ON task (account, made, id);
CREATE INDEX task_state ON task (state, lease, id);

-- Sealed pictures and scans, by the keyed hash of their content; `stream` is one sealing of it: a
-- file of DIRECTORY/pictures, or the rows of blob_chunk.
CREATE TABLE blob (
    hash BYTES NOT NULL,
    person BYTES NOT NULL,
    operation BYTES NOT NULL,
    stream BYTES NOT NULL UNIQUE,
    size INT NOT NULL,
    created INT NOT NULL,
    PRIMARY KEY (hash, person)
);
CREATE INDEX blob_person ON blob (person, hash);
CREATE TABLE blob_chunk (
    stream BYTES NOT NULL,
    n INT NOT NULL,
    bytes BYTES NOT NULL,
    PRIMARY KEY (stream, n)
);

CREATE TABLE agency (
    id BYTES PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
-- `once`: until when a password that somebody else chose lets its owner set their own; 0: it is
-- their own.  `totp_step`: the last step that was used; -1: the secret was not confirmed yet.
CREATE TABLE account (
    id BYTES PRIMARY KEY,
    agency BYTES NOT NULL,
    name TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    once INT NOT NULL,
    totp BYTES,
    totp_step INT NOT NULL,
    state TEXT NOT NULL,
    created INT NOT NULL
);
-- Hashes of the codes on paper that were not used yet.
CREATE TABLE recovery_code (
    account BYTES NOT NULL,
    hash BYTES NOT NULL,
    PRIMARY KEY (account, hash)
) COMPACT;
-- Logins that failed, by keyed hashes of the name and of where they came from; one of both may be
-- empty, for all names or all unknown origins.  `known`: when a login from there succeeded last.
CREATE TABLE login_try (
    name BYTES NOT NULL,
    origin BYTES NOT NULL,
    failures INT NOT NULL,
    last INT NOT NULL,
    known INT NOT NULL,
    PRIMARY KEY (name, origin)
) COMPACT;
-- Who is logged in, by the hash of a random token.
CREATE TABLE login_session (
    token BYTES PRIMARY KEY,
    account BYTES NOT NULL,
    created INT NOT NULL,
    used INT NOT NULL,
    expires INT NOT NULL,
    -- When its owner logged in, which renewing does not change, and until when a confirmation counts.
    began INT NOT NULL,
    confirmed INT NOT NULL
) COMPACT;
CREATE INDEX login_session_account ON login_session (account);
CREATE TABLE grant_role (
    account BYTES NOT NULL,
    operation BYTES NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (account, operation, role)
);
-- Limits of an account that differ from those of all.
CREATE TABLE quota (
    account BYTES NOT NULL,
    kind TEXT NOT NULL,
    most INT NOT NULL,
    PRIMARY KEY (account, kind)
) COMPACT;
CREATE TABLE used_quota (
    account BYTES NOT NULL,
    kind TEXT NOT NULL,
    period INT NOT NULL,
    n INT NOT NULL,
    PRIMARY KEY (account, kind, period)
);
-- What came in from elsewhere, so that a repetition changes nothing.
CREATE TABLE imported (
    operation BYTES NOT NULL,
    source TEXT NOT NULL,
    line TEXT NOT NULL,
    record BYTES NOT NULL,
    rev INT NOT NULL,
    digest BYTES NOT NULL,
    PRIMARY KEY (operation, source, line)
);

-- Other sites and organisations, with the keys that somebody checked; `id` is that of their store,
-- `checkpoint` the last one of their history that a bundle brought.
CREATE TABLE peer (
    id BYTES PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    site TEXT NOT NULL,
    kind TEXT NOT NULL,
    agency TEXT NOT NULL,
    sign BYTES NOT NULL UNIQUE,
    box BYTES NOT NULL,
    added INT NOT NULL,
    account BYTES NOT NULL,
    checkpoint TEXT NOT NULL
);
-- The operations that a peer takes part in.
CREATE TABLE peer_operation (
    peer BYTES NOT NULL,
    operation BYTES NOT NULL,
    PRIMARY KEY (peer, operation)
);
-- Bundles that were made for a peer or opened; `mark` is the size of the history that it tells of.
CREATE TABLE bundle (
    id BYTES NOT NULL,
    peer BYTES NOT NULL,
    operation BYTES NOT NULL,
    opened INT NOT NULL,
    mark INT NOT NULL,
    at INT NOT NULL,
    account BYTES NOT NULL,
    PRIMARY KEY (id, peer)
);
CREATE INDEX bundle_peer ON bundle (peer, operation, opened, at);
-- The version that a record is in everywhere, as long as its revision here is `rev`, and those that
-- this one came from.
CREATE TABLE version (
    record BYTES PRIMARY KEY,
    rev INT NOT NULL,
    id BYTES NOT NULL,
    earlier BYTES NOT NULL
);
-- A hypothesis of another site on a pair that has one here.
CREATE TABLE alias (
    theirs BYTES PRIMARY KEY,
    ours BYTES NOT NULL
);
-- The chains of files as other sites keep them.
CREATE TABLE foreign_entry (
    store BYTES NOT NULL,
    file BYTES NOT NULL,
    seq INT NOT NULL,
    at INT NOT NULL,
    account BYTES NOT NULL,
    action TEXT NOT NULL,
    kind TEXT NOT NULL,
    record BYTES NOT NULL,
    rev INT NOT NULL,
    detail TEXT NOT NULL,
    prev BYTES NOT NULL,
    hash BYTES NOT NULL,
    PRIMARY KEY (store, file, seq)
);
-- What a bundle brought of a record that was changed here too, until somebody decides.  `theirs` is
-- sealed under the person's key, when there is a person.
CREATE TABLE conflict (
    id BYTES PRIMARY KEY,
    operation BYTES NOT NULL,
    file BYTES NOT NULL,
    kind TEXT NOT NULL,
    record BYTES NOT NULL,
    person BYTES,
    peer BYTES NOT NULL,
    bundle BYTES NOT NULL,
    at INT NOT NULL,
    version BYTES NOT NULL,
    earlier BYTES NOT NULL,
    theirs BYTES NOT NULL,
    UNIQUE (record, peer)
);
CREATE INDEX conflict_operation ON conflict (operation, id);
CREATE INDEX conflict_person ON conflict (person);
