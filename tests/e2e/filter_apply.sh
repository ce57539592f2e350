#!/usr/bin/env bash
# filter_apply.sh BIN_DIR: filters on simulated devices by amtcli: applied, switched, unchanged, removed; what stands in
# the way; time-outs and confirmation over a restart; two administrators; devices that fail half-way.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

cat > "$dir/scenario.yaml" << 'YAML'
devices:
  - {select: 1-9, ports: both}
  - {select: 2, defense: {policies: 2, filters: 5, enabled: console, precedence: 500}}
  - {select: 3, defense: {policies: 1, filters: 75}}
  - {select: 4, control-mode: client}
  - {select: 5, defense: {policies: 1, filters: 3, enabled: agent, precedence: 10}}
  - {select: 6, faults: [{fault: refuse-activation, after: 1}]}
  - {select: 7, faults: [{fault: ignore-activation}]}
  - {select: 8, faults: [{fault: drop, at: after-change, after: 3, first: 2}]}
  - {select: 9, faults: [{fault: flash-worn, after: 6}]}
YAML
amtsim_start --devices 30 --generation 11 --scenario "$dir/scenario.yaml"
amtd_start
fleet 30

# objects DEVICE: what the device itself holds, without what changes by itself.
objects()
{
    ctl defense "$1" | jq -S 'del(.ports[].counted)'
}

# one HOST FIELD: of the only result in $dir/out.
one()
{
    jq -r ".[0] | $1" "$dir/out"
}

apply()
{
    amtcli filter apply "$@" --yes -o json
}

# --- the usual way
exits 0 apply quarantine pc0001
[ "$(one '[.result, .policy, .state] | join(" ")')" = "ok quarantine active" ] || fail "first: $(cat "$dir/out")"
[ "$(objects 1 | jq -r '[.ports[].active] | join(" ")')" = "amt:quarantine amt:quarantine" ] || fail "ports of 1"
[ "$(objects 1 | jq '.filters | length')" = "$(one .filters)" ] || fail "filters of 1"
objects 1 > "$dir/quarantined"
exits 0 apply quarantine pc0001
[ "$(one .state)" = unchanged ] || fail "again: $(cat "$dir/out")"
objects 1 | cmp -s - "$dir/quarantined" || fail "unchanged, and changed all the same"
exits 0 amtcli filter ping pc0001 -o json
[ "$(one '[.state, .policy] | join(" ")')" = "active ping-limit" ] || fail "ping: $(cat "$dir/out")"
[ "$(objects 1 | jq -c '[(.policies | length), (.filters | length), .ports[0].enabled]')" = \
    '[1,1,{"console":"amt:ping-limit"}]' ] || fail "leftovers of a switch: $(objects 1)"
exits 0 amtcli filter drift pc0001 -o json
[ "$(one .state)" = as-kept ] || fail "drift: $(cat "$dir/out")"
ctl json '{"device": 1, "set": {"realm": "new"}}' > /dev/null
amtcli host set pc0001 --forget-realm 2> /dev/null
exits 1 amtcli filter drift pc0001,pc0002 -o csv
says "$dir/out" "the device does not hold the policy"
exits 1 amtcli filter drift pc0001 -o json
[ "$(one .state)" = drifted ] || fail "drift after new provisioning: $(cat "$dir/out")"
exits 0 apply quarantine pc0001 --anti-spoof
exits 0 amtcli filter stats pc0001 -o json
[ "$(jq '[.[0].counts[] | .filter] | contains(["Rx Default"])' "$dir/out")" = true ] || fail "stats: $(cat "$dir/out")"
exits 0 amtcli filter remove pc0001 --yes -o json
[ "$(one .state)" = removed ] || fail "remove: $(cat "$dir/out")"
[ "$(objects 1 | jq -c '[.filters, .policies]')" = '[[],[]]' ] || fail "not all removed: $(objects 1)"
[ "$(amtcli filter status pc0001 -o json | jq -c '.[0].policy')" = null ] || fail "status after removal"

