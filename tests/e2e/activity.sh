#!/usr/bin/env bash
# activity.sh BIN_DIR: the activity log: what is in it, exported as JSON lines and to the system's log, and that a row which was changed,
# removed, moved, put in or cut off behind amtd's back is found where it is.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
listener=

end_listener()
{
    [ -z "$listener" ] || kill "$listener" 2> /dev/null || true
}
trap 'status=$?; set +e; end_listener; (exit $status); finish_amtd' EXIT

start_listener()
{
    python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
out = open(sys.argv[2], "ab", buffering=0)
while True:
    out.write(s.recv(1 << 20) + b"\n")
' "$dir/log.sock" "$dir/syslog" &
    listener=$!
    wait_until "the system's log" test -S "$dir/log.sock"
}
start_listener
amtsim_start --devices 3 --power-seconds 1-1.3
cat > "$dir/amtd.yaml" << END
activity-syslog: $dir/log.sock
activity-facility: local3
END
amtd_start --config "$dir/amtd.yaml"
exits 0 amtcli activity verify # an empty one is intact
fleet 3
exits 0 amtcli power cycle @lab --yes
exits 2 amtcli host add pc0001
exits 0 amtcli activity -o json
jq -e '[.[] | select(.what | startswith("run.start power"))] | map(.result) | sort == ["begun", "ok"]' "$dir/out" > /dev/null || fail "$(cat "$dir/out")"
jq -e '.[] | select(.result == "begun") | .hosts == "pc[0001-0003]" and .target == "@lab" and .by == "socket"' "$dir/out" > /dev/null || fail "$(cat "$dir/out")"

echo '--- chosen'
of() # OPTION...: what of the entries
{
    amtcli activity -o json "$@" | jq -r '[.[].what] | join("; ")'
}
[ "$(of --host pc0002 --what import)" = host.import ] || fail "who was imported: $(of --host pc0002)"
[ "$(of --host pc0002 --what power --result ok)" = 'run.start power {"action":"cycle"}' ] || fail "what became of pc0002: $(of --host pc0002)"
[ "$(of --host pc0009)" = '' ] || fail "what nobody did to pc0009: $(of --host pc0009)"
[ "$(of --who root --result exists)" = host.add ] || fail "what failed: $(of --result exists)"
[ "$(of --who amtd)" != '' ] && [ "$(of --who nobody)" = '' ] || fail "who: $(of --who amtd)"

amtcli activity -o json --what daemon.start | jq -e --arg sum "$(sha256sum < "$dir/amtd.yaml" | cut -c1-64)" \
    '.[0] | .who == "amtd" and .by == "start" and (.what | contains($sum))' > /dev/null || fail "with which configuration it began is not there"

