#!/usr/bin/env bash
# eoi.sh BIN_DIR: machines of AMT 2, 5, 9 and 16 in one collection. The same commands work on all; which interface each
# is spoken to over is found out and remembered; what a generation lacks is `unsupported`; bad answers have causes.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

cat > "$dir/scenario.yaml" << 'YAML'
devices:
  - {select: 1-3, generation: 2}
  - {select: 4-6, generation: 5}
  - {select: 7-8, generation: 9}
  - {select: 9-10, generation: 16}
  - {select: 11, generation: 5, faults: [{fault: malformed-xml}]}
  - {select: 12, generation: 5, faults: [{fault: xml-bomb}]}
  - {select: 13, generation: 5, faults: [{fault: huge}]}
  - {select: 14, generation: 2, faults: [{fault: access-denied}]}
  - {select: 15, generation: 5, faults: [{fault: refuse-transition, value: 4919}]}
  - {select: 16, generation: 2, faults: [{fault: wrong-password}]}
  - {select: 17, generation: 5, faults: [{fault: drop, at: mid-body}]}
  - {select: 18, generation: 5, faults: [{fault: drop, at: after-change, on: RemoteControl, first: 1}]}
  - {select: 19, generation: 2, faults: [{fault: busy, how: return, value: 2, first: 1}]}
  - {select: 20, generation: 5, faults: [{fault: refuse-activation}]}
  - {select: 21, generation: 2, faults: [{fault: flash-worn, after: 3}]}
  - {select: 22, generation: 5, faults: [{fault: access-denied, on: CbPolicyEnable}]}
  - {select: 24, generation: 5, faults: [{fault: drop, at: after-change, on: SetAdminAclEntryEx, first: 1}]}
  - {select: 23, generation: 5, faults: [{fault: drop, at: after-change, on: CircuitBreakerService, after: 3, first: 1}]}
YAML
amtsim_start --devices 24 --scenario "$dir/scenario.yaml" --power-seconds 1-1.2
fleet 24
amtcli collection add mixed --list 'pc[0001-0010]'

# fact HOST NAME
fact()
{
    amtcli host show "$1" -o json | jq -r --arg name "$2" '.. | objects | .[$name]? // empty' | head -1
}

# --- the interface ---
exits 0 amtcli power status @mixed -o json
[ "$(jq -c 'map(.to // .from) | unique' "$dir/out")" = '["on"]' ] || fail "status: $(cat "$dir/out")"
for host in pc0001 pc0004; do
    [ "$(fact $host interface)" = eoi ] || fail "$host: $(amtcli host show $host -o json)"
done
for host in pc0007 pc0009; do
    [ "$(fact $host interface)" = wsman ] || fail "$host: $(amtcli host show $host -o json)"
done
# Remembered: the next time nobody asks for /wsman any more.
before=$(ctl record 4 | jq .counters.requests)
exits 0 amtcli power status pc0004
[ "$(($(ctl record 4 | jq .counters.requests) - before))" -le 2 ] || fail 'the interface was looked for again'

# --- power ---
exits 0 amtcli power cycle @mixed --yes -o json
[ "$(jq '[.[] | select(.result == "ok" and .to == "on")] | length' "$dir/out")" = 10 ] || fail "cycle: $(cat "$dir/out")"
for device in 1 5 8 10; do
    [ "$(ctl record $device | jq -c '[.events[] | select(.event == "power") | .request]')" = '[5]' ] ||
        fail "device $device was not cycled once: $(ctl record $device)"
done
exits 0 amtcli power off @mixed --yes
exits 1 amtcli power reset pc0001
says "$dir/out" invalid-state
exits 0 amtcli power on @mixed --yes
exits 0 amtcli power reset @mixed --yes
exits 1 amtcli power nmi pc0002
says "$dir/out" 'diagnostic interrupt is not offered; offered now: power on, power cycle'
exits 1 amtcli power sleep pc0004
says "$dir/out" unsupported

# --- boot ---
boots()
{
    ctl record "$1" | jq -c '[.events[] | select(.event == "boot")] | last | [.source, .flags]'
}
boots_are()
{
    [ "$(boots "$1")" = "$2" ]
}
exits 0 amtcli boot @mixed --to pxe --reset --yes
for device in 1 4 7 9; do
    wait_until "boot of device $device from the network" boots_are $device '["Intel(r) AMT: Force PXE Boot",[]]'
