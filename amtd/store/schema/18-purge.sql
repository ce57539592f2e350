CREATE TABLE activity_anchor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id INTEGER NOT NULL,
    hash BLOB NOT NULL,
    count INTEGER NOT NULL,
    from_at INTEGER NOT NULL,
    to_at INTEGER NOT NULL,
    signature BLOB NOT NULL
) STRICT;
DROP TRIGGER activity_stays;

CREATE TRIGGER activity_stays BEFORE DELETE ON activity WHEN old.id > ifnull((SELECT id FROM activity_anchor),
    0)
BEGIN
    SELECT RAISE(ABORT, 'the activity log is append-only');
END;

CREATE TABLE purge_last (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at INTEGER NOT NULL,
    report TEXT NOT NULL
) STRICT;
ALTER TABLE device_log ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;

UPDATE device_log SET kept = unixepoch() * 1000;
