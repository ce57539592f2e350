CREATE TABLE filters (
    host INTEGER PRIMARY KEY REFERENCES hosts(id) ON DELETE CASCADE,
    objects TEXT NOT NULL,
    before TEXT,
    who TEXT NOT NULL,
    since INTEGER NOT NULL,
    run INTEGER NOT NULL,
    confirm_wall INTEGER NOT NULL,
    confirm_up INTEGER NOT NULL,
    confirm_boot TEXT NOT NULL,
    until_wall INTEGER NOT NULL,
    until_up INTEGER NOT NULL,
    until_boot TEXT NOT NULL
) STRICT;

CREATE TABLE filter_claims (
    host INTEGER PRIMARY KEY REFERENCES hosts(id) ON DELETE CASCADE,
    run INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    since INTEGER NOT NULL,
    journal TEXT,
    next_wall INTEGER NOT NULL DEFAULT 0,
    next_up INTEGER NOT NULL DEFAULT 0,
    next_boot TEXT NOT NULL DEFAULT '',
    tries INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE filter_tried (
    hash TEXT NOT NULL,
    generation INTEGER NOT NULL,
    PRIMARY KEY (hash, generation)
) STRICT, WITHOUT ROWID;
