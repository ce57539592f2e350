CREATE TABLE jobs (
    run INTEGER PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    text TEXT NOT NULL,
    files TEXT NOT NULL,
    settings TEXT NOT NULL,
    hosts TEXT NOT NULL,
    schedule TEXT,
    uid INTEGER NOT NULL,
    retry_of INTEGER NOT NULL,
    state INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_open ON jobs(run) WHERE state < 3;
CREATE INDEX jobs_name ON jobs(name);

CREATE TABLE job_results (
    run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    host INTEGER NOT NULL,
    task INTEGER NOT NULL,
    label TEXT NOT NULL,
    kind TEXT NOT NULL,
    skipped INTEGER NOT NULL,
    state INTEGER NOT NULL,
    began INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    power_from TEXT,
    power_to TEXT,
    tries INTEGER NOT NULL,
    cause TEXT,
    code TEXT,
    message TEXT,
    detail TEXT,
    PRIMARY KEY (run, host, task)
) STRICT, WITHOUT ROWID;
