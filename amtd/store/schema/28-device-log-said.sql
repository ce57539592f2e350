-- What records say is mostly said many times: it is kept once, so that a search reads little, and so does the disk.
CREATE TABLE device_log_said (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL,
    source TEXT,
    who TEXT
) STRICT;
INSERT INTO device_log_said(text, source, who) SELECT text, source, who FROM device_log GROUP BY text, source, who;
CREATE INDEX device_log_said_is ON device_log_said(text, source, who);

CREATE TABLE device_log_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    host INTEGER NOT NULL REFERENCES hosts(id) ON DELETE CASCADE,
    kind INTEGER NOT NULL,
    at INTEGER NOT NULL,
    severity TEXT,
    said INTEGER NOT NULL REFERENCES device_log_said(id),
    address TEXT,
    raw BLOB NOT NULL,
    kept INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO device_log_new(id, host, kind, at, severity, said, address, raw, kept)
    SELECT l.id, l.host, l.kind, l.at, l.severity, s.id, l.address, l.raw, l.kept FROM device_log l
    CROSS JOIN device_log_said s ON s.text = l.text AND s.source IS l.source AND s.who IS l.who;
DELETE FROM sqlite_sequence WHERE name = 'device_log_new';
INSERT INTO sqlite_sequence(name, seq) SELECT 'device_log_new', seq FROM sqlite_sequence WHERE name = 'device_log';
DROP TABLE device_log;
ALTER TABLE device_log_new RENAME TO device_log;
CREATE INDEX device_log_host ON device_log(host, kind, id);
CREATE INDEX device_log_at ON device_log(kind, at, id);
CREATE INDEX device_log_by_said ON device_log(said);

CREATE TRIGGER device_log_said_no_more AFTER DELETE ON device_log
WHEN NOT EXISTS (SELECT 1 FROM device_log WHERE said = old.said)
BEGIN
    DELETE FROM device_log_said WHERE id = old.said;
END;
