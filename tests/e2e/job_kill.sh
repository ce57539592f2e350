#!/usr/bin/env bash
# job_kill.sh BIN_DIR: amtd is killed again and again in the middle of runs of a job on 60 devices. Each run is taken up
# where every host was, and comes to its end; by amtsim's record nothing that must not be done twice was.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
kills=${AMTD_TEST_KILLS:-8}
RANDOM=${AMTD_TEST_SEED:-$$}
echo "job_kill: AMTD_TEST_SEED=${AMTD_TEST_SEED:-$$}" >&2

amtsim_start --devices 60 --power-seconds 1.1-1.6 # no machine is off for less than a second in a cycle
amtd_start
fleet 60
cat > "$dir/job.yaml" << 'YAML'
name: storm
rollout: { concurrency: 40 }
tasks:
  - info:
  - name: cycle
    power: cycle
  - name: setup
    boot: { to: bios, reset: yes }
  - name: down
    power: off
  - name: up
    power: on
YAML

# all_on: those that a run left off are switched on first.
all_on()
{
    [ "$(ctl get all | jq -r .power | sort -u)" = on ] || { amtcli power on @lab --yes > /dev/null 2>&1; false; }
}

run_is_known()
{
    [ "$(amtcli job list -o json | jq '.[0].run // 0')" = "$1" ]
}
run_is_over()
{
    [ "$(amtcli job list -o json | jq -r ".[] | select(.run == $1) | .state")" = over ]
}

declare -A seen=()
run=0 killed=0
while [ $killed -lt $kills ]; do
    run=$((run + 1))
    [ $run -le $((kills * 3)) ] || fail "runs end before amtd can be killed"
    wait_until "that all are on" all_on
    ctl clear all > /dev/null
    amtcli job run "$dir/job.yaml" @lab --yes > "$dir/out" 2> "$dir/err" &
    client=$!
    wait_until "run $run" run_is_known $run
    for _ in 1 2 3; do
        sleep "$((RANDOM % 2)).$((RANDOM % 10))" &
        wait $!
        ! run_is_over $run || break
        kill -KILL "$amtd_pid"
        wait "$amtd_pid" 2> /dev/null || true
        killed=$((killed + 1))
        amtd_start
    done
    left=0
    wait $client || left=$?
    [ $left != 3 ] || says "$dir/err" "amtcli job watch $run"
    wait_until "the end of run $run" run_is_over $run

    amtcli job show $run -o json > "$dir/shown" 2> /dev/null || true
    jq -r '.[] | "\(.host) \(.result) " + ([.tasks[] | select(.task == "cycle" or .task == "setup") | .cause // .result] | join(" "))' \
        "$dir/shown" | sort > "$dir/told"
    [ "$(wc -l < "$dir/told")" = 60 ] || fail "run $run has $(wc -l < "$dir/told") hosts"
    # power requests that were accepted, by what they asked for: 5 off and on, 10 reset
    ctl record all | jq -r '"\(.device | tostring | ("0000" + .)[-4:] | "pc" + .) \([.events[] | select(.event == "power" and
        .return == 0 and .request == 5)] | length) \([.events[] | select(.event == "power" and .return == 0 and .request == 10)] |
        length)"' | sort | join - "$dir/told" > "$dir/both"
    awk '
        { for (i = 5; i <= NF; i++) told[$i]++ }
        function wrong(count, what) { return what == "ok" ? count != 1 : what == "interrupted" ? count > 1 : count != 0 }
        wrong($2, $5) || wrong($3, $6) || ($4 == "ok") != ($5 == "ok" && $6 == "ok") {
            print "device, cycles, resets, told:", $0
            bad = 1
        }
        END { for (w in told) printf "%s %d  ", w, told[w]; print ""; exit bad || NR != 60 }' "$dir/both" > "$dir/verdict" ||
        fail "run $run: $(tail -5 "$dir/verdict")"
    echo "run $run: $killed kills so far, $(cat "$dir/verdict")"
    while read -r _ _ _ _ what; do for w in $what; do seen[$w]=1; done; done < "$dir/both"
done
[ "${seen[ok]:-}" ] || fail "no task ever went well: the test kills at bad moments"
[ "$(amtcli job list -o json | jq '[.[] | select(.state != "over" or .ended == null or .ok + .failed != .hosts)] | length')" = 0 ] ||
    fail "a run is open"
amtd_stop
amtsim_stop
echo "job_kill: ok"
