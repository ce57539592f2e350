#!/usr/bin/env bash
# rights_routes.sh BIN_DIR TEST_BIN_DIR: the ways in which somebody may try to do what he may not, one after the other: every call and every
# kind of channel without amtcli between, from this machine, from another one and with a node's key; what commands of jobs find open; what
# another account does with the process, its files and its state directory; an account whose number somebody else has got. Nothing
# changes, and what was denied is in the activity log, whose chain proves itself.
# shellcheck source=tests/e2e/rights_lib.sh
. "$(dirname "$0")/rights_lib.sh"
raw=$(cd "$(dirname "$0")" && pwd)/mux_raw.py
listen=$((30300 + $$ % 2400))

# everything: all that amtd keeps, but what was done, and what devices were told.
everything()
{
    sqlite3 "$AMTD_STATE_DIR/amtd.db" 'SELECT name, address, profile FROM hosts; SELECT * FROM tags; SELECT * FROM collections; SELECT * FROM grants;
        SELECT name, user FROM profiles; SELECT name, target, who, enabled FROM schedules; SELECT * FROM passwords; SELECT * FROM certificates;
        SELECT * FROM declarations; SELECT count(*) FROM runs; SELECT name, role FROM peers; SELECT * FROM logins;'
    ctl record all | jq -sc '[.[].events[] | select(.event == "change" or .event == "power" or .event == "defense" or .event == "session")]'
    amtcli console list -o json | jq -c '[.[] | {name, logging, writer}]'
}

# denials NAME: how often that one was denied something, by the activity log.
denials()
{
    amtcli activity --limit 100000 -o json | jq --arg n "$1" '[.[] | select(.result == "denied" and (.who | contains($n)))] | length'
}

amtsim_start --devices 4
cat > "$dir/amtd.yaml" << END
listen: 127.0.0.1:$listen
consoles:
  - { name: echo, source: { type: test } }
  - { name: sol1, source: { type: amt, host: pc0001 } }
END
amtd_start --config "$dir/amtd.yaml" --socket "$AMTD_SOCKET"
fleet 4
printf 'tasks: [ run: [ "false" ] ]\n' > "$dir/fails.yaml"
exits 1 amtcli job run "$dir/fails.yaml" pc0001
failed=$(jq -r '.[0].run // empty' "$dir/out" 2> /dev/null || true)
[ -n "$failed" ] || failed=$(amtcli job list -o json | jq '.[0].run')
amtcli collection add four --list 'pc[0001-0004]'
amtcli collection add one --list pc0001
exits 0 amtcli schedule add ours --cron @yearly --job "$dir/fails.yaml" --target all
exits 0 amtcli config declare <(echo 'network: {domain: lab.example}') @lab
amtcli grant add watch --user amtd-wanda
amtcli grant add operate --user amtd-oskar --on @one
amtcli grant add administer --user amtd-quinn --on @one
up()
{
    [ "$(amtcli console show "$1" -o json 2> /dev/null | jq -r .state)" = up ]
}
wait_until "a console" up sol1

