# Sourced by the tests of a device whose machine is a real virtual PC: starts amtsim, asks device and guest.
# shellcheck shell=bash
# $1 of the test: the directory of the programs.
set -euo pipefail
bin=$1
dir=$(mktemp -d)
# Below the ports that the kernel gives to outgoing connections; TLS is one above, redirection two and three.
port=$((10240 + ($$ % 5000) * 4))
url=http://127.16.0.1:$port/wsman # of device 1
device=1
amtsim_pid=

finish()
{
    finish_with $?
}

# finish_with STATUS: leaves nothing behind.
finish_with()
{
    local status=$1
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
    echo "$(basename "$0"): $*" >&2
    console 2> /dev/null | tail -20 >&2 || true
    exit 1
}

# What the guest's serial port said lately.
console()
{
    "$bin/amtsim" ctl "$dir/control" console $device | jq -r .console
}

# recorded_boots N: by amtsim's own count there have been N.
recorded_boots()
{
    [ "$("$bin/amtsim" ctl "$dir/control" get $device | jq .boots)" = "$1" ]
}

type_line()
{
    "$bin/amtsim" ctl "$dir/control" set $device "type=$1"$'\n'
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
    [[ $(console) == *"$1"* ]]
}

qemu_pid()
{
    pgrep -P "$amtsim_pid" -f -- "-name amtsim-$device " || fail "no qemu below amtsim"
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
<w:ResourceURI>$2</w:ResourceURI><a:MessageID>1</a:MessageID><a:ReplyTo><a:Address>$anonymous</a:Address></a:ReplyTo>
<w:OperationTimeout>PT60S</w:OperationTimeout></s:Header><s:Body>$3</s:Body></s:Envelope>
XML
}

anonymous=http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous
cim=http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2

# reference CLASS KEY VALUE [KEY VALUE]: the inside of an endpoint reference.
reference()
{
    local class=$1
    shift
    echo "<a:Address>$anonymous</a:Address><a:ReferenceParameters><w:ResourceURI>$cim/$class</w:ResourceURI><w:SelectorSet>"
    while [ $# -gt 0 ]; do
        echo "<w:Selector Name=\"$1\">$2</w:Selector>"
        shift 2
    done
    echo '</w:SelectorSet></a:ReferenceParameters>'
}

# request VALUE: asks for the power state; amtsim must accept it.
request()
{
    local service=$cim/CIM_PowerManagementService answer
    answer=$(wsman "$service/RequestPowerStateChange" "$service" "<r:RequestPowerStateChange_INPUT xmlns:r=\"$service\">
<r:PowerState>$1</r:PowerState><r:ManagedElement>
$(reference CIM_ComputerSystem CreationClassName CIM_ComputerSystem Name ManagedSystem)
</r:ManagedElement></r:RequestPowerStateChange_INPUT>")
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

# start_amtsim OPTION...: until it is ready; it ends with the test.
start_amtsim()
{
    printf %s 'P@ssw0rd1' > "$dir/pw"
    : > "$dir/log"
    "$bin/amtsim" --address 127.16.0.1 --port-base $port --user admin --password-file "$dir/pw" \
        --control "$dir/control" "$@" 2> "$dir/log" &
    amtsim_pid=$!
    wait_for "start of amtsim" grep -q 'amtsim: ready' "$dir/log"
}
