#!/usr/bin/env bash
# configuration.sh BIN_DIR: settings as a declared configuration: files with all their mistakes, differences, only what
# differs is changed, what a generation lacks, what would cut the way off, a device that moves, collections, jobs, and
# devices that are lost, refuse or talk nonsense at each step.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

amtsim_start --devices 14 --scenario <(printf 'devices:\n  - {select: 2, generation: 5}\n  - {select: 3, generation: 9, ports: both}\n')
amtd_start --log-level debug
fleet 14

# device N JQ: what the device itself says.
device()
{
    ctl get "$1" | jq -r "$2"
}

# setting FILTER: of the settings in the last JSON output.
setting()
{
    jq -r ".[0].detail.settings[] | select(.setting == \"$1\") | $2" "$dir/out"
}

cat > "$dir/lab.yaml" << 'YAML'
name: lab
description: what the machines of the lab are to be
network: {host-name: own, domain: lab.example, ping: off, rmcp-ping: on, ipv6: on}
wireless: {state: awake, link-policy: [s0-ac]}
redirection: {sol: on, ider: off, kvm: on, kvm-port-5900: off, kvm-session: 10m}
consent: {required: kvm, screen-timeout: 2m}
power: {in-sleep: on, idle-wake: 30m}
clock: {within: 10s, local-sync: off}
YAML

# --- files: all mistakes at once, with their places ---
printf 'network:\n  ipv4: static\n  gateway: 1.2.3\ncolour: red\npower: {idle-wake: 90s}\n' > "$dir/bad.yaml"
exits 2 amtcli config check "$dir/bad.yaml"
says "$dir/err" "bad.yaml:3:12: 'gateway': expected an IPv4 address"
says "$dir/err" "bad.yaml:4:1: there is no 'colour'"
says "$dir/err" "bad.yaml:5:20: 'idle-wake': devices keep it in whole minutes"
says "$dir/err" "bad.yaml:2:9: 'ipv4: static' needs 'address' and 'mask'"
exits 2 amtcli config apply "$dir/bad.yaml" pc0001
says "$dir/err" 'bad.yaml:4:1'
exits 2 amtcli config check "$dir/bad.yaml" -o json
[ "$(jq '.mistakes | length' "$dir/out")" = 4 ] || fail "mistakes: $(cat "$dir/out")"
exits 0 amtcli config check "$dir/lab.yaml" -o json
[ "$(jq -r '.configuration.settings["consent.screen-timeout"]' "$dir/out")" = 120s ] || fail "checked: $(cat "$dir/out")"
exits 0 amtcli config schema
jq -e '.properties.network.properties["host-name"]' "$dir/out" > /dev/null || fail "schema: $(cat "$dir/out")"

# --- differences change nothing ---
exits 1 amtcli config diff "$dir/lab.yaml" pc0001 -o json
[ "$(setting network.domain '"\(.is) \(.should) \(.state)"')" = 'sim.example lab.example differs' ] || fail "diff: $(cat "$dir/out")"
[ "$(setting wireless.state .state)" = unsupported ] || fail "no wireless: $(cat "$dir/out")"
[ "$(setting redirection.sol .state)" = same ] || fail "diff: $(cat "$dir/out")"
[ "$(device 1 .settings.domain)" = sim.example ] || fail "a comparison changed something"
exits 0 amtcli config apply "$dir/lab.yaml" @lab --dry-run
says "$dir/out" "would correct"
exits 4 amtcli config apply "$dir/lab.yaml" @lab < /dev/null

# --- apply: what differs, and nothing else ---
ctl clear 1 > /dev/null
ctl set 1 clock-offset=3600 > /dev/null
exits 0 amtcli config apply "$dir/lab.yaml" pc0001 -o json
[ "$(jq -r '.[0].detail.state' "$dir/out")" = corrected ] || fail "apply: $(cat "$dir/out")"
[ "$(device 1 '.settings | "\(.domain) \(.ping) \(.ipv6) \(."idle-wake") \(."kvm-session") \(."screen-timeout") \(."local-sync")"')" = \
    'lab.example false true 30 10 120 false' ] || fail "applied: $(ctl get 1)"
