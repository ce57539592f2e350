#!/usr/bin/env bash
# A node loses power, and with it bytes that its server has already; then it logs on for itself before the server is back. No
# offset stands for two bytes. And a server that is a node of another loses power: its own node gives it again what is missing.
#   nodes_power_loss.sh DIRECTORY-OF-PROGRAMS DIRECTORY-OF-TEST-PROGRAMS
# shellcheck source=tests/e2e/nodes_lib.sh
. "$(dirname "$0")/nodes_lib.sh"
probe=$(cd "$2" && pwd)/mux_probe

call() { # AMTD NAME [PARAMS]
    local name=$1
    shift
    "$probe" "$dir/$name/state/amtd.sock" call "$@"
}
end_of() { # AMTD CONSOLE
    call "$1" console.show "{\"name\": \"$2\"}" | jq -r 'select(.reply) | .reply.end'
}
longer() { [ "$(end_of "$1" "$2" 2> /dev/null || echo 0)" -gt "$3" ]; }
part() { # AMTD CONSOLE FROM TO FILE: those bytes of its log, which has them all
    call "$1" log.show "{\"name\": \"$2\", \"from\": $3, \"to\": $4}" |
        jq -rj 'select(.event) | .event.text // error("bytes are missing")' > "$5"
    [ "$(stat -c %s "$5")" = $(($4 - $3)) ] || fail "$2 at $1 has not all bytes from $3 to $4"
}
same() { # AMTD CONSOLE AMTD CONSOLE FROM TO
    part "$1" "$2" "$5" "$6" "$dir/one"
    part "$3" "$4" "$5" "$6" "$dir/two"
    cmp "$dir/one" "$dir/two" || fail "$4 at $3 is not what $2 at $1 is, from $5 to $6"
}
# lose_power AMTD CONSOLE BYTES: what is seen after the machine started again; those bytes had not been written to its disk.
lose_power() {
    local log=$dir/$1/state/consoles/$2
    [ "$(stat -c %s "$log/console.log")" -gt "$3" ] || fail "the open segment of $2 has less than $3 bytes"
    truncate -s "-$3" "$log/console.log"
    [ ! -e "$log/promise" ] || sed -i 's/ .*/ 11111111-2222-3333-4444-555555555555/' "$log/promise"
}
join_node() { # SERVER NODE
    at "$2" node join "$(at "$1" node invite "$2" 2> /dev/null)" > /dev/null
}

place rack 'console-defaults: { retry-min: 100ms, retry-max: 1s, log: { sign: 60s, segment-size: 100MiB } }
consoles: [ { name: one, source: { type: test, rate: 200000 } } ]'
place central
place top
start rack
start central
start top
join_node central rack
join_node top central
wait_until 'a replica of the replica' longer top one@rack@central 600000

echo '--- the node loses power'
[ -e "$dir/rack/state/consoles/one/promise" ] || fail 'bytes were sent, and nothing was promised'
kill9 rack
stop central
before=$(stat -c %s "$dir/rack/state/consoles/one/console.log")
held=$(stat -c %s "$dir/central/state/consoles/one@rack/console.log")
lose_power rack one 200000
left=$((before - 200000))
[ "$held" -gt "$left" ] || fail 'the server has no more than the node'
promised=$(cut -d' ' -f1 "$dir/rack/state/consoles/one/promise")
[ "$promised" -ge "$before" ] || fail "$before bytes may have been sent, but $promised were promised"
start rack
wait_until 'new bytes at the node alone' longer rack one $((promised + 100000))
exits 0 at rack log events one
says "$dir/out" 'power failed'
start central
now=$(end_of rack one)
wait_until 'the replica' longer central one@rack "$((now - 1))"
same rack one central one@rack 0 "$left"
same rack one central one@rack "$promised" "$now"
exits 0 at central log events one@rack
says "$dir/out" 'not in the log of the node any more'
# what only the server has is what the source said before
part central one@rack 0 "$held" "$dir/all"
sed '$d' "$dir/all" | tr -d '\r' | awk '{ n = $2 + 0; if (n != want) { print "line " NR ": " $0; exit 1 }; want = n + 1 }' ||
    fail 'the replica has other bytes than the source said'
exits 0 at rack console roll one
exits 0 at rack log verify one
proved() { [ "$(call central log.verify '{"name": "one@rack"}' | jq -r 'select(.reply) | .reply | .intact and .origin.signed_to > '"$promised")" = true ]; }
wait_until 'the proof' proved

echo '--- sudden death is no loss of power'
kill9 rack
start rack
now=$(end_of rack one)
wait_until 'more' longer rack one $((now + 10000))
same rack one central one@rack "$promised" "$now"

echo '--- the server in the middle loses power: its node has the bytes'
wait_until 'the third' longer top one@rack@central "$now"
stop rack
kill9 central
lose_power central one@rack 50000
start central
sleep 1 # the third asks for what is not there
start rack
now=$(end_of rack one)
wait_until 'the server in the middle' longer central one@rack "$now"
wait_until 'the third' longer top one@rack@central "$now"
same rack one central one@rack "$promised" "$now"
same rack one top one@rack@central "$promised" "$now"

echo '--- closed in good order: nothing is promised any more'
stop rack
[ ! -e "$dir/rack/state/consoles/one/promise" ] || fail 'a promise is left'
end=$(($(stat -c %s "$dir/rack/state/consoles/one/console.log")))
start rack
wait_until 'more' longer rack one "$end"
stop rack
stop central
stop top
echo ok
