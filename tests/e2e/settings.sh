#!/usr/bin/env bash
# settings.sh BIN_DIR: redirection, consent and clock, by amtcli on simulated devices: what is said is what the device
# has, only what is asked for changes, and the code of a user is written down nowhere.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

amtsim_start --devices 13 --scenario <(printf 'devices:\n  - {select: 13, generation: 9}\n')
amtd_start --log-level debug
fleet 13

# device N JQ: what the device itself says.
device()
{
    ctl get "$1" | jq -r "$2"
}

# --- redirection ---
exits 0 amtcli redirection 'pc[0001-0012]' -b
says "$dir/out" 'pc[0001-0012]'
exits 0 amtcli redirection pc0001 --sol off --kvm off
says "$dir/out" changed
[ "$(device 1 '.redirection | "\(.sol) \(.ider) \(.listener)"')" = "false true true" ] || fail "SOL off: $(ctl get 1)"
exits 0 amtcli redirection pc0001 show -o json
jq -e '.[0].detail | .sol == false and .ider == true and .listener == true and .kvm == "off"' "$dir/out" > /dev/null ||
    fail "shown: $(cat "$dir/out")"
exits 0 amtcli redirection pc0001 --ider off --listener off
[ "$(device 1 '.redirection | "\(.sol) \(.ider) \(.listener)"')" = "false false false" ] || fail "all off: $(ctl get 1)"
exits 0 amtcli redirection pc0001 --ider off
! grep -q changed "$dir/out" || fail "what was so already is called changed: $(cat "$dir/out")"
exits 0 amtcli redirection pc0001 --sol on --ider on --kvm on --listener on
exits 0 amtcli redirection pc0001 -o csv
says "$dir/out" detail.listener
says "$dir/out" yes
exits 1 amtcli redirection pc0013 --end sol
says "$dir/out" unsupported
exits 1 amtcli redirection pc0001 --end ider
says "$dir/out" 'no IDE-R session is open'
exits 2 amtcli redirection pc0001 --end sol --sol on
exits 4 amtcli redirection @lab --sol off < /dev/null
exits 0 amtcli redirection @lab --sol off --dry-run
says "$dir/out" 'would switch SOL off'
[ "$(device 2 .redirection.sol)" = true ] || fail "a dry run changed something"

# --- consent ---
exits 0 amtcli consent pc0002
says "$dir/out" none
exits 0 amtcli consent pc0002 policy all
says "$dir/out" all
[ "$(device 2 .consent.required)" = 4294967295 ] || fail "policy: $(ctl get 2)"
exits 0 amtcli consent pc0002 start < /dev/null
says "$dir/out" 'code on the screen'
code=$(printf %06d "$(device 2 .consent.code)")
wrong=$(printf %06d $(((10#$code + 1) % 1000000)))
exits 1 amtcli consent pc0002 code <<< "$wrong"
says "$dir/out" consent-required
exits 2 amtcli consent pc0002 code <<< "12345"
exits 4 amtcli consent pc0002 code < /dev/null
exits 2 amtcli consent 'pc[0002-0003]' code <<< "$code"
exits 0 amtcli consent pc0002 code <<< "$code"
says "$dir/out" given
[ "$(device 2 .consent.state)" = 3 ] || fail "consent was not taken: $(ctl get 2)"
exits 0 amtcli consent pc0002 cancel
[ "$(device 2 .consent.state)" = 0 ] || fail "consent was not cancelled: $(ctl get 2)"
exits 0 amtcli consent pc0002 policy none
ctl set 3 control-mode=client > /dev/null
exits 1 amtcli consent pc0003 policy none
says "$dir/out" access-denied
amtcli run list -o json > "$dir/runs"
says "$dir/runs" hidden
amtcli activity -o json > "$dir/activity"

# --- clock ---
ctl set 4 clock-offset=-3600 > /dev/null
exits 0 amtcli clock pc0004 -o json
jq -e '.[0].detail | .off_s < -3590 and .off_s > -3610 and .was_set == false' "$dir/out" > /dev/null ||
    fail "clock: $(cat "$dir/out")"
exits 0 amtcli clock pc0004 set --limit 2h
says "$dir/out" 'left alone'
exits 0 amtcli clock pc0004 set
says "$dir/out" set
offset=$(device 4 '."clock-offset"')
[ "${offset#-}" -le 10 ] || fail "the clock is still off by $offset s"
for years in 315360000 -315360000; do # ten, an empty battery
    ctl set 4 clock-offset=$years > /dev/null
    exits 0 amtcli clock pc0004 -o json
    jq -e --argjson off $years '.[0].detail.off_s - $off | fabs < 20' "$dir/out" > /dev/null || fail "a clock that is years off: $(cat "$dir/out")"
    exits 0 amtcli calendar -o json
    jq -e 'any(.[]; .host == "pc0004" and (.what | contains("clock")))' "$dir/out" > /dev/null || fail "the calendar does not name it: $(cat "$dir/out")"
    exits 0 amtcli eventlog read pc0004
    exits 0 amtcli power status pc0004
    exits 0 amtcli clock pc0004 set
    offset=$(device 4 '."clock-offset"')
    [ "${offset#-}" -le 10 ] || fail "the clock is still off by $offset s"
done
exits 2 amtcli clock pc0004 --limit 1m
exits 2 amtcli clock pc0004 sett

# --- the codes ---
amtd_stop
for file in "$dir/runs" "$dir/activity" "$dir/amtd.log" "$AMTD_STATE_DIR"/*; do
    ! grep -qaE "\"($code|$wrong)\"" "$file" 2> /dev/null || fail "a code is in $file"
done
amtsim_stop
echo "settings: ok"