# --- what stands in the way: said, and nothing is changed
# refused NUMBER CAUSE TEXT
refused()
{
    objects "$1" > "$dir/before"
    exits 1 apply quarantine "pc000$1"
    [ "$(one '[.cause, .state] | join(" ")')" = "$2 $4" ] || fail "$1: $(jq 'del(.[].detail)' "$dir/out")"
    one .message | grep -qF "$3" || fail "$1: $(one .message)"
    objects "$1" | cmp -s - "$dir/before" || fail "$1 is not as before: $(objects "$1")"
}
refused 2 in-use "'isv-policy-0' is enabled on port" unchanged
refused 3 limit-exceeded "75 of at most 80, 75 of other products" unchanged
refused 4 unsupported "client control mode" unchanged
exits 0 amtcli filter remove pc0004 --yes -o json # where nothing can be, there is nothing to take away
[ "$(one .state)" = unchanged ] || fail "remove in client control mode: $(cat "$dir/out")"
refused 6 fault "" rolled-back
refused 7 not-reached "does not become active" rolled-back
refused 9 fault "0x26" rolled-back
exits 0 apply quarantine pc0005 # agent presence stands below
[ "$(objects 5 | jq '[.policies[] | select(.name == "isv-policy-0")] | length')" = 1 ] || fail "another product's policy"
exits 0 apply quarantine pc0008 # two answers were lost on the way
[ "$(one .state)" = active ] || fail "lost answers: $(cat "$dir/out")"
exits 0 amtcli filter remove pc0005 --yes
[ "$(objects 5 | jq -c '[(.policies | length), (.filters | length)]')" = '[1,3]' ] || fail "another product's objects"

# --- names, and mistakes in the file
exits 2 apply quarantine pc0010 --set dns=no-such-host.invalid
exits 2 apply "$dir/scenario.yaml" pc0010
cat > "$dir/site.xml" << 'XML'
<network-filters xmlns="urn:amt-network-filters:1" name="site">
  <policy precedence="50" default-out="pass" default-in="pass"/><variable name="server"/>
  <filter name="server" protocol="tcp" remote="@server" remote-ports="443" action="drop"/></network-filters>
XML
exits 1 apply "$dir/site.xml" pc0010
one .message | grep -qF server || fail "a name that nobody bound: $(cat "$dir/out")"
amtcli host set pc0010 --tag filter.server=10.9.8.7
exits 0 apply "$dir/site.xml" pc0010
ctl defense 10 | jq -r '.filters[].destination.address // empty' | grep -qx 0a090807 || fail "the tag's address"

# --- no room: who takes it, and what lets more pass instead
{
    echo '<network-filters xmlns="urn:amt-network-filters:1" name="wide">'
    for ((i = 0; i < 40; i++)); do
        echo "<filter name='r$i' direction='out' protocol='tcp' remote='10.3.$((i * 2)).0/24' remote-ports='443'/>"
    done
    echo '<filter name="server" remote="@management"/><filter name="arp" ethertype="arp"/><filter name="dhcp" protocol="udp" local-ports="68" remote-ports="67"/><filter name="dns" protocol="udp" remote-ports="53"/></network-filters>'
} > "$dir/wide.xml"
exits 1 apply "$dir/wide.xml" pc0020
[ "$(one '[.cause, .state] | join(" ")')" = "limit-exceeded unchanged" ] || fail "no room: $(one .message)"
one .message | grep -qF "rule 'dhcp' takes 5" || fail "no room: $(one .message)"
exits 0 apply "$dir/wide.xml" pc0020 --widen
one '.warnings[0]' | grep -qF "are widened to: tx pass ipv4 tcp to 10.3.0.0/" || fail "widened: $(one .warnings)"
exits 0 amtcli filter remove pc0020 --yes

exits 2 apply quarantine pc0010 --set managment=10.0.0.5
says "$dir/err" "--set managment: 'quarantine' has no such name: expected one of management,"

# --- what cuts off the way back, unless it undoes itself
exits 1 apply block-all pc0010
one '[.cause, .state] | join(" ")' | grep -qx "invalid-argument active" && fail "applied: $(cat "$dir/out")"
one .message | grep -qF "cuts off" || fail "block-all: $(one .message)"
exits 0 apply block-all pc0010 --force --confirm-within 2s
[ "$(one .state)" = active ] || fail "forced: $(cat "$dir/out")"
active_is()
{
    [ "$(objects "$1" | jq -r '.ports[0].active')" = "$2" ]
}
wait_until "the way back" active_is 10 amt:site

# --- what the later steps of a job depend on
printf 'tasks:\n  - filter: quarantine\n  - boot: pxe\n' > "$dir/job.yaml"
exits 1 amtcli filter check quarantine --needs "$dir/job.yaml"
says "$dir/out" "DROP  tftp"
exits 1 apply quarantine pc0010 --needs "$dir/job.yaml"
one .message | grep -qF "cuts off 'tftp'" || fail "needs of a job: $(one .message)"
cat > "$dir/needs.xml" << 'XML'
<network-filters xmlns="urn:amt-network-filters:1" name="needs"><need name="ntp" protocol="udp" remote-ports="123"/></network-filters>
XML
exits 1 apply quarantine pc0010 --needs "$dir/needs.xml"
one .message | grep -qF "cuts off 'ntp'" || fail "needs of a file: $(one .message)"
exits 2 apply quarantine pc0010 --needs "$dir/no-such-file"

