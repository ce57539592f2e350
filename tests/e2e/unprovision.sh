#!/usr/bin/env bash
# unprovision.sh BIN_DIR: set-up taken back, partially and fully, and what keeps it from happening by mistake: exact
# numbers, active filters, passwords that nobody has seen, locked audit logs; lost answers; what doctor says after.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

amtsim_start --devices 36 --scenario <(printf 'devices:\n  - {select: 3, generation: 5}\n  - {select: 4, generation: 11}\n  - {select: 11, control-mode: client}\n')
amtd_start --log-level debug
fleet 36

# device N JQ: what the device itself says.
device()
{
    ctl get "$1" | jq -r "$2"
}

# --- by mistake ---
exits 4 amtcli unprovision pc0001 < /dev/null
says "$dir/err" 'or by --confirm with its name'
exits 4 amtcli unprovision pc0001 --confirm yes
exits 4 amtcli unprovision 'pc[0001-0002]' --confirm pc0001
exits 4 amtcli unprovision @lab --confirm 35
says "$dir/err" 'this is about 36 hosts'
exits 0 amtcli unprovision @lab --full --dry-run
says "$dir/out" 'would fully unprovision it (AMT'
exits 2 amtcli unprovision pc0001 --yes --confirm 1
[ "$(ctl record all | jq -s '[.[].counters.connections] | add')" = 0 ] || fail "devices were asked"

# --- partial: the administrator, names and addresses stay; accounts are gone ---
exits 0 amtcli config apply <(printf 'network: {domain: lab.example}\n') pc0001
exits 0 amtcli user pc0001 apply -a helpdesk=remote-control
exits 0 amtcli password show pc0001
exits 0 amtcli unprovision pc0001 --confirm pc0001 -o json
[ "$(jq -r '.[0] | "\(.result) \(.detail.unprovisioned)"' "$dir/out")" = 'ok partial' ] || fail "$(cat "$dir/out")"
[ "$(device 1 '"\(.provisioned) \(.settings.domain)"')" = 'false lab.example' ] || fail "partial: $(ctl get 1)"
exits 0 amtcli host list 'where:unprovisioned = partial' -o json
[ "$(jq -r '.[0].name' "$dir/out")" = pc0001 ] || fail "not marked: $(cat "$dir/out")"
answers_again()
{
    amtcli unprovision pc0001 --confirm 1 > "$dir/out" 2>&1 && grep -q 'was not provisioned' "$dir/out"
}
wait_until "the device's return" answers_again
exits 1 amtcli power status pc0001
says "$dir/out" not-provisioned
amtcli doctor pc0001 > "$dir/out" 2>&1 || true
says "$dir/out" 'this amtd unprovisioned it (partial)'
says "$dir/out" 'amtcli info HOST'
ctl set 1 provisioned=true > /dev/null
exits 0 amtcli info pc0001
amtcli doctor pc0001 > "$dir/out" 2>&1 || fail "doctor: $(cat "$dir/out")"
! grep -q 'unprovisioned it' "$dir/out" || fail "set up anew, and doctor does not know"

# --- full: as a factory leaves it, with a new realm ---
exits 0 amtcli config apply <(printf 'network: {domain: lab.example, ping: off}\n') pc0002
realm=$(device 2 .realm)
exits 0 amtcli unprovision pc0002 --full --confirm 1
[ "$(device 2 '"\(.provisioned) \(.settings.domain) \(.settings.ping)"')" = 'false sim.example true' ] || fail "full: $(ctl get 2)"
[ "$(device 2 .realm)" != "$realm" ] || fail "the realm is the same"

# --- AMT 5 ---
exits 0 amtcli unprovision pc0003 --confirm 1
[ "$(device 3 .provisioned)" = false ] || fail "AMT 5: $(ctl get 3)"

# --- filters ---
exits 0 amtcli filter apply quarantine pc0004 --set management=127.0.0.1 --yes
exits 1 amtcli unprovision pc0004 --confirm 1
says "$dir/out" 'a filter is active there'
[ "$(device 4 .provisioned)" = true ] || fail "with a filter: $(ctl get 4)"
exits 0 amtcli unprovision pc0004 --confirm 1 --filters
exits 0 amtcli filter status pc0004 -o json
[ "$(jq '.[0].policy' "$dir/out")" = null ] || fail "its filter is still there: $(cat "$dir/out")"

# --- a password that only the store knows ---
exits 0 amtcli password rotate 'pc[0005-0006]' --yes
exits 1 amtcli unprovision 'pc[0005-0006]' --confirm 2
says "$dir/out" 'unconfirmed: the password of its account'
says "$dir/out" 'amtcli password show pc000'
exits 0 amtcli password show pc0005
exits 1 amtcli unprovision 'pc[0005-0006]' --confirm 2 -o json
[ "$(jq -r '[.[] | .result] | join(",")' "$dir/out")" = ok,failed ] || fail "seen, not seen: $(cat "$dir/out")"
[ "$(device 6 .provisioned)" = true ] || fail "unseen, and unprovisioned: $(ctl get 6)"
exits 0 amtcli password show pc0005

