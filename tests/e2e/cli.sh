#!/usr/bin/env bash
# cli.sh BIN_DIR: what amtcli says and where, its exit codes, mistakes named all at once, what is asked before much is
# done, Ctrl-C in the middle, and that the password is nowhere to be found.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
password='Xq7#v2Lm!secret'
printf %s "$password" > "$dir/pw"

amtsim_start --devices 40 --power-seconds 1-1.2 --scenario <(printf 'devices:\n  - {select: 39, faults: [{fault: refused}]}\n')
amtd_start --log-level debug
fleet 40

# power_requests: how many amtsim has got since the last `ctl clear all`.
power_requests()
{
    ctl record all | jq -s '[.[].events[] | select(.event == "power")] | length'
}

# --- help ---
amtcli help all | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\( [a-z-]\+\)\?\)  .*/\1/p' > "$dir/commands"
[ "$(wc -l < "$dir/commands")" -gt 35 ] || fail "few commands: $(cat "$dir/commands")"
while read -r command; do
    # shellcheck disable=SC2086
    exits 0 amtcli $command --help
    says "$dir/out" "usage: amtcli $command"
    [ ! -s "$dir/err" ] || fail "help of '$command' is on stderr"
    # shellcheck disable=SC2086
    exits 2 amtcli $command --no-such-option
    says "$dir/err" no-such-option
done < "$dir/commands"
exits 0 amtcli --version

# --- mistakes ---
exits 2 amtcli powr status
says "$dir/err" "did you mean 'power status'"
exits 2 amtcli host lst
says "$dir/err" "did you mean 'host list'"
exits 2 amtcli power cycle
exits 2 amtcli power status 'pc[0001-'
exits 2 amtcli power status pc0001,nobody7,nosuch8 -o json
says "$dir/err" nobody7
says "$dir/err" nosuch8
[ ! -s "$dir/out" ] || fail "a refused command wrote to stdout: $(cat "$dir/out")"
exits 2 amtcli power status 'where:tag.site ='
exits 2 amtcli collection add x --where 'tag.site = "lab" and'
exits 2 amtcli power status pc0001 --profile nosuch
exits 2 amtcli power status pc0001 -o xml
exits 2 amtcli profile add lab --user x --password-file "$dir/pw"
exits 2 amtcli profile add other --user x --password-file "$dir/none"
printf 'name,address,profile,tag.site\nnew1,127.16.9.1,lab,x\nnew2,zz zz,,\nbad name,127.16.9.2,,\nnew3,127.16.9.3,nosuch,\npc0001,127.16.9.4,,\nnew4,127.16.9.5,,\n' > "$dir/bad.csv"
exits 2 amtcli host import "$dir/bad.csv"
for line in 3 4 5 6; do says "$dir/err" "bad.csv:$line: "; done
! grep -qE 'bad.csv:(2|7):' "$dir/err" || fail "a good row is called wrong: $(cat "$dir/err")"
printf 'nam,adress\nx,1.2.3.4,more\n,1.2.3.4\n' > "$dir/worse.csv"
exits 2 amtcli host import "$dir/worse.csv"
for line in 1 2 3; do says "$dir/err" "worse.csv:$line: "; done
[ "$(amtcli host list -o json | jq length)" = 40 ] || fail "a part of a wrong file was imported"

exits 2 amtcli job check "$dir/none.yaml"
says "$dir/err" 'expected a job file'
exits 2 amtcli host set pc0001
says "$dir/err" 'nothing to change'
exits 2 amtcli host add all
exits 2 amtcli host add new5 --address 300.1.1.1
exits 2 amtcli profile add other --user x --password-file /dev/null
says "$dir/err" empty
exits 2 timeout 60 amtcli host import /dev/zero
long=$(printf 'x%.0s' $(seq 3000))
exits 2 amtcli host list "$long[1-"
says "$dir/err" 'at most 253 bytes'

# --- output ---
exits 1 amtcli power status @lab -o json
jq -e 'length == 40 and all(.[]; has("host") and has("result"))' "$dir/out" > /dev/null || fail "not JSON of 40: $(head -c 200 "$dir/out")"
exits 0 amtcli power status 'pc[0001-0003]' -o csv
[ "$(wc -l < "$dir/out")" = 4 ] || fail "CSV of 3 hosts: $(cat "$dir/out")"
exits 1 amtcli power status @lab -b
says "$dir/out" 'pc[0001-0038,0040]'
says "$dir/out" refused
exits 0 amtcli power status pc0001
for command in "host list" "host show pc0001" "collection list" "collection show lab" "profile list" "profile show lab" \
    "run list" activity status "info pc0001" "doctor pc0001"; do
    # shellcheck disable=SC2086
    exits 0 amtcli $command -o json
    jq -e . "$dir/out" > /dev/null || fail "'$command -o json' is not JSON: $(head -c 300 "$dir/out")"
    # shellcheck disable=SC2086
    exits 0 amtcli $command