# --- host names: in the file, in needs, in a host's tags; found out by whoever applies it, or by amtd
cat > "$dir/named.xml" << 'XML'
<network-filters xmlns="urn:amt-network-filters:1" name="needs"><need name="mirror" protocol="tcp" remote="localhost" remote-ports="80"/></network-filters>
XML
exits 1 apply quarantine pc0010 --set management=10.0.0.1 --needs "$dir/named.xml"
says "$dir/err" "amtcli: localhost is 127.0.0.1"
one .message | grep -qF "cuts off 'mirror'" || fail "a host name in needs: $(one .message)"
exits 0 apply quarantine pc0010 --set management=127.0.0.1 --set dns=localhost
[ "$(one .addresses.localhost)" != null ] || fail "which addresses: $(one .addresses)"
exits 2 apply quarantine pc0010 --needs <(sed s/localhost/no-such-host.invalid/ "$dir/named.xml")
says "$dir/err" "no-such-host.invalid"
exits 1 amtcli filter check quarantine --set management=10.0.0.1 --needs "$dir/named.xml" -o json
[ "$(jq -r '.addresses.localhost' "$dir/out")" != null ] || fail "checked addresses: $(cat "$dir/out")"
amtcli host set pc0010 --tag filter.server=localhost
exits 0 apply "$dir/site.xml" pc0010 --set management=10.0.0.1 # of the tag only amtd knows
one .addresses.localhost | grep -qF 127.0.0.1 || fail "what amtd looked up: $(one .addresses)"
ctl defense 10 | jq -r '.filters[].destination.address // empty' | grep -qx 7f000001 || fail "the address of the tag's name"
amtcli host set pc0010 --tag filter.server=no-such-host.invalid
exits 1 apply "$dir/site.xml" pc0010
one .message | grep -qF "host name 'no-such-host.invalid'" || fail "a name without address: $(one .message)"
amtcli host set pc0010 --tag filter.server=10.9.8.7
exits 0 apply "$dir/site.xml" pc0010

# --- what is set for collections: below a host's own tag and --set; where two differ, nothing is guessed
drops()
{
    [ "$(ctl defense 16 | jq -r '[.filters[].destination.address // empty] | unique | join(" ")')" = "$1" ] ||
        fail "$2: $(ctl defense 16)"
}
amtcli collection add nine --list pc0016 2> /dev/null
exits 2 amtcli collection set nine
exits 2 amtcli collection set nine --set 'no name=10.1.0.1'
exits 2 amtcli collection set nobody --set server=10.1.0.1
exits 0 amtcli collection set lab --set server=10.1.0.1 --set other=10.1.0.9
exits 0 amtcli collection show lab -o json
[ "$(jq -c .names "$dir/out")" = '{"other":"10.1.0.9","server":"10.1.0.1"}' ] || fail "names: $(cat "$dir/out")"
exits 0 apply "$dir/site.xml" pc0016
drops 0a010001 "the collection's"
exits 0 apply "$dir/site.xml" pc0016 --set server=10.1.0.2
drops 0a010002 "the command line's"
amtcli collection set @nine --set server=10.1.0.3 --set unused=1
exits 1 apply "$dir/site.xml" pc0016
one .message | grep -qF "@lab, @nine set @server differently" || fail "two collections: $(cat "$dir/out")"
exits 0 amtcli filter check "$dir/site.xml" --target pc0016
says "$dir/err" "@lab, @nine set @server differently"
exits 0 apply "$dir/site.xml" pc0016 --set server=10.1.0.2
amtcli host set pc0016 --tag filter.server=10.1.0.4
exits 0 apply "$dir/site.xml" pc0016
drops 0a010004 "the host's"
amtcli host set pc0016 --tag filter.server=
amtcli collection set lab --set server= --set other=
exits 0 apply "$dir/site.xml" pc0016
drops 0a010003 "the other collection's"
exits 0 amtcli filter remove pc0016 --yes
amtcli collection remove nine

# --- a file never tried on a generation
sed 's/name="site"/name="new"/' "$dir/site.xml" > "$dir/new.xml"
exits 2 apply "$dir/new.xml" 'pc[0011-0020]'
says "$dir/err" "was never applied to"
exits 0 apply "$dir/new.xml" 'pc[0011-0020]' --untested --set server=10.0.0.1
exits 0 apply "$dir/new.xml" 'pc[0011-0020]' --set server=10.0.0.2
exits 0 amtcli filter status 'pc[0011-0021]' -b -o csv
says "$dir/out" '10,pc[0011-0020],new,'
exits 0 amtcli filter remove 'pc[0010-0020]' --yes

