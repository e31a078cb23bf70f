-- Senders that owners register, and numbers that are not written to.

-- What may be used on the wire stands in the account's settings; here stands how a name came there, or why it did not.
CREATE TABLE sender(
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'disabled', 'refused')),
    comment TEXT NOT NULL DEFAULT '',       -- of whoever decided
    at INTEGER NOT NULL,
    decided_at INTEGER,
    UNIQUE (account, name),
    CHECK ((state = 'waiting') = (decided_at IS NULL))
) STRICT;
CREATE INDEX sender_waiting ON sender(id) WHERE state = 'waiting';

CREATE TABLE sender_document(
    id INTEGER PRIMARY KEY,
    sender INTEGER NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('application/pdf', 'image/jpeg', 'image/png')),
    size INTEGER NOT NULL,
    octets BLOB NOT NULL
) STRICT;
CREATE INDEX document_of_sender ON sender_document(sender);

CREATE TABLE blacklist(
    account INTEGER NOT NULL,
    number TEXT NOT NULL CHECK (number NOT GLOB '*[^0-9]*'),
    at INTEGER NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('stop', 'manual')),
    note TEXT NOT NULL,
    PRIMARY KEY (account, number)
) STRICT, WITHOUT ROWID;