echo '--- every call of the table, by who may only look'
job='"name": "x", "files": {}, "target": "all", "text":'
cat > "$dir/tries" << END
{"call": "run.start", "params": {"task": "power", "args": {"action": "cycle"}, "target": "all"}}
{"call": "run.start", "params": {"task": "power", "args": {"action": "cycle"}, "target": "pc0001", "dry_run": true}}
{"call": "run.start", "params": {"task": "boot", "args": {"to": "bios"}, "target": "all"}}
{"call": "run.start", "params": {"task": "prepare", "args": {"kind": "sol"}, "target": "all"}}
{"call": "run.start", "params": {"task": "redirection", "args": {"sol": "off"}, "target": "all"}}
{"call": "run.start", "params": {"task": "redirection", "args": {"end": "sol"}, "target": "pc0001"}}
{"call": "run.start", "params": {"task": "consent", "args": {"action": "policy", "policy": "none"}, "target": "all"}}
{"call": "run.start", "params": {"task": "consent", "args": {"action": "send", "code": "123456"}, "target": "pc0001"}}
{"call": "run.start", "params": {"task": "clock", "args": {"set": true}, "target": "all"}}
{"call": "run.start", "params": {"task": "filter", "args": {"action": "remove"}, "target": "all"}}
{"call": "run.start", "params": {"task": "alert", "args": {"action": "off"}, "target": "all"}}
{"call": "run.start", "params": {"task": "password", "args": {}, "target": "all"}}
{"call": "run.start", "params": {"task": "user", "args": {"action": "apply", "accounts": [{"name": "x", "realms": ["remote-control"]}]}, "target": "all"}}
{"call": "run.start", "params": {"task": "certificate", "args": {"action": "issue"}, "target": "all"}}
{"call": "run.start", "params": {"task": "unprovision", "args": {"confirm": "4"}, "target": "all"}}
{"call": "run.start", "params": {"task": "config", "args": {"action": "apply", "collection": "lab"}, "target": "all"}}
{"call": "job.run", "params": {$job "tasks: [ power: cycle ]"}}
{"call": "job.run", "params": {$job "tasks: [ run: [ id ] ]"}}
{"call": "job.run", "params": {$job "tasks: [ run: { shell: id } ]", "dry_run": true}}
{"call": "job.run", "params": {$job "tasks: [ boot: bios ]"}}
{"call": "job.run", "params": {$job "tasks: [ ider: x.iso ]"}}
{"call": "job.run", "params": {$job "tasks: [ filter: { remove: yes } ]"}}
{"call": "job.run", "params": {$job "tasks: [ password: rotate ]"}}
{"call": "job.run", "params": {$job "tasks: [ certificate: issue ]"}}
{"call": "job.run", "params": {$job "tasks: [ console: { steps: [ send: x ] } ]"}}
{"call": "job.retry", "params": {"run": $failed}}
{"call": "schedule.add", "params": {"name": "mine", "job": {"name": "x", "text": "tasks: [ power: cycle ]"}, "target": "all", "cron": "@daily"}}
{"call": "schedule.add", "params": {"name": "ours", "job": {"name": "x", "text": "tasks: [ power: cycle ]"}, "target": "all", "cron": "@daily", "replace": true}}
{"call": "schedule.add", "params": {"name": "mine", "discover": {"addresses": ["127.16.0.0/29"], "add": true}, "cron": "@daily"}}
{"call": "console.lease", "elsewhere": true}
{"call": "console.message", "elsewhere": true}
{"call": "console.broadcast", "elsewhere": true}
END
everything > "$dir/before"
as amtd-wanda "$raw" "$AMTD_SOCKET" calls "$dir/tries" > "$dir/out" 2>&1 || fail "$(cat "$dir/out")"
local_denials=$(tail -1 "$dir/out")
[ "$local_denials" -gt 65 ] || fail "few denials: $(cat "$dir/out")"

echo '--- from another machine, and with the key of a node'
for who in client node; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=$who -keyout "$dir/$who.key" -out "$dir/$who.pem" 2> "$dir/err"
done
at=127.0.0.1:$listen
exits 0 "$raw" "$at,$dir/client.pem,$dir/client.key" channels '{"call": "", "console": {"console": "echo"}}' # nobody yet
! grep -q accepted "$dir/out" || fail "a stranger opens: $(cat "$dir/out")"
exits 0 "$raw" "$at,$dir/client.pem,$dir/client.key" join "$(amtcli client invite remote --role watch --user amtd-quinn-afar)"
exits 0 "$raw" "$at,$dir/node.pem,$dir/node.key" join "$(amtcli node invite rack7)"
exits 0 "$raw" "$at,$dir/client.pem,$dir/client.key" calls "$dir/tries"
remote_denials=$(tail -1 "$dir/out")
[ "$remote_denials" = "$local_denials" ] || fail "from afar $remote_denials denials, not $local_denials"
kinds='{"call": "", "console": {"console": "echo"}, "image": {"name": "x", "size": 1}, "consoles": "", "replica": {"console": "echo", "offset": 0}, "configure": "", "nonsense": ""}'
exits 0 "$raw" "$at,$dir/node.pem,$dir/node.key" channels "$kinds"
! grep -q accepted "$dir/out" || fail "a node opens: $(cat "$dir/out")"
[ "$(denials 'node rack7')" = 6 ] || fail "what a node was denied is not there: $(denials 'node rack7')"