# --- those that go ahead must be well
exits 1 apply quarantine 'pc0006,pc[0026-0029]' --untested --canary 1 # 6 does not become active
[ "$(jq -r '[.[] | .cause + " " + .state] | sort | unique | join(", ")' "$dir/out")" = \
    "cancelled unchanged, fault rolled-back" ] || fail "canary: $(jq -c '.[] | [.host, .cause, .state]' "$dir/out")"
exits 0 apply quarantine 'pc[0026-0029]' --untested --canary 1 --batch 2
# without being asked to: one goes ahead of more than five, and what cannot be reached has its place taken
ctl json '{"device": 26, "set": {"faults": [{"fault": "unreachable"}]}}' > /dev/null
exits 0 apply quarantine 'pc[0026-0030],pc0006' --untested --dry-run
[ "$(jq -r '[.[] | .stage] | join(" ")' "$dir/out")" = "1 2 2 2 2 2" ] || fail "stages: $(cat "$dir/out")"
says "$dir/err" "2 stages: 1 host goes ahead and must be well"
exits 1 apply quarantine 'pc0006,pc[0026-0030]' --untested # 6 does not become active
[ "$(jq '[.[] | select(.cause == "cancelled")] | length' "$dir/out")" = 5 ] || fail "unasked canary: $(cat "$dir/out")"
exits 1 apply quarantine 'pc[0026-0030],pc0010' --untested --timeout 3s
[ "$(jq '[.[] | select(.result == "ok")] | length' "$dir/out")" = 5 ] || fail "the place of one that is off: $(cat "$dir/out")"
ctl json '{"device": 26, "set": {"faults": []}}' > /dev/null
exits 0 amtcli filter remove 'pc0010,pc[0026-0030]' --yes
exits 0 apply "$dir/site.xml" pc0010
exits 0 amtcli filter remove 'pc[0026-0029]' --yes

# --- a way that answered before and does not any more: what was there is put back
# One connection fills the queue of a socket that nobody accepts from: whoever comes next hears nothing.
python3 - $((port + 3)) > "$dir/deaf" 2>&1 << 'PYTHON' &
import signal, socket, sys
deaf, good = socket.socket(), socket.socket()
deaf.bind(("127.16.0.11", int(sys.argv[1])))
deaf.listen(0)
good.bind(("127.16.0.12", int(sys.argv[1])))
good.listen(9)
print("listening", flush=True)
signal.alarm(300)
signal.pause()
PYTHON
deaf=$!
wait_until "a socket" grep -q listening "$dir/deaf"
cat > "$dir/ways.xml" << XML
<network-filters xmlns="urn:amt-network-filters:1" name="ways"><include file="quarantine.xml"/>
  <need name="help" protocol="tcp" remote="@management" local-ports="$((port + 3))"/></network-filters>
XML
cp "$bin/../share/amtd/filters/quarantine.xml" "$dir"
objects 11 > "$dir/before"
exits 1 apply "$dir/ways.xml" pc0011
[ "$(one '[.cause, .state] | join(" ")')" = "not-reached rolled-back" ] || fail "a lost way: $(cat "$dir/out")"
one .message | grep -qF "need 'help' is cut off" || fail "a lost way: $(one .message)"
objects 11 | cmp -s - "$dir/before" || fail "11 is not as before: $(objects 11)"
exits 0 apply "$dir/ways.xml" pc0012
[ "$(one '[.ways[] | select(.need == "help") | .before, .after] | all')" = true ] ||
    fail "ways: $(cat "$dir/out")"
kill $deaf
wait $deaf || true
# ... also when amtd dies while it tries: the next one tries what is left
python3 - $((port + 3)) > "$dir/deaf2" 2>&1 << 'PYTHON' &
import signal, socket, sys
deaf = socket.socket()
deaf.bind(("127.16.0.13", int(sys.argv[1])))
deaf.listen(0)
print("listening", flush=True)
signal.alarm(300)
signal.pause()
PYTHON
deaf=$!
wait_until "a socket" grep -q listening "$dir/deaf2"
objects 13 > "$dir/before"
apply "$dir/ways.xml" pc0013 > "$dir/out" 2>&1 &
client=$!
active_is()
{
    [ "$(objects "$1" | jq -r '.ports[0].active')" = "$2" ]
}
wait_until "the policy to be active" active_is 13 amt:ways
kill -KILL "$amtd_pid"
wait "$amtd_pid" 2> /dev/null || true
wait $client || true
amtd_start
at_nothing()
{
    [ "$(amtcli filter status pc0013 -o json | jq -r '.[0].at_it')" = null ]
}
wait_until "the repair" at_nothing
objects 13 | cmp -s - "$dir/before" || fail "13 is not as before: $(objects 13)"
kill $deaf
wait $deaf || true

