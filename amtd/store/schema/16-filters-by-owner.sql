-- A row for each owner of a policy (enum sd_owner); so far there were a console's only.
CREATE TABLE filters_by_owner (
    host INTEGER NOT NULL REFERENCES hosts(id) ON DELETE CASCADE,
    owner INTEGER NOT NULL,
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
    until_boot TEXT NOT NULL,
    PRIMARY KEY (host, owner)
) STRICT;

INSERT INTO filters_by_owner SELECT host, 0, objects, before, who, since, run, confirm_wall, confirm_up,
    confirm_boot, until_wall, until_up, until_boot FROM filters;
DROP TABLE filters;
ALTER TABLE filters_by_owner RENAME TO filters;