# --- in client control mode a partial one is a full one: the password is over; where nothing was done it stays ---
exits 0 amtcli password rotate pc0011 --yes
exits 0 amtcli password show pc0011
exits 0 amtcli unprovision pc0011 --confirm 1 -o json
[ "$(jq -r '.[0].detail.unprovisioned' "$dir/out")" = full ] || fail "client mode: $(cat "$dir/out")"
exits 2 amtcli password show pc0011
exits 0 amtcli password show pc0011 --all
wait_until "the device's return" amtcli unprovision pc0005 --confirm 1 --full
says <(amtcli unprovision pc0005 --confirm 1 --full) 'was not provisioned'
exits 0 amtcli password show pc0005

# --- the same for many, in one step: a file for one's own eyes; what could not be kept does not count ---
ctl set 5 provisioned=true > /dev/null
exits 0 amtcli password rotate 'pc[0012-0014]' --yes
exits 2 amtcli password export 'pc[0012-0014]' "$dir/nowhere/passwords.csv"
touch "$dir/taken.csv"
exits 2 amtcli password export 'pc[0012-0014]' "$dir/taken.csv"
[ ! -s "$dir/taken.csv" ] || fail "a file that was there was written"
exits 2 amtcli password export 'pc[0012-0014]' /dev/full
exits 1 amtcli unprovision pc0012 --confirm 1
says "$dir/out" 'amtcli password export TARGET FILE'
exits 0 amtcli password export 'pc[0012-0013]' "$dir/passwords.csv"
[ "$(stat -c %a "$dir/passwords.csv") $(wc -l < "$dir/passwords.csv")" = '600 3' ] || fail "export: $(ls -l "$dir/passwords.csv")"
[ "$(sed -n 2p "$dir/passwords.csv" | tr -d '\r')" = "pc0012,admin,$(amtcli password show pc0012 -o json | jq -r '.[0].password'),proved" ] ||
    fail "the exported password is another one"
exits 1 amtcli unprovision 'pc[0012-0014]' --confirm 3 --canary 0 -o json
[ "$(jq -r '[.[] | "\(.host) \(.result)"] | sort | join(",")' "$dir/out")" = 'pc0012 ok,pc0013 ok,pc0014 failed' ] ||
    fail "exported, not exported: $(cat "$dir/out")"
exits 0 amtcli password rotate pc0014 --yes # what is newer than the export is in nobody's hands
exits 0 amtcli activity -o json
says "$dir/out" 'password.export'

# --- keys, certificates and TLS go with it, and what amtd trusted there ---
for n in 15 16; do
    full=$([ $n = 15 ] || echo --full)
    exits 0 amtcli certificate issue pc00$n
    # shellcheck disable=SC2086
    exits 0 amtcli unprovision pc00$n --confirm 1 $full
    [ "$(amtcli certificate list pc00$n -o json)" = '[]' ] || fail "amtd still trusts pc00$n: $(amtcli certificate list pc00$n)"
    ctl set $n provisioned=true > /dev/null
    [ $n = 15 ] || exits 0 amtcli host set pc00$n --forget-realm
done
cleared()
{
    amtcli certificate check 'pc[0015-0016]' -o json > "$dir/out" 2>&1 &&
        [ "$(jq -r '[.[].detail | "\(.tls) \(.certificates) \(.keys)"] | unique | join(";")' "$dir/out")" = 'false 0 0' ]
}
wait_until "devices without keys and certificates" cleared

# --- what keeps a device from it, and what is lost on the way ---
ctl set 7 audit-locked=true > /dev/null
exits 1 amtcli unprovision pc0007 --confirm 1
says "$dir/out" 'audit log is locked'
ctl set 8 'faults=[{"fault":"drop","at":"after-request","on":"PartialUnprovision"}]' > /dev/null
exits 1 amtcli unprovision pc0008 --confirm 1
says "$dir/out" 'still provisioned'
ctl set 9 'faults=[{"fault":"drop","at":"after-change","on":"PartialUnprovision"}]' > /dev/null
exits 0 amtcli unprovision pc0009 --confirm 1
[ "$(device 9 .provisioned)" = false ] || fail "answer lost: $(ctl get 9)"
ctl set 10 'faults=[{"fault":"malformed-xml"}]' > /dev/null
exits 1 amtcli unprovision pc0010 --confirm 1
ctl set 10 'faults=[]' > /dev/null
[ "$(device 10 .provisioned)" = true ] || fail "garbage: $(ctl get 10)"

# --- in stages: a canary that fails is the only one ---
ctl set 17 audit-locked=true > /dev/null
exits 1 amtcli unprovision 'pc[0017-0036]' --confirm 20 --canary 1 -o json
[ "$(jq '[.[] | select(.result == "ok")] | length' "$dir/out")" -lt 20 ] || fail "stages: $(cat "$dir/out")"
ctl set 17-36 audit-locked=true > /dev/null
exits 1 amtcli unprovision 'pc[0017-0036]' --confirm 20 --canary 0 --max-failures 2 --parallel 1 -o json
[ "$(jq '[.[] | select(.cause == "invalid-state")] | length' "$dir/out")" = 2 ] || fail "failures: $(cat "$dir/out")"

amtcli activity --limit 1000 -o json > "$dir/activity"
says "$dir/activity" 'run.start unprovision'
amtd_stop
amtsim_stop
echo "unprovision: ok"
