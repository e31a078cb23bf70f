-- Letters that are to leave by mail. What is secret in one (a password, a link) is made when it leaves, and never kept.

CREATE TABLE letter(
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    account INTEGER,
    person INTEGER,
    facts TEXT NOT NULL,                    -- what it tells, as JSON
    at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed', 'discarded')),
    tries INTEGER NOT NULL DEFAULT 0,
    next_try INTEGER,
    error TEXT NOT NULL DEFAULT '',         -- of the last try
    done_at INTEGER,
    CHECK ((state = 'waiting') = (next_try IS NOT NULL)),
    CHECK ((state = 'waiting') = (done_at IS NULL))
) STRICT;
-- Asking again for what is on its way already changes nothing.
CREATE UNIQUE INDEX letter_alone ON letter(kind, coalesce(account, 0), coalesce(person, 0))
    WHERE state = 'waiting' AND kind IN ('password', 'invitation', 'reset', 'low-credit');
CREATE INDEX letter_due ON letter(next_try) WHERE next_try IS NOT NULL;
CREATE INDEX letter_of_account ON letter(account, kind, at);

-- Accounts whose owner has been told that credit runs low; gone once there is enough again.
CREATE TABLE low_credit(
    account INTEGER PRIMARY KEY
) STRICT;
