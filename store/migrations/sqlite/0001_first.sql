-- Each hot row is written once: `message` (what was accepted, and the ledger line that paid), `outcome` (how it ended:
-- its primary key makes a second end, and so a second refund, impossible), `delivery` (there while owed).
-- No index but primary keys on these: what an account sent is found through the debit lines of its ledger, each of which
-- names the range of ids it paid for.

PRAGMA application_id = 1397575751;     -- "SMPG"

CREATE TABLE migration(
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL
) STRICT;

CREATE TABLE account(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    system_id TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    settings TEXT NOT NULL CHECK (json_valid(settings)),
    balance INTEGER NOT NULL DEFAULT 0,
    credit_limit INTEGER NOT NULL DEFAULT 0 CHECK (credit_limit >= 0),
    created_at INTEGER NOT NULL,
    CHECK (balance >= -credit_limit)
) STRICT;

-- Money moves by writing a line; the line moves the balance, and nothing else can.
CREATE TABLE ledger(
    line INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    amount INTEGER NOT NULL,
    balance_after INTEGER NOT NULL,
    first_id INTEGER,
    last_id INTEGER,
    request_id TEXT,
    note TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    CHECK (CASE kind
        WHEN 'topup' THEN amount > 0
        WHEN 'auto_topup' THEN amount > 0
        WHEN 'transfer_in' THEN amount > 0
        WHEN 'transfer_out' THEN amount < 0
        WHEN 'debit' THEN amount <= 0
        WHEN 'refund' THEN amount > 0
        WHEN 'adjustment' THEN amount <> 0
        ELSE 0 END),
    CHECK (CASE kind WHEN 'debit' THEN coalesce(first_id <= last_id, 0) ELSE first_id IS NULL AND last_id IS NULL END)
) STRICT;
CREATE INDEX ledger_of_account ON ledger(account);
CREATE UNIQUE INDEX ledger_request ON ledger(account, request_id) WHERE request_id IS NOT NULL;

CREATE TRIGGER ledger_grows_by_one BEFORE INSERT ON ledger
WHEN NEW.line <> (SELECT coalesce(max(line), 0) + 1 FROM ledger)
BEGIN SELECT RAISE(ABORT, 'ledger: lines follow each other'); END;

CREATE TRIGGER ledger_moves_balance AFTER INSERT ON ledger
BEGIN
    UPDATE account SET balance = balance + NEW.amount
    WHERE id = NEW.account AND balance + NEW.amount = NEW.balance_after
        AND (NEW.amount >= 0 OR balance + NEW.amount >= -credit_limit);
    SELECT RAISE(ABORT, 'ledger: the line does not follow from the balance') WHERE changes() <> 1;
END;

CREATE TRIGGER ledger_is_not_changed BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'ledger: lines are never changed'); END;

CREATE TRIGGER ledger_is_not_shortened BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'ledger: lines are never deleted'); END;

CREATE TRIGGER account_starts_at_nothing BEFORE INSERT ON account
WHEN NEW.balance <> 0
BEGIN SELECT RAISE(ABORT, 'account: the first balance is 0'); END;

CREATE TRIGGER account_follows_ledger BEFORE UPDATE OF balance ON account
WHEN NOT EXISTS (SELECT 1 FROM ledger WHERE line = (SELECT max(line) FROM ledger)
                 AND account = NEW.id AND balance_after = NEW.balance AND amount = NEW.balance - OLD.balance)
BEGIN SELECT RAISE(ABORT, 'account: only a ledger line moves the balance'); END;

CREATE TRIGGER account_keeps_its_id BEFORE UPDATE OF id ON account
BEGIN SELECT RAISE(ABORT, 'account: the id never changes'); END;

CREATE TRIGGER account_stays BEFORE DELETE ON account
BEGIN SELECT RAISE(ABORT, 'account: accounts are disabled, never deleted'); END;

CREATE TABLE message(
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    charge_line INTEGER NOT NULL,
    at INTEGER NOT NULL,
    charge INTEGER NOT NULL CHECK (charge >= 0),
    body BLOB NOT NULL
) STRICT;

CREATE TRIGGER message_is_charged_once BEFORE UPDATE OF id, account, charge_line, at, charge ON message
BEGIN SELECT RAISE(ABORT, 'message: only the body may be replaced or erased'); END;

CREATE TRIGGER message_stays BEFORE DELETE ON message
BEGIN SELECT RAISE(ABORT, 'message: messages are never deleted'); END;

CREATE TABLE outcome(
    message INTEGER PRIMARY KEY,
    state INTEGER NOT NULL,
    error INTEGER NOT NULL,
    at INTEGER NOT NULL,
    refund_line INTEGER
) STRICT;

CREATE TRIGGER outcome_is_final BEFORE UPDATE ON outcome
BEGIN SELECT RAISE(ABORT, 'outcome: a final state never changes'); END;

CREATE TRIGGER outcome_stays BEFORE DELETE ON outcome
BEGIN SELECT RAISE(ABORT, 'outcome: a final state is never taken back'); END;

CREATE TABLE delivery(
    account INTEGER NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE incoming(
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE given_up(
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    at INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT;

-- There until the message has ended; `at` is NULL once it is released, so that a restart finds it however old it is.
CREATE TABLE scheduled(
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    at INTEGER
) STRICT;
CREATE INDEX scheduled_at ON scheduled(at) WHERE at IS NOT NULL;
CREATE INDEX scheduled_of_account ON scheduled(account);

CREATE TABLE multi(
    id INTEGER PRIMARY KEY,
    wire_id INTEGER NOT NULL
) STRICT;
CREATE INDEX multi_wire_id ON multi(wire_id);

CREATE TABLE refusal(
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    account INTEGER,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    status INTEGER NOT NULL,
    peer TEXT NOT NULL,
    system_id TEXT NOT NULL,
    source TEXT NOT NULL,
    destination TEXT NOT NULL,
    detail TEXT NOT NULL,
    count INTEGER NOT NULL
) STRICT;
CREATE INDEX refusal_of_account ON refusal(account);

CREATE TABLE price_plan(
    name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE price(
    plan TEXT NOT NULL,
    prefix TEXT NOT NULL CHECK (prefix NOT GLOB '*[^0-9]*'),
    price INTEGER NOT NULL CHECK (price >= 0),
    PRIMARY KEY (plan, prefix)
) STRICT, WITHOUT ROWID;

INSERT INTO price_plan(name) VALUES ('default');
INSERT INTO price(plan, prefix, price) VALUES ('default', '', 10000);

-- Below this id every message has ended or stands in `scheduled`.
CREATE TABLE mark(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    settled_below INTEGER NOT NULL
) STRICT;
INSERT INTO mark(one, settled_below) VALUES (1, 0);
