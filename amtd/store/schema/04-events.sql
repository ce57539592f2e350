CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    severity INTEGER NOT NULL,
    host TEXT,
    console TEXT,
    guarded INTEGER NOT NULL,
    text TEXT NOT NULL,
    data TEXT,
    bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX events_at ON events(at);
