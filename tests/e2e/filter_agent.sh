#!/usr/bin/env bash
# filter_agent.sh BIN_DIR: programs that devices watch over, the policy that becomes active when one falls silent, and
# worm detection; by amtcli against simulated devices.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
guid=6a1d6f2e-0b3c-4c1e-9d55-0123456789ab

cat > "$dir/scenario.yaml" << 'YAML'
devices:
  - {select: 1-2, ports: both}
  - {select: 3, generation: 16}
YAML
amtsim_start --devices 3 --generation 11 --scenario "$dir/scenario.yaml"
amtd_start
fleet 3

# set_device NUMBER JSON
set_device()
{
    ctl json "{\"device\": $1, \"set\": $2}" > /dev/null
}
active()
{
    ctl defense "$1" | jq -r '[.ports[] | .active // "none"] | unique | join(" ")'
}
state()
{
    amtcli agent list pc0001 -o json | jq -r '.[0].detail.agents[0].state'
}

# --- the watchdog
exits 2 amtcli agent add pc0001 --guid nonsense --name antivirus --startup 5m --silence 1m
says "$dir/err" "'guid': expected one such as"
exits 2 amtcli agent add pc0001 --guid $guid --name antivirus --startup 5m --silence 1m --activate-on dead
says "$dir/err" "'dead': expected none, or some of not-started"
exits 2 amtcli agent remove pc0001
exits 0 amtcli agent list pc0001
says "$dir/out" "it watches over no program"
exits 0 amtcli agent add @lab --guid $guid --name antivirus --startup 5m --silence 1m --yes -o json
[ "$(jq '[.[] | .detail.changed] | all' "$dir/out")" = true ] || fail "add: $(cat "$dir/out")"
exits 0 amtcli agent add pc0001 --guid ${guid^^} --name antivirus --startup 5m --silence 1m --yes -o json
[ "$(jq -r '.[0].remark' "$dir/out")" = "it was so already" ] || fail "add again: $(cat "$dir/out")"
exits 0 amtcli agent list @lab -o csv
says "$dir/out" "pc0002,antivirus,not-started,$guid,300,60"

# --- the policy it activates: there, asleep until the program falls silent, and when it does not begin in time
exits 0 amtcli filter apply quarantine pc0001 --when agent --yes -o json
[ "$(jq -r '.[0].state' "$dir/out")" = ready ] || fail "apply --when agent: $(cat "$dir/out")"
[ "$(active 1)" = none ] || fail "a policy that waits is active: $(active 1)"
exits 0 amtcli filter apply quarantine pc0001 --when agent --yes -o json
[ "$(jq -r '.[0].state' "$dir/out")" = unchanged ] || fail "apply --when agent again: $(cat "$dir/out")"
# waiting HOST: what amtd keeps for when it is asked for: "WHEN POLICY FILE WHO".
waiting()
{
    amtcli filter status "$1" -o json | jq -r '[.[0].waiting // [] | .[] | [.when, .policy, .file, .who] | join(" ")] | join(", ")'
}
drift()
{
    amtcli filter drift pc0001 -o json | jq -r '.[0] | .state + ": " + (.difference // "")'
}
[ "$(amtcli filter status pc0001 -o json | jq -r '.[0].policy')" = null ] || fail "status of a policy that waits"
[ "$(waiting pc0001)" = "agent quarantine quarantine.xml $(amtcli run list -o json | jq -r '.[0].who')" ] ||
    fail "status of a policy that waits: $(waiting pc0001)"
exits 0 amtcli filter status pc0001 -o csv
grep -q '^pc0001,quarantine,agent,' "$dir/out" || fail "status of a policy that waits: $(cat "$dir/out")"
[ "$(drift)" = "as-kept: " ] || fail "drift of a policy that waits: $(drift)"
set_device 1 '{"agents": {"agent": "antivirus", "does": "run"}}'
[ "$(state)" = running ] || fail "the program runs, and is $(state)"
[ "$(active 1)" = none ] || fail "the program runs, and $(active 1) is active"
set_device 1 '{"defense": {"minutes": 2}}'
[ "$(active 1)" = amt:quarantine ] || fail "the program is silent, and $(active 1) is active"
[ "$(state)" = expired ] || fail "the program is silent, and $(state)"
set_device 1 '{"agents": {"agent": "antivirus", "does": "run"}}'
[ "$(active 1)" = none ] || fail "the program runs again, and $(active 1) is active"
set_device 1 '{"agents": {"agent": "antivirus", "does": "stop"}}'
[ "$(active 1)" = amt:quarantine ] || fail "the program was stopped, and $(active 1) is active"

