#!/usr/bin/env bash
# schedule.sh BIN_DIR: jobs that begin by themselves: mistakes in times, the next ones, one at a time, and what amtd slept
# through, which is done once or left out, one schedule after the other. What amtd does by itself in a job: waiting, commands,
# dialogues, notices.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

amtsim_start --devices 6 --power-seconds 1-1.3
amtd_start
fleet 6
amtcli host set pc0001 --tag owner='Anna B' > /dev/null

# --- by amtd itself ---
cat > "$dir/acts.yaml" << 'YAML'
name: acts
tasks:
  - power: { action: cycle, no-wait: yes }
  - name: up
    wait: { power: on }
    timeout: 60s
  - wait: 100ms
  - name: here
    run: { shell: 'echo "$AMTD_HOST:$AMTD_TAG_OWNER:$EXTRA:$AMTD_FACT_POWER"; echo loud >&2', env: { EXTRA: more } }
  - name: bad
    run: [sh, -c, 'exit 3']
    retry: { count: 1, pause: 100ms }
    on-failure: continue
  - name: late
    run: { command: [sleep, '1000', LATE] }
    timeout: 500ms
    on-failure: continue
  - name: shut
    wait: { port: 9 }
    timeout: 1s
    on-failure: continue
  - name: talk
    console:
      steps:
        - send: '\r'
        - expect: '# $'
        - send: 'uname\r'
        - expect: 'Linux [a-z0-9]+'
  - name: silent
    console: { steps: [ { expect: 'no such thing' } ], within: 500ms }
    on-failure: continue
  - notify: { text: done with it, severity: warning }
YAML
sed -i "s/LATE/$$/" "$dir/acts.yaml" # no other test has that command
exits 0 amtcli job run "$dir/acts.yaml" 'pc[0001-0002]' -o json
[ "$(jq -r '[.[0].tasks[] | .task + "=" + (.cause // .result)] | join(" ")' "$dir/out")" = \
    "power=ok up=ok wait=ok here=ok bad=command-failed late=command-failed shut=not-reached talk=ok silent=not-seen notify=ok" ] ||
    fail "not as it should be: $(jq -c '.[0].tasks[] | [.task, .result, .message]' "$dir/out")"