done
exits 0 amtcli boot pc0002 --to bios --sol --reset
wait_until 'boot to firmware setup with a console' boots_are 2 '["",["BIOSSetup","UseSOL"]]'
exits 0 amtcli boot pc0005 --to bios # for the next boot, whoever starts it
says "$dir/out" 'next boot'
exits 0 amtcli power cycle pc0005
wait_until 'boot to firmware setup' boots_are 5 '["",["BIOSSetup"]]'
exits 1 amtcli boot pc0001 --to safe-mode --reset
says "$dir/out" unsupported

# --- info, doctor, clock, redirection ---
exits 0 amtcli info pc0001
says "$dir/out" 2.6.20
says "$dir/out" sim.example
says "$dir/out" 02-16-00-00-00-00
[ "$(fact pc0001 interface)" = eoi ] || fail "the interface after info: $(amtcli host show pc0001 -o json)"
exits 0 amtcli doctor @mixed
exits 0 amtcli clock @mixed
exits 0 amtcli redirection pc0004 --listener off
[ "$(ctl get 4 | jq .redirection.listener)" = false ] || fail "listener: $(ctl get 4)"
exits 0 amtcli redirection pc0004 --listener on
exits 1 amtcli redirection pc0004 --sol off
says "$dir/out" 'unsupported: this generation lets consoles and IDE redirection in together'
exits 1 amtcli consent pc0004 policy all
says "$dir/out" unsupported

# --- filters ---
# defense DEVICE JQ: what the device itself holds.
defense()
{
    ctl defense "$1" | jq -c "$2"
}
exits 0 amtcli filter apply quarantine @mixed --yes --untested -o json
[ "$(jq '[.[] | select(.result == "ok" and .state == "active")] | length' "$dir/out")" = 10 ] || fail "$(cat "$dir/out")"
for device in 1 4 7 9; do
    [ "$(defense $device '[.ports[0].active, .ports[0].enabled.console]')" = '["amt:quarantine","amt:quarantine"]' ] ||
        fail "device $device: $(ctl defense $device)"
done
# The same filters by either interface.
objects='[.filters[] | del(.handle)], [.policies[] | .name]'
[ "$(defense 1 "$objects")" = "$(defense 7 "$objects")" ] || fail "other filters: $(ctl defense 1) $(ctl defense 7)"
exits 0 amtcli filter apply quarantine @mixed --yes --untested -o json
[ "$(jq -c 'map(.state) | unique' "$dir/out")" = '["unchanged"]' ] || fail "again: $(cat "$dir/out")"
exits 0 amtcli filter ping pc0004
exits 0 amtcli filter stats pc0004 -o json
jq -e 'length > 0' "$dir/out" > /dev/null || fail "no statistics: $(cat "$dir/out")"
exits 0 amtcli filter drift pc0002 -o json
[ "$(jq -r '.[0].state' "$dir/out")" = as-kept ] || fail "drift: $(cat "$dir/out")"
exits 0 amtcli filter remove @mixed --yes
for device in 1 4 7 9; do
    [ "$(defense $device '[(.filters | length), (.policies | length), .ports[0].enabled]')" = '[0,0,{}]' ] ||
        fail "left over on device $device: $(ctl defense $device)"
