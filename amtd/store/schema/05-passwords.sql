CREATE TABLE passwords (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    host INTEGER NOT NULL,
    name TEXT NOT NULL,
    user TEXT NOT NULL,
    state INTEGER NOT NULL,
    password BLOB NOT NULL,
    at INTEGER NOT NULL,
    run INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX passwords_one ON passwords(host, user, state) WHERE state < 2;
CREATE INDEX passwords_name ON passwords(name);

CREATE TRIGGER passwords_stay AFTER DELETE ON hosts
BEGIN
    UPDATE passwords SET host = 0, state = 2 WHERE host = old.id;
END;
