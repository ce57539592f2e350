CREATE TABLE profiles (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    position INTEGER NOT NULL,
    auth INTEGER NOT NULL,
    user TEXT,
    password BLOB,
    ccache TEXT,
    tls INTEGER NOT NULL,
    ca_file TEXT,
    client_cert_file TEXT,
    client_key_file TEXT,
    old_tls INTEGER NOT NULL,
    port INTEGER NOT NULL,
    connect_ms INTEGER NOT NULL,
    request_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE hosts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    address TEXT,
    profile TEXT REFERENCES profiles(name)
) STRICT;
CREATE INDEX hosts_profile ON hosts(profile);

CREATE TABLE tags (
    host INTEGER NOT NULL REFERENCES hosts(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (host, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_value ON tags(name, value);

CREATE TABLE facts (
    host INTEGER NOT NULL REFERENCES hosts(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (host, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE collections (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    list TEXT,
    query TEXT,
    CHECK ((list IS NULL) <> (query IS NULL))
) STRICT;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    task TEXT NOT NULL,
    args TEXT NOT NULL,
    target TEXT NOT NULL,
    who TEXT NOT NULL,
    began INTEGER NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0,
    hosts INTEGER NOT NULL,
    ok INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE operations (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    host INTEGER NOT NULL,
    name TEXT NOT NULL,
    state INTEGER NOT NULL,
    began INTEGER NOT NULL DEFAULT 0,
    ended INTEGER NOT NULL DEFAULT 0,
    power_from TEXT,
    power_to TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    cause TEXT,
    code TEXT,
    message TEXT,
    detail TEXT
) STRICT;
CREATE INDEX operations_run ON operations(run);
CREATE INDEX operations_open ON operations(state) WHERE state < 2;

CREATE TABLE activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    by TEXT NOT NULL,
    what TEXT NOT NULL,
    target TEXT,
    result TEXT NOT NULL,
    detail TEXT,
    run INTEGER
) STRICT;
CREATE INDEX activity_at ON activity(at);
