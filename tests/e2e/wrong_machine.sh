#!/usr/bin/env bash
# wrong_machine.sh BIN_DIR: nothing is ever done to a machine that is not known to be the host meant: boards that were replaced, addresses
# that others got, realms that were forgotten, with one password for all. What proves a machine is not asked for again.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
amtsim_start --devices 12 --power-seconds 0.1-0.2
amtd_start
fleet 12
asked() # DEVICE: how often it was asked for its UUID
{
    ctl record "$1" | jq '.classes.AMT_SetupAndConfigurationService // 0'
}
untouched() # DEVICE WHAT
{
    ctl record "$1" | jq -e '[.events[] | select(.event == "power" or .event == "change" or .event == "defense" or
        (.event == "session"))] | length == 0' > /dev/null || fail "$2: $(ctl record "$1" | jq -c .events)"
}
fact() # HOST NAME
{
    amtcli host list "$1" -o json | jq -r --arg name "$2" '.[0].facts[$name] // "none"'
}
is_at() # DEVICE ADDRESS
{
    [ "$(ctl get "$1" | jq -r .address)" = "$2" ]
}
cause() # of the only host
{
    jq -r '.[0].cause // .[0].result' "$dir/out"
}

echo '--- reads are free; the first change asks once, and remembers; then the realm is proof enough'
exits 0 amtcli power status pc0011 -o json
exits 0 amtcli power reset pc0011 --yes
[ "$(asked 11)" = 0 ] || fail "asked, though the realm was known: $(asked 11)"
exits 0 amtcli power reset pc0012 --yes
[ "$(asked 12)" = 1 ] || fail "a host that was never seen was asked $(asked 12) times"
[ "$(fact pc0012 amt.uuid)" != none ] || fail "the UUID was not remembered"
exits 0 amtcli power reset pc0012 --yes
[ "$(asked 12)" = 1 ] || fail "asked again: $(asked 12)"

echo '--- provisioned anew: the same machine, with a realm that nobody knows'
exits 0 amtcli info @lab
ctl set 1 realm=new > /dev/null
exits 1 amtcli power reset pc0001 --yes -o json
[ "$(cause)" = realm-changed ] || fail "$(cat "$dir/out")"
exits 0 amtcli host set pc0001 --forget-realm
ctl clear 1 > /dev/null
exits 0 amtcli power status pc0001
[ "$(asked 1) $(fact pc0001 amt.realm)" = '0 none' ] || fail "a read asked, or believed the realm: $(asked 1) $(fact pc0001 amt.realm)"
exits 0 amtcli power reset pc0001 --yes
exits 0 amtcli power reset pc0001 --yes
[ "$(asked 1)" = 1 ] || fail "asked $(asked 1) times"
[ "$(fact pc0001 amt.realm)" != none ] || fail "the new realm was not remembered"
ctl set 2 realm=new > /dev/null
exits 0 amtcli host set pc0002 --forget-realm
exits 0 amtcli info pc0002
[ "$(fact pc0002 amt.realm)" != none ] || fail "info saw the UUID, and did not believe the realm"

echo '--- another machine has its address, and the realm was forgotten'
uuid=$(fact pc0003 amt.uuid)
ctl set 3 address=127.16.0.103 > /dev/null
wait_until "its move" is_at 3 127.16.0.103
ctl set 4 address=127.16.0.3 > /dev/null
wait_until "that of the other one" is_at 4 127.16.0.3
exits 0 amtcli host set pc0003 --forget-realm
ctl clear 4 > /dev/null
cat > "$dir/job.yaml" << 'YAML'
tasks:
  - { power: reset }
YAML
printf 'power: {idle-wake: 7m}\n' > "$dir/config.yaml"



refused() # COMMAND...: for another machine
{
    exits 1 "$@" -o json
    [ "$(cause)" = wrong-machine ] || fail "'$*': $(cat "$dir/out")"
}
refused amtcli power reset pc0003 --yes
refused amtcli boot pc0003 --to bios --reset --yes
refused amtcli password rotate pc0003 --yes
refused amtcli certificate issue pc0003
refused amtcli clock pc0003 set --yes
refused amtcli config apply "$dir/config.yaml" pc0003 --yes
refused amtcli redirection pc0003 --sol off --yes
refused amtcli user pc0003 apply -a helpdesk=remote-control --yes
refused amtcli filter ping pc0003 --yes
refused amtcli unprovision pc0003 --confirm 1
refused amtcli info pc0003
exits 1 amtcli job run "$dir/job.yaml" pc0003 --yes -o json
says "$dir/out" wrong-machine
exits 1 amtcli console pc0003 --expect never --timeout 10s
says "$dir/err" 'the machine that answers has the UUID'
untouched 4 "the wrong machine was changed"
exits 0 amtcli power status pc0003 # a read tells nothing, and believes nothing
[ "$(fact pc0003 amt.realm) $(fact pc0003 amt.uuid)" = "none $uuid" ] || fail "taken for the host: $(amtcli host show pc0003)"
exits 0 amtcli host set pc0003 --address 127.16.0.103
exits 0 amtcli power reset pc0003 --yes
exits 0 amtcli host set pc0004 --address 127.16.0.3
exits 0 amtcli power reset pc0004 --yes

echo '--- a machine that does not tell which one it is'
ctl set 5 realm=new > /dev/null
ctl set 5 'faults=[{"fault":"access-denied","on":"GetUuid"}]' > /dev/null
exits 0 amtcli host set pc0005 --forget-realm
refused amtcli power reset pc0005 --yes
says "$dir/out" 'cannot be told'
ctl set 5 'faults=[]' > /dev/null
exits 0 amtcli power reset pc0005 --yes

echo '--- a new board: the old one is forgotten'
ctl set 6 address=127.16.0.106 > /dev/null
wait_until "its move" is_at 6 127.16.0.106
ctl set 7 address=127.16.0.6 > /dev/null
wait_until "that of the other one" is_at 7 127.16.0.6
exits 1 amtcli power reset pc0006 --yes -o json
[ "$(cause)" = realm-changed ] || fail "$(cat "$dir/out")"
exits 0 amtcli host set pc0006 --forget-facts
exits 0 amtcli power reset pc0006 --yes
[ "$(fact pc0006 amt.uuid)" = "$(fact pc0007 amt.uuid)" ] || fail "the new board is not known: $(amtcli host show pc0006)"

echo '--- the first that is done to a host is cut off: who it is was written down before'
exits 0 amtcli host set pc0008 --forget-facts
ctl set 8 'faults=[{"fault":"slow","ms":60000,"on":"SetAdminAclEntryEx"}]' > /dev/null
amtcli password rotate pc0008 --yes > "$dir/rotate" 2>&1 &
client=$!
known()
{
    [ "$(sqlite3 "$AMTD_STATE_DIR/amtd.db" "SELECT count(*) FROM facts f JOIN hosts h ON h.id = f.host WHERE h.name = 'pc0008' AND
        f.name IN ('amt.realm', 'amt.uuid')")" = 2 ]
}
wait_until "word of who it is" known
kill -KILL "$amtd_pid"
wait "$amtd_pid" 2> /dev/null || true
wait $client || true
amtd_start
amtd_stop
amtsim_stop
echo "wrong_machine: ok"