[ "$(jq '.[0].tasks[] | select(.task == "bad") | .tries' "$dir/out")" = 2 ] || fail "the command was not tried again"
amtcli job show 1 -o json > "$dir/shown" 2> /dev/null
[ "$(jq -r '.[0].tasks[] | select(.task == "here") | .detail.run.output' "$dir/shown")" = "pc0001:Anna B:more:on
loud" ] || fail "the command saw something else: $(jq -c '.[0].tasks[3]' "$dir/shown")"
[ "$(jq '.[0].tasks[] | select(.task == "bad") | .detail.run.exit' "$dir/shown")" = 3 ] || fail "its exit status is not told"
! pgrep -f "sleep 1000 $$" > /dev/null || fail "the command that was late goes on"
[ "$(amtcli event list -o json | jq '[.[] | select(.kind == "job" and .text == "done with it")] | length')" = 2 ] || fail "nobody was told"

# --- boot from an image ---
mkdir "$AMTD_STATE_DIR/images"
head -c 3000000 /dev/urandom > "$AMTD_STATE_DIR/images/rescue.iso"
cat > "$dir/rescue.yaml" << 'YAML'
tasks:
  - ider: rescue.iso
  - console: [ { send: '\r' }, { expect: '# $' } ]
  - power: off
YAML
ctl clear all > /dev/null
exits 0 amtcli job run "$dir/rescue.yaml" 'pc[0003-0004]' --yes
[ "$(ctl record 3 | jq '.counters.ider_bytes > 100000 and ([.events[] | select(.event == "boot" and .flags == ["UseIDER"])] | length == 1)')" = true ] ||
    fail "it did not boot from the image: $(ctl record 3 | jq -c '[.counters.ider_bytes, .events]')"
session_ended() { [ "$(ctl get 3 | jq -r '.redirection["ider-session"]')" = false ]; }
wait_until "the end of the session" session_ended
printf 'tasks: [ { ider: ../secret } ]\n' > "$dir/bad.yaml"
exits 2 amtcli job check "$dir/bad.yaml"
printf 'tasks: [ { ider: nosuch.iso } ]\n' > "$dir/bad.yaml"
exits 1 amtcli job run "$dir/bad.yaml" pc0003 -o json
[ "$(jq -r '.[0].cause' "$dir/out")" = not-found ] || fail "an image that is not there: $(cat "$dir/out")"

# --- times ---
printf 'name: look\ntasks: [power: status]\n' > "$dir/look.yaml"
exits 2 amtcli schedule add bad --cron '61 * * * *' --job "$dir/look.yaml" --target @lab
says "$dir/err" "minute: expected '*', numbers from 0 to 59"
exits 2 amtcli schedule add bad --cron '0 0 31 4 *' --job "$dir/look.yaml" --target @lab
exits 2 amtcli schedule add bad --cron '0 2 * * *' --zone Mars/Base --job "$dir/look.yaml" --target @lab
exits 2 amtcli schedule add bad --cron '0 2 * * *' --every 5m --job "$dir/look.yaml" --target @lab
exits 2 amtcli schedule add bad --cron '0 2 * * *' --job "$dir/nosuch.yaml" --target @lab
[ "$(amtcli schedule list -o json)" = '[]' ] || fail "one with mistakes was added"
exits 0 amtcli schedule add nightly --cron '0 2 * * *' --zone UTC --job "$dir/look.yaml" --target @lab
[ "$(grep -c 'T02:00:00Z$' "$dir/out")" = 5 ] || fail "not five nights: $(cat "$dir/out")"
for i in 1 2; do
    exits 0 amtcli schedule add "caught$i" --cron '0 3 * * *' --zone UTC --job "$dir/look.yaml" --target @lab --catch-up
done
exits 0 amtcli schedule add off --every 6h --job "$dir/look.yaml" --target @lab --catch-up
amtcli schedule disable off
for i in $(seq 40); do # a storm, if all of them began when amtd is back
    amtcli schedule add "storm$i" --cron "$((i % 60)) 4 * * *" --zone UTC --job "$dir/look.yaml" --target @lab > /dev/null 2>&1
done
exits 2 amtcli schedule add nightly --cron @daily --job "$dir/look.yaml" --target @lab
[ "$(amtcli schedule next caught1 -n 20 | wc -l)" = 20 ] || fail "not 20 times"

# --- changed: what is not given stays; done now, by hand ---
printf 'name: short\ntasks: [power: status]\n' > "$dir/short.yaml"
exits 0 amtcli job schedule "$dir/short.yaml" pc0001 --cron '0 5 * * *' --zone UTC --canary 1
exits 2 amtcli schedule set nosuch --cron @daily
exits 2 amtcli schedule set short --window 1:00-2:00
exits 2 amtcli schedule set short --cron '0 5 * * *' --every 6h
exits 2 amtcli schedule set short --rate 5
says "$dir/err" "--rate goes with a sweep"
exits 0 amtcli schedule set short --target 'pc[0001-0002]' --window 04:00-06:00 -o json
[ "$(jq -rc '[.cron, .window, .target, .job]' "$dir/out")" = '["0 5 * * *","04:00-06:00","pc[0001-0002]","short"]' ] ||
    fail "not what was said: $(cat "$dir/out")"
exits 0 amtcli schedule set short --every 6h --no-window
[ "$(amtcli schedule show short -o json | jq -rc '[.cron, .window, .every_ms, .canary]')" = '[null,null,21600000,1]' ] ||
    fail "not what was said: $(amtcli schedule show short -o json)"
exits 0 amtcli schedule run short -o json
[ "$(jq -rc 'map(.host + "=" + .result) | sort' "$dir/out")" = '["pc0001=ok","pc0002=ok"]' ] || fail "not done: $(cat "$dir/out")"
[ "$(amtcli schedule show short -o json | jq .last_run)" = null ] || fail "what was begun by hand counts as its own"
exits 0 amtcli schedule add sweep --every 6h --discover 127.16.0.0/29 --port "$port" --rmcp-port $((port + 9))
exits 0 amtcli schedule run sweep -o json
[ "$(jq '[.[] | select(.amt)] | length' "$dir/out")" = 6 ] || fail "not six devices: $(cat "$dir/out")"
exits 2 amtcli schedule run sweep --canary 2
amtcli schedule remove short
amtcli schedule remove sweep

# --- amtd sleeps for two days ---
amtd_stop
sqlite3 "$AMTD_STATE_DIR/amtd.db" "UPDATE schedules SET last = last - 172800000, created = created - 172800000"
rm "$dir/look.yaml" # it is kept
amtd_start
one_done() { amtcli job list -o json | jq -e '[.[] | select(.schedule != null and .state == "over")] | length >= 1' > /dev/null; }
wait_until "the first one that is caught up on" one_done
[ "$(amtcli job list -o json | jq '[.[] | select(.schedule != null)] | length')" = 1 ] || fail "all begin at once"
both_done() { amtcli job list -o json | jq -e '[.[] | select(.schedule != null and .state == "over") | .schedule] | sort == ["caught1", "caught2"]' > /dev/null; }
wait_until "the second one" both_done
[ "$(amtcli job list -o json | jq -r '[.[] | select(.schedule != null) | .ok] | unique | join(",")')" = 6 ] || fail "not all hosts"
says <(amtcli schedule list) "amtd was not running when it was due"
amtcli event list --limit 200 -o json | jq -e '[.[] | select(.kind == "job" and (.text | startswith("schedule nightly: not begun")))] | length == 1' > /dev/null ||
    fail "nobody was told that nightly was left out"
[ "$(amtcli schedule list -o json | jq '[.[] | select(.name | startswith("storm")) | select(.last_note == "amtd was not running when it was due" and .last_run == null)] | length')" = 40 ] ||
    fail "not all of the storm is left out: $(amtcli schedule list)"
for i in $(seq 40); do amtcli schedule remove "storm$i"; done
amtcli schedule enable off
[ "$(amtcli schedule show off -o json | jq '.last_run')" = null ] || fail "what was disabled is caught up on"
amtcli schedule remove nightly
exits 2 amtcli schedule remove nightly
[ "$(amtcli schedule list -o json | jq length)" = 3 ] || fail "not three are left"

# --- outside of its window a run waits, before its hosts' next task, and over another life of amtd ---
# The first task lasts until the gate is open.
printf 'name: two\ntasks:\n  - name: gate\n    run: { shell: "until test -e %s; do sleep 0.1; done", safe: yes }\n    timeout: 10m\n  - power: cycle\n' "$dir/gate" > "$dir/two.yaml"
amtcli job run "$dir/two.yaml" pc0005 --yes > /dev/null 2>&1 &
client=$!
two_is() { [ "$(amtcli job list --job two -o json 2> /dev/null | jq -r '.[0].state')" = "$1" ]; }
window() { # HOURS HOURS: from now
    amtd_stop
    sqlite3 "$AMTD_STATE_DIR/amtd.db" "UPDATE jobs SET settings = json_set(settings, '\$.zone', 'UTC', '\$.window',
        '$(date -u -d "$1 hours" +%H:%M)-$(date -u -d "$2 hours" +%H:%M)') WHERE name = 'two'"
    amtd_start
}
ctl clear 5 > /dev/null
wait_until "the run" two_is running
printf 'name: two\ntasks: [ power: off ]\n' > "$dir/two.yaml" # it keeps what it began with, also over lives of amtd
window 2 3
wait $client || true
wait_until "the end of its window" two_is waiting
exits 0 amtcli job pause "$(amtcli job list --job two -o json | jq '.[0].run')"
wait_until "its pause" two_is paused
exits 0 amtcli job resume "$(amtcli job list --job two -o json | jq '.[0].run')"
wait_until "its window, still" two_is waiting
[ "$(ctl record 5 | jq '[.events[] | select(.event == "power")] | length')" = 0 ] || fail "it went on outside of its window"
touch "$dir/gate"
window -1 1
wait_until "its end" two_is over
[ "$(amtcli job list --job two -o json | jq '.[0].ok')" = 1 ] || fail "it did not go well"
[ "$(ctl record 5 | jq '[.events[] | select(.event == "power")] | length')" -gt 0 ] || fail "it did not go on"
[ "$(amtcli job show "$(amtcli job list --job two -o json | jq '.[0].run')" -o json | jq -r '[.[0].tasks[].task] | join(" ")')" = 'gate power' ] ||
    fail "it took the changed file"
power_is 5 on || fail "it did what the changed file says"

amtd_stop
amtsim_stop
echo "schedule: ok"
