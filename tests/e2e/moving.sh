#!/usr/bin/env bash
# moving.sh BIN_DIR: machines that change their addresses while a job is at work, and another one that answers where they were: nothing
# is done to the wrong machine, and what a sweep finds again is gone on with. Two machines with one UUID.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
rmcp=$((port + 9))
cat > "$dir/scenario" << 'YAML'
devices:
  - {select: 8, uuid-of: 7}
YAML
amtsim_start --devices 8 --rmcp-port $rmcp --scenario "$dir/scenario" --power-seconds 1-1.1
amtd_start
fleet 8
exits 0 amtcli info @lab
quick=(--port $port --rmcp-port $rmcp --rate 50000 --per-subnet 20000)
is_at() # DEVICE ADDRESS
{
    [ "$(ctl get "$1" | jq -r .address)" = "$2" ]
}
run_is() # JOB JQ
{
    amtcli job list --job "$1" -o json | jq -e ".[0] | $2" > /dev/null
}
results() # JOB: host:task=cause or result, of the newest run
{
    amtcli job show "$(amtcli job list --job "$1" -o json | jq '.[0].run')" -o json 2> /dev/null > "$dir/shown" || true
    jq -r '[.[] | .host as $h | .tasks[] | "\($h):\(.task)=\(.cause // .result)"] | sort | join(" ")' "$dir/shown"
}
touched() # DEVICE...: what was asked of them: power requests and logins
{
    ctl record "$1" | jq -c '[([.events[] | select(.event == "power")] | length), .counters.logins_ok, .counters.logins_wrong]'
}
address() # HOST
{
    amtcli host list "$1" -o json | jq -r '.[0].address'
}

echo '--- away, and another one in its place'
# pc0001's machine goes to .101, and that of pc0002 to where it was. The job waits for it with a pause between two tasks.
cat > "$dir/move.yaml" << 'YAML'
name: move
tasks:
  - info:
  - { wait: { power: 'off' }, timeout: 20m }
  - { power: 'on', retry: { count: 100, pause: 1s } }
YAML
cat > "$dir/stubborn.yaml" << 'YAML'
name: stubborn
tasks:
  - { power: cycle, retry: { count: 100, pause: 1s } }
YAML
cat > "$dir/meek.yaml" << 'YAML'
name: meek
tasks:
  - { power: cycle }
YAML
amtcli job run "$dir/move.yaml" pc0001 --yes > /dev/null 2>&1 &
client=$!
first_done() { [[ $(results move) == *info=ok* ]]; }
wait_until "the first task" first_done
ctl set 1 address=127.16.0.101 > /dev/null
ctl set 2 address=127.16.0.1 > /dev/null
wait_until "its move" is_at 1 127.16.0.101
wait_until "that of the other one" is_at 2 127.16.0.1
ctl set 1 power=off > /dev/null
ctl clear all > /dev/null
exits 1 amtcli power cycle pc0001 --yes -o json
[ "$(jq -r '.[0].cause' "$dir/out")" = realm-changed ] || fail "somebody else: $(cat "$dir/out")"
exits 1 amtcli job run "$dir/meek.yaml" pc0001 --yes
[ "$(results meek)" = 'pc0001:power=realm-changed' ] || fail "a job there: $(results meek)"
exits 1 amtcli password rotate pc0001 --yes
exits 1 amtcli boot pc0001 --to bios --reset --yes
exits 1 amtcli console pc0001 --expect never --timeout 3s
[ "$(touched 2)" = '[0,0,0]' ] || fail "the wrong machine was logged in to: $(touched 2)"
[ "$(ctl record 2 | jq '[.events[] | select(.event == "session" or .event == "change")] | length')" = 0 ] || fail "the wrong machine was changed"

echo '--- found again, the run goes on'
amtcli job run "$dir/stubborn.yaml" pc0002 --yes > /dev/null 2>&1 &
second=$!
running() { run_is stubborn '.state == "running"'; }
wait_until "a second run" running
exits 0 amtcli discover 127.16.0.0/24 "${quick[@]}" --add --profile lab -o json
[ "$(jq -r '[.[] | select(.outcome == "moved") | "\(.host)=\(.address)"] | sort | join(" ")' "$dir/out")" = 'pc0001=127.16.0.101 pc0002=127.16.0.1' ] ||
    fail "not found again: $(jq -c '.[] | select(.outcome) | [.address, .host, .outcome]' "$dir/out")"
wait $client || fail "the run did not go on: $(results move) $(jq -c . "$dir/shown")"
wait $second || fail "the second run did not go on: $(results stubborn) $(jq -c . "$dir/shown")"
[ "$(results move)" = 'pc0001:info=ok pc0001:power=ok pc0001:wait=ok' ] || fail "not all: $(results move)"
[ "$(results stubborn)" = 'pc0002:power=ok' ] || fail "not done: $(results stubborn)"
[ "$(ctl record 2 | jq '[.events[] | select(.event == "power")] | length')" = 1 ] || fail "the other one was cycled more than once: $(ctl record 2 | jq -c .events)"
says "$dir/amtd.log" 'it has moved from 127.16.0.1 to 127.16.0.101'
amtcli host list -o json | jq -e 'length == 8' > /dev/null || fail "hosts were added: $(amtcli host list)"

echo '--- by hand, in the middle of a task that waits'
cat > "$dir/wait.yaml" << 'YAML'
name: wait
tasks:
  - { wait: { reachable: yes }, timeout: 20m }
  - { power: reset }
YAML
ctl set 3 address=127.16.0.103 > /dev/null
wait_until "its move" is_at 3 127.16.0.103
ctl clear all > /dev/null
amtcli job run "$dir/wait.yaml" pc0003 --yes > /dev/null 2>&1 &
client=$!
waiting() { run_is wait '.state == "running"'; }
wait_until "the run" waiting
exits 0 amtcli host set pc0003 --address 127.16.0.103
wait $client || fail "it did not go on: $(results wait) $(jq -c . "$dir/shown")"

echo '--- one UUID twice'
uuid() { amtcli host list "$1" -o json | jq -r '.[0].facts["amt.uuid"]'; }
[ "$(uuid pc0007)" = "$(uuid pc0008)" ] || fail "not one UUID: $(uuid pc0007) $(uuid pc0008)"
ctl clear all > /dev/null
exits 0 amtcli discover 127.16.0.0/24 "${quick[@]}" --add --profile lab -o json
[ "$(address pc0007) $(address pc0008)" = '127.16.0.7 127.16.0.8' ] || fail "taken for one: $(amtcli host list)"
ctl set 7 address=127.16.0.107 > /dev/null
wait_until "its move" is_at 7 127.16.0.107
exits 0 amtcli discover 127.16.0.0/24 "${quick[@]}" --add --profile lab -o json
[ "$(address pc0007) $(address pc0008)" = '127.16.0.107 127.16.0.8' ] || fail "the wrong one of the two has moved: $(amtcli host list)"
exits 0 amtcli power reset pc0007 --yes
[ "$(ctl record 7 | jq '[.events[] | select(.event == "power")] | length') $(ctl record 8 | jq '[.events[] | select(.event == "power")] | length')" = '1 0' ] ||
    fail "done to the other one"
amtd_stop
amtsim_stop
echo "moving: ok"
