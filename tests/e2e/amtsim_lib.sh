# Sourced by tests that talk to amtsim from outside. $1 of the test: the directory of the programs.
# shellcheck shell=bash disable=SC2034
set -euo pipefail
bin=$1
dir=$(mktemp -d)
password='P@ssw0rd1'
printf %s "$password" > "$dir/pw"
amtsim_pid=
# Below the ports that the kernel gives to outgoing connections; TLS is one above, redirection two and three.
port=$((10240 + ($$ % 5000) * 4))

# amtsim_start OPTION...: starts it and waits until it is ready.
amtsim_start()
{
    : > "$dir/log"
    "$bin/amtsim" --password-file "$dir/pw" --control "$dir/control" --port-base $port "$@" 2> "$dir/log" &
    amtsim_pid=$!
    local deadline=$((SECONDS + 90))
    until grep -q '^amtsim: ready:' "$dir/log"; do
        kill -0 "$amtsim_pid" 2> /dev/null || fail "amtsim did not start: $(cat "$dir/log")"
        [ $SECONDS -lt $deadline ] || fail "amtsim is not ready"
        sleep 0.02
    done
}

# Ends it; it must end cleanly.
amtsim_stop()
{
    local pid=$amtsim_pid
    amtsim_pid=
    kill "$pid"
    wait "$pid" || fail "amtsim ended with status $?: $(cat "$dir/log")"
}

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
        wait "$amtsim_pid" || true
        sed 's/^/amtsim: /' "$dir/log" >&2
    fi
    rm -rf "$dir"
    exit "$status"
}
trap finish EXIT

fail()
{
    echo "$(basename "$0"): $*" >&2
    exit 1
}

ctl()
{
    "$bin/amtsim" ctl "$dir/control" "$@"
}

# wait_until WHAT COMMAND...: repeats until it succeeds, at most 120 s: busy machines are no failures.
wait_until()
{
    local what=$1 deadline=$((SECONDS + 120))
    shift
    until "$@"; do
        [ $SECONDS -lt $deadline ] || fail "$what did not come"
        sleep 0.05
    done
}

# power_is DEVICE WORD
power_is()
{
    [ "$(ctl get "$1" | jq -r .power)" = "$2" ]
}

cim=http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2
amt=http://intel.com/wbem/wscim/1/amt-schema/1
transfer=http://schemas.xmlsoap.org/ws/2004/09/transfer
enumeration=http://schemas.xmlsoap.org/ws/2004/09/enumeration

# envelope ACTION CLASS_URI BODY
envelope()
{
    printf '%s' '<?xml version="1.0" encoding="utf-8"?><Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"' \
        ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"' \
        ' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><Header>' \
        "<a:Action>$1</a:Action><a:To>/wsman</a:To><w:ResourceURI>$2</w:ResourceURI><a:MessageID>1</a:MessageID>" \
        "</Header><Body>$3</Body></Envelope>"
}

# power_request VALUE: the document of RequestPowerStateChange.
power_request()
{
    envelope "$cim/CIM_PowerManagementService/RequestPowerStateChange" "$cim/CIM_PowerManagementService" \
        "<r:RequestPowerStateChange_INPUT xmlns:r=\"$cim/CIM_PowerManagementService\"><r:PowerState>$1</r:PowerState><r:ManagedElement><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address><a:ReferenceParameters><w:ResourceURI>$cim/CIM_ComputerSystem</w:ResourceURI><w:SelectorSet><w:Selector Name=\"CreationClassName\">CIM_ComputerSystem</w:Selector><w:Selector Name=\"Name\">ManagedSystem</w:Selector></w:SelectorSet></a:ReferenceParameters></r:ManagedElement></r:RequestPowerStateChange_INPUT>"
}

# post URL DOCUMENT [CURL OPTION...]: the answer's body.
post()
{
    local url=$1 document=$2
    shift 2
    curl -sS --max-time 20 --digest --user "admin:$password" --data-binary "$document" "$@" "$url"
}
