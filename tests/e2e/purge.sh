#!/usr/bin/env bash
# purge.sh BIN_DIR TEST_BIN_DIR: what was kept long enough goes, as the configuration says, and is reported; what is in use stays; a
# dry run takes nothing. The daily one comes by itself when its day is over, but not at once after a leap of the clock.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
probe=$(cd "$2" && pwd)/mux_probe
socket=$AMTD_STATE_DIR/amtd.sock

call() { # NAME PARAMS: the reply
    "$probe" "$socket" call "$@" | jq -cS '.reply'
}
sql() {
    sqlite3 "$AMTD_STATE_DIR/amtd.db" "$1"
}

echo '--- mistakes'
check() { # TEXT: what --check says of it
    exits 1 amtd --check --config <(echo "$1")
    says "$dir/err" "$2"
}
check 'keep: { runs: { age: 10m } }' 'at least 1d'
check 'keep: { activity: { age: 7d } }' 'at least 30d'
check 'keep: { sweeps: { size: 1KiB } }' 'at least 1MiB'
check 'keep: { passwords: { age: 1d } }' "there is no option 'passwords'"

amtsim_start --devices 3 --power-seconds 0.1-0.2
cat > "$dir/amtd.yaml" << 'END'
keep:
  runs: { age: 30d, size: 0 }
  inventory: { age: 0 }
  event-data: { age: 7d }
consoles:
  - { name: talks, source: { type: exec, command: 'echo hello; exec sleep 1000' }, log: { keep-age: 30d } }
END
amtd_start --config "$dir/amtd.yaml"
fleet 3
for i in 1 2 3; do amtcli power status all > /dev/null; done
printf 'tasks: [ power: status, notify: hello ]\n' > "$dir/look.yaml"
amtcli job run "$dir/look.yaml" all > /dev/null 2>&1
for i in 1 2 3; do amtcli inventory update pc0001 > /dev/null; done
[ "$(call purge.show | jq -r '.limits[] | select(.what == "runs") | "\(.age_ms) \(.bytes)"')" = '2592000000 0' ] || fail "not the configuration's limits"
[ "$(call purge.show | jq .last)" = null ] || fail "there was a purge"

echo '--- what is old goes'
month=$((40 * 86400000))
sql "UPDATE runs SET began = began - $month, ended = ended - $month WHERE id <> 2"
sql "UPDATE runs SET ended = 0 WHERE id = 3"
exits 0 amtcli purge --dry-run -o json
cp "$dir/out" "$dir/dry"
runs=$(sql 'SELECT count(*) FROM runs')
exits 0 amtcli purge -o json
cp "$dir/out" "$dir/done"
[ "$(jq '.kinds[] | select(.what == "runs") | .removed' "$dir/done")" = $((runs - 2)) ] || fail "not all: $(cat "$dir/done")"
diff <(jq .kinds "$dir/dry") <(jq '[.kinds[] | select(.what != "console-logs")]' "$dir/done") || fail "the dry run said something else"
[ "$(sql 'SELECT group_concat(id) FROM runs')" = 2,3 ] || fail "others stay: $(sql 'SELECT id FROM runs')"
[ "$(sql 'SELECT count(*) FROM operations')" = 6 ] || fail "operations without their run"
[ "$(sql 'SELECT count(*) FROM job_results')" = 0 ] || fail "results without their run"
[ "$(sql 'SELECT count(*) FROM inventory')" = 1 ] || fail "the inventory is gone"
call purge.show | jq -e '.last.kinds[] | select(.what == "runs") | .removed > 0 and .from != null' > /dev/null || fail "it is not reported"
amtcli event list --kind purge -o json | jq -e 'length == 1 and (.[0].text | contains("of runs"))' > /dev/null || fail "no event"
amtcli activity -o json | jq -e '[.[] | select((.what | startswith("purge.run")) and .result == "ok") | .what] == ["purge.run", "purge.run {\"dry_run\":true}"]' > /dev/null || fail "not in the activity log"
exits 0 amtcli activity verify
exits 0 amtcli purge show
says "$dir/out" '30d'
says "$dir/err" 'next'
exits 0 amtcli run show 2

