CREATE TABLE peers (
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    pin BLOB NOT NULL,
    user TEXT,
    role INTEGER NOT NULL,
    host TEXT,
    port INTEGER NOT NULL,
    configures INTEGER NOT NULL,
    consoles TEXT,
    added INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE invites (
    id BLOB PRIMARY KEY,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    secret BLOB NOT NULL,
    user TEXT,
    role INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
