#!/usr/bin/env bash
# job.sh BIN_DIR: jobs on 60 devices, some of them ill: tries, conditions, what is passed over and what is taken back,
# stages, pausing, cancelling, and doing it again where it failed.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

cat > "$dir/scenario.yaml" << 'YAML'
devices:
  - {select: 5, faults: [{fault: unreachable}]}
  - {select: 9, faults: [{fault: wrong-password}]}
  - {select: 12, faults: [{fault: refuse-transition}]}
  - {select: 20-24, power: off}
YAML
amtsim_start --devices 60 --scenario "$dir/scenario.yaml" --power-seconds 1-1.3
amtd_start
fleet 60
amtcli host set 'pc[0030-0039]' --tag patched=yes > /dev/null

# result FILE HOST TASK: what became of it there
result()
{
    jq -r ".[] | select(.host == \"$2\") | .tasks[] | select(.task == \"$3\") | .cause // .result" "$1"
}
# is FILE HOST TASK WANTED
is()
{
    [ "$(result "$1" "$2" "$3")" = "$4" ] || fail "$3 on $2 is '$(result "$1" "$2" "$3")', not '$4'"
}

# --- files ---
printf 'tasks:\n  - power: fly\n  - boot: { to: pxe, rest: yes }\n    retry: often\n' > "$dir/bad.yaml"
exits 2 amtcli job check "$dir/bad.yaml"
says "$dir/err" "$dir/bad.yaml:2:12: 'action': expected one of status, on, off"
says "$dir/err" "$dir/bad.yaml:3:22: there is no 'rest' in 'boot'"
says "$dir/err" "$dir/bad.yaml:4:12: 'count': expected a whole number"
exits 2 amtcli job run "$dir/bad.yaml" @lab --yes
exits 2 amtcli job check "$dir/nosuch.yaml"
printf 'tasks: [ power: status ]\n---\ntasks: [ power: off ]\n' > "$dir/bad.yaml"
exits 2 amtcli job check "$dir/bad.yaml"
says "$dir/err" "$dir/bad.yaml:3:1: a second document: expected one"
[ "$(amtcli job list -o json)" = '[]' ] || fail "a job with mistakes was run"

# --- tries, conditions, failures ---
cat > "$dir/night.yaml" << 'YAML'
name: night
rollout: { concurrency: 30, max-failures: 0 }
tasks:
  - name: wake
    power: on
    retry: { count: 1, pause: 100ms }
  - name: look
    info:
  - name: only
    power: status
    when: tag.patched = yes and result.look = ok
  - name: nudge
    power: cycle
    on-failure: continue
  - name: last
    power: status
    when: not result.nudge = failed
YAML
exits 4 amtcli job run "$dir/night.yaml" @lab < /dev/null
says "$dir/err" "would change 60 hosts"
amtcli job run "$dir/night.yaml" @lab --dry-run > "$dir/out"
says "$dir/out" "nudge: would cycle"
exits 1 amtcli job run "$dir/night.yaml" @lab --yes -o json
cp "$dir/out" "$dir/night"
[ "$(jq length "$dir/night")" = 60 ] || fail "$(jq length "$dir/night") results"
[ "$(jq -r '[.[] | select(.result != "ok") | "\(.host) \(.cause)"] | join(", ")' "$dir/night")" = \
    "pc0005 unreachable, pc0009 auth-failed" ] || fail "not the wanted causes: $(jq -c '.[] | select(.result != "ok")' "$dir/night")"
is "$dir/night" pc0001 wake ok
is "$dir/night" pc0001 only skipped
is "$dir/night" pc0031 only ok
is "$dir/night" pc0012 nudge invalid-state
is "$dir/night" pc0012 last skipped
is "$dir/night" pc0013 last ok
[ "$(jq -r '.[] | select(.host == "pc0020") | .from + "-" + .to' "$dir/night")" = off-on ] || fail "pc0020 was not woken"
[ "$(jq '.[] | select(.host == "pc0005") | .tasks[0].tries' "$dir/night")" = 2 ] || fail "what does not answer is not tried again"
[ "$(jq '.[] | select(.host == "pc0009") | .tasks[0].tries' "$dir/night")" = 1 ] || fail "a wrong password is tried again"
[ "$(ctl record 9 | jq .counters.logins_wrong)" = 1 ] || fail "a wrong password was sent more than once"
[ "$(jq '[.[] | .tasks[] | select(.result == "failed" and ((.message // "") == "" or (.hint // "") == ""))] | length' "$dir/night")" = 0 ] ||
    fail "a failure without message or hint"
