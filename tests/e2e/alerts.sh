#!/usr/bin/env bash
# alerts.sh BIN_DIR: devices tell what happens to them, and it becomes events: alerts over HTTP from the simulated fleet, traps
# from a stock sender. What others send to the same ports is refused, and a host that tells too much is heard in part.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
listen=$((30300 + $$ % 2400))
cat > "$dir/amtd.yaml" <<Y
alerts:
  listen: 127.0.0.1:$listen
  traps: 127.0.0.1:$listen
Y
amtsim_start --devices 5
amtd_start --config "$dir/amtd.yaml"
fleet 5

# event TEXT: some event says it, of host pc0002.
event()
{
    amtcli event list -o json > "$dir/events"
    jq -e --arg text "$1" 'any(.[]; .kind == "alert" and .host == "pc0002" and (.text | contains($text)))' "$dir/events" > /dev/null
}

heard()
{
    [ "$(amtcli alert @lab -o json | jq -c "[.[].detail.$1] | unique")" = "[$2]" ] || fail "alert $1: $(amtcli alert @lab)"
}

# Subscribing, once; what happens is told; unsubscribing.
heard heard false
exits 0 amtcli alert @lab on --yes
exits 0 amtcli alert @lab on --yes -o json
[ "$(jq -r '[.[].remark] | unique | .[]' "$dir/out")" = "told to this amtd already" ] || fail "again: $(cat "$dir/out")"
heard heard true
heard others 0
exits 0 amtcli power soft-off pc0002 --yes
wait_until "the alert" event "the operating system is asked to shut down"

# Who does not know a host's path is not believed, and what is no alert is refused.
post()
{
    curl -s -o "$dir/page" -w '%{http_code}' "$@"
}
base=http://127.0.0.1:$listen
[ "$(post "$base/")" = 405 ] || fail "GET is not refused"
[ "$(post -d '<a/>' "$base/x")" = 400 ] || fail "a document that is no alert is not refused"
[ "$(head -c 200000 /dev/zero | post --data-binary @- "$base/x")" = 413 ] || fail "too much is not refused"
alert='<a:Envelope xmlns:a="http://www.w3.org/2003/05/soap-envelope"><a:Header/><a:Body><CIM_AlertIndication><MessageID>forged</MessageID></CIM_AlertIndication></a:Body></a:Envelope>'
[ "$(post -d "$alert" "$base/0123456789abcdef0123456789abcdef")" = 404 ] || fail "an unknown path is believed"
amtcli event list -o json > "$dir/events"
! grep -q forged "$dir/events" || fail "a forged alert became an event"

# The same alert a hundred times, over the right path: some are events, the rest are counted.
token=$(sqlite3 "$AMTD_STATE_DIR/amtd.db" "SELECT token FROM alert_hosts JOIN hosts ON id = host WHERE name = 'pc0002'")
! grep -q "$token" "$dir/amtd.log" "$dir/out" || fail "the path of pc0002 is told"
for ((i = 0; i < 100; i++)); do
    [ $i = 0 ] || echo next
    printf 'url = "%s/%s"\ndata = "%s"\noutput = "/dev/null"\n' "$base" "$token" "${alert//\"/\\\"}"
done > "$dir/flood"
curl -s -K "$dir/flood" || fail "curl ended with $?"
amtcli event list -o json > "$dir/events"
forged=$(grep -c 'alert forged' "$dir/events")
[ "$forged" -ge 30 ] && [ "$forged" -lt 100 ] || fail "$forged of 100 alerts became events"

