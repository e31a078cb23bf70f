-- People, what proves who they are, and what anybody changed. Nothing here can be logged in with by who reads it:
-- passwords are argon2id, links, sessions and tokens are digests of random octets. (A secret of one-time codes has to
-- be read to check a code; it is of no use without the password.)

CREATE TABLE person(
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never given to somebody else: the log of changes names it
    email TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name TEXT NOT NULL,
    operator INTEGER NOT NULL CHECK (operator IN (0, 1)),
    read_only INTEGER NOT NULL CHECK (read_only IN (0, 1)),
    language TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    password_hash TEXT,                     -- NULL until the invitation was taken up
    otp_secret TEXT,                        -- NULL: no one-time codes
    otp_counter INTEGER NOT NULL DEFAULT 0, -- of the last code taken; none counts twice
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE owner(
    person INTEGER NOT NULL,
    account INTEGER NOT NULL,
    PRIMARY KEY (person, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX owner_of_account ON owner(account);

-- Instead of a one-time code when the telephone is lost; there until it is used.
CREATE TABLE recovery_code(
    person INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (person, digest)
) STRICT, WITHOUT ROWID;

-- One-time links: there until used. One of a purpose a person, so a newer one makes the older worthless.
CREATE TABLE link(
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    person INTEGER NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('invitation', 'reset')),
    expires_at INTEGER NOT NULL,
    UNIQUE (person, purpose)
) STRICT, WITHOUT ROWID;

CREATE TABLE session(
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    person INTEGER NOT NULL,
    origin TEXT NOT NULL,
    agent TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;
CREATE INDEX session_of_person ON session(person);

CREATE TABLE token(
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    person INTEGER NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL CHECK (json_valid(scopes)),
    created_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE INDEX token_of_person ON token(person);

-- What was answered to a request that came with a key, so that the same request again gets the same answer.
CREATE TABLE answer(
    who TEXT NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL CHECK (length(request) = 32),
    at INTEGER NOT NULL,
    status INTEGER,                         -- NULL while it is being worked on
    headers TEXT,
    body BLOB,
    PRIMARY KEY (who, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX answer_at ON answer(at);

CREATE TABLE change(
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    person INTEGER,                         -- NULL: the command line of this machine, or the gateway itself
    who TEXT NOT NULL,
    origin TEXT NOT NULL,
    via TEXT NOT NULL,
    account INTEGER,
    subject TEXT NOT NULL,
    name TEXT NOT NULL,
    old TEXT CHECK (old IS NULL OR json_valid(old)),
    new TEXT CHECK (new IS NULL OR json_valid(new))
) STRICT;
CREATE INDEX change_of_account ON change(account);

CREATE TRIGGER change_is_not_changed BEFORE UPDATE ON change
BEGIN SELECT RAISE(ABORT, 'change: what happened is never rewritten'); END;

CREATE TRIGGER change_stays BEFORE DELETE ON change
BEGIN SELECT RAISE(ABORT, 'change: what happened is never forgotten'); END;
