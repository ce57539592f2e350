CREATE TABLE authorities (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state INTEGER NOT NULL,
    der BLOB NOT NULL,
    key BLOB NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX authorities_one ON authorities(state) WHERE state = 0;

CREATE TABLE certificates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    host INTEGER NOT NULL,
    name TEXT NOT NULL,
    state INTEGER NOT NULL,
    der BLOB,
    pin TEXT,
    until INTEGER NOT NULL DEFAULT 0,
    authority INTEGER NOT NULL DEFAULT 0,
    before TEXT NOT NULL,
    at INTEGER NOT NULL,
    run INTEGER NOT NULL,
    told INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX certificates_one ON certificates(host, state) WHERE state < 2;
CREATE INDEX certificates_authority ON certificates(authority);
CREATE INDEX certificates_new ON certificates(id) WHERE state = 0 AND NOT told;

CREATE TABLE certificate_warned (
    host INTEGER PRIMARY KEY REFERENCES hosts(id) ON DELETE CASCADE,
    until TEXT NOT NULL,
    stage INTEGER NOT NULL
) STRICT;

CREATE TRIGGER certificates_stay AFTER DELETE ON hosts
BEGIN
    UPDATE certificates SET host = 0, state = 2 WHERE host = old.id;
END;
