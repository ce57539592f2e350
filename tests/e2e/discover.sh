#!/usr/bin/env bash
# discover.sh BIN_DIR: sweeps through simulated devices: what is at each address, what becomes of it, a sweep that
# goes on after amtd was killed, machines that changed their addresses, and UUIDs that two have.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

cat > "$dir/scenario" << 'YAML'
devices:
  - {select: 1-60, generation: 6}
  - {select: 61-120, generation: 9}
  - {select: 121-180, generation: 11}
  - {select: 241-249, faults: [{fault: not-provisioned}]}
  - {select: 250, faults: [{fault: not-provisioned}, {fault: lost-pong, first: 3}]}
  - {select: 251-260, faults: [{fault: not-amt}]}
  - {select: 261-262, faults: [{fault: silent}]}
  - {select: 290, uuid-of: 289}
YAML
rmcp=$((port + 9))
simulate() # ADDRESS OPTION...: 300 devices from that address on
{
    local address=$1
    shift
    amtsim_start --devices 300 --seed 7 --address "$address" --rmcp-port $rmcp --scenario "$dir/scenario" "$@"
}
quick=(--port $port --rmcp-port $rmcp --rate 50000 --per-subnet 20000)
finding() # ADDRESS...: what the last JSON says of each, in one line
{
    jq -r --args '[.[] | select(.address | IN($ARGS.positional[]))] | map(.finding) | join(" ")' "$@" < "$dir/out"
}
expect() # WHAT IS WANT
{
    [ "$2" = "$3" ] || fail "$1: '$2', not '$3'"
}

simulate 127.16.0.1
amtd_start
amtcli profile add lab --user admin --password-file "$dir/pw" --port $port

# --- what is there ---
exits 0 amtcli discover 127.16.0.0/23 '!127.16.1.128/25' "${quick[@]}" -o json
expect addresses "$(jq length "$dir/out")" 384
expect AMT "$(jq '[.[] | select(.finding == "amt")] | length' "$dir/out")" 280
expect 'not provisioned' "$(jq '[.[] | select(.finding == "not-provisioned")] | length' "$dir/out")" 10
expect 'other services' "$(finding 127.16.0.251 127.16.1.5)" 'other-service amt'
expect versions "$(jq -r '[.[] | .version // empty] | unique | join(" ")' "$dir/out")" \
    '11.8.93.4323 16.0 16.0.15.1810 6.2.50 9.1.45'
jq -e '.[] | select(.address == "127.16.0.241") | .provisioning == "pre" and .amt' "$dir/out" > /dev/null ||
    fail "not provisioned: $(cat "$dir/out")"
# A ping says what no answer over HTTP does.
jq -e '.[] | select(.address == "127.16.1.5") | .why | contains("ping")' "$dir/out" > /dev/null || fail "silent one"
says "$dir/err" '280 amt, 10 not-provisioned'
for ((n = 1; n <= 300; n += 50)); do
    expect 'logins tried' "$(ctl record $n | jq '.counters | .logins_wrong + .logins_ok')" 0
done
exits 0 amtcli discover show
says "$dir/out" 'nginx'
exits 2 amtcli discover
exits 2 amtcli discover 10.0.0.0/8 10.0.0.9-1
exits 2 amtcli discover fe80::1

# --- amtd is killed in the middle: nothing is asked twice that was done, and nothing is left out ---
amtcli discover 127.16.0.0/23 --port $port --rmcp-port $rmcp --rate 400 --per-subnet 400 > "$dir/out" 2> "$dir/err" &
sweep=$!
halfway()
{
    amtcli discover show 2 -o json 2> /dev/null | jq -e 'length > 100' > /dev/null
}
wait_until 'half of a sweep' halfway
kill -9 "$amtd_pid"
wait "$amtd_pid" || true
wait $sweep && fail 'a sweep whose amtd was killed succeeded'
amtd_start
exits 0 amtcli discover list -o json
expect 'the killed sweep' "$(jq -r '.[0].state' "$dir/out")" unfinished
exits 2 amtcli discover --resume --add
exits 0 amtcli discover --resume -o json
expect 'addresses of both halves' "$(jq length "$dir/out")" 512
expect 'AMT of both halves' "$(jq '[.[] | select(.finding == "amt")] | length' "$dir/out")" 280
exits 2 amtcli discover --resume=2

# --- the fleet; some get another realm, which they lose when amtsim begins anew ---
ctl set 20-29 realm=new > "$dir/ctl"
ctl set 262 'faults=[]' > "$dir/ctl"
exits 0 amtcli discover 127.16.0.0/23 "${quick[@]}" --add --profile lab --tag site=lab -o json
expect added "$(jq '[.[] | select(.outcome == "added")] | length' "$dir/out")" 277
expect 'one UUID twice' "$(jq -r '[.[] | select(.outcome == "duplicate-uuid") | .host] | join(" ")' "$dir/out")" \
    'pc0289 pc0290'
expect 'not read' "$(jq -r '[.[] | select(.outcome == "added-unread") | .host] | join(" ")' "$dir/out")" \
    127.16.1.5
ctl set 261 'faults=[]' > "$dir/ctl"
exits 0 amtcli collection add old --where 'amt.version < 9 and tag.site = "lab"'
expect 'a saved query' "$(amtcli collection show old -o json | jq -r .members)" \
    'pc[0001-0060]'
exits 0 amtcli discover 127.16.0.0/23 "${quick[@]}" --add --profile lab -o json
expect 'known again' "$(jq '[.[] | select(.outcome == "known")] | length' "$dir/out")" 279
expect 'one that was not read before, and speaks now' "$(jq -r '[.[] | select(.outcome == "added") | .host] | join(" ")' "$dir/out")" pc0261
exits 0 amtcli discover diff -o json
expect events "$(amtcli event list --kind sweep -o json |
    jq '[.[] | select(.text | contains("127.16.1.5: changed version"))] | length')" 1
expect changes "$(jq -r 'map("\(.address) \(.change) \(.what)") | join(", ")' "$dir/out")" '127.16.1.5 changed version'

# --- everybody moves by one network: the same machines at other addresses ---
amtsim_stop
sed -i '/silent/d' "$dir/scenario"
simulate 127.16.4.1
exits 0 amtcli discover 127.16.4.0/23 "${quick[@]}" --add --profile lab -o json
expect moved "$(jq '[.[] | select(.outcome == "moved")] | length' "$dir/out")" 280
expect 'pc0017 is known again' "$(amtcli host list pc0017 -o json | jq -r '.[0] | "\(.address) \(.tags.site)"')" \
    '127.16.4.17 lab'
expect 'hosts' "$(amtcli host list -o json | jq '[.[] | select(.name | startswith("pc"))] | length')" 280
amtd_stop
amtsim_stop
