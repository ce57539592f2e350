-- the newest records of many devices
CREATE INDEX device_log_at ON device_log(kind, at, id);
