-- What history searches by. Filled off the message's road, line of the ledger by line; what lies beyond the mark is
-- looked through as it is.

CREATE TABLE sent(
    account INTEGER NOT NULL,
    id INTEGER NOT NULL,
    source TEXT NOT NULL,
    destination TEXT NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sent_to ON sent(account, destination, id);

-- Of the ends there are only the ones that are looked for because something went wrong: nothing is added for the others.
CREATE INDEX outcome_failed ON outcome(state, message) WHERE state <> 2;

CREATE TABLE sent_mark(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    line INTEGER NOT NULL
) STRICT;
INSERT INTO sent_mark(one, line) VALUES (1, 0);

CREATE INDEX incoming_of_account ON incoming(account, id);
