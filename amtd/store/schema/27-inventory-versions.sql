-- Which version is the newest, and since when, without a look at the inventories themselves, which are large.
CREATE INDEX inventory_versions ON inventory(host, version, since, seen);
