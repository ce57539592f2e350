#!/usr/bin/env bash
# curl --digest talks to simulated devices of every generation, plain and over TLS: Identify, Get, Enumerate and
# Pull, power changes; amtsim's record agrees.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/amtsim_lib.sh"

identify='<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>'

# talk URL GENERATION [CURL OPTION...]
talk()
{
    local url=$1 generation=$2 answer context
    shift 2
    answer=$(post "$url" "$identify" "$@")
    [[ $answer == *"<b:ProductVersion>AMT $generation."* ]] || fail "Identify: $answer"
    answer=$(post "$url" "$(envelope $transfer/Get $amt/AMT_GeneralSettings '')" "$@")
    [[ $answer == *"<g:DigestRealm>Digest:"* ]] || fail "Get: $answer"
    answer=$(post "$url" "$(envelope $enumeration/Enumerate $cim/CIM_SoftwareIdentity "<Enumerate xmlns=\"$enumeration\"/>")" "$@")
    context=${answer#*EnumerationContext>}
    context=${context%%<*}
    answer=$(post "$url" "$(envelope $enumeration/Pull $cim/CIM_SoftwareIdentity "<Pull xmlns=\"$enumeration\"><EnumerationContext>$context</EnumerationContext><MaxElements>999</MaxElements></Pull>")" "$@")
    [[ $answer == *"<h:InstanceID>AMT</h:InstanceID><h:IsEntity>true</h:IsEntity><h:VersionString>$generation."* ]] || fail "Pull: $answer"
    answer=$(post "$url" "$(power_request 8)" "$@")
    [[ $answer == *"<g:ReturnValue>0</g:ReturnValue>"* ]] || fail "power off: $answer"
    wait_until "off" power_is 2 off
    answer=$(post "$url" "$(power_request 2)" "$@")
    [[ $answer == *"<g:ReturnValue>0</g:ReturnValue>"* ]] || fail "power on: $answer"
    wait_until "on" power_is 2 on
    [ "$(ctl record 2 | jq -c '[.events[] | select(.event == "power" or .event == "boot") | .request // .count]')" = '[8,2,2]' ] ||
        fail "the record is another: $(ctl record 2)"
}

for generation in 6 9 11 16 21; do
    amtsim_start --devices 2 --generation $generation --power-seconds 0.01-0.03
    talk http://127.16.0.2:$port/wsman $generation
    amtsim_stop
    old=()
    if [ $generation -lt 16 ]; then
        # what an administrator has to allow for old firmware
        old=(--tls-max 1.1 --ciphers 'DEFAULT@SECLEVEL=0' --tlsv1.0)
    fi
    amtsim_start --devices 2 --generation $generation --power-seconds 0.01-0.03 --tls server --tls-dir "$dir/tls"
    talk https://127.16.0.2:$((port + 1))/wsman $generation --cacert "$dir/tls/ca.pem" "${old[@]}"
    amtsim_stop
done

# Mutual TLS: only with the client certificate.
amtsim_start --devices 2 --tls mutual --tls-dir "$dir/tls" --power-seconds 0.01-0.03
talk https://127.16.0.2:$((port + 1))/wsman 16 --cacert "$dir/tls/ca.pem" --cert "$dir/tls/client.pem" --key "$dir/tls/client.key"
if post https://127.16.0.2:$((port + 1))/wsman "$identify" --cacert "$dir/tls/ca.pem" > /dev/null 2>&1; then
    fail "mutual TLS without client certificate was accepted"
fi

# TLS is switched off and on: put, committed, in force; the port follows, and what was connected is reset.
put_tls() # URL ENABLED [CURL OPTION...]
{
    local url=$1 enabled=$2 document
    shift 2
    document=$(envelope $transfer/Put $amt/AMT_TLSSettingData "<g:AMT_TLSSettingData xmlns:g=\"$amt/AMT_TLSSettingData\"><g:Enabled>$enabled</g:Enabled></g:AMT_TLSSettingData>")
    document=${document/<\/Header>/<w:SelectorSet><w:Selector Name=\"InstanceID\">Intel(r) AMT 802.3 TLS Settings<\/w:Selector><\/w:SelectorSet><\/Header>}
    answer=$(post "$url" "$document" "$@")
    [[ $answer == *"<g:Enabled>$enabled<"* ]] || fail "Put: $answer"
    answer=$(post "$url" "$(envelope $amt/AMT_SetupAndConfigurationService/CommitChanges $amt/AMT_SetupAndConfigurationService "<r:CommitChanges_INPUT xmlns:r=\"$amt/AMT_SetupAndConfigurationService\"/>")" "$@")
    [[ $answer == *"<g:ReturnValue>0<"* ]] || fail "CommitChanges: $answer"
}
answers_at() # URL [CURL OPTION...]
{
    local url=$1
    shift
    [[ $(post "$url" "$identify" "$@" 2> /dev/null) == *ProductVersion* ]]
}
mutual=(--cacert "$dir/tls/ca.pem" --cert "$dir/tls/client.pem" --key "$dir/tls/client.key")
put_tls https://127.16.0.1:$((port + 1))/wsman false "${mutual[@]}"
wait_until "plain" answers_at http://127.16.0.1:$port/wsman
! answers_at https://127.16.0.1:$((port + 1))/wsman "${mutual[@]}" || fail "TLS is still served"
answers_at https://127.16.0.2:$((port + 1))/wsman "${mutual[@]}" || fail "another device lost its TLS"
put_tls http://127.16.0.1:$port/wsman true
wait_until "TLS" answers_at https://127.16.0.1:$((port + 1))/wsman "${mutual[@]}"
! answers_at http://127.16.0.1:$port/wsman || fail "plain is still served"
amtsim_stop

# Presence pings: each device answers from its own address; one that was told to be silent does not.
amtsim_start --devices 3 --generation 11 --rmcp-port $port
pong() # ADDRESS [SECONDS]: as hex digits, "" after so many of silence
{
    exec 9<> "/dev/udp/$1/$port"
    printf '\x06\x00\x00\x06\x00\x00\x11\xbe\x80\x07\x00\x00' >&9
    { timeout "${2:-20}" head -c 28 <&9 || true; } | od -An -v -tx1 | tr -d ' \n'
    exec 9>&-
}
answer=$(pong 127.16.0.3)
[[ $answer == 06000006000011be4007001000000157* ]] || fail "pong: $answer"
answer=$(post http://127.16.0.2:$port/wsman "$(envelope $transfer/Put $amt/AMT_GeneralSettings "<g:AMT_GeneralSettings xmlns:g=\"$amt/AMT_GeneralSettings\"><g:RmcpPingResponseEnabled>false</g:RmcpPingResponseEnabled></g:AMT_GeneralSettings>")")
[[ $answer == *"<g:RmcpPingResponseEnabled>false<"* ]] || fail "Put: $answer"
[ -z "$(pong 127.16.0.2 1)" ] || fail "a silent device answers"
amtsim_stop
echo "amtsim_curl: ok"
