CREATE TABLE sweeps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    words TEXT NOT NULL,
    search TEXT NOT NULL,
    who TEXT NOT NULL,
    began INTEGER NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0,
    state INTEGER NOT NULL DEFAULT 0,
    addresses INTEGER NOT NULL,
    cursor INTEGER NOT NULL DEFAULT 0,
    kinds BLOB
) STRICT;

CREATE TABLE sweep_found (
    sweep INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    address INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    realm TEXT,
    detail TEXT NOT NULL,
    host TEXT,
    outcome TEXT,
    PRIMARY KEY (sweep, address)
) STRICT, WITHOUT ROWID;
