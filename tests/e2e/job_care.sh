#!/usr/bin/env bash
# job_care.sh BIN_DIR: jobs that look after credentials, clocks and addresses: passwords rotated while amtd is killed, none of them lost;
# what is at a host's address and elsewhere.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
rmcp=$((port + 9))
state_is() { # JOB STATE
    [ "$(amtcli job list --job "$1" -o json 2> /dev/null | jq -r '.[0].state')" = "$2" ]
}

amtsim_start --devices 8 --rmcp-port $rmcp
amtd_start
fleet 8
amtcli host add pc0009 --address 127.16.0.99 --profile lab 2> /dev/null

cat > "$dir/care.yaml" << 'YAML'
name: care
rollout: { concurrency: 2, canary: 0, batch: 0 }
tasks:
  - password: rotate
  - clock: { set: yes }
  - info:
YAML
echo '--- rotated, while amtd is killed'
for round in 1 2 3; do
    amtcli job run "$dir/care.yaml" @lab --yes > /dev/null 2>&1 &
    client=$!
    wait_until "the run" state_is care running
    hosts_over() { [ "$(sqlite3 "$AMTD_STATE_DIR/amtd.db" 'SELECT count(*) >= 2 FROM job_results WHERE run = (SELECT max(run) FROM jobs) AND task = 0')" = 1 ]; }
    wait_until "some of it" hosts_over
    kill -9 "$amtd_pid"
    wait "$amtd_pid" 2> /dev/null || true
    wait $client || true
    amtd_start
    wait_until "its end" state_is care over
    [ "$(amtcli job list --job care -o json | jq '.[0].ok')" = 8 ] ||
        fail "round $round: $(amtcli job show "$(amtcli job list -o json | jq '.[0].run')" -o json | jq -c '.[] | [.host, .cause, .message, (.tasks[] | [.task, .result, .message])]')"
    exits 0 amtcli info @lab
done
[ "$(amtcli password list -o json | jq '[.[] | select(.state == "proved")] | length')" = 8 ] || fail "not all have one of their own"
[ "$(amtcli password list -o json | jq '[.[] | select(.state == "unproved")] | length')" = 0 ] || fail "some are not proved"

echo '--- a filter that is left half-done is repaired while the job goes on, and its next try waits for that'
printf '%s\n' '<network-filters xmlns="urn:amt-network-filters:1" name="site"><policy default-out="pass" default-in="pass"/>' \
    '<filter name="one" protocol="tcp" remote="10.0.0.1" remote-ports="443" action="drop"/></network-filters>' > "$dir/site.xml"
cat > "$dir/half.yaml" << 'YAML'
name: half
tasks:
  - filter: { apply: site.xml, untested: yes }
    retry: { count: 1, pause: 100ms }
YAML
ctl json '{"device":3,"set":{"faults":[{"fault":"drop","at":"after-request","after":24,"first":6}]}}' > "$dir/ctl"
exits 0 amtcli job run "$dir/half.yaml" 'pc[0003-0004]' --yes -o json
[ "$(jq '.[] | select(.host == "pc0003") | .tasks[0].tries' "$dir/out")" = 2 ] || fail "it was not left half-done: $(cat "$dir/out")"
repairs=$(amtcli run list --limit 1000 -o json | jq '[.[] | select(.task == "filter")] | length')
[ "$repairs" -gt 0 ] && [ "$repairs" -lt 10 ] || fail "$repairs repairs of one host"
ctl defense 3 | jq -e '.ports | all(.active == "amt:site")' > /dev/null || fail "the filters of pc0003 are not active"

echo '--- looked at from outside'
printf "name: look\ntasks:\n  - discover: { port: $port, rmcp-port: $rmcp }\n    timeout: 60s\n    on-failure: continue\n  - notify: { text: nobody there, when: x }\n" > "$dir/bad.yaml"
exits 2 amtcli job check "$dir/bad.yaml"
printf 'tasks: [ discover: 10.0.0.9-1 ]\n' > "$dir/bad.yaml"
exits 2 amtcli job check "$dir/bad.yaml"
cat > "$dir/look.yaml" << YAML
name: look
tasks:
  - discover: { port: $port, rmcp-port: $rmcp }
    on-failure: continue
  - name: all
    discover: { addresses: [127.16.0.0/28], port: $port, rmcp-port: $rmcp, rate: 50000, per-subnet: 20000 }
    when: cause.discover = not-amt
YAML
exits 0 amtcli job run "$dir/look.yaml" pc0001,pc0009 --yes
run=$(amtcli job list --job look -o json | jq '.[0].run')
amtcli job show "$run" -o json > "$dir/shown" 2> /dev/null
[ "$(jq -r '.[] | select(.host == "pc0001") | .tasks[0] | "\(.result) \(.detail.discover.counts.amt)"' "$dir/shown")" = 'ok 1' ] ||
    fail "not found at its address: $(cat "$dir/shown")"
[ "$(jq -r '.[] | select(.host == "pc0009") | .tasks[0].cause' "$dir/shown")" = not-amt ] || fail "found where nothing is: $(cat "$dir/shown")"
[ "$(jq '.[] | select(.host == "pc0009") | .tasks[1].detail.discover.counts.amt' "$dir/shown")" = 8 ] || fail "not all were found: $(cat "$dir/shown")"
amtd_stop
amtsim_stop
echo "job_care: ok"
