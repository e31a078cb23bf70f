-- Credit that is asked for before it is booked, and the ledger added up by the hour.

-- What the debit that uses an account's credit up looks at. It is read together with the balance, once for many groups.
ALTER TABLE account ADD COLUMN topup_below INTEGER;     -- NULL: the account does not ask for credit by itself
ALTER TABLE account ADD COLUMN topup_amount INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN topup_per_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN topup_at_once INTEGER NOT NULL DEFAULT 0
    CHECK (topup_at_once IN (0, 1) AND (topup_below IS NULL OR topup_amount > 0));
CREATE INDEX account_that_asks ON account(id) WHERE topup_below IS NOT NULL;

CREATE TABLE topup(
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    automatic INTEGER NOT NULL CHECK (automatic IN (0, 1)),
    amount INTEGER NOT NULL CHECK (amount > 0),
    balance INTEGER NOT NULL,               -- when it was asked for
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    note TEXT NOT NULL,
    request_id TEXT,
    state TEXT NOT NULL CHECK (state IN ('open', 'booked', 'refused', 'failed', 'capped')),
    line INTEGER UNIQUE,                    -- of the ledger, that booked it
    done_at INTEGER,
    done_by TEXT,
    reason TEXT NOT NULL DEFAULT '',
    retry_at INTEGER,                       -- until then the account does not ask by itself again
    tries INTEGER NOT NULL DEFAULT 0,       -- of sending it to the payment service
    next_try INTEGER,                       -- NULL: it has been taken, or there is nothing to send any more
    answer TEXT NOT NULL DEFAULT '',        -- to the last try
    announced INTEGER NOT NULL DEFAULT 0 CHECK (announced IN (0, 1)),
    CHECK ((state = 'open') = (done_at IS NULL)),
    CHECK ((state = 'booked') = (line IS NOT NULL)),
    CHECK (next_try IS NULL OR state = 'open')
) STRICT;
CREATE UNIQUE INDEX topup_automatic ON topup(account) WHERE automatic = 1 AND state = 'open';
CREATE UNIQUE INDEX topup_request ON topup(account, request_id) WHERE request_id IS NOT NULL;
CREATE INDEX topup_of_account ON topup(account, at);
CREATE INDEX topup_open ON topup(id) WHERE state = 'open';
CREATE INDEX topup_to_send ON topup(next_try) WHERE next_try IS NOT NULL;
CREATE INDEX topup_to_announce ON topup(id) WHERE announced = 0 AND state <> 'open';

CREATE TRIGGER topup_begins_open BEFORE INSERT ON topup
WHEN NEW.state NOT IN ('open', 'capped')
BEGIN SELECT RAISE(ABORT, 'topup: it is asked for before it is decided'); END;

CREATE TRIGGER topup_is_decided_once BEFORE UPDATE OF state, line, done_at, done_by, reason ON topup
WHEN OLD.state <> 'open'
BEGIN SELECT RAISE(ABORT, 'topup: what was decided stays decided'); END;

CREATE TRIGGER topup_is_as_asked BEFORE UPDATE OF id, account, automatic, amount, balance, at, who, note, request_id
ON topup
BEGIN SELECT RAISE(ABORT, 'topup: what was asked for never changes'); END;

CREATE TRIGGER topup_is_booked_by_its_line BEFORE UPDATE OF line ON topup
WHEN NEW.line IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ledger WHERE line = NEW.line AND account = NEW.account
    AND amount = NEW.amount AND kind = CASE NEW.automatic WHEN 1 THEN 'auto_topup' ELSE 'topup' END)
BEGIN SELECT RAISE(ABORT, 'topup: the line did not book it'); END;

CREATE TRIGGER topup_stays BEFORE DELETE ON topup
BEGIN SELECT RAISE(ABORT, 'topup: requests are decided, never deleted'); END;

-- For the statement: what is neither the price of messages nor its return is found at once among millions of lines.
CREATE INDEX ledger_by_hand ON ledger(account) WHERE kind NOT IN ('debit', 'refund');
CREATE INDEX ledger_refunds ON ledger(account) WHERE kind = 'refund';

-- What messages cost and what came back, added up by the hour, and cut where a line of another kind lies between (that
-- is the line `after`). Sums of lines up to the mark; they can be thrown away and made anew.
CREATE TABLE span(
    account INTEGER NOT NULL,
    after INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    first_line INTEGER NOT NULL,
    last_line INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    refunds INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    balance_after INTEGER NOT NULL,
    PRIMARY KEY (account, after, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX span_of_account ON span(account, first_line);

CREATE TABLE span_mark(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    line INTEGER NOT NULL
) STRICT;
INSERT INTO span_mark(one, line) VALUES (1, 0);