# --- beside what a console puts there; each takes away its own
exits 0 amtcli filter ping pc0001 --yes
exits 0 amtcli filter remove pc0001 --yes
[ "$(active 1)" = amt:quarantine ] || fail "what a console took away was the watchdog's: $(active 1)"
[ "$(waiting pc0001 | cut -d' ' -f1-2)" = "agent quarantine" ] || fail "status beside: $(waiting pc0001)"
exits 0 amtcli filter remove pc0001 --yes -o json
[ "$(jq -r '.[0].remark' "$dir/out")" = "a policy of agent presence is active" ] || fail "what is left: $(cat "$dir/out")"
exits 0 amtcli filter remove pc0001 --when agent --yes -o json
[ "$(jq -r '.[0].state' "$dir/out")" = removed ] || fail "remove --when agent: $(cat "$dir/out")"
[ "$(waiting pc0001)" = "" ] || fail "status after remove --when agent: $(waiting pc0001)"
[ "$(drift)" = "as-kept: " ] || fail "drift after remove --when agent: $(drift)"
[ "$(ctl defense 1 | jq -c '[.filters, .policies]')" = '[[],[]]' ] || fail "left behind: $(ctl defense 1)"

# --- for a time, and unless somebody confirms: what waited before waits again
waits()
{
    [ "$(waiting "$1" | cut -d' ' -f1-2)" = "$2" ]
}
exits 0 amtcli filter apply quarantine pc0001 --when agent --yes
exits 0 amtcli filter apply ping-limit pc0001 --when agent --for 1s --yes -o json
[ "$(jq -r '.[0].state' "$dir/out")" = ready ] || fail "apply --when agent --for: $(cat "$dir/out")"
wait_until "what waited before" waits pc0001 "agent quarantine"
set_device 1 '{"agents": {"agent": "antivirus", "does": "stop"}}'
[ "$(active 1)" = amt:quarantine ] || fail "what waited before, and now acts: $(active 1)"
exits 0 amtcli filter apply ping-limit pc0002 --when agent --confirm-within 1s --yes
wait_until "nothing, as nobody confirmed" waits pc0002 ""
[ "$(ctl defense 2 | jq -c '[.filters, .policies]')" = '[[],[]]' ] || fail "left behind: $(ctl defense 2)"
exits 0 amtcli filter apply block-all pc0002 --when agent --force --confirm-within 1h --yes
[ "$(amtcli filter status pc0002 -o json | jq '.[0].waiting[0].confirm_by | length')" -gt 0 ] || fail "status: no end is told"
exits 0 amtcli filter confirm pc0002
says "$dir/err" "0 hosts keep their filters"
exits 0 amtcli filter confirm pc0002 --when agent
says "$dir/err" "1 host keeps its filters"
exits 0 amtcli filter status pc0002 -o json
[ "$(jq -c '.[0].waiting[0] | [.policy, .confirm_by]' "$dir/out")" = '["block-all",null]' ] || fail "confirmed: $(cat "$dir/out")"
exits 0 amtcli filter remove @lab --when agent --yes
exits 0 amtcli agent remove @lab --all --yes
exits 0 amtcli agent list @lab -o json
[ "$(jq '[.[] | .detail.agents[]] | length' "$dir/out")" = 0 ] || fail "agents are left: $(cat "$dir/out")"