done

exits 1 amtcli run show 1 -o json # as the run ended
jq -e '.results | length == 40' "$dir/out" > /dev/null || fail "'run show' is not JSON: $(head -c 300 "$dir/out")"
exits 1 amtcli run show 1
exits 0 amtcli run show "$(amtcli run list -o json | jq '[.[] | select(.failed == 0)][0].run')"

printf precious > "$dir/export"
exits 2 amtcli log export nosuch "$dir/export"
[ "$(cat "$dir/export")" = precious ] || fail "an export that failed emptied the file"
exits 2 amtcli filter apply quarantine pc0001 --force
says "$dir/err" '--confirm-within'
exits 2 amtcli agent remove pc0001
says "$dir/err" '--guid or --all'
exits 0 amtcli power status 'all,!all'
says "$dir/err" 'no hosts'
exits 0 amtcli collection show @lab
exits 2 amtcli --no-such power status
says "$dir/err" "there is no option '--no-such'"
printf 'tasks:\n  - name: look\n    info:\n  - name: broken\n    run: [ sh, -c, "exit 3" ]\n    on-failure: continue\n' > "$dir/two.yaml"
exits 0 amtcli job run "$dir/two.yaml" pc0001,pc0002
says "$dir/out" 'broken (command-failed)'
run=$(amtcli job list -o json | jq '.[0].run')
exits 0 amtcli job show "$run" --tasks -b
says "$dir/out" 'the command ended with 3'
grep -qE '^2 +ok +look ' "$dir/out" || fail "no row for a task: $(cat "$dir/out")"
exits 0 amtcli schedule add soon --every 90s --job "$dir/two.yaml" --target @mistyped
says "$dir/err" "there is no collection 'mistyped'"
exits 0 amtcli schedule list
says "$dir/out" 'every 90s'
exits 0 amtcli schedule remove soon

# --- nothing without asking ---
exits 4 amtcli password forget pc0001 < /dev/null
says "$dir/err" '1 host:'
ctl clear all > /dev/null
exits 0 amtcli power cycle @lab --dry-run -o json
[ "$(jq '[.[] | select(.would)] | length' "$dir/out")" = 40 ] || fail "dry run: $(head -c 300 "$dir/out")"
[ "$(ctl record all | jq -s '[.[].counters.connections] | add')" = 0 ] || fail "a dry run connected to devices"
exits 4 amtcli power cycle @lab < /dev/null
says "$dir/err" 40
exits 4 amtcli power off all -o json < /dev/null
exits 4 amtcli host remove all < /dev/null
[ "$(power_requests)" = 0 ] || fail "something was sent without --yes"
exits 0 amtcli power cycle 'pc[0001-0010]' < /dev/null
[ "$(power_requests)" = 10 ] || fail "$(power_requests) power requests for ten hosts"

# --- Ctrl-C ---
ctl clear all > /dev/null
# What a shell starts with & ignores SIGINT; a terminal's command does not.
python3 -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])' \
    amtcli power cycle 'pc[0001-0030]' --yes --batch 5 --pause 20s -o json > "$dir/out" 2> "$dir/err" &
client=$!
some_done()
{
    [ "$(power_requests)" = 5 ]
}
wait_until "the first batch" some_done
ps -eo args > "$dir/ps"
kill -INT $client
status=0
wait $client || status=$?
[ $status = 1 ] || fail "an interrupted run ended with $status: $(cat "$dir/err")"
[ "$(jq length "$dir/out")" = 30 ] || fail "interrupted: $(jq length "$dir/out") results"
jq -r '.[] | select(.result == "ok") | .host' "$dir/out" | sort > "$dir/ok"
[ "$(jq '[.[] | select(.cause == "cancelled")] | length' "$dir/out")" = 25 ] || fail "not 25 cancelled: $(jq -c 'map(.cause)' "$dir/out")"
ctl record 1-30 | jq -r 'select([.events[] | select(.event == "power")] | length > 0) | .device | tostring | ("0000" + .)[-4:] | "pc" + .' |
    sort | diff "$dir/ok" - >&2 || fail "not those were touched that are said to be"

# --- the password ---
ps -eo args >> "$dir/ps"
amtcli profile set lab --password-file "$dir/pw"
amtcli profile show lab -o json > "$dir/shown"
amtcli activity -o json > "$dir/activity"
amtd_stop
for file in "$dir/ps" "$dir/shown" "$dir/activity" "$dir/amtd.log" "$AMTD_STATE_DIR"/*; do
    ! grep -qaF "$password" "$file" 2> /dev/null || fail "the password is in $file"
    ! grep -qaF "$(printf %s "admin:$password" | base64)" "$file" 2> /dev/null || fail "the password is in $file"
done

# --- no daemon ---
exits 3 env AMTD_STATE_DIR=/proc/none/such amtcli status
amtsim_stop
echo "cli: ok"
