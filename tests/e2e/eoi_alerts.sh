#!/usr/bin/env bash
# eoi_alerts.sh BIN_DIR: machines of AMT 2, 5 and 9 tell their alerts after the same command: the old ones by SNMP traps, the
# newer one by WS-Eventing. Subscriptions are compared, renewed and taken back; who is told by others stays.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
listen=$((30300 + $$ % 2400))
cat > "$dir/amtd.yaml" << Y
alerts:
  listen: 127.0.0.1:$listen
  traps: 127.0.0.1:$listen
Y
cat > "$dir/scenario.yaml" << 'YAML'
devices:
  - {select: 1, generation: 2}
  - {select: 2, generation: 5}
  - {select: 3, generation: 9}
  - {select: 4, generation: 5, faults: [{fault: drop, at: after-change, on: SubscribeForAlert, first: 1}]}
  - {select: 5, generation: 2, faults: [{fault: access-denied, on: EventManagerService}]}
YAML
amtsim_start --devices 5 --scenario "$dir/scenario.yaml" --trap-port "$listen"
amtd_start --config "$dir/amtd.yaml"
fleet 5
amtcli collection add mixed --list 'pc[0001-0003]'

detail()
{
    exits 0 amtcli alert "$1" -o json
    [ "$(jq -c "[.[].detail.$2] | unique" "$dir/out")" = "[$3]" ] || fail "$2 of $1: $(cat "$dir/out")"
}
remarks()
{
    [ "$(jq -r '[.[].remark] | unique | join(", ")' "$dir/out")" = "$1" ] || fail "remarks: $(cat "$dir/out")"
}
# event HOST TEXT
event()
{
    amtcli event list -o json > "$dir/events"
    jq -e --arg host "$1" --arg text "$2" 'any(.[]; .kind == "alert" and .host == $host and (.text | contains($text)))' \
        "$dir/events" > /dev/null
}

# --- the same commands ---
detail @mixed heard false
exits 0 amtcli alert @mixed on --yes -o json
remarks 'told to this amtd from now on'
exits 0 amtcli alert @mixed on --yes -o json
remarks 'told to this amtd already'
detail @mixed heard true
detail @mixed others 0
exits 0 amtcli alert pc0002 -o json
[ "$(jq -c '.[0].detail.subscribers' "$dir/out")" = '[{"url":"snmp://127.0.0.1","alerts":"policy 134","ours":true}]' ] ||
    fail "subscribers: $(cat "$dir/out")"

# --- what is told: what happens there, and what is ordered ---
exits 0 amtcli power cycle pc0001,pc0002 --yes
wait_until 'the boot of AMT 2' event pc0001 'OS boot started'
wait_until 'the boot of AMT 5' event pc0002 'OS boot started'
ctl set 1 alert='{"sensor": 5, "severity": 16, "entity": 23}' > /dev/null
wait_until 'the opened case' event pc0001 'case intrusion'
ctl set 2 alert='{"sensor": 36, "severity": 8, "data": [170, 0, 0, 0, 7]}' > /dev/null
wait_until 'the filter that matched' event pc0002 'System Defense: filter 7 matched'
ctl set 2 alert='{"sensor": 1, "type": 1, "offset": 137, "severity": 4}' > /dev/null
wait_until 'the temperature that fell' event pc0002 'temperature: event 9 of type 1 is over'
[ "$(jq -r '[.[] | select(.text == "case intrusion")][0].severity' "$dir/events")" = critical ] ||
    fail "severity: $(cat "$dir/events")"

# --- bad days ---
exits 1 amtcli alert pc0004 on --yes # whether it was done is not known, so it is not done again blindly
exits 0 amtcli alert pc0004 on --yes -o json
remarks 'told to this amtd already'
exits 1 amtcli alert pc0005 on --yes -o json
[ "$(jq -r '.[0].cause' "$dir/out")" = access-denied ] || fail "$(cat "$dir/out")"

# --- others stay, and there is an end to how many ---
other() # ADDRESS: as another console would, by curl
{
    curl -s --digest -u "admin:$(cat "$dir/pw")" -H 'Content-Type: text/xml' "http://127.16.0.1:$port/EventManagerService" -d "
<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>
<SubscribeForAlert xmlns=\"http://schemas.intel.com/platform/client/EventManager/2004/01\"><AlertSubscription>
<PolicyID>134</PolicyID><AlertTargetIPAddress>$1</AlertTargetIPAddress></AlertSubscription></SubscribeForAlert>
</e:Body></e:Envelope>"
}
for ((i = 0; i < 7; i++)); do
    other $((127 * 16777216 + 99 * 65536 + i)) > "$dir/soap"
    says "$dir/soap" '<emi:Status>0<'
done
other $((127 * 16777216 + 1)) > "$dir/soap"
says "$dir/soap" '<emi:Status>23<' # one too many
other $((10 * 16777216 + 1)) > "$dir/soap"
says "$dir/soap" '<emi:Status>36<' # the simulated fleet tells nobody outside
detail pc0001 others 7
exits 0 amtcli alert @mixed off --yes -o json
remarks 'not told to this amtd any more'
exits 0 amtcli alert @mixed off --yes -o json
remarks 'was not told to this amtd'
detail @mixed heard false
detail pc0001 others 7
other $((127 * 16777216 + 98 * 65536)) > "$dir/soap"
exits 1 amtcli alert pc0001 on --yes -o json
[ "$(jq -r '.[0].cause' "$dir/out")" = limit-exceeded ] || fail "$(cat "$dir/out")"

# --- the device was set up anew and knows nobody: subscribed again when asked ---
exits 0 amtcli alert pc0002 on --yes
ctl set 2 realm=new > /dev/null
exits 0 amtcli host set pc0002 --forget-realm
detail pc0002 heard false
exits 0 amtcli alert pc0002 on --yes -o json
remarks 'told to this amtd from now on'
amtd_stop

# --- an amtd that hears only one kind says so ---
printf 'alerts: { listen: 127.0.0.1:%s }\n' "$listen" > "$dir/amtd.yaml"
amtd_start --config "$dir/amtd.yaml"
exits 1 amtcli alert pc0002 on --yes
says "$dir/out" "give 'alerts' in amtd.yaml a 'traps'"
exits 0 amtcli alert pc0003 on --yes
amtd_stop
printf 'alerts: { traps: "0.0.0.0:%s", traps-at: 127.0.0.1 }\n' "$listen" > "$dir/amtd.yaml"
amtd_start --config "$dir/amtd.yaml"
exits 0 amtcli alert pc0002 on --yes
exits 1 amtcli alert pc0003 on --yes
says "$dir/out" "give 'alerts' in amtd.yaml a 'listen'"
amtd_stop
printf 'alerts: { traps: "0.0.0.0:%s", traps-at: somewhere }\n' "$listen" > "$dir/bad.yaml"
exits 1 amtd --foreground --config "$dir/bad.yaml"
says "$dir/err" 'expected an IPv4 address'
amtsim_stop
echo "eoi_alerts: ok"
