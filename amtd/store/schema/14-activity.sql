ALTER TABLE activity ADD COLUMN hosts TEXT;
ALTER TABLE activity ADD COLUMN key TEXT;
ALTER TABLE activity ADD COLUMN previous BLOB;
ALTER TABLE activity ADD COLUMN hash BLOB;
ALTER TABLE activity ADD COLUMN signature BLOB;

CREATE TABLE activity_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id INTEGER NOT NULL,
    hash BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT;

CREATE TRIGGER activity_stays BEFORE DELETE ON activity
BEGIN
    SELECT RAISE(ABORT, 'the activity log is append-only');
END;

CREATE TRIGGER activity_stands BEFORE UPDATE ON activity WHEN old.hash IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'the activity log is append-only');
END;
