ALTER TABLE alert_base ADD COLUMN traps TEXT;