echo '--- much of it, while amtd is killed; the file becomes smaller'
sql "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100)
    INSERT INTO runs(id, task, args, target, who, began, ended, hosts, ok) SELECT 1000 + i, 'power', '{}', 'all', 'x', 1000, 2000, 3, 3 FROM c;
    WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100000)
    INSERT INTO operations(run, host, name, state, began, ended, detail)
    SELECT 1001 + i % 100, 1 + i % 3, 'pc', 2, 1000, 2000, hex(zeroblob(300)) FROM c"
amtcli purge > /dev/null 2>&1 & client=$!
some_gone() { [ "$(sql 'SELECT count(*) < 90000 FROM operations')" = 1 ]; }
wait_until "some of it" some_gone
kill -9 "$amtd_pid"
wait "$amtd_pid" 2> /dev/null || true
wait $client || true
[ "$(sql 'PRAGMA quick_check')" = ok ] || fail "the database is damaged"
large=$(($(sql 'PRAGMA page_count') * $(sql 'PRAGMA page_size')))
[ "$(sql 'SELECT count(*) > 0 FROM operations WHERE run > 1000')" = 1 ] || echo "(it was done before it was killed)"
amtd_start --config "$dir/amtd.yaml"
exits 0 amtcli purge -o json
[ "$(sql 'SELECT count(*) FROM operations WHERE run > 1000')" = 0 ] || fail "a part of a run stays"
[ "$(sql 'SELECT count(*) FROM runs WHERE id > 1000 AND began = 1000')" = 0 ] || fail "runs stay"
jq -e ".database | .bytes < $large / 2 and .free <= 17000000 and .given_back > 20000000" "$dir/out" > /dev/null ||
    fail "the file ($large bytes) is not smaller: $(jq -c .database "$dir/out")"
exits 0 amtcli activity verify
exits 0 amtcli purge show
says "$dir/err" 'were given back'

echo '--- the log of a console that has nothing to say any more'
logs=$AMTD_STATE_DIR/consoles/talks
closed() { ls "$logs"/*.log.zst > /dev/null 2>&1; }
talked() { [ -s "$logs/console.log" ] || closed; }
wait_until "what it says" talked
kill -USR2 "$amtd_pid"
wait_until "its closed segment" closed
touch -d '40 days ago' "$logs"/*.log.zst
exits 0 amtcli purge --dry-run
closed || fail "a dry run removed a segment"
: > "$dir/gone"
gone() { # counted by the purge that comes behind it
    amtcli purge -o json | jq '.kinds[] | select(.what == "console-logs") | .removed' >> "$dir/gone"
    ! closed && [ "$(awk '{ n += $1 } END { print n }' "$dir/gone")" = 1 ]
}
wait_until "that it goes, and is told" gone
exits 0 amtcli log verify talks

echo '--- by itself, once a day'
amtd_stop
sed -i 's/^keep:/keep:\n  wait: 1s/' "$dir/amtd.yaml"
# A day has passed; and what the one before left is old.
sql "UPDATE purge_last SET at = at - 2 * 86400000; UPDATE runs SET began = began - $month, ended = ended - $month WHERE id = 2"
purges() { # how many of them that nobody ordered are in the activity log
    amtcli activity --limit 100 -o json | jq '[.[] | select(.what == "purge.run" and .by == "amtd" and .who == "amtd")] | length'
}
come() { [ "$(purges)" = 1 ]; }
amtd_start --config "$dir/amtd.yaml"
wait_until "the daily purge" come
[ "$(sql 'SELECT count(*) FROM runs WHERE id = 2')" = 0 ] || fail "the daily purge left what is old"
call purge.show | jq -e '.last.dry_run == false and (.last.kinds[] | select(.what == "runs") | .removed == 1)' > /dev/null || fail "it is not reported"
amtcli event list --kind purge -o json | jq -e 'length == 4' > /dev/null || fail "no event of the daily purge"
[ "$(call purge.show | jq -r '.next | fromdate > now + 80000')" = true ] || fail "the next one comes at once"
amtd_stop
amtsim_stop
echo "purge: ok"
