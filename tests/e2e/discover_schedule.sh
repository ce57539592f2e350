#!/usr/bin/env bash
# discover_schedule.sh BIN_DIR TEST_BIN_DIR: sweeps that begin by themselves: mistakes told at once, what is new and gone since the one
# before told as events, one that amtd was killed in gone on with by itself, the calendar.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
probe=$(cd "$2" && pwd)/mux_probe
rmcp=$((port + 9))

call() { # NAME PARAMS: the reply, or what stands beside a list
    "$probe" "$AMTD_STATE_DIR/amtd.sock" call "$@" 2> "$dir/err" | jq -c '.reply // .head // empty'
}
refused() { # PARAMS TEXT
    "$probe" "$AMTD_STATE_DIR/amtd.sock" call schedule.add "$1" > "$dir/out" 2>&1 && fail "was added: $1"
    says "$dir/out" "$2"
}
# two_days: amtd sleeps, and what was due meanwhile is due once.
two_days() {
    [ -z "$amtd_pid" ] || amtd_stop
    sqlite3 "$AMTD_STATE_DIR/amtd.db" 'UPDATE schedules SET last = last - 172800000, created = created - 172800000'
    amtd_start
}
shown() { # JQ: of the schedule
    call schedule.show '{"name": "weekly"}' | jq -e "$1" > /dev/null
}

printf 'devices:\n  - {select: 40, generation: 11}\n' > "$dir/scenario"
amtsim_start --devices 40 --seed 7 --address 127.16.0.1 --rmcp-port $rmcp --scenario "$dir/scenario"
amtd_start
sweep="\"addresses\": [\"127.16.0.0/24\"], \"port\": $port, \"rmcp_port\": $rmcp"
refused '{"name": "x", "cron": "@daily", "discover": {"addresses": ["10.0.0.9-1"]}}' 'invalid-argument'
refused '{"name": "x", "cron": "@daily", "discover": {"addresses": ["10.0.0.0/24"], "nonsense": 1}}' 'is not a parameter'
refused '{"name": "x", "cron": "@daily", "discover": {"addresses": ["10.0.0.0/24"], "profile": "lab"}}' "go with 'add'"
refused '{"name": "x", "cron": "@daily", "discover": {"addresses": ["10.0.0.0/24"]}, "target": "all"}' "go with 'job'"
refused '{"name": "x", "cron": "@daily", "target": "all"}' "either 'job'"
refused '{"name": "x", "discover": {"addresses": ["10.0.0.0/24"]}}' "either 'cron'"
exits 2 amtcli schedule add x --cron @daily
exits 2 amtcli schedule add x --cron @daily --discover 10.0.0.0/24 --target all
exits 2 amtcli schedule add x --cron @daily --job nosuch.yaml --target all --rate 5
exits 0 amtcli schedule add other --cron @yearly --discover 10.0.0.0/24 --discover '!10.0.0.1' --rate 100 -o json
jq -e '.discover == {"addresses": ["10.0.0.0/24", "!10.0.0.1"], "rate": 100}' "$dir/out" > /dev/null || fail "something else: $(cat "$dir/out")"
exits 0 amtcli schedule remove other
call schedule.add "{\"name\": \"weekly\", \"cron\": \"0 3 * * *\", \"zone\": \"UTC\", \"catch_up\": true, \"discover\": {$sweep, \"rate\": 50000, \"per_subnet\": 20000}}" \
    > "$dir/added"
jq -e '.discover.addresses == ["127.16.0.0/24"] and .last_sweep == null and (has("job") | not) and (.times | length) == 5' "$dir/added" > /dev/null ||
    fail "not as it was ordered: $(cat "$dir/added")"
exits 0 amtcli schedule list
says "$dir/out" weekly
exits 0 amtcli calendar -o json
jq -e '[.[] | select(.what == "schedule" and .host == null and (.text | contains("weekly")) and .at != null)] | length == 1' "$dir/out" > /dev/null ||
    fail "not in the calendar: $(cat "$dir/out")"

echo '--- the first, and what has changed since'
two_days
wait_until "the sweep" shown '.last_sweep == 1'
sweep_is() { call discover.show "{\"sweep\": $1}" | jq -e ".state == \"$2\"" > /dev/null; }
wait_until "its end" sweep_is 1 over
call discover.show '{"sweep": 1}' | jq -e '.counts.amt == 40' > /dev/null || fail "not all were found"
amtsim_stop
amtsim_start --devices 39 --seed 7 --address 127.16.0.2 --rmcp-port $rmcp
call discover.list | jq -e 'length == 1' > /dev/null || fail "more than one sweep"
sqlite3 "$AMTD_STATE_DIR/amtd.db" "UPDATE schedules SET discover = json_set(discover, '\$.port', $port, '\$.rmcp_port', $rmcp, '\$.rate', 250)"
two_days
wait_until "the next sweep" shown '.last_sweep == 2'
saved() { [ "$(sqlite3 "$AMTD_STATE_DIR/amtd.db" 'SELECT "cursor" > 0 FROM sweeps WHERE id = 2')" = 1 ]; }
wait_until "a part of it" saved
kill -9 "$amtd_pid"
wait "$amtd_pid" 2> /dev/null || true
amtd_start
wait_until "its end, in another life of amtd" sweep_is 2 over
[ "$(call discover.list | jq length)" = 2 ] || fail "it began anew: $(call discover.list)"
says "$dir/amtd.log" 'schedule=weekly goes on with sweep 2'
changed() { # the first address has lost its device; a busy machine may see its connection before it is reset
    amtcli event list --kind sweep --limit 1000 -o json |
        jq -e '[.[].data | select(.sweep == 2 and .address == "127.16.0.1" and (.change == "gone" or .change == "changed"))] | length == 1' > /dev/null
}
wait_until "what has changed" changed
amtcli activity -o json | jq -e '[.[] | select(.what == "discover.start" and .by == "schedule weekly" and .result == "begun")] | length == 2' > /dev/null ||
    fail "not in the activity log"
amtd_stop
amtsim_stop
echo "discover_schedule: ok"
