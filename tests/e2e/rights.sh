#!/usr/bin/env bash
# rights.sh BIN_DIR TEST_BIN_DIR: users of this machine with roles on collections. A watcher can change nothing by any call of the API's
# table, whatever is in it; an operator of a collection reaches no host outside it by name, range, query, console or drive; what was
# denied is in the activity log. The accounts are the test's own, in a file that only it sees.
# shellcheck source=tests/e2e/rights_lib.sh
. "$(dirname "$0")/rights_lib.sh"

# requests: how many requests have changed a device so far.
changes()
{
    ctl record all | jq -s '[.[].events[] | select(.event == "power" or .event == "change" or .event == "defense" or .event == "session")] | length'
}

# everything: all that amtd keeps, but what was done.
everything()
{
    for call in host.list collection.list profile.list grant.list filter.status; do
        "$probe" "$AMTD_SOCKET" call $call | jq -cS 'del(.. | .facts?)'
    done
    "$probe" "$AMTD_SOCKET" call console.list | jq -c '[.reply[] | {name, logging}]'
}

amtsim_start --devices 8 --power-seconds 1-1.3
cat > "$dir/amtd.yaml" << 'END'
consoles:
  - { name: echo, source: { type: test } }
  - { name: private, source: { type: test }, access: [ { user: amtd-nemo, right: write } ] }
  - { name: sol1, source: { type: amt, host: pc0001 } }
  - { name: sol8, source: { type: amt, host: pc0008 } }
reactions:
  - { name: again, kinds: [ job ], hosts: [ pc0008 ], job: { schedule: his, target: pc0001 } }
END
up()
{
    [ "$(amtcli console list -o json 2> /dev/null | jq -r ".[] | select(.name == \"$1\") | .state")" = up ]
}
amtd_start --config "$dir/amtd.yaml" --socket "$AMTD_SOCKET"
fleet 8
wait_until "the console of a host" up sol1
wait_until "the console of a host" up sol8
amtcli collection add four --list 'pc[0001-0004]'
amtcli collection add even --where 'name = pc0002 or name = pc0004 or tag.more = "yes"'

echo '--- nobody, until somebody says so'
exits 3 as amtd-wanda amtcli host list
amtcli grant add watch --group amtd-helpdesk
amtcli grant add operate --user amtd-oskar --on @four
amtcli grant add quarantine --user amtd-quinn --on even
exits 2 amtcli grant add operate --user amtd-oskar --on @four
says "$dir/err" exists
exits 2 amtcli grant add watch --user amtd-oskar --on @nothing
says "$dir/err" not-found
exits 2 amtcli collection remove four
says "$dir/err" 'rights are granted'
exits 2 amtcli grant add operate
exits 2 amtcli grant add master --user amtd-oskar
exits 0 amtcli grant list
says "$dir/out" amtd-helpdesk
denied amtd-nemo 'watch' amtcli host list
[ "$(as amtd-wanda amtcli host list -o json | jq length)" = 8 ] || fail "a watcher does not see the fleet"

echo '--- a watcher, by every call there is'
everything > "$dir/before"
before=$(changes)
"$probe" "$AMTD_SOCKET" call api.list | jq -c '.reply[]' > "$dir/calls"
[ "$(wc -l < "$dir/calls")" -gt 40 ] || fail "few calls"
# What each parameter may be, so that calls are refused for who makes them and for nothing else.
cat > "$dir/values.json" << 'END'
{"name": "echo", "target": "all", "hosts": "pc9", "host": "pc0001", "collection": "four", "user": "amtd-wanda", "role": "administer",
 "rows": [], "run": 1, "names": ["echo"], "text": "x", "regex": "x", "channel": 1, "action": "force", "on": false, "id": 1, "task": "power"}
END
jq -c --slurpfile v "$dir/values.json" '. as $c | {call, changes, role, on, params: ([.params[] | select(.required or (.name | IN("user", "text")))
    | {key: .name, value: ($v[0][.name] // (if .type == "integer" then 1 elif .type == "boolean" then true elif .type == "array" then []
    elif .type == "object" then {} else "echo" end))}] | from_entries)}' "$dir/calls" > "$dir/tries"
