#!/usr/bin/env bash
# rights_maintenance.sh BIN_DIR TEST_BIN_DIR: certificates, configurations, passwords, accounts and unprovisioning are the administrator's.
# Who may watch, operate or quarantine is refused by every command and by every call of the API under it, changes nothing, and sees no
# secret; each attempt is in the activity log with his name. What only looks he may do.
# shellcheck source=tests/e2e/rights_lib.sh
. "$(dirname "$0")/rights_lib.sh"

amtsim_start --devices 3
amtd_start --socket "$AMTD_SOCKET"
fleet 3
amtcli grant add watch --user amtd-wanda
amtcli grant add operate --user amtd-oskar
amtcli grant add quarantine --user amtd-quinn
printf 'network: {domain: lab.example}\n' > "$dir/open/lab.yaml"
exits 0 amtcli password rotate pc0001 --yes
exits 0 amtcli certificate issue pc0002
exits 0 amtcli config declare "$dir/open/lab.yaml" @lab
secret=$(sqlite3 "$AMTD_STATE_DIR/amtd.db" 'SELECT count(*) FROM passwords WHERE seen = 0')
[ "$secret" = 1 ] || fail "passwords that nobody has seen: $secret"

# everything: all that amtd keeps of maintenance, and what devices were told.
everything()
{
    sqlite3 "$AMTD_STATE_DIR/amtd.db" 'SELECT * FROM passwords; SELECT * FROM certificates; SELECT * FROM authorities;
        SELECT * FROM declarations;'
    ctl record all | jq -sc '[.[].events[] | select(.event == "change" or .event == "power" or .event == "defense")]'
    for n in 1 2 3; do ctl get $n | jq -c '[.provisioned, .settings]'; done
}
everything > "$dir/before"

# call NAME CALL PARAMS: the call itself, by no command, is denied.
call()
{
    as "$1" "$probe" "$AMTD_SOCKET" call "$2" "$3" > "$dir/out" 2>&1 || true
    grep -q '"cause": *"denied"' "$dir/out" || fail "$1: $2 $3 is not denied: $(cat "$dir/out")"
}

denials=0
for name in amtd-wanda amtd-oskar amtd-quinn; do
    while read -r command; do
        # shellcheck disable=SC2086
        denied $name administer amtcli $command
        ! grep -q 'PRIVATE' "$dir/out" || fail "$command shows a key"
        denials=$((denials + 1))
    done << END
certificate issue pc0003 --yes
certificate renew all --yes
certificate remove pc0002 --yes
certificate ca renew
certificate client $dir/open/$name.pem
config apply $dir/open/lab.yaml pc0001 --yes
config apply @lab --yes
config declare $dir/open/lab.yaml @lab
config forget @lab
unprovision pc0001 --confirm pc0001
unprovision @lab --full --filters --confirm 3
password rotate all --yes
password show pc0001
password show pc0001 --all
password export all $dir/open/$name.csv
password forget all --yes
user pc0001 apply -a helpdesk=remote-control --yes
END
    while read -r what params; do
        call $name "$what" "$params"
        denials=$((denials + 1))
    done << END
certificate.ca_renew {}
certificate.client {"name": "me"}
config.declare {"collection": "lab", "name": "lab", "text": "network: {domain: x.example}"}
config.forget {"name": "lab"}
password.show {"host": "pc0001"}
password.export {"target": "all"}
password.saved {"target": "all", "at_ms": 1}
password.forget {"target": "all"}
run.start {"task": "certificate", "args": {"action": "issue"}, "target": "pc0003"}
run.start {"task": "certificate", "args": {"action": "renew", "force": true}, "target": "pc0002"}
run.start {"task": "certificate", "args": {"action": "remove"}, "target": "pc0002"}
run.start {"task": "config", "args": {"action": "apply", "collection": "lab"}, "target": "all"}
run.start {"task": "config", "args": {"action": "apply", "file": {"name": "x", "text": "network: {ping: off}"}}, "target": "all"}
run.start {"task": "unprovision", "args": {"confirm": "pc0001"}, "target": "pc0001"}
run.start {"task": "unprovision", "args": {"confirm": "3", "full": true, "filters": true}, "target": "all", "confirmed": true}
run.start {"task": "password", "args": {}, "target": "all"}
run.start {"task": "user", "args": {"action": "apply", "accounts": [{"name": "x", "realms": ["remote-control"]}]}, "target": "all"}
END
    [ ! -e "$dir/open/$name.csv" ] && [ ! -e "$dir/open/$name.pem" ] || fail "a denied command left a file"
    # by a job and by a schedule neither
    for task in 'certificate: issue' 'config: {collection: lab}' 'password: rotate'; do
        printf 'tasks:\n  - %s\n' "$task" > "$dir/open/job.yaml"
        denied $name administer amtcli job run "$dir/open/job.yaml" all --yes
        denied $name administer amtcli schedule add s --cron @daily --job "$dir/open/job.yaml" --target all
        denials=$((denials + 2))
    done
    # what only looks
    exits 0 as $name amtcli certificate list
    exits 0 as $name amtcli certificate check pc0002
    exits 0 as $name amtcli certificate ca export
    exits 0 as $name amtcli config show pc0003
    exits 1 as $name amtcli config diff "$dir/open/lab.yaml" pc0003
    exits 0 as $name amtcli password list -o json
    [ "$(jq -c '[.[] | has("password")] | unique' "$dir/out")" = '[false]' ] || fail "$name sees a password: $(cat "$dir/out")"
    exits 0 as $name amtcli user pc0003 show
    exits 0 as $name amtcli calendar
done

everything > "$dir/after"
diff "$dir/before" "$dir/after" > "$dir/differ" || fail "something has changed: $(head -5 "$dir/differ")"
amtcli activity --limit 10000 -o json > "$dir/activity"
for name in amtd-wanda amtd-oskar amtd-quinn; do
    n=$(jq --arg n $name '[.[] | select(.result == "denied" and (.who | contains($n)))] | length' "$dir/activity")
    [ "$n" = $((denials / 3)) ] || fail "$n denied attempts of $name in the activity log, not $((denials / 3))"
    for what in certificate.ca_renew password.export 'run.start unprovision' 'run.start certificate' 'run.start config' \
        'run.start password' 'run.start user' config.declare; do
        jq -e --arg n $name --arg w "$what" 'any(.[]; .result == "denied" and (.who | contains($n)) and (.what | startswith($w)))' \
            "$dir/activity" > /dev/null || fail "'$what' by $name is not in the activity log"
    done
done
exits 0 amtcli activity verify
amtd_stop
amtsim_stop
echo "rights_maintenance: ok"
