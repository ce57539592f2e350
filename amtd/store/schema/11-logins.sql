CREATE TABLE logins (
    name TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    password BLOB NOT NULL
) STRICT;
