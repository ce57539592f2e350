CREATE TABLE declarations (
    collection TEXT PRIMARY KEY REFERENCES collections(name) ON DELETE CASCADE,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    hash TEXT NOT NULL,
    who TEXT NOT NULL,
    version INTEGER NOT NULL,
    since INTEGER NOT NULL
) STRICT;