[ "$(device 1 '"\(.redirection.ider) \(.consent.required) \(."clock-offset")"')" = 'false 1 0' ] || fail "applied: $(ctl get 1)"
ctl clear 1 > /dev/null
exits 0 amtcli config apply "$dir/lab.yaml" pc0001
says "$dir/out" 'as declared'
[ "$(ctl record 1 | jq '.classes | [.AMT_GeneralSettings, .IPS_OptInService, .AMT_RedirectionService] | add')" = 3 ] || fail "what is right was written again: $(ctl record 1)"
exits 0 amtcli config apply "$dir/lab.yaml" pc0003
[ "$(device 3 '"\(.settings.wireless) \(.settings."link-policy")"')" = '32768 1' ] || fail "wireless: $(ctl get 3)"
exits 0 amtcli host list 'where:config = "as-declared"'
says "$dir/out" pc0003


# --- static IPv6, and VLAN where firmware tells it; another VLAN may cut off the way there ---
printf 'network: {ipv6: on, ipv6-address: "2001:DB8:0::3", ipv6-router: "fe80::1", ipv6-dns: "2001:db8::5", vlan: 120}\n' > "$dir/six.yaml"
exits 1 amtcli config apply "$dir/six.yaml" pc0003
says "$dir/out" 'VLAN 120 instead of off'
[ "$(device 3 '"\(.settings."ipv6-address") \(.settings.vlan)"')" = ':: 0' ] || fail "refused, and done: $(ctl get 3)"
exits 0 amtcli config apply "$dir/six.yaml" pc0003 --force -o json
[ "$(device 3 '"\(.settings."ipv6-address") \(.settings.vlan) \(.settings.dhcp)"')" = '2001:db8::3 120 true' ] || fail "IPv6: $(ctl get 3)"
[ "$(setting network.ipv6-address '"\(.was) \(.is) \(.state)"')" = 'none 2001:db8::3 changed' ] || fail "IPv6: $(cat "$dir/out")"
exits 0 amtcli config diff "$dir/six.yaml" pc0003
exits 1 amtcli config diff "$dir/six.yaml" pc0004 -o json
[ "$(setting network.vlan .state)" = unsupported ] || fail "VLAN on newer firmware: $(cat "$dir/out")"
exits 2 amtcli config apply "$dir/six.yaml" 'pc[0003-0004]' --yes
says "$dir/err" "ipv6-address: 2001:db8::3' would be the same for 2 hosts"
printf 'network: {ipv6-address: none, ipv6-router: none, vlan: off}\n' > "$dir/six.yaml"
exits 0 amtcli config apply "$dir/six.yaml" 'pc[0003-0004]' --yes --force
[ "$(device 3 '"\(.settings."ipv6-address") \(.settings.vlan)"')" = ':: 0' ] || fail "IPv6 taken away: $(ctl get 3)"

# --- AMT 5, over its own interface: what it has is corrected, the rest is told ---
printf 'network: {host-name: box, domain: old.example, ping: on}\nredirection: {listener: off}\nconsent: {required: none}\n' > "$dir/old.yaml"
exits 0 amtcli config apply "$dir/old.yaml" pc0002 -o json
[ "$(device 2 '"\(.name) \(.settings.domain) \(.redirection.listener)"')" = 'box old.example false' ] || fail "AMT 5: $(ctl get 2)"
[ "$(setting network.ping .state)" = unsupported ] || fail "AMT 5 has no such setting: $(cat "$dir/out")"
[ "$(jq '.[0].detail.unsupported' "$dir/out")" = 2 ] || fail "AMT 5: $(cat "$dir/out")"

