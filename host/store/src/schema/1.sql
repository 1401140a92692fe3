-- The secret beside the file is held against this.
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    key_check BLOB NOT NULL CHECK (length(key_check) = 32),
    -- The last place of what was pending that counter and charge have taken in.
    folded INTEGER NOT NULL DEFAULT 0 CHECK (folded >= 0),
    -- The latest stamp of what was taken in; none before the first.
    clock_ms INTEGER
) STRICT;

-- What the latest commits changed, one row each, until a store takes it into the tables counter, charge and
-- call. Those are right only together with this one.
CREATE TABLE pending (
    place INTEGER PRIMARY KEY CHECK (place > 0),
    entry BLOB NOT NULL
) STRICT;

-- One row for a part of a counter. A row is never removed: its version and its clock only rise.
CREATE TABLE counter (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    partition TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 0),
    -- The latest stamp at which the counter was charged or given back.
    clock_ms INTEGER NOT NULL,
    -- The place of the newest charge ever made.
    newest INTEGER NOT NULL CHECK (newest >= 0),
    -- Charges up to this place do not count any more: the counter was reset.
    floor INTEGER NOT NULL CHECK (floor >= 0),
    -- The longest rolling window that was charged; older charges are pruned.
    longest_ms INTEGER NOT NULL CHECK (longest_ms >= 0),
    -- The running total of the charges since an instant; the sum is total_high * 2^63 + total_low.
    total_since_ms INTEGER,
    total_high INTEGER NOT NULL CHECK (total_high >= 0),
    total_low INTEGER NOT NULL CHECK (total_low >= 0),
    total_count INTEGER NOT NULL CHECK (total_count >= 0),
    UNIQUE (tenant, name, partition)
) STRICT;

-- The charges of a row in the order in which they were made; their times never fall in that order.
CREATE TABLE charge (
    counter_id INTEGER NOT NULL REFERENCES counter (id),
    place INTEGER NOT NULL,
    charged_at_ms INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    sequence BLOB NOT NULL CHECK (length(sequence) = 32),
    PRIMARY KEY (counter_id, place)
) STRICT, WITHOUT ROWID;

-- The calls whose answer is on record: the same call under the same id gets it again, and what came of it can be
-- told.
CREATE TABLE call (
    place INTEGER PRIMARY KEY,
    -- The keyed digests of tenant and call id, and of who calls.
    id BLOB NOT NULL CHECK (length(id) = 32),
    caller BLOB NOT NULL CHECK (length(caller) = 32),
    -- The last instant at which the answer is on record.
    until_ms INTEGER NOT NULL,
    -- The call's digest, its answer, its charges and what came of it.
    remembered BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX call_by_id ON call (id, caller);
CREATE INDEX call_by_end ON call (until_ms);

-- The questions to humans, and the yes that may come of each.
CREATE TABLE approval (
    place INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    -- The keyed digest of the call with its final arguments, and the policy: what a yes is bound to.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    policy BLOB NOT NULL CHECK (length(policy) = 32),
    -- The keyed digests of what calls like it share, and of the session: what a yes with terms is bound to.
    kind BLOB NOT NULL CHECK (length(kind) = 32),
    session BLOB NOT NULL CHECK (length(session) = 32),
    -- The keyed digest of the agent.
    asker BLOB NOT NULL CHECK (length(asker) = 32),
    created_ms INTEGER NOT NULL,
    -- The last instant at which it may be answered and used; none where there is no such.
    expires_ms INTEGER,
    required INTEGER NOT NULL CHECK (required > 0),
    not_the_requester INTEGER NOT NULL CHECK (not_the_requester IN (0, 1)),
    -- Lists of names in JSON; anybody may approve where there is none.
    approvers TEXT,
    requesters TEXT NOT NULL,
    -- Whose questions are put: a list of guards in JSON, and whether it is that no guard judges the call.
    guards TEXT NOT NULL,
    unmatched INTEGER NOT NULL CHECK (unmatched IN (0, 1)),
    -- What people see, in JSON.
    shown TEXT NOT NULL,
    -- How many calls its yes has served, and when it served the last one that it may.
    uses INTEGER NOT NULL,
    used_ms INTEGER,
    -- It can neither be answered nor used any more. Its time may be over before this says so.
    is_closed INTEGER NOT NULL CHECK (is_closed IN (0, 1))
) STRICT;

CREATE INDEX approval_by_call ON approval (tenant, digest, policy) WHERE is_closed = 0;
CREATE INDEX approval_by_kind ON approval (tenant, kind, policy) WHERE is_closed = 0;
CREATE INDEX approval_by_asker ON approval (tenant, asker) WHERE is_closed = 0;

CREATE TABLE answer (
    approval INTEGER NOT NULL REFERENCES approval (place),
    turn INTEGER NOT NULL,
    word TEXT NOT NULL,
    by_name TEXT NOT NULL,
    account TEXT NOT NULL,
    via TEXT NOT NULL,
    reason TEXT,
    -- Within how many milliseconds a yes must be used, where it says so.
    within_ms INTEGER,
    -- On which terms a yes serves further calls, in JSON, where it does.
    terms TEXT,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (approval, turn)
) STRICT, WITHOUT ROWID;

-- The last link of each tenant's chain.
CREATE TABLE chain (
    tenant TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL CHECK (sequence > 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    tenant TEXT NOT NULL,
    sequence INTEGER NOT NULL CHECK (sequence > 0),
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    call_id TEXT NOT NULL,
    verdict TEXT NOT NULL,
    body TEXT NOT NULL,
    previous BLOB NOT NULL CHECK (length(previous) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    UNIQUE (tenant, sequence)
) STRICT;

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'an audit record is never changed');
END;

CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'an audit record is never removed');
END;