done
# Policies that are interrupted: afterwards all is as before.
for host in pc0020 pc0021 pc0022; do
    exits 1 amtcli filter apply quarantine $host --yes
    [ "$(defense "${host#pc00}" '[(.filters | length), (.policies | length)]')" = '[0,0]' ] ||
        fail "$host is left half-way: $(ctl defense "${host#pc00}")"
done
exits 0 amtcli filter apply quarantine pc0023 --yes # an answer was lost on the way
[ "$(defense 23 '.ports[0].active')" = '"amt:quarantine"' ] || fail "$(ctl defense 23)"
[ "$(defense 23 '.filters | (length == (map(.name) | unique | length))')" = true ] || fail "doubles: $(ctl defense 23)"

# --- what machines are made of, and their logs ---
exits 0 amtcli inventory export @mixed # reads those that were never read
[ "$(jq -c '[length, (map(.inventory.system.model != null) | all), (map(.inventory.bios.vendor) | unique)]' "$dir/out")" = \
    '[10,true,["Example Firmware"]]' ] || fail "inventory: $(jq -c 'map([.host, .inventory.system.model, .inventory.bios.vendor])' "$dir/out")"
jq -e 'map(select(.host == "pc0001"))[0].inventory | .memory.bytes == 2147483648 and .processors[0].cores == 2' "$dir/out" \
    > /dev/null || fail "the inventory of pc0001: $(jq -c '.[0]' "$dir/out")"
exits 0 amtcli eventlog read @mixed
exits 0 amtcli eventlog show pc0001
says "$dir/out" 'disk failure'
exits 0 amtcli eventlog read pc0001 -o json
[ "$(jq '.[0].detail.new' "$dir/out")" = 0 ] || fail "read again: $(cat "$dir/out")"
exits 1 amtcli auditlog read pc0001
says "$dir/out" unsupported

# --- consoles: the oldest log in by a digest without qop or in clear text, which the profile has to allow ---
prompt()
{
    exits "$2" amtcli console "$1" "${@:3}" --send '\r' --expect '# $' --send 'uname\r' --expect 'amtsim'
}
prompt pc0003 1 --timeout 5s
[ "$(ctl record 3 | jq .counters.sessions)" = 0 ] || fail "pc0003 let somebody in: $(ctl record 3)"
prompt pc0006 0 # AMT 5 knows a digest with qop
exits 0 amtcli profile set lab --clear-text on
prompt pc0003 0
exits 0 amtcli profile set lab --clear-text off
# --- images: the boot from one is a command of remote control ---
head -c 1000000 /dev/urandom > "$dir/cd.iso"
amtcli ider pc0006 --cd "$dir/cd.iso" --boot > "$dir/ider" 2>&1 &
ider=$!
wait_until 'the boot from the image' boots_are 6 '["",["UseIDER"]]'
kill -INT $ider
wait $ider || true
[ "$(amtcli host list 'where:interface = "eoi"' -o json | jq length)" -ge 6 ] || fail 'interface is no fact to ask for'

# --- passwords of their own: amttool is let in with the one that amtd shows ---
exits 0 amtcli password rotate pc0002,pc0005,pc0024 --yes # of 24 the answer is lost
for host in pc0002 pc0005 pc0024; do
    fresh=$(amtcli password show $host -o json | jq -r '.[0].password')
    [ -n "$fresh" ] || fail "$host has no password of its own"
    AMT_PASSWORD=$fresh amttool "127.16.0.$((10#${host#pc})):$port" info > "$dir/tool" 2>&1 || true
    says "$dir/tool" 'Hostname:     pc'
done
exits 0 amtcli power status pc0002,pc0005,pc0024

# --- accounts: amttool, with one that amtd made, sees what its realms allow ---
exits 0 amtcli user @mixed apply -a helpdesk=remote-control,general-info --yes
exits 0 amtcli user @mixed check -a helpdesk=remote-control,general-info --exact -o json
[ "$(jq -c 'map(.remark) | unique' "$dir/out")" = '["as they should be"]' ] || fail "accounts: $(cat "$dir/out")"
sed 's/"admin"/"helpdesk"/' "$(command -v amttool)" > "$dir/tool.pl"
AMT_PASSWORD=$(amtcli password show pc0001 -o json | jq -r '.[] | select(.user == "helpdesk") | .password') \
    perl "$dir/tool.pl" "127.16.0.1:$port" info > "$dir/tool" 2>&1 || true
says "$dir/tool" 'Powerstate:   S'
exits 0 amtcli user pc0001,pc0004 apply --exact --yes
exits 0 amtcli user pc0001 -o json
[ "$(jq -r '.[0].detail.names' "$dir/out")" = '' ] || fail "left over: $(cat "$dir/out")"

# --- bad days ---
# fails HOST CAUSE COMMAND...
fails()
{
    local host=$1 cause=$2
    shift 2
    exits 1 amtcli "$@" "$host" -o json
    [ "$(jq -r '.[0].cause' "$dir/out")" = "$cause" ] || fail "$* $host: not $cause: $(cat "$dir/out")"
}
fails pc0011 bad-answer power status
fails pc0012 bad-answer power status
fails pc0013 too-large power status
fails pc0014 access-denied power status
fails pc0015 fault power cycle
jq -e '.[0].code == "ReturnValue 4919"' "$dir/out" > /dev/null || fail "code: $(cat "$dir/out")"
fails pc0016 auth-failed power status
fails pc0017 dropped power status
exits 0 amtcli power off pc0018 # its answer is lost: the state tells
[ "$(ctl record 18 | jq -c '[.events[] | select(.event == "power") | .request]')" = '[8]' ] ||
    fail "asked twice: $(ctl record 18)"
exits 0 amtcli power status pc0019 # busy once
amtsim_stop

echo "eoi: ok"
