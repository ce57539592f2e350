#!/usr/bin/env bash
# qemu_power.sh BIN_DIR: a stock client (curl) switches a simulated device whose machine is a real virtual PC; that it
# happened is asked of the guest itself, by its boot counter and its kernel log.
set -euo pipefail
bin=$1
dir=$(mktemp -d)
port=$((20000 + $$ % 20000))
url=http://127.16.0.1:$port/wsman
amtsim_pid=

finish()
{
    local status=$?
    trap - EXIT
    if [ -n "$amtsim_pid" ]; then
        kill "$amtsim_pid" 2> /dev/null || true
        wait "$amtsim_pid" || status=$?
    fi
    if [ $status != 0 ]; then
        sed 's/^/amtsim: /' "$dir/log" >&2
    fi
    rm -rf "$dir"
    exit $status
}
trap finish EXIT

fail()
{
    echo "qemu_power: $*" >&2
    console 2> /dev/null | tail -20 >&2 || true
    exit 1
}

# What the guest's serial port said lately.
console()
{
    "$bin/amtsim" ctl "$dir/control" console 1 | jq -r .console
}

type_line()
{
    "$bin/amtsim" ctl "$dir/control" set 1 "type=$1"$'\n'
}

# wait_for WHAT COMMAND...: until the command succeeds; a minute at most.
wait_for()
{
    local what=$1 deadline=$((SECONDS + 60))
    shift
    until "$@"; do
        [ $SECONDS -lt $deadline ] || fail "$what did not come"
        kill -0 "$amtsim_pid" 2> /dev/null || fail "amtsim has ended"
        sleep 0.1
    done
}

console_has()
{
    console | grep -qF -e "$1"
}

qemu_pid()
{
    pgrep -P "$amtsim_pid" -f -- '-name amtsim-1 ' || fail "no qemu below amtsim"
}

# expect_boot N: the guest is up, and by its own count this is boot N.
expect_boot()
{
    wait_for "boot $1" console_has "amtsim-guest: amtsim guest boot $1 id "
    wait_for "agent of boot $1" available 12
}

# wsman ACTION RESOURCE BODY: the answer's body.
wsman()
{
    curl -sS --fail --max-time 20 --digest -u admin:P@ssw0rd1 -H 'Content-Type: application/soap+xml; charset=UTF-8' \
        --data-binary @- "$url" << XML
<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Header><a:Action>$1</a:Action><a:To>/wsman</a:To>
<w:ResourceURI>$2</w:ResourceURI><a:MessageID>1</a:MessageID><a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>
<w:OperationTimeout>PT60S</w:OperationTimeout></s:Header><s:Body>$3</s:Body></s:Envelope>
XML
}

cim=http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2

# request VALUE: asks for the power state; amtsim must accept it.
request()
{
    local service=$cim/CIM_PowerManagementService answer
    answer=$(wsman "$service/RequestPowerStateChange" "$service" "<r:RequestPowerStateChange_INPUT xmlns:r=\"$service\">
<r:PowerState>$1</r:PowerState><r:ManagedElement><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address>
<a:ReferenceParameters><w:ResourceURI>$cim/CIM_ComputerSystem</w:ResourceURI><w:SelectorSet>
<w:Selector Name=\"CreationClassName\">CIM_ComputerSystem</w:Selector><w:Selector Name=\"Name\">ManagedSystem</w:Selector>
</w:SelectorSet></a:ReferenceParameters></r:ManagedElement></r:RequestPowerStateChange_INPUT>")
    [[ $answer == *ReturnValue\>0\<* ]] || fail "power request $1 was answered: $answer"
}

power_service()
{
    wsman http://schemas.xmlsoap.org/ws/2004/09/transfer/Get "$cim/CIM_AssociatedPowerManagementService" ''
}

state_is()
{
    [[ $(power_service) == *:PowerState\>$1\<* ]]
}

available()
{
    [[ $(power_service) == *:AvailableRequestedPowerStates\>$1\<* ]]
}

printf %s 'P@ssw0rd1' > "$dir/pw"
"$bin/amtsim" --devices 1 --machine qemu --address 127.16.0.1 --port-base $port --user admin \
    --password-file "$dir/pw" --control "$dir/control" 2> "$dir/log" &
amtsim_pid=$!
wait_for "start of amtsim" grep -q 'amtsim: ready' "$dir/log"

expect_boot 1
request 5 # power cycle
expect_boot 2
request 10 # reset
expect_boot 3
request 14 # restart by the running system
wait_for "request for restart" console_has 'reboot asked for by agent'
expect_boot 4
request 11 # NMI
wait_for "NMI in the kernel log" console_has 'NMI received for unknown reason'
request 12 # shutdown by the running system
wait_for "orderly shutdown" console_has 'reboot: Power down'
console_has 'shutdown asked for by power button' || fail "the guest did not see the power button"
wait_for "power state off" state_is 8
request 2 # on
expect_boot 5
state_is 2 || fail "not on after boot"
request 4 # sleep
wait_for "power state sleep" state_is 4
request 2
wait_for "wake-up" console_has 'awake again after sleep'
wait_for "agent" available 8
request 8 # off, hard
wait_for "power state off" state_is 8
request 2
expect_boot 6
type_line 'poweroff -f' # nobody but the guest wants it
wait_for "the guest's own power-off" console_has 'reboot: Power down'
wait_for "power state off" state_is 8
request 2
expect_boot 7
kill -KILL "$(qemu_pid)" # a PC that dies
wait_for "power state off" state_is 8
grep -q 'machine: the virtual PC ended by itself: killed by signal 9' "$dir/log" || fail "amtsim did not report it"
request 2
expect_boot 8

# Nothing is left behind when amtsim is gone, in whatever way.
qemu=$(qemu_pid)
kill -KILL "$amtsim_pid"
wait "$amtsim_pid" 2> /dev/null || true
amtsim_pid=
runs()
{
    [ "$(cut -d ' ' -f 3 "/proc/$1/stat" 2> /dev/null || echo Z)" != Z ]
}
deadline=$((SECONDS + 20))
while runs "$qemu"; do
    [ $SECONDS -lt $deadline ] || fail "qemu outlived amtsim"
    sleep 0.1
done
echo "qemu_power: all as it should be"