# --- worms: what is counted, the policy for a breach, and its end
worm()
{
    amtcli worm show "$1" -o json | jq -r '[.[0].detail[]] | map(tostring) | join(" ")'
}
exits 2 amtcli worm set pc0001 --packets 50 --within 5s --yes
says "$dir/err" "within 10 to 1000 ms, or within 10 to 50 s"
exits 0 amtcli worm show pc0003 -o json
[ "$(jq -r '.[0].remark' "$dir/out")" = "it has no worm detection: AMT 3 to 11 have" ] || fail "AMT 16: $(cat "$dir/out")"
exits 1 amtcli worm set pc0003 --packets 50 --within 100ms --yes -o json
[ "$(jq -r '.[0].cause' "$dir/out")" = unsupported ] || fail "set on AMT 16: $(cat "$dir/out")"
exits 1 amtcli filter apply quarantine pc0003 --when worm --yes -o json # of which nothing was made
[ "$(jq -r '.[0] | .cause + " " + .state' "$dir/out")" = "unsupported unchanged" ] || fail "worm on AMT 16: $(cat "$dir/out")"
exits 0 amtcli worm set pc0001 --packets 50 --within 100ms --block port --lasts 30m --yes
[ "$(worm pc0001)" = "off 50 100 port 1800 false" ] || fail "set: $(worm pc0001)"
exits 0 amtcli worm set pc0001 --packets 20 --within 10s --yes
[ "$(worm pc0001)" = "off 20 10000 none 0 false" ] || fail "set anew: $(worm pc0001)"
exits 0 amtcli filter apply quarantine pc0001 --when worm --yes -o json
[ "$(jq -r '.[0].state' "$dir/out")" = ready ] || fail "apply --when worm: $(cat "$dir/out")"
[ "$(worm pc0001 | cut -d' ' -f1)" = watching ] || fail "it does not watch: $(worm pc0001)"
set_device 1 '{"defense": {"breach": "slow"}}'
[ "$(worm pc0001 | cut -d' ' -f1,7)" = "breach slow" ] || fail "breach: $(worm pc0001)"
[ "$(ctl defense 1 | jq -r '[.ports[] | .active // "none"] | join(" ")')" = "amt:quarantine none" ] ||
    fail "the breach activates: $(active 1)"
exits 0 amtcli worm reset pc0001 --yes
[ "$(worm pc0001 | cut -d' ' -f1)" = watching ] || fail "reset: $(worm pc0001)"
[ "$(active 1)" = none ] || fail "the breach is over, and $(active 1) is active"
[ "$(waiting pc0001 | cut -d' ' -f1-2)" = "worm quarantine" ] || fail "status of the worm's: $(waiting pc0001)"
exits 0 amtcli filter apply ping-limit pc0001 --when worm --for 1s --yes
wait_until "what waited for worms before" waits pc0001 "worm quarantine"
[ "$(worm pc0001 | cut -d' ' -f1)" = watching ] || fail "it does not watch any more: $(worm pc0001)"

# --- what others take away is drift; all of it goes with --all, on the device and in the store
exits 0 amtcli filter apply remediate pc0001 --when agent --yes
exits 0 amtcli filter ping pc0001 --yes
[ "$(waiting pc0001 | tr , '\n' | awk '{ print $1, $2 }' | tr '\n' ,)" = "agent remediate,worm quarantine," ] ||
    fail "two that wait: $(waiting pc0001)"
[ "$(amtcli filter status pc0001 -o csv | tail -n +2 | cut -d, -f2,3 | tr '\n' ' ')" = \
    "ping-limit,now remediate,agent quarantine,worm " ] || fail "three policies: $(amtcli filter status pc0001 -o csv)"
[ "$(drift)" = "as-kept: " ] || fail "drift of three: $(drift)"
set_device 1 '{"realm": "new"}' # provisioned anew: nothing is there any more
amtcli host set pc0001 --forget-realm 2> /dev/null
exits 0 amtcli filter ping pc0001 --yes
exits 1 amtcli filter drift pc0001 -o json
[ "$(drift)" = "drifted: the device does not hold the policy that was put there for agent presence" ] ||
    fail "drift of what waited: $(drift)"
exits 0 amtcli filter remove pc0001 --all --yes
[ "$(ctl defense 1 | jq -c '[.filters, .policies]')" = '[[],[]]' ] || fail "left behind: $(ctl defense 1)"
[ "$(waiting pc0001)" = "" ] || fail "status after remove --all: $(waiting pc0001)"
[ "$(drift)" = "as-kept: " ] || fail "drift after remove --all: $(drift)"
amtd_stop
amtsim_stop
echo "filter_agent: ok"
