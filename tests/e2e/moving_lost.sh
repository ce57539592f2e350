#!/usr/bin/env bash
# moving_lost.sh BIN_DIR: machines that are lost at their old address and at the new one, and boards that share a UUID, also
# one that their maker forgot to set: no host becomes another machine, and what can be found again is.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
rmcp=$((port + 9))
cat > "$dir/scenario" << 'YAML'
devices:
  - {select: 3, uuid-of: 2}
  - {select: 4-6, uuid: sample}
  - {select: 7-8, uuid: zeros}
  - {select: 9-10, uuid: ones}
YAML
amtsim_start --devices 12 --rmcp-port $rmcp --scenario "$dir/scenario" --power-seconds 0.1-0.2
amtd_start
amtcli profile add lab --user admin --password-file "$dir/pw" --port $port
sweep()
{
    exits 0 amtcli discover 127.16.0.0/24 --port $port --rmcp-port $rmcp --rate 50000 --per-subnet 20000 --add --profile lab -o json
}
outcome() # ADDRESS: what became of it, and which host
{
    jq -r --arg a "$1" '.[] | select(.address == $a) | "\(.outcome // "none") \(.host // "-")"' "$dir/out"
}
is() # WHAT IS WANT
{
    [ "$2" = "$3" ] || fail "$1: '$2', not '$3'"
}
address() { amtcli host list "$1" -o json | jq -r '.[0].address'; }
touched() # DEVICE: power requests that it heard
{
    ctl record "$1" | jq '[.events[] | select(.event == "power")] | length'
}
is_at() { [ "$(ctl get "$1" | jq -r .address)" = "$2" ]; }
away() # DEVICE ADDRESS
{
    ctl set "$1" address="$2" > "$dir/ctl"
    wait_until "its move" is_at "$1" "$2"
}
ctl set 3 'faults=[{"fault": "refused"}, {"fault": "lost-pong"}]' > "$dir/ctl"
sweep
is 'shared UUIDs' "$(jq -r '[.[] | select(.outcome == "duplicate-uuid") | .host] | join(" ")' "$dir/out")" 'pc0004 pc0005 pc0006 pc0007 pc0008 pc0009 pc0010'
is 'hosts' "$(amtcli host list -o json | jq length)" 11

echo '--- lost at both addresses: it lets nobody in at the new one'
away 1 127.16.0.101
ctl set 1 'faults=[{"fault": "wrong-password"}]' > "$dir/ctl"
sweep
is 'a mover that lets nobody in' "$(outcome 127.16.0.101)" 'moved-unread pc0001'
is 'its address' "$(address pc0001)" 127.16.0.1
ctl clear all > "$dir/ctl"
cat > "$dir/cycle.yaml" << 'YAML'
name: cycle
tasks:
  - { power: cycle }
YAML
exits 1 amtcli job run "$dir/cycle.yaml" pc0001 --yes -o json
jq -e '.[0].cause | . == "unreachable" or . == "refused" or . == "dropped"' "$dir/out" > "$dir/ctl" || fail "not lost: $(cat "$dir/out")"
is 'touched where it is not known to be' "$(touched 1)" 0
# told by hand where it is, it is lost there, too: once, and as what it is
exits 0 amtcli host set pc0001 --address 127.16.0.101
exits 1 amtcli job run "$dir/cycle.yaml" pc0001 --yes -o json
is 'cause at the new address' "$(jq -r '.[0].cause' "$dir/out")" auth-failed
is 'touched there' "$(touched 1)" 0
exits 0 amtcli host set pc0001 --address 127.16.0.1
sleep 2 # the wrong password was counted
ctl set 1 'faults=[]' > "$dir/ctl"
sweep
is 'it lets us in again' "$(outcome 127.16.0.101)" 'moved pc0001'
exits 0 amtcli job run "$dir/cycle.yaml" pc0001 --yes
is 'cycled there' "$(touched 1)" 1

echo '--- a clone comes while the first is away: it is no mover'
away 2 127.16.1.2
ctl set 3 'faults=[]' > "$dir/ctl"
sweep
is 'the clone' "$(outcome 127.16.0.3)" 'duplicate-uuid pc0003'
is 'the first stays' "$(address pc0002)" 127.16.0.2
ctl clear all > "$dir/ctl"
exits 1 amtcli power cycle pc0002 --yes
is 'nothing was done to the clone' "$(touched 3)" 0
# and the first itself is known again by its realm
away 2 127.16.0.102
sweep
is 'the first again' "$(outcome 127.16.0.102)" 'moved pc0002'
is 'the clone again' "$(outcome 127.16.0.3)" 'known pc0003'

echo '--- provisioned anew and moved at once: its network port proves it'
ctl set 11 realm=new > "$dir/ctl"
away 11 127.16.0.111
sweep
is 'the same board' "$(outcome 127.16.0.111)" 'moved pc0011'

echo '--- boards without a UUID of their own'
away 4 127.16.1.4
ctl set 5 realm=new > "$dir/ctl"
away 5 127.16.0.105
away 7 127.16.1.7
away 8 127.16.0.107 # not the one that was at .7
sweep
is 'sample, provisioned anew, moved' "$(outcome 127.16.0.105)" 'moved pc0005'
is 'zeros, moved' "$(outcome 127.16.0.107)" 'moved pc0008'
is 'addresses' "$(for n in 4 5 6 7 8 9; do address pc000$n; done | paste -sd' ')" \
    '127.16.0.4 127.16.0.105 127.16.0.6 127.16.0.7 127.16.0.107 127.16.0.9'
is 'hosts at the end' "$(amtcli host list -o json | jq length)" 12
ctl clear all > "$dir/ctl"
exits 0 amtcli power reset pc0008 --yes
is 'reset' "$(touched 8) $(touched 7)" '1 0'
amtd_stop
amtsim_stop
echo 'moving_lost: ok'
