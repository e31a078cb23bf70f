-- Received messages are looked for by number; files are written in the background; texts and numbers are kept apart.

-- Read out of the body off the message's road; NULL until then.
ALTER TABLE incoming ADD COLUMN source TEXT;
ALTER TABLE incoming ADD COLUMN destination TEXT;
CREATE INDEX incoming_unread ON incoming(id) WHERE source IS NULL;
CREATE INDEX incoming_from ON incoming(account, source, id);
CREATE INDEX incoming_to ON incoming(account, destination, id);

CREATE TABLE export(
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never given to another one: the file is called by it
    account INTEGER NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('outgoing', 'incoming')),
    filter TEXT NOT NULL CHECK (json_valid(filter)),
    masked INTEGER NOT NULL CHECK (masked IN (0, 1)),
    who TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    rows INTEGER NOT NULL DEFAULT 0,        -- that are surely in the file, with its first `octets`
    octets INTEGER NOT NULL DEFAULT 0,
    before INTEGER,                         -- the last of them; NULL: none yet
    estimate INTEGER,
    done_at INTEGER,
    reason TEXT NOT NULL DEFAULT '',
    CHECK ((state IN ('waiting', 'running')) = (done_at IS NULL))
) STRICT;
CREATE INDEX export_of_account ON export(account, id);
CREATE INDEX export_open ON export(id) WHERE done_at IS NULL;

-- Everything of this kind below this id has been erased, or said nothing.
CREATE TABLE erased(
    account INTEGER NOT NULL,
    what TEXT NOT NULL CHECK (what IN ('text', 'numbers', 'received text', 'received numbers')),
    below INTEGER NOT NULL,
    PRIMARY KEY (account, what)
) STRICT, WITHOUT ROWID;

-- One setting was for both until now.
UPDATE account
SET settings = json_set(settings, '$.number_retention', json_extract(settings, '$.text_retention'))
WHERE json_extract(settings, '$.text_retention') > 0;