amtcli job show 1 -o json > "$dir/shown" 2> /dev/null || true
jq -c '[.[] | {host, result, cause, t: [.tasks[] | [.task, .result, .cause]]}]' "$dir/night" > "$dir/a"
jq -c '[.[] | {host, result, cause, t: [.tasks[] | [.task, .result, .cause]]}]' "$dir/shown" > "$dir/b"
cmp "$dir/a" "$dir/b" >&2 || fail "job show says something else than job run"
amtcli job show 1 --text | cmp - "$dir/night.yaml" >&2 || fail "the run does not have its text"
amtcli job show 1 -o csv > "$dir/csv" 2> /dev/null || true
says "$dir/csv" "pc0012,nudge,failed"

# --- again where it failed; the file may have changed meanwhile ---
ctl set 5 'faults=[]' > /dev/null
echo 'tasks: [power: off]' > "$dir/night.yaml"
exits 1 amtcli job retry 1 --yes -o json
[ "$(jq -r '[.[] | "\(.host) \(.result)"] | join(", ")' "$dir/out")" = "pc0005 ok, pc0009 failed" ] ||
    fail "retried: $(jq -c '.[] | [.host, .result, .message]' "$dir/out")"
[ "$(amtcli job list -o json | jq '.[0].retry_of')" = 1 ] || fail "the second run does not say what it repeats"

# --- what was done is taken back ---
cat > "$dir/undo.yaml" << 'YAML'
tasks:
  - name: down
    power: off
  - name: cannot
    boot: { to: bios, reset: yes }
    timeout: 5s
    on-failure: undo
YAML
ctl set 41 'faults=[{"fault": "access-denied", "on": "AMT_BootSettingData"}]' > /dev/null
exits 1 amtcli job run "$dir/undo.yaml" 'pc[0041-0042]' --yes -o json
is "$dir/out" pc0041 cannot access-denied
is "$dir/out" pc0041 undo-down ok
is "$dir/out" pc0042 cannot ok
[ "$(ctl get 41 | jq -r .power)" = on ] || fail "pc0041 was not switched on again"
says "$dir/out" "taken back"

# --- removed while the job goes on: it is not touched any more ---
cat > "$dir/gate.yaml" << YAML
rollout: { concurrency: 1, canary: 0, batch: 0 }
tasks:
  - run: { shell: "until test -e $dir/gate; do sleep 0.1; done" }
    timeout: 10m
  - power: cycle
YAML
ctl clear 43-44 > /dev/null
amtcli job run "$dir/gate.yaml" 'pc[0043-0044]' --yes -o json > "$dir/gated" 2> "$dir/err" &
client=$!
gated() { amtcli job list -o json | jq -e '.[0] | .job == "gate" and .state == "running"' > /dev/null; }
wait_until "the run" gated
amtcli host remove 'pc[0043-0044]' --yes > /dev/null
touch "$dir/gate"
wait "$client" && fail "all is well with hosts that were removed"
[ "$(jq -r '[.[].cause] | unique | join(" ")' "$dir/gated")" = not-found ] || fail "removed hosts: $(cat "$dir/gated")"
[ "$(ctl record 43-44 | jq -s '[.[].events[] | select(.event == "power")] | length')" = 0 ] || fail "a host that was removed was power cycled"

# --- paused, cancelled ---
cat > "$dir/slow.yaml" << 'YAML'
rollout: { concurrency: 2, batch: 10 }
tasks:
  - power: cycle
  - power: cycle
  - power: cycle
YAML
amtcli job run "$dir/slow.yaml" 'pc[0045-0060]' --yes -o json > "$dir/slow" 2> "$dir/err" &
client=$!
some_done() { amtcli job list -o json | jq -e '.[0] | .job == "slow" and .ok > 0' > /dev/null; }
wait_until "the first hosts" some_done
run=$(amtcli job list -o json | jq '.[0].run')
amtcli job pause "$run"
[ "$(amtcli job list -o json | jq -r '.[0].state')" = paused ] || fail "the run is not paused"
amtd_stop # a paused run stays so
wait "$client" || true
amtd_start
is_paused() { amtcli job list -o json | jq -e '.[0].state == "paused"' > /dev/null; }
wait_until "the paused run" is_paused
before=$(amtcli job list -o json | jq '.[0].ok')
amtcli job resume "$run"
more_done() { [ "$(amtcli job list -o json | jq '.[0].ok')" -gt "$before" ]; }
wait_until "that it goes on" more_done
amtcli job cancel "$run"
exits 1 amtcli job watch "$run" -o json
[ "$(jq '[.[] | select(.cause == "cancelled")] | length > 0' "$dir/out")" = true ] || fail "nothing was cancelled"
[ "$(jq length "$dir/out")" = 16 ] || fail "not all hosts have a result"
exits 2 amtcli job cancel "$run"
exits 1 amtcli job watch "$run" -o json # it is over
[ "$(jq length "$dir/out")" = 16 ] || fail "one that is over is not shown to who wants to watch it"
exits 2 amtcli job watch 999
grep -q 'there is no run 999 of a job' "$dir/err" || fail "a run that never was: $(cat "$dir/err")"

amtd_stop
amtsim_stop
echo "job: ok"