denials=0
while read -r try; do
    call=$(jq -r .call <<< "$try")
    [ "$(jq .changes <<< "$try")" = true ] || [ "$(jq -r .role <<< "$try")" != watch ] || continue
    [ "$call" != daemon.stop ] || try='{"params": {}, "role": "administer"}'
    params=$(jq -c .params <<< "$try")
    as amtd-wanda "$probe" "$AMTD_SOCKET" call "$call" "$params" > "$dir/out" 2>&1 && got=0 || got=$?
    if [ "$(jq -r .role <<< "$try")" != watch ]; then
        grep -q '"cause": *"denied"' "$dir/out" || fail "$call $params is not denied: $(cat "$dir/out")"
        denials=$((denials + 1))
    elif [ $got = 0 ]; then
        [[ $call = console.message || $call = console.broadcast ]] || fail "$call $params was done"
    fi
done < "$dir/tries"
for task in '"power", "args": {"action": "cycle"}' '"boot", "args": {"to": "bios"}' '"filter", "args": {"action": "remove"}' \
    '"prepare", "args": {"kind": "sol"}' '"consent", "args": {"action": "cancel"}' '"clock", "args": {"set": true}' \
    '"redirection", "args": {"sol": true}'; do
    as amtd-wanda "$probe" "$AMTD_SOCKET" call run.start "{\"task\": $task, \"target\": \"all\"}" > "$dir/out" 2>&1 || true
    grep -qE '"cause": *"(denied|invalid-argument)"' "$dir/out" || fail "task $task: $(cat "$dir/out")"
    ! grep -q '"cause": *"denied"' "$dir/out" || denials=$((denials + 1))
done
denied amtd-wanda operate amtcli power cycle pc0001 --yes
denied amtd-wanda quarantine amtcli filter remove pc0001 --yes
head -c 100000 /dev/zero > "$dir/x.iso"
chmod 644 "$dir/x.iso"
exits 1 as amtd-wanda amtcli ider pc0001 --cd "$dir/x.iso" --yes
says "$dir/err" '(denied)'
denied amtd-wanda 'write to' amtcli console note echo hello
as amtd-wanda amtcli console echo --send 'hello' --timeout 2s > "$dir/out" 2> "$dir/err" && fail "a watcher types"
denied amtd-wanda 'is not open' amtcli console pc0001 --read-only --expect x --timeout 5s
exits 0 as amtd-wanda amtcli log show sol1
everything > "$dir/after"
diff "$dir/before" "$dir/after" || fail "something has changed"
[ "$(changes)" = "$before" ] || fail "a device was changed, or has another session"

echo '--- an operator of four of eight'
[ "$(as amtd-oskar amtcli host list -o json | jq -r '[.[].name] | join(" ")')" = 'pc0001 pc0002 pc0003 pc0004' ] || fail "he sees others"
exits 0 as amtd-oskar amtcli power status all
[ "$(as amtd-oskar amtcli power status 'where:tag.site = "lab"' -o json | jq length)" = 4 ] || fail "a query reaches others"
[ "$(as amtd-oskar amtcli power status @lab,@even -o json | jq length)" = 4 ] || fail "a collection reaches others"
exits 0 as amtd-oskar amtcli power cycle 'pc[0001-0002]' --yes
exits 0 as amtd-oskar amtcli power cycle all --yes
exits 2 as amtd-oskar amtcli power cycle pc0005 --yes
says "$dir/err" 'there is no host'
says "$dir/err" 'amtcli host list'
exits 2 as amtd-oskar amtcli power cycle 'pc[0003-0006]' --yes
denied amtd-oskar quarantine amtcli filter remove pc0001 --yes
denied amtd-oskar administer amtcli host set pc0001 --address 127.0.0.1
denied amtd-oskar administer amtcli host add pc77
denied amtd-oskar administer amtcli collection add mine --list pc0001
denied amtd-oskar administer amtcli grant add administer --user amtd-oskar
denied amtd-oskar administer amtcli stop
exits 1 as amtd-oskar amtcli ider pc0008 --cd "$dir/x.iso" --yes
says "$dir/err" not-found
exits 0 as amtd-oskar amtcli console pc0002 --send '\r' --expect '# $' --timeout 60s
for console in pc0008 sol8 echo private nonsense; do
    exits 2 as amtd-oskar amtcli console $console --expect x --timeout 5s
    says "$dir/err" "there is neither a console nor a host '$console'"
done
[ "$(as amtd-oskar amtcli console list -o json | jq -r '[.[].name] | sort | join(" ")')" = 'pc0002 sol1' ] || fail "consoles of others"
exits 0 as amtd-nemo amtcli console send private hello
for what in 'down private' 'up private' 'roll private' 'send private x --force'; do # to write is not to control
    # shellcheck disable=SC2086
    exits 4 as amtd-nemo amtcli console $what