# --- the way to a device ---
printf 'power: {in-sleep: off}\n' > "$dir/deaf.yaml"
exits 1 amtcli config apply "$dir/deaf.yaml" pc0004
says "$dir/out" 'would not answer while the machine sleeps'
exits 0 amtcli config apply "$dir/deaf.yaml" pc0004 --force
[ "$(device 4 '.settings."power-scheme"')" = 0 ] || fail "power policy: $(ctl get 4)"
printf 'network: {ipv4: static, address: 127.77.0.1, mask: 255.0.0.0, dns: 127.0.0.3}\n' > "$dir/move.yaml"
exits 2 amtcli config apply "$dir/move.yaml" 'pc[0004-0005]' --force --yes
says "$dir/err" 'would be the same for 2 hosts'
exits 1 amtcli config apply "$dir/move.yaml" pc0005
says "$dir/out" 'is reached at 127.16.0.5, and would be at 127.77.0.1'
[ "$(device 5 .settings.dhcp)" = true ] || fail "refused, and done"
exits 0 amtcli config apply "$dir/move.yaml" pc0005 --force
[ "$(device 5 .address)" = 127.77.0.1 ] || fail "did not move: $(ctl get 5)"
exits 0 amtcli config diff "$dir/move.yaml" pc0005
exits 0 amtcli host list pc0005 -o json
[ "$(jq -r '.[0].address' "$dir/out")" = 127.77.0.1 ] || fail "its new address is not known: $(cat "$dir/out")"
exits 1 amtcli config apply "$dir/move.yaml" pc0006 --force
says "$dir/out" "127.77.0.1 is the address of host 'pc0005'"
amtcli host set pc0005 --address pc0005.elsewhere # amtd does not know any more, and asks
exits 1 amtcli config apply "$dir/move.yaml" pc0006 --force
says "$dir/out" 'somebody else answers at 127.77.0.1 already'
amtcli host set pc0005 --address 127.77.0.1
[ "$(device 6 .settings.dhcp)" = true ] || fail "moved to where somebody is"
printf 'network: {ipv4: static, address: own, mask: 255.0.0.0}\n' > "$dir/own.yaml"
exits 0 amtcli config apply "$dir/own.yaml" 'pc[0002,0006-0007]' --yes
[ "$(device 7 '"\(.address) \(.settings.dhcp)"')" = '127.16.0.7 false' ] || fail "own address: $(ctl get 7)"
[ "$(device 2 .settings.dhcp)" = false ] || fail "own address of AMT 5: $(ctl get 2)"

# --- addresses that are no network; one that is not taken up; one that is lost ---
printf 'network: {ipv4: static, address: 127.77.0.9, mask: 255.255.255.0, gateway: 127.78.0.1}\n' > "$dir/apart.yaml"
exits 2 amtcli config check "$dir/apart.yaml"
says "$dir/err" "'gateway': 127.78.0.1 is not in the network of 127.77.0.9"
printf 'network: {ipv4: static, address: own, mask: 255.255.255.0, gateway: 127.78.0.1}\n' > "$dir/apart.yaml"
exits 1 amtcli config apply "$dir/apart.yaml" pc0013 --force
says "$dir/out" 'the router 127.78.0.1 is not in the network of 127.16.0.13'
printf 'network: {ipv4: static, address: 127.77.0.255, mask: 255.255.255.0}\n' > "$dir/apart.yaml"
exits 1 amtcli config apply "$dir/apart.yaml" pc0013 --force
says "$dir/out" 'is not an address of a machine'
printf 'network: {ipv4: static, address: 127.77.0.13, mask: 255.0.0.0, ping: off}\n' > "$dir/there.yaml"
ctl set 13 stays=true > /dev/null
exits 1 amtcli config apply "$dir/there.yaml" pc0013 --force --arrival 3s -o json
[ "$(jq -r '.[0].cause' "$dir/out")" = not-reached ] || fail "stayed: $(cat "$dir/out")"
says "$dir/out" 'did not come to 127.77.0.13, and answers at 127.16.0.13 still: its addresses were put back'
[ "$(device 13 '"\(.settings.dhcp) \(.settings.ping) \(.address)"')" = 'true false 127.16.0.13' ] || fail "put back: $(ctl get 13)"
[ "$(setting network.address '"\(.state) \(.should)"')" = 'refused 127.77.0.13' ] || fail "put back: $(cat "$dir/out")"
exits 0 amtcli power status pc0013
ctl set 13 stays=false > /dev/null