# Traps: the host by its UUID, and by the address it came from.
exits 0 amtcli info pc0002
uuid=$(amtcli host show pc0002 -o json | jq -r '.[0].facts["amt.uuid"]')
# trap UUID DEVICE: chassis intrusion.
trap_from()
{
    local u=${1//-/}
    snmptrap -v 1 -c public 127.0.0.1:$listen 1.3.6.1.4.1.3183.1.1 10.9.9.9 6 $((5 << 16 | 0x6f << 8)) '' 1.3.6.1.4.1.3183.1.1.1 x \
        "${u:6:2}${u:4:2}${u:2:2}${u:0:2}${u:10:2}${u:8:2}${u:14:2}${u:12:2}${u:16}00070000003cffff502010ff07170101020304050607080000000157 0000"
}
trap_is_told()
{
    amtcli event list -o json > "$dir/events"
    jq -e 'any(.[]; .host == "pc0002" and .severity == "critical" and (.text | startswith("case intrusion")))' "$dir/events" > /dev/null
}
# by now its alerts may be heard again
wait_until "the trap" bash -c "$(declare -f trap_from trap_is_told); listen=$listen dir=$dir; trap_from $uuid; trap_is_told"
jq -e 'any(.[]; .host == "pc0002" and (.text | contains("sent from 127.0.0.1, which is not its address")))' "$dir/events" > /dev/null ||
    fail "nothing is said of a trap from another address: $(jq -c '.[-1]' "$dir/events")"
snmptrap -v 2c -c public 127.0.0.1:$listen '' 1.3.6.1.4.1.3183.1.1
head -c 900 /dev/urandom > /dev/udp/127.0.0.1/$listen
not_a_trap()
{
    grep -q 'expected an SNMPv1 trap' "$dir/amtd.log"
}
wait_until "the word on what is no trap" not_a_trap

# The device was set up anew and knows nobody: amtd subscribes again when asked; then nobody is told any more.
exits 0 amtcli alert @lab off --yes
heard heard false
exits 0 amtcli power on pc0002 --yes
exits 0 amtcli power soft-off pc0002 --yes

# Others hear of a device's alerts, too: they stay, whatever amtd does, and a full table is said.
subscribe() # DEVICE URL: as another console does it
{
    cat > "$dir/subscribe.xml" << X
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:e="http://schemas.xmlsoap.org/ws/2004/08/eventing"><s:Header>
<a:Action>http://schemas.xmlsoap.org/ws/2004/08/eventing/Subscribe</a:Action><a:To>/wsman</a:To>
<w:ResourceURI>http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_FilterCollection</w:ResourceURI><a:MessageID>uuid:1</a:MessageID>
<a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>
<w:SelectorSet><w:Selector Name="InstanceID">Intel(r) AMT:All</w:Selector></w:SelectorSet></s:Header><s:Body><e:Subscribe>
<e:Delivery Mode="http://schemas.dmtf.org/wbem/wsman/1/wsman/PushWithAck"><e:NotifyTo><a:Address>$2</a:Address></e:NotifyTo></e:Delivery>
</e:Subscribe></s:Body></s:Envelope>
X
    curl -s -o "$dir/page" -w '%{http_code}' --digest -u "admin:$(cat "$dir/pw")" -H 'Content-Type: application/soap+xml' \
        --data-binary @"$dir/subscribe.xml" "http://127.16.0.$1:$port/wsman" > "$dir/status"
    grep -q 200 "$dir/status" || fail "another console cannot subscribe: $(cat "$dir/page")"
}
for ((i = 0; i < 8; i++)); do subscribe 4 "http://127.0.0.1:9/other$i"; done
exits 0 amtcli alert pc0004 on --yes
exits 0 amtcli alert pc0004 off --yes
exits 0 amtcli alert pc0004 -o json
[ "$(jq -c '.[0].detail | [.heard, .others]' "$dir/out")" = '[false,8]' ] || fail "others are not as they were: $(cat "$dir/out")"
subscribe 4 http://127.0.0.1:9/other8
exits 1 amtcli alert pc0004 on --yes -o json
[ "$(jq -r '.[0].cause' "$dir/out")" = limit-exceeded ] || fail "a full table: $(cat "$dir/out")"
exits 0 amtcli alert pc0004 off --yes
exits 0 amtcli alert pc0004 -o json
[ "$(jq -c '.[0].detail | [.heard, .others]' "$dir/out")" = '[false,9]' ] || fail "others were taken back: $(cat "$dir/out")"

# Who is unprovisioned knows nobody, is not looked at any more, and the path that it had is nobody's.
exits 0 amtcli alert pc0003 on --yes
token=$(sqlite3 "$AMTD_STATE_DIR/amtd.db" "SELECT token FROM alert_hosts JOIN hosts ON id = host WHERE name = 'pc0003'")
[ "$(post -d "$alert" "$base/$token")" = 200 ] || fail "the path of pc0003 is not known: $(cat "$dir/page")"
exits 0 amtcli unprovision pc0003 --confirm pc0003
[ "$(post -d "$alert" "$base/$token")" = 404 ] || fail "the path of an unprovisioned host is believed"
[ "$(sqlite3 "$AMTD_STATE_DIR/amtd.db" "SELECT count(*) FROM alert_hosts JOIN hosts ON id = host WHERE name = 'pc0003'")" = 0 ] || fail "it is looked at every day"
amtd_stop

# Settings with mistakes say which.
printf 'alerts: { listen: "0.0.0.0:%s" }\n' "$listen" > "$dir/bad.yaml"
exits 1 amtd --foreground --config "$dir/bad.yaml"
says "$dir/err" "'listen' is every address"
amtsim_stop
echo "alerts: ok"
