#!/usr/bin/env bash
# Every fault of a scenario looks from outside as it should.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/amtsim_lib.sh"

cat > "$dir/scenario.yaml" << 'YAML'
devices:
  - {select: 1, faults: [{fault: unreachable}]}
  - {select: 2, faults: [{fault: slow, ms: 300, first: 1}]}
  - {select: 3, faults: [{fault: drop, at: mid-body, first: 1}]}
  - {select: 4, faults: [{fault: drop, at: after-change, first: 1}]}
  - {select: 5, faults: [{fault: wrong-realm}]}
  - {select: 6, faults: [{fault: wrong-password}]}
  - {select: 7, faults: [{fault: busy, how: '503', first: 1}]}
  - {select: 8, faults: [{fault: busy, how: return, first: 1}]}
  - {select: 9, faults: [{fault: refuse-transition, value: 4097}]}
  - {select: 10, faults: [{fault: ignore}]}
  - {select: 11, faults: [{fault: malformed-xml}]}
  - {select: 12, faults: [{fault: xml-bomb}]}
  - {select: 13, faults: [{fault: not-provisioned}]}
  - {select: 14, faults: [{fault: not-amt}]}
  - {select: 15, faults: [{fault: locked}]}
  - {select: 16, faults: [{fault: access-denied, on: CIM_PowerManagementService}]}
  - {select: 17, faults: [{fault: huge, bytes: 3000000}]}
  - {select: 18, faults: [{fault: endless}]}
  - {select: 19, faults: [{fault: refused}]}
  - {select: 20, faults: [{fault: silent}]}
  - {select: 21, faults: [{fault: trickle, ms: 1}]}
YAML
amtsim_start --devices 22 --scenario "$dir/scenario.yaml" --power-seconds 0.01-0.02

settings=$(envelope $transfer/Get $amt/AMT_GeneralSettings '')
url()
{
    echo "http://127.16.0.$1:$port/wsman"
}

# status DEVICE DOCUMENT WANTED [CURL OPTION]: curl's own exit status.
status()
{
    local got=0
    post "$(url "$1")" "$2" -o "$dir/out" "${@:4}" 2> /dev/null || got=$?
    [ $got = "$3" ] || fail "device $1: curl ended with $got, not $3"
}

# answers DEVICE DOCUMENT TEXT
answers()
{
    local answer
    answer=$(post "$(url "$1")" "$2")
    [[ $answer == *"$3"* ]] || fail "device $1: no '$3' in: ${answer: -300}"
}

status 1 "$settings" 28 --connect-timeout 1
answers 2 "$settings" DigestRealm
status 3 "$settings" 18
answers 3 "$settings" DigestRealm
status 4 "$(power_request 8)" 52
wait_until "off without an answer" power_is 4 off
realm=$(curl -sS -i "$(url 5)" -d x | sed -n 's/.*realm="\([^"]*\)".*/\1/p')
answers 5 "$settings" "<g:DigestRealm>Digest:"
[ "$(ctl get 5 | jq -r .realm)" != "$realm" ] || fail "device 5 shows its usual realm"
answers 6 "$settings" "Log on failed"
answers 7 "$settings" "503 Service Unavailable"
answers 7 "$settings" DigestRealm
answers 8 "$(power_request 8)" "<g:ReturnValue>4099<"
answers 8 "$(power_request 8)" "<g:ReturnValue>0<"
answers 9 "$(power_request 8)" "<g:ReturnValue>4097<"
answers 10 "$(power_request 8)" "<g:ReturnValue>0<"
power_is 10 on || fail "device 10 changed its state"
answers 11 "$settings" "<g:Unclosed>"
answers 12 "$settings" "<!ENTITY e9"
answers 13 "$(envelope $transfer/Get $amt/AMT_SetupAndConfigurationService '')" "<g:ProvisioningState>0<"
answers 13 "$(power_request 8)" "e:AccessDenied"
curl -sS -i "$(url 14)" | grep -q '^Server: nginx' || fail "device 14 is AMT"
answers 15 "$settings" "temporarily locked"
answers 16 "$(power_request 8)" "e:AccessDenied"
answers 16 "$settings" DigestRealm
status 17 "$settings" 0
[ "$(stat -c %s "$dir/out")" -gt 3000000 ] || fail "device 17: only $(stat -c %s "$dir/out") bytes"
status 18 "$settings" 28 --max-time 1
status 19 "$settings" 7
status 20 "$settings" 28 --max-time 1
answers 21 "$settings" DigestRealm
answers 22 "$settings" DigestRealm

# A device that was unreachable can come back.
ctl set 1 'faults=[]'
answers 1 "$settings" DigestRealm
# An address without a device.
status 99 "$settings" 7
amtsim_stop

# TLS faults.
cat > "$dir/scenario.yaml" << 'YAML'
devices:
  - {select: 1, faults: [{fault: old-tls-only}]}
  - {select: 2, faults: [{fault: expired-certificate}]}
YAML
amtsim_start --devices 3 --tls server --tls-dir "$dir/tls" --scenario "$dir/scenario.yaml"
url()
{
    echo "https://127.16.0.$1:$((port + 1))/wsman"
}
status 1 "$settings" 35 --cacert "$dir/tls/ca.pem" --tlsv1.2
status 1 "$settings" 60 --cacert "$dir/tls/ca.pem"
status 1 "$settings" 0 --cacert "$dir/tls/ca.pem" --tlsv1.0 --ciphers 'DEFAULT@SECLEVEL=0'
status 2 "$settings" 60 --cacert "$dir/tls/ca.pem"
status 3 "$settings" 0 --cacert "$dir/tls/ca.pem"
before=$(openssl s_client -connect 127.16.0.3:$((port + 1)) < /dev/null 2> /dev/null | openssl x509 -fingerprint -noout)
again=$(openssl s_client -connect 127.16.0.3:$((port + 1)) < /dev/null 2> /dev/null | openssl x509 -fingerprint -noout)
ctl set 3 'faults=[{"fault":"changed-certificate"}]'
after=$(openssl s_client -connect 127.16.0.3:$((port + 1)) < /dev/null 2> /dev/null | openssl x509 -fingerprint -noout)
[ "$before" = "$again" ] || fail "a certificate changed by itself"
[ "$before" != "$after" ] || fail "the certificate did not change"

# A peer that does not come from loopback is refused and counted.
other=$(ip -4 -o addr show scope global | awk '{sub("/.*", "", $4); print $4; exit}')
if [ -n "$other" ]; then
    curl -sS --max-time 5 -o /dev/null "https://$other:$((port + 1))/" -k 2> /dev/null && fail "a peer from $other was served"
    [ "$(ctl fleet | jq .peers_refused)" = 1 ] || fail "the peer from $other was not counted: $(ctl fleet)"
fi
amtsim_stop
echo "amtsim_faults: ok"
