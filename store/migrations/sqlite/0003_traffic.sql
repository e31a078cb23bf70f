-- How much an account did in a minute (step 60) and on a day by UTC (step 86400): what charts are drawn of. It is not
-- the books: a power cut may cost the last seconds of it.
CREATE TABLE traffic(
    account INTEGER NOT NULL,
    step INTEGER NOT NULL CHECK (step IN (60, 86400)),
    at INTEGER NOT NULL,                    -- the first second of the minute or day
    submitted INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    PRIMARY KEY (account, step, at)
) STRICT, WITHOUT ROWID;