done
[ "$(ctl record 5-7 | jq -s '[.[].events[] | select(.event == "power" or .event == "session")] | length')" = 0 ] || fail "hosts of others were touched"

echo '--- collections that change are looked at when somebody acts'
exits 2 as amtd-quinn amtcli filter remove pc0001,pc0002 --yes
exits 0 as amtd-quinn amtcli power cycle pc0002 --yes
exits 2 as amtd-quinn amtcli power cycle pc0008 --yes
amtcli host set pc0008 --tag more=yes
exits 0 as amtd-quinn amtcli power cycle pc0008 --yes
as amtd-quinn amtcli console sol8 --expect never --timeout 600s > "$dir/attached" 2>&1 &
attached=$!
wait_until "an attachment" bash -c "amtcli console who sol8 | grep -q amtd-quinn"
amtcli host set pc0008 --tag more=
wait_until "the end of what he may not have any more" bash -c "! amtcli console who sol8 | grep -q amtd-quinn"
wait $attached && fail "still attached to the console of a host that is in no collection of his"
exits 2 as amtd-quinn amtcli power cycle pc0008 --yes
amtcli grant add watch --user amtd-quinn
denied amtd-quinn 'on 1 of 2 hosts: pc0008' amtcli power cycle pc0002,pc0008 --yes

echo '--- jobs and schedules of an operator'
mkdir "$dir/jobs"
chmod 755 "$dir/jobs"
printf 'name: wake\ntasks:\n  - power: on\n  - run: [id, -un]\n' > "$dir/jobs/wake.yaml"
printf 'tasks: [ filter: { remove: yes } ]\n' > "$dir/jobs/filter.yaml"
denied amtd-wanda operate amtcli job check "$dir/jobs/wake.yaml" pc0001
exits 0 as amtd-wanda amtcli job check "$dir/jobs/wake.yaml"
exits 0 as amtd-oskar amtcli job check "$dir/jobs/wake.yaml" all
denied amtd-oskar quarantine amtcli job check "$dir/jobs/filter.yaml" pc0001
denied amtd-wanda operate amtcli job run "$dir/jobs/wake.yaml" pc0001 --yes
denied amtd-wanda operate amtcli schedule add w --cron @daily --job "$dir/jobs/wake.yaml" --target all
denied amtd-oskar quarantine amtcli job run "$dir/jobs/filter.yaml" pc0001 --yes
exits 2 as amtd-oskar amtcli job run "$dir/jobs/wake.yaml" pc0005 --yes
exits 0 as amtd-oskar amtcli job run "$dir/jobs/wake.yaml" all --yes -o json
[ "$(jq -r '[.[] | .host] | join(" ")' "$dir/out")" = 'pc0001 pc0002 pc0003 pc0004' ] || fail "his job reaches others"
amtcli job show "$(amtcli job list -o json | jq '.[0].run')" -o json > "$dir/out"
[ "$(jq -r '.[0].tasks[1].detail.run.output' "$dir/out")" = 'amtd-oskar' ] || fail "the command ran as somebody else: $(cat "$dir/out")"
amtcli job run "$dir/jobs/wake.yaml" pc0008 --yes > /dev/null 2>&1
mine=$(as amtd-oskar amtcli job list -o json | jq '.[0].run')
theirs=$(amtcli job list -o json | jq '.[0].run')
[ "$(as amtd-oskar amtcli job list -o json | jq length)" = 1 ] || fail "he sees the jobs of others"
exits 0 as amtd-oskar amtcli job show "$mine"
exits 2 as amtd-oskar amtcli job show "$theirs"
exits 2 as amtd-oskar amtcli job retry "$theirs"
printf 'name: slow\ntasks: [ wait: 100s, power: on ]\n' > "$dir/jobs/slow.yaml"
amtcli job run "$dir/jobs/slow.yaml" 'pc[0001-0002]' --yes > /dev/null 2>&1 &
slow=$!
wait_until "a run of somebody else" bash -c "amtcli job list -o json | jq -e '.[0] | .job == \"slow\" and .state == \"running\"' > /dev/null"
other=$(amtcli job list -o json | jq '.[0].run')
exits 2 as amtd-oskar amtcli job cancel "$other"
denied amtd-wanda operate amtcli job pause "$other"
exits 0 amtcli job cancel "$other"
wait $slow || true
# When a run goes on after a pause, rights are looked up again.
printf 'name: gate\ntasks:\n  - run: { shell: "until test -e %s; do sleep 0.1; done" }\n    timeout: 10m\n  - power: on\n' "$dir/open/gate" > "$dir/jobs/gate.yaml"
as amtd-oskar amtcli job run "$dir/jobs/gate.yaml" all --yes > /dev/null 2>&1 &
gate_is() { [ "$(amtcli job list --job gate -o json | jq -r '.[0].state')" = "$1" ]; }
wait_until "a run of his" gate_is running
gate=$(amtcli job list --job gate -o json | jq '.[0].run')
exits 0 as amtd-oskar amtcli job pause "$gate"
amtcli grant remove operate --user amtd-oskar --on @four
amtcli grant add watch --user amtd-oskar --on @four
touch "$dir/open/gate"
parked() { [ "$(amtcli job show "$gate" -o json 2> /dev/null | jq '[.[] | select(.tasks[0].result == "ok")] | length')" = 4 ]; }
wait_until "that all wait before the second task" parked
exits 0 amtcli job resume "$gate"
wait_until "its end" gate_is over
exits 1 amtcli job show "$gate" -o json
[ "$(jq -r '[.[] | "\(.cause) \([.tasks[].task] | join("+"))"] | unique | join(", ")' "$dir/out")" = 'denied run' ] ||
    fail "it went on without the role: $(jq -c '.[] | [.host, .cause, .message]' "$dir/out")"