echo '--- channels'
exits 0 as amtd-wanda "$raw" "$AMTD_SOCKET" channels "$kinds"
[ "$(grep accepted "$dir/out")" = 'call accepted' ] || fail "a watcher opens: $(cat "$dir/out")"
exits 0 as amtd-wanda "$raw" "$AMTD_SOCKET" channels '{"join": {"id": "0011223344556677", "proof": "'"$(printf '0%.0s' {1..64})"'"}}'
! grep -q accepted "$dir/out" || fail "a watcher joins"
exits 0 as amtd-wanda "$raw" "$AMTD_SOCKET" type echo 'typed-by-a-watcher'
exits 0 "$raw" "$at,$dir/client.pem,$dir/client.key" type echo 'typed-from-afar'
exits 0 amtcli console send echo 'typed-by-root'
typed()
{
    amtcli log show echo > "$dir/out" && grep -q typed-by-root "$dir/out"
}
wait_until "what was typed" typed
! grep -q 'watcher\|afar' "$dir/out" || fail "a watcher has typed: $(cat "$dir/out")"
exits 0 as amtd-nemo "$raw" "$AMTD_SOCKET" noise 40
exits 0 "$raw" "$at,$dir/client.pem,$dir/client.key" noise 12
exits 0 amtcli status
mkfifo "$dir/crowd"
as amtd-nemo "$raw" "$AMTD_SOCKET" crowd 600 < "$dir/crowd" > "$dir/crowded" & # all places, if they were given to him
crowd=$!
exec 8> "$dir/crowd"
wait_until "the crowd" test -s "$dir/crowded"
exits 0 amtcli status
exits 0 as amtd-wanda amtcli status
exec 8>&-
wait $crowd
[ "$(cat "$dir/crowded")" = 128 ] || fail "one account has $(cat "$dir/crowded") connections"
exits 0 as amtd-nemo "$raw" "$AMTD_SOCKET" hoard 3
[ "$(cat "$dir/out")" -lt 18000000 ] || fail "one connection has $(cat "$dir/out") bytes of requests that do not end"
amtcli node remove rack7
amtcli client remove remote
sed '/^typed/d' "$dir/before" > "$dir/was"
everything > "$dir/after"
diff "$dir/was" "$dir/after" > "$dir/differ" || fail "something has changed: $(head -5 "$dir/differ")"
n=$(denials amtd-wanda)
[ "$n" -ge "$local_denials" ] || fail "$n of $local_denials denied attempts in the activity log"
[ "$(denials 'client remote')" -ge "$remote_denials" ] || fail "what was denied from afar is not there"
amtcli activity --limit 100000 -o json > "$dir/activity"
for who in 'client remote' 'node rack7'; do
    jq -e --arg w "$who" 'any(.[]; .what == "join" and (.who | startswith($w)) and .by == "127.0.0.1" and (.detail | startswith("pin ")))' "$dir/activity" \
        > /dev/null || fail "that $who joined is not written down: $(jq -c '.[] | select(.what == "join")' "$dir/activity")"
done

echo '--- who has a role on one host reaches no other one by it'
denied amtd-quinn 'which machine a host is' amtcli host set pc0001 --address 127.16.0.3
exits 0 as amtd-quinn amtcli host set pc0001 --tag site=lab
for target in pc0003 'pc[0001-0003]' @four 'all,pc0003' '@one,@four'; do
    as amtd-quinn amtcli power cycle "$target" --yes > "$dir/out" 2>&1 || true
done
[ "$(ctl record 2-4 | jq -s '[.[].events[] | select(.event == "power")] | length')" = 0 ] || fail "others were reached"
denied amtd-quinn administer amtcli collection add one --list 'pc[0001-0004]' --replace
denied amtd-quinn administer amtcli grant add administer --user amtd-quinn
denied amtd-quinn administer amtcli profile add mine --user admin --password-file "$dir/open/../pw" || true

echo '--- what the command of a job finds'
mkdir -m 755 "$dir/jobs"
cat > "$dir/jobs/look.yaml" << 'END'
tasks:
  - run: { shell: 'ls -1 /proc/self/fd | tr "\n" " "; id -u; id -G; env | grep -ci password; ulimit -c' }
