CREATE TABLE grants (
    is_group INTEGER NOT NULL,
    name TEXT NOT NULL,
    role INTEGER NOT NULL,
    collection TEXT REFERENCES collections(name)
) STRICT;
CREATE INDEX grants_collection ON grants(collection);