echo '--- exported'
exits 0 amtcli activity export
cp "$dir/out" "$dir/lines"
rows=$(wc -l < "$dir/lines")
[ "$rows" -ge 6 ] || fail "few rows: $rows"
jq -se 'map(.id) == [range(1; length + 1)] and (map(.hash) | unique | length) == length' "$dir/lines" > /dev/null || fail "order or hashes"
jq -se '[range(1; length) as $i | .[$i].previous == .[$i - 1].hash] | all' "$dir/lines" > /dev/null || fail "not a chain"
exits 0 amtcli activity export "$dir/copy"
cmp "$dir/copy" "$dir/lines" || fail "the file is another"
exits 2 amtcli activity export "$dir/copy" # never over a file that is there
has_lines()
{
    [ "$(grep -c "^<157>.* amtd\[[0-9]*\]: {" "$dir/syslog")" = "$rows" ]
}
wait_until "the lines in the system's log" has_lines
[ "$(sed 's/^[^{]*//' "$dir/syslog" | jq -sc 'sort_by(.id) | map(.hash)')" = "$(jq -sc 'map(.hash)' "$dir/lines")" ] || fail "another log"
kill $listener
wait $listener 2> /dev/null || true
listener=
exits 0 amtcli collection remove lab # nobody waits for a log that is gone
exits 0 amtcli activity verify
says "$dir/out" "intact: $((rows + 1)) entries"
amtd_stop

echo '--- what the system'"'"'s log did not take it gets when it is there again, each row once'
mv "$dir/log.sock" "$dir/log.was"
amtd_start --config "$dir/amtd.yaml"
exits 0 amtcli collection add lab --where 'tag.site = "lab"'
start_listener
has_all() # that were ever written, in their order
{
    amtcli activity export > "$dir/lines"
    [ "$(sed 's/^[^{]*//' "$dir/syslog" | jq -sc 'map([.id, .hash])')" = "$(jq -sc 'map([.id, .hash])' "$dir/lines")" ]
}
wait_until "all rows in the system's log" has_all
kill $listener
wait $listener 2> /dev/null || true
listener=
amtd_stop
rm -f "$dir/log.sock"
amtd_start # writes no rows of its own: nothing is in its configuration
exits 0 amtcli collection remove lab
amtd_stop
rows=$(($(wc -l < "$dir/lines") + 1)) # and its end

# change TEXT SQL: behind amtd's back, by somebody who knows of the triggers; verify must say TEXT. Then all is as before.
change()
{
    cp "$AMTD_STATE_DIR/amtd.db" "$dir/kept.db"
    sql "DROP TRIGGER activity_stays; DROP TRIGGER activity_stands; $2"
    amtd_start
    exits 1 amtcli activity verify
    says "$dir/out" DAMAGED
    grep -qE -- "$1" "$dir/out" || fail "$2: '$1' is not in: $(cat "$dir/out")"
    exits 1 amtcli activity verify -o json
    [ "${3-1}" = any ] || [ "$(jq .wrong "$dir/out")" = "${3-1}" ] || fail "$2: $(cat "$dir/out")"
    amtd_stop
    rm -f "$AMTD_STATE_DIR"/amtd.db-*
    cp "$dir/kept.db" "$AMTD_STATE_DIR/amtd.db"
}
sql()
{
    python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.executescript(sys.argv[2])
db.commit()' "$AMTD_STATE_DIR/amtd.db" "$1"
}

echo '--- changed behind its back'
! sql "UPDATE activity SET who = 'nobody' WHERE id = 3" 2> /dev/null || fail "rows can be changed"
! sql "DELETE FROM activity WHERE id = 3" 2> /dev/null || fail "rows can be removed"
change '^3 .*was changed' "UPDATE activity SET who = 'uid 0 (boot)' WHERE id = 3"
change '^5 .*was changed' "UPDATE activity SET result = 'ok', detail = NULL WHERE id = 5; UPDATE activity SET result = 'denied' WHERE id = 5"
change '^4 .*removed or moved' "DELETE FROM activity WHERE id = 3"
change '^2 .*removed or moved' "DELETE FROM activity WHERE id = 1"
change 'the end of the log' "DELETE FROM activity WHERE id = (SELECT max(id) FROM activity)"
change 'the end of the log' "DELETE FROM activity_head"
change '^2 .*was changed' "UPDATE activity SET id = 1000 WHERE id = 2; UPDATE activity SET id = 2 WHERE id = 3; UPDATE activity SET id = 3 WHERE id = 1000" any
change 'amtd did not write it' "INSERT INTO activity(at, who, by, what, result) VALUES (1, 'x', 'y', 'z', 'ok')"

echo '--- against a copy that is somewhere else'
amtd_start
exits 0 amtcli activity verify "$dir/copy"
amtcli activity export > "$dir/newest"
exits 0 amtcli activity verify "$dir/newest"
exits 0 amtcli collection add again --list pc0001
exits 0 amtcli collection remove again
exits 0 amtcli activity verify "$dir/newest"
echo '{"id": 1}' > "$dir/nonsense"
exits 2 amtcli activity verify "$dir/nonsense"
exits 2 amtcli activity verify "$dir/nosuch"
amtcli activity export > "$dir/newest"
amtd_stop
cp "$dir/kept.db" "$AMTD_STATE_DIR/amtd.db" # an older one, whole and signed: the chain itself says nothing
rm -f "$AMTD_STATE_DIR"/amtd.db-*
amtd_start
exits 0 amtcli activity verify
exits 1 amtcli activity verify "$dir/newest"
says "$dir/out" 'is gone, and is in'
exits 1 amtcli activity verify "$dir/newest" -o json
jq -e '.intact == false and .wrong >= 2' "$dir/out" > /dev/null || fail "$(cat "$dir/out")"
exits 0 amtcli collection add other --list pc0001 # the rows that are written now have the numbers of others
exits 1 amtcli activity verify "$dir/newest"
says "$dir/out" 'is another one than in'
amtd_stop
rm -f "$AMTD_STATE_DIR"/amtd.db-*
cp "$dir/kept.db" "$AMTD_STATE_DIR/amtd.db"

echo '--- a log from before there was a chain'
sql "DROP TRIGGER activity_stands; DELETE FROM activity_head; UPDATE activity SET key = NULL, previous = NULL, hash = NULL, signature = NULL;
CREATE TRIGGER activity_stands BEFORE UPDATE ON activity WHEN old.hash IS NOT NULL BEGIN SELECT RAISE(ABORT, 'the activity log is append-only'); END"
amtd_start
exits 0 amtcli activity verify
says "$dir/out" "intact: $((rows + 3)) entries"
exits 0 amtcli activity
says "$dir/out" "$((rows + 2)) rows from before"
exits 0 amtcli collection add again --list pc0001
exits 0 amtcli activity verify
says "$dir/out" "intact: $((rows + 4)) entries"
amtd_stop
amtsim_stop
echo "activity: ok"