END
exec 9> "$dir/inherited" # whoever starts amtd may leave more
amtd_stop
amtd_start --config "$dir/amtd.yaml" --socket "$AMTD_SOCKET"
exec 9>&-
exits 0 as amtd-oskar amtcli job run "$dir/jobs/look.yaml" pc0001 --yes
amtcli job show "$(amtcli job list -o json | jq '.[0].run')" -o json | jq -r '.[0].tasks[0].detail.run.output' > "$dir/out"
[ "$(xargs < "$dir/out")" = '0 1 2 3 61002 61002 0 0' ] || fail "the command finds more than it should: $(cat "$dir/out")"
mkdir -m 700 "$dir/closed"
mkdir -m 755 "$dir/closed/inner"
echo a-secret > "$dir/closed/inner/file"
chmod 644 "$dir/closed/inner/file"
printf 'tasks:\n  - run: { command: [cat, file], directory: %s }\n' "$dir/closed/inner" > "$dir/jobs/inner.yaml"
exits 1 as amtd-oskar amtcli job run "$dir/jobs/inner.yaml" pc0001 --yes
amtcli job show "$(amtcli job list -o json | jq '.[0].run')" -o json > "$dir/out" || true
! grep -q a-secret "$dir/out" || fail "a job is a way into a directory that its owner may not enter"

echo '--- the process, its files, its state directory'
open=$(find "$AMTD_STATE_DIR" -perm /077 ! -name node.pub)
[ -z "$open" ] || fail "open to others: $open"
! grep -rqaF "$(cat "$dir/pw")" "$AMTD_STATE_DIR" "$dir/amtd.log" || fail "a password is in the state directory, or in the log"
amtcli activity export | grep -qF "$(cat "$dir/pw")" && fail "a password is in the activity log"
mkdir "$dir/own"
chown amtd-nemo "$dir/own"
touch "$dir/own.log"
exits 1 amtd --foreground --state-dir "$dir/own"
says "$dir/err" 'it belongs to the user with number 61003'
setpriv --reuid amtd-nemo --regid amtd-nemo --init-groups -- "$(command -v amtd)" --foreground --state-dir "$dir/own/state" --socket "$dir/own/s" \
    2> "$dir/own.log" &
other=$!
wait_until "another amtd" grep -q ' ready, state ' "$dir/own.log"
for file in mem environ maps fd; do # its own account is not trusted with its memory
    as amtd-nemo timeout 20 head -c 10 "/proc/$other/$file" > "$dir/out" 2>&1 && fail "/proc/PID/$file can be read"
done
[ "$(awk '/^Max core/ { print $5 $6 }' "/proc/$other/limits")" = 00 ] || fail "it may leave core files"
kill "$other"
wait "$other" || fail "the other amtd ended with $?"

echo '--- an account whose number somebody else has got'
exits 0 as amtd-oskar amtcli schedule add his --cron '0 3 * * *' --zone UTC --job "$dir/jobs/look.yaml" --target pc0001 --catch-up
amtcli grant add administer --user amtd-rita
amtd_stop
sed 's/^amtd-oskar:/amtd-rita:/' "$dir/passwd" > "$dir/passwd.new"
cat "$dir/passwd.new" > "$dir/passwd" # the same file, which is what /etc/passwd is here
sqlite3 "$AMTD_STATE_DIR/amtd.db" "UPDATE schedules SET last = last - 172800000, created = created - 172800000 WHERE name = 'his'"
runs=$(sqlite3 "$AMTD_STATE_DIR/amtd.db" 'SELECT count(*) FROM runs')
amtd_start --config "$dir/amtd.yaml" --socket "$AMTD_SOCKET"
wait_until "the denial" bash -c "amtcli schedule show his -o json | jq -e '.last_note | strings | contains(\"nobody knows\")' > /dev/null"
[ "$(sqlite3 "$AMTD_STATE_DIR/amtd.db" 'SELECT count(*) FROM runs')" = "$runs" ] || fail "his schedule began a run under another's account"
amtcli activity --limit 1000 -o json | jq -e 'any(.[]; .by == "schedule his" and .result == "denied")' > /dev/null || fail "it is not written down"

exits 0 amtcli activity verify
amtd_stop
amtsim_stop
echo "rights_routes: ok"