amtcli activity --limit 1000 -o json | jq -e "[.[] | select(.by == \"run $gate, after a pause\" and .result == \"denied\")] | length == 1" > /dev/null ||
    fail "that it was left out after a pause is not written down"
amtcli grant remove watch --user amtd-oskar --on @four
amtcli grant add operate --user amtd-oskar --on @four
exits 0 as amtd-oskar amtcli schedule add his --cron '0 3 * * *' --zone UTC --job "$dir/jobs/wake.yaml" --target all --catch-up
denied amtd-oskar quarantine amtcli schedule add bad --cron @daily --job "$dir/jobs/filter.yaml" --target all
amtcli schedule add ours --cron @yearly --job "$dir/jobs/wake.yaml" --target all > /dev/null 2>&1
[ "$(as amtd-oskar amtcli schedule list -o json | jq -r '[.[].name] | join(" ")')" = his ] || fail "he sees the schedules of others"
exits 2 as amtd-oskar amtcli schedule show ours
exits 2 as amtd-oskar amtcli schedule remove ours
denied amtd-wanda operate amtcli schedule disable ours
exits 0 as amtd-oskar amtcli schedule disable his
exits 0 as amtd-oskar amtcli schedule enable his
# What is due is done with the rights of that moment.
two_days() # amtd sleeps
{
    amtd_stop
    sqlite3 "$AMTD_STATE_DIR/amtd.db" "UPDATE schedules SET last = last - 172800000, created = created - 172800000 WHERE name = 'his'"
    amtd_start --config "$dir/amtd.yaml" --socket "$AMTD_SOCKET"
}
two_days
wait_until "what was slept through" bash -c "amtcli schedule show his -o json | jq -e '.last_run != null' > /dev/null"
[ "$(amtcli job list -o json | jq -r '.[0] | "\(.schedule) \(.hosts)"')" = 'his 4' ] || fail "not his hosts: $(amtcli job list)"
amtcli activity --limit 1000 -o json | jq -e '[.[] | select(.by == "schedule his" and .result == "begun" and .hosts == "pc[0001-0004]")] | length == 1' \
    > /dev/null || fail "the schedule's start is not written down"
amtcli grant remove operate --user amtd-oskar --on @four
amtcli grant add watch --user amtd-oskar --on @four
two_days
wait_until "the denial" bash -c "amtcli schedule show his -o json | jq -e '.last_note | strings | contains(\"operate\")' > /dev/null"
amtcli activity --limit 1000 -o json | jq -e '[.[] | select(.by == "schedule his" and .result == "denied")] | length == 1' > /dev/null ||
    fail "the denial is not written down"
amtcli grant remove watch --user amtd-oskar --on @four
amtcli grant add operate --user amtd-oskar --on @four

