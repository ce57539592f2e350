CREATE TABLE inventory (
    host INTEGER NOT NULL REFERENCES hosts(id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    since INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (host, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE inventory_facts (
    host INTEGER NOT NULL REFERENCES hosts(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (host, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE device_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    host INTEGER NOT NULL REFERENCES hosts(id) ON DELETE CASCADE,
    kind INTEGER NOT NULL,
    at INTEGER NOT NULL,
    severity TEXT,
    source TEXT,
    text TEXT NOT NULL,
    who TEXT,
    address TEXT,
    raw BLOB NOT NULL
) STRICT;
CREATE INDEX device_log_host ON device_log(host, kind, id);

CREATE TABLE device_log_read (
    host INTEGER NOT NULL REFERENCES hosts(id) ON DELETE CASCADE,
    kind INTEGER NOT NULL,
    place INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (host, kind)
) STRICT, WITHOUT ROWID;