# --- amtd is killed while a device moves: doctor knows where it was sent ---
sed 's/77.0.13/77.0.4/' "$dir/there.yaml" > "$dir/away.yaml"
amtcli config apply "$dir/away.yaml" pc0004 --force > /dev/null 2>&1 & client=$!
moved() { [ "$(device 4 .address)" = 127.77.0.4 ]; }
wait_until "that it moves" moved
kill -9 "$amtd_pid"
wait "$amtd_pid" 2> /dev/null || true
wait $client || true
amtd_start --log-level debug
if [ "$(amtcli host list pc0004 -o json | jq -r '.[0].address')" = 127.16.0.4 ]; then
    exits 1 amtcli doctor pc0004
    says "$dir/out" 'this amtd gave it the address 127.77.0.4'
    says "$dir/out" 'amtcli host set HOST --address 127.77.0.4'
    amtcli host set pc0004 --address 127.77.0.4
fi
exits 0 amtcli config apply "$dir/away.yaml" pc0004
exits 0 amtcli host list pc0004 -o json
[ "$(jq -r '.[0].facts | has("moving.to")' "$dir/out")" = false ] || fail "it has arrived: $(cat "$dir/out")"

# --- a job that fails takes back what it changed of settings ---
printf 'tasks:\n  - config: %s\n  - run: [sh, -c, "exit 1"]\n    on-failure: undo\n' "$dir/before.yaml" > "$dir/undo.yaml"
printf 'network: {domain: other.example, ping: off}\nredirection: {kvm-session: 9m}\npower: {idle-wake: 77m}\n' > "$dir/before.yaml"
was=$(device 14 '.settings | [.domain, .ping, ."kvm-session", ."idle-wake"] | map(tostring) | join(" ")')
amtcli job run "$dir/undo.yaml" pc0014 --yes -o json > "$dir/out" 2> "$dir/err" || true
[ "$(device 14 '.settings | [.domain, .ping, ."kvm-session", ."idle-wake"] | map(tostring) | join(" ")')" = "$was" ] ||
    fail "not taken back ($was): $(ctl get 14) $(cat "$dir/out")"
jq -e '[.. | strings | select(startswith("undo-"))] | length > 0' "$dir/out" > /dev/null || fail "no undo in the result: $(cat "$dir/out")"

# --- collections ---
amtcli collection add few --list 'pc[0008-0010]' 2> /dev/null
exits 2 amtcli config drift @few
says "$dir/err" 'no configuration is declared'
exits 0 amtcli config declare "$dir/lab.yaml" @few
says "$dir/err" 'version 1'
exits 0 amtcli config declare "$dir/lab.yaml" few
says "$dir/err" 'version 1'
exits 0 amtcli config declared
says "$dir/out" few
exits 0 amtcli config declared @few
cmp -s "$dir/out" "$dir/lab.yaml" || fail "what is declared is not the file"
exits 1 amtcli config drift @few
says "$dir/err" '3 not as they should be'
exits 0 amtcli config apply @few --yes
exits 0 amtcli config drift @few
ctl set 9 'redirection=none' > /dev/null 2>&1 || amtcli redirection pc0009 --sol off > /dev/null
exits 1 amtcli config drift @few -o json
[ "$(jq -r '[.[] | select(.detail.state == "drifted") | .host] | join(",")' "$dir/out")" = pc0009 ] || fail "drift: $(cat "$dir/out")"
[ "$(jq -r '.[0].detail.version' "$dir/out")" = 1 ] || fail "version: $(cat "$dir/out")"
exits 2 amtcli config diff pc0009

