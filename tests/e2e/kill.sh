#!/usr/bin/env bash
# kill.sh BIN_DIR: amtd is killed twenty times in the middle of power cycles of 200 devices. After each restart every
# operation has its result or is reported interrupted or not-started; by amtsim's record none was done twice or goes on.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
kills=${AMTD_TEST_KILLS:-20}
RANDOM=${AMTD_TEST_SEED:-$$}
echo "kill: AMTD_TEST_SEED=${AMTD_TEST_SEED:-$$}" >&2

amtsim_start --devices 200 --power-seconds 1-1.5
amtd_start
fleet 200

# requests_served: every power request accepted so far has led to its boot.
requests_served()
{
    [ "$(ctl record all | jq -s '[.[].events[] | if .event == "power" and .return == 0 then 1 elif .event == "boot" then -1
        else 0 end] | add // 0')" = 0 ]
}

all_on()
{
    [ "$(ctl get all | jq -r .power | sort -u)" = on ]
}

run_is_known()
{
    [ "$(amtcli run list -o json | jq '.[0].run // 0')" = "$1" ]
}

declare -A seen=()
run=0 killed=0
while [ $killed -lt $kills ]; do
    run=$((run + 1))
    [ $run -le $((kills * 3)) ] || fail "runs end before amtd can be killed"
    ctl clear all > /dev/null
    status=0
    amtcli power cycle @lab --yes --parallel 64 -o json > "$dir/out" 2> "$dir/err" &
    client=$!
    wait_until "run $run" run_is_known $run
    sleep "$((RANDOM % 5)).$((RANDOM % 10))" &
    wait $!
    kill -KILL "$amtd_pid"
    wait "$amtd_pid" 2> /dev/null || true
    wait $client || status=$?
    amtd_start
    wait_until "the boots of run $run" requests_served
    wait_until "that all are on after run $run" all_on

    amtcli run show $run -o json > "$dir/shown" || true # as the run ended
    jq -r '(.results // .)[] | "\(.host) \(if .result == "ok" then "ok" elif .result == "failed" then .cause
        else "\(.result)" end)"' "$dir/shown" | sort > "$dir/told"
    ctl record all | jq -r '"\(.device | tostring | ("0000" + .)[-4:] | "pc" + .) \([.events[] | select(.event == "power")] | length)"' |
        sort | join - "$dir/told" > "$dir/both"
    awk '
        { told[$3]++ }
        $3 == "ok" && $2 == 1 { next }
        $3 == "interrupted" && $2 <= 1 { next }
        $3 == "not-started" && $2 == 0 { next }
        { print "device, power requests, told:", $0; bad = 1 }
        END { for (w in told) printf "%s %d  ", w, told[w]; print ""; exit bad || NR != 200 }' "$dir/both" > "$dir/verdict" ||
        fail "run $run (amtcli ended with $status): $(tail -5 "$dir/verdict")"
    echo "run $run: amtcli $status, $(cat "$dir/verdict")"
    [ $status = 0 ] || killed=$((killed + 1))
    while read -r _ _ what; do seen[$what]=1; done < "$dir/both"
done
for what in ok interrupted not-started; do
    [ "${seen[$what]:-}" ] || fail "no operation was ever '$what': the test kills at bad moments"
done

# All runs, once more, at the end: nothing changed what was written down, nothing is left open.
amtcli run list -o json > "$dir/out"
[ "$(jq length "$dir/out")" = $run ] || fail "$(jq length "$dir/out") runs are known, not $run"
[ "$(jq '[.[] | select(.ended == null or .ok + .failed != .hosts)] | length' "$dir/out")" = 0 ] ||
    fail "a run is open: $(jq -c '[.[] | select(.ended == null or .ok + .failed != .hosts)]' "$dir/out")"
amtd_stop
amtsim_stop
echo "kill: ok"
