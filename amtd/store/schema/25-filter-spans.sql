-- How long what undoes itself was to last: a bound for clocks that are wrong after a reboot. Rows that are there
-- began when their run did, or later.
ALTER TABLE filters ADD COLUMN confirm_span INTEGER NOT NULL DEFAULT 0;
ALTER TABLE filters ADD COLUMN until_span INTEGER NOT NULL DEFAULT 0;
UPDATE filters SET confirm_span = max(confirm_wall - since, 0) WHERE confirm_wall > 0;
UPDATE filters SET until_span = max(until_wall - since, 0) WHERE until_wall > 0;