echo '--- an event begins the job of his schedule: as he himself, as long as he may'
printf 'name: call\ntasks: [ notify: now ]\n' > "$dir/jobs/call.yaml"
by_event() # JQ: of the newest run that the event began
{
    amtcli job list -o json | jq -e "[.[] | select(.reaction == \"again\")] | .[0] | $1" > /dev/null
}
exits 0 amtcli job run "$dir/jobs/call.yaml" pc0008
wait_until "the job that the event begins" by_event '.state == "over" and .ok == 1 and (.who | contains("amtd-oskar"))'
amtcli job show "$(amtcli job list -o json | jq '[.[] | select(.reaction == "again")] | .[0].run')" -o json > "$dir/out" 2> /dev/null
[ "$(jq -r '.[0].tasks[1].detail.run.output' "$dir/out")" = 'amtd-oskar' ] || fail "the event's command ran as somebody else: $(cat "$dir/out")"
deed() # JQ: of the activity log
{
    amtcli activity --limit 1000 -o json | jq -e "[.[] | select($1)] | length == 1" > /dev/null
}
deed '.by == "reaction again" and .result == "begun" and .hosts == "pc0001"' || fail "what the event began is not written down"

echo '--- a run that is taken up: what he may not do any more is not done'
amtcli collection add one --list pc0001
amtcli grant add operate --user amtd-oskar --on one
printf 'name: later\ntasks: [ { wait: { power: off }, timeout: 1h }, power: on ]\n' > "$dir/jobs/later.yaml"
later_is() # JQ
{
    amtcli job list --job later -o json | jq -e ".[0] | $1" > /dev/null
}
as amtd-oskar amtcli job run "$dir/jobs/later.yaml" 'pc[0001-0003]' --yes > /dev/null 2>&1 &
client=$!
wait_until "his run" later_is '.state == "running"'
amtcli grant remove operate --user amtd-oskar --on @four
ctl clear 1-3 > /dev/null
amtd_stop
wait $client && fail "his run went well"
amtd_start --config "$dir/amtd.yaml" --socket "$AMTD_SOCKET"
ctl set 1-3 power=off > /dev/null
wait_until "the end of his run" later_is '.state == "over"'
later_is '.ok == 1 and .failed == 2' || fail "not what he may: $(amtcli job show "$(amtcli job list --job later -o json | jq '.[0].run')" -o json)"
amtcli job show "$(amtcli job list --job later -o json | jq '.[0].run')" -o json > "$dir/out" 2> /dev/null || true
[ "$(jq -r '[.[] | select(.cause == "denied") | .host] | sort | join(" ")' "$dir/out")" = 'pc0002 pc0003' ] || fail "others were denied: $(cat "$dir/out")"
[ "$(ctl get 1-3 | jq -r .power | tr '\n' ' ')" = 'on off off ' ] || fail "done where he may not: $(ctl get 1-3 | jq -c .power)"
deed '(.by // "" | endswith(", taken up")) and .result == "denied" and .hosts == "pc[0002-0003]"' || fail "it is not written down what was left out"
amtcli event list --kind job -o json | jq -e 'any(.[]; .text | contains("leaves out 2 of 3 hosts"))' > /dev/null || fail "nobody was told"
amtcli grant remove operate --user amtd-oskar --on one
amtcli grant add watch --user amtd-oskar --on @four
exits 0 amtcli job run "$dir/jobs/call.yaml" pc0008
wait_until "that it is denied" deed '.by == "reaction again" and .result == "denied"'
amtcli grant remove watch --user amtd-oskar --on @four
amtcli grant add operate --user amtd-oskar --on @four

echo '--- what is taken away is taken away at once'
as amtd-oskar amtcli console pc0002 --expect never --timeout 100s > "$dir/attached" 2>&1 &
attached=$!
wait_until "an attachment" bash -c "amtcli console who pc0002 | grep -q amtd-oskar"
amtcli grant remove operate --user amtd-oskar --on @four
wait $attached && fail "still attached"
denied amtd-oskar watch amtcli power cycle pc0001 --yes

echo '--- what was denied is written down'
[ "$(amtcli activity --limit 1000 -o json | jq '[.[] | select(.result == "denied" and (.who | contains("amtd-wanda")))] | length')" -ge $denials ] ||
    fail "fewer denials than $denials in the activity log"
amtcli activity --limit 1000 -o json > "$dir/activity"
jq -e '[.[] | select(.what == "open image" and .result == "denied")] | length > 0' "$dir/activity" > /dev/null || fail "a denied channel is not there"
jq -e '[.[] | select(.result == "begun" and .hosts == "pc[0001-0002]" and (.who | contains("oskar")))] | length > 0' \
    "$dir/activity" > /dev/null || fail "hosts are not written down"
exits 0 amtcli activity verify
amtd_stop
amtsim_stop
echo "rights: ok"