# --- two collections that are at odds over a host: told, and neither is applied; nor by a job ---
amtcli collection add other --list 'pc[0010-0011]' 2> /dev/null
printf 'network: {domain: lab.example, ping: on}\n' > "$dir/other.yaml"
exits 0 amtcli config declare "$dir/other.yaml" @other -o json
[ "$(jq -c '.conflicts | map([.collection, .setting, .here, .there, .count, .hosts])' "$dir/out")" = \
    '[["few","network.ping","on","off",1,"pc0010"]]' ] || fail "conflicts: $(cat "$dir/out")"
says "$dir/err" "@few is declared with 'network.ping: off', and both have pc0010"
exits 2 amtcli config apply @few --yes
says "$dir/err" "'@other' with 'on', and both have pc0010"
exits 2 amtcli config apply @other --yes
exits 1 amtcli config drift @other
printf 'tasks:\n  - config: {collection: other}\n' > "$dir/odds.yaml"
exits 2 amtcli job run "$dir/odds.yaml" pc0010 --yes
exits 0 amtcli job run "$dir/odds.yaml" pc0011 --yes
exits 0 amtcli config forget @other

# --- a job keeps a fleet as it is declared ---
printf 'name: keep\ntasks:\n  - config: {collection: few}\n  - config: old.yaml\n    when: "amt.version < 6"\n' > "$dir/keep.yaml"
exits 0 amtcli job check "$dir/keep.yaml"
exits 0 amtcli job run "$dir/keep.yaml" pc0009 --yes
exits 0 amtcli config drift @few
printf 'tasks:\n  - config: {}\n' > "$dir/none.yaml"
exits 2 amtcli job check "$dir/none.yaml"
says "$dir/err" "either 'apply' or 'collection'"
exits 0 amtcli config forget @few
exits 2 amtcli config apply @few --yes

# --- bad days: lost at each step, refused, nonsense; done anew it ends well ---
n=0
for fault in '{"fault":"drop","at":"after-request","on":"AMT_GeneralSettings","after":1,"first":1}' \
    '{"fault":"drop","at":"after-change","on":"AMT_GeneralSettings","first":1}' \
    '{"fault":"drop","at":"after-change","on":"IPS_OptInService","first":1}' \
    '{"fault":"access-denied","on":"IPS_OptInService","after":1,"first":2}' \
    '{"fault":"malformed-xml","first":9}' '{"fault":"garbage","first":9}' '{"fault":"huge","bytes":3000000,"first":1}'; do
    ctl set 11 "faults=[$fault]" > /dev/null
    amtcli config apply "$dir/lab.yaml" pc0011 > "$dir/out" 2> "$dir/err" || n=$((n + 1))
    ctl set 11 'faults=[]' > /dev/null
    exits 0 amtcli config apply "$dir/lab.yaml" pc0011
    exits 0 amtcli config diff "$dir/lab.yaml" pc0011
    printf 'network: {domain: sim.example, ping: on}\nconsent: {required: none}\n' > "$dir/back.yaml"
    exits 0 amtcli config apply "$dir/back.yaml" pc0011
done
[ $n -ge 4 ] || fail "only $n of the faults were felt"
# two administrators at once: each wish is done whole, or told
amtcli config apply "$dir/lab.yaml" pc0012 > "$dir/one" 2>&1 & one=$!
amtcli config apply "$dir/back.yaml" pc0012 > "$dir/two" 2>&1 || true
wait $one || true
exits 0 amtcli config apply "$dir/lab.yaml" pc0012
exits 0 amtcli config diff "$dir/lab.yaml" pc0012

# --- who may ---
amtcli activity --limit 1000 -o json > "$dir/activity"
says "$dir/activity" 'config.declare'
says "$dir/activity" 'run.start config'
amtd_stop
amtsim_stop
echo "configuration: ok"