# --- times, over a restart of amtd
exits 2 apply quarantine pc0021 --force
exits 0 apply quarantine pc0021
exits 0 apply "$dir/site.xml" pc0021 --set server=10.0.0.1 --for 3s
exits 0 apply "$dir/site.xml" pc0022 --set server=10.0.0.1 --confirm-within 3s
exits 0 apply "$dir/site.xml" pc0023 --set server=10.0.0.1 --confirm-within 3s
exits 0 amtcli filter confirm pc0023
amtd_stop
amtd_start
wait_until "quarantine to be back" active_is 21 amt:quarantine
wait_until "the unconfirmed file to be gone" active_is 22 null
active_is 23 amt:site || fail "a confirmed file was undone"
status_is()
{
    [ "$(amtcli filter status "$1" -o json | jq -r '.[0].policy')" = "$2" ]
}
wait_until "the status of 21" status_is pc0021 quarantine
wait_until "the status of 22" status_is pc0022 null

# --- two administrators: the second hears who and what
ctl json '{"device": 24, "set": {"faults": [{"fault": "slow", "ms": 1000}]}}' > /dev/null
apply quarantine pc0024 > "$dir/first" &
first=$!
at_it()
{
    amtcli filter status pc0024 -o json | jq -e '.[0].at_it' > /dev/null
}
wait_until "the first administrator" at_it
exits 1 amtcli filter remove pc0024 --yes -o json
[ "$(one .cause)" = in-use ] || fail "the second: $(cat "$dir/out")"
one .message | grep -qF "filter apply quarantine" || fail "the second is not told: $(one .message)"
ctl json '{"device": 24, "set": {"faults": []}}' > /dev/null
wait $first || fail "the first: $(cat "$dir/first")"

# --- a device that is lost half-way, and comes back
objects 25 > "$dir/before"
ctl json '{"device": 25, "set": {"faults": [{"fault": "drop", "at": "after-request", "after": 30}]}}' > /dev/null
exits 1 apply quarantine pc0025
[ "$(one .state)" = unfinished ] || fail "lost: $(jq 'del(.[].detail)' "$dir/out")"
[ "$(amtcli filter status pc0025 -o json | jq -r '.[0].at_it.state')" = half-done ] || fail "status of a lost host"
exits 1 apply quarantine pc0025
[ "$(one .cause)" = in-use ] || fail "half-done: $(cat "$dir/out")"
ctl json '{"device": 25, "set": {"faults": []}}' > /dev/null
amtd_stop # what is half-done is due at once at the next start
amtd_start
not_at_it()
{
    [ "$(amtcli filter status pc0025 -o json | jq -r '.[0].at_it')" = null ]
}
wait_until "the repair of a lost host" not_at_it
objects 25 | cmp -s - "$dir/before" || fail "it is not as before: $(objects 25)"
amtd_stop
amtsim_stop

# --- where hosts reach this server: as it reaches them, also by name; as configured; as the caller says
management_of()
{
    ctl defense 1 | jq -r '[.filters[].destination.address // empty] | unique | join(" ")'
}
amtsim_start --devices 1 --address 127.0.0.1
amtd_start
amtcli host add localhost --profile lab 2> /dev/null
exits 0 apply quarantine localhost --set dns=10.0.0.2
management_of | grep -qw 7f000001 || fail "by name: $(management_of)"
amtd_stop
echo 'management: 10.0.0.5 nonsense' > "$dir/amtd.yaml"
exits 1 amtd --foreground --config "$dir/amtd.yaml"
says "$dir/err" "'management': expected addresses"
echo 'management: 10.0.0.5 2001:db8::5' > "$dir/amtd.yaml"
amtd_start --config "$dir/amtd.yaml"
exits 0 apply quarantine localhost --set dns=10.0.0.2
management_of | grep -q '0a000005.*20010db8000000000000000000000005' || fail "as configured: $(management_of)"
exits 0 apply quarantine localhost --set dns=10.0.0.2 --set management=10.0.0.7
management_of | grep -qw 0a000007 || fail "as the caller says: $(management_of)"
amtd_stop
amtsim_stop
echo "filter_apply: ok"
