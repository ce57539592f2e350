#!/usr/bin/env bash
# Replicas of a node's consoles: at its offsets, without gap or repetition, through cut links and dead amtds; a chain of
# three; typing back; proofs.
#   nodes_replica.sh DIRECTORY-OF-PROGRAMS DIRECTORY-OF-TEST-PROGRAMS
# shellcheck source=tests/e2e/nodes_lib.sh
. "$(dirname "$0")/nodes_lib.sh"
probe=$(cd "$2" && pwd)/mux_probe

call() { # AMTD NAME [PARAMS]
    local name=$1
    shift
    "$probe" "$dir/$name/state/amtd.sock" call "$@"
}
reply() { # AMTD FILTER NAME [PARAMS]
    local name=$1 filter=$2
    shift 2
    call "$name" "$@" | jq -r "select(.reply) | .reply | $filter"
}
state_is() { # AMTD CONSOLE STATE
    [ "$(reply "$1" .state console.show "{\"name\": \"$2\"}")" = "$3" ]
}
end_of() { # AMTD CONSOLE
    reply "$1" .end console.show "{\"name\": \"$2\"}"
}
whole() { # AMTD CONSOLE FILE: all that its log has, with the offset in front of every stretch
    call "$1" log.show "{\"name\": \"$2\"}" | jq -rj 'select(.event) | .event.text // error("bytes are missing")' > "$3"
}
join_node() { # SERVER NODE
    at "$2" node join "$(at "$1" node invite "$2" 2> /dev/null)" > /dev/null
}
# Every number once, in order; after a restart the source begins again at 0.
numbers_are_whole() { # FILE
    sed '$d' "$1" | tr -d '\r' | awk '{ n = $2 + 0; if (n != want && n != 0) { print "line " NR ": " $0 ", not " want; exit 1 }; want = n + 1 }'
}
same_logs() { # AMTD CONSOLE AMTD CONSOLE: the second has all that the first had when this began
    local upto
    upto=$(end_of "$1" "$2")
    has_come() { [ "$(end_of "$3" "$4")" -ge "$upto" ]; }
    wait_until "the replica $4 at $3" has_come "$@"
    whole "$1" "$2" "$dir/one"
    whole "$3" "$4" "$dir/two"
    cmp <(head -c "$upto" "$dir/one") <(head -c "$upto" "$dir/two") || fail "the replica $4 at $3 is not what $2 is"
}

consoles='console-defaults: { retry-min: 100ms, retry-max: 1s, log: { sign: 1s, segment-size: 4MiB } }
consoles:
  - { name: numbers, source: { type: test, rate: 100000 } }
  - { name: shell, source: { type: exec, command: "exec sh -i" } }'
place rack "$consoles"
place central
place top
start rack
whole_is() { [ "$(end_of rack numbers)" -gt 100000 ]; }
wait_until 'some numbers' whole_is
start central
start top

echo '--- a replica, from the beginning on'
join_node central rack
replica_up() { state_is central numbers@rack up; }
wait_until 'the replica' replica_up
same_logs rack numbers central numbers@rack
numbers_are_whole "$dir/two" || fail 'numbers are missing'
exits 0 at central console list
says "$dir/out" 'shell@rack'

echo '--- typing goes back, and the lease is the one at the node'
mkfifo "$dir/in"
"$probe" "$dir/central/state/amtd.sock" console '{"console": "shell@rack"}' < "$dir/in" > "$dir/writer" 2> "$dir/writer.events" &
exec 7> "$dir/in"
typed_there() { reply rack .writer console.show '{"name": "shell"}' | grep -q 'at central'; }
wait_until 'the lease at the node' typed_there
echo 'echo result-$((6 * 7))' >&7
wait_until 'the answer' grep -q result-42 "$dir/writer"
exits 0 at rack console shell --force --send 'echo local-$((6 * 7))\n' --expect 'local-42' --timeout 30s
exec 7>&-
exits 0 at central console 'shell@rack' --force --send 'echo again-$((6 * 7))\n' --expect 'again-42' --timeout 30s
exits 0 at central console send 'shell@rack' 'echo sent-$((6 * 7))'$'\n'
wait_until 'what was sent' grep -q 'sent-42' "$dir/rack/state/consoles/shell/console.log"
at central console break 'shell@rack' 2> "$dir/err" || true
wait_until 'the break' grep -q 'break' "$dir/rack/log"

echo '--- a server that is a node of another'
join_node top central
wait_until 'the third' state_is top numbers@rack@central up
same_logs rack numbers top numbers@rack@central
exits 0 at top console 'shell@rack@central' --force --send 'echo far-$((6 * 7))\n' --expect 'far-42' --timeout 60s

echo '--- what the node signed proves its replicas'
exits 0 at rack console roll numbers
signed() { # AMTD CONSOLE: a closed segment of the node is covered there
    [ "$(reply "$1" '.origin.signed_to > 0 and .intact' log.verify "{\"name\": \"$2\"}")" = true ]
}
wait_until 'the proof at the server' signed central numbers@rack
wait_until 'the proof at the third' signed top numbers@rack@central
[ "$(reply central .origin.key log.verify '{"name": "numbers@rack"}')" = "$(reply rack .key log.verify '{"name": "numbers"}')" ] || fail 'the key'

echo '--- either side dies again and again, and the link is cut'
for ((i = 0; i < 4; i++)); do
    kill9 central
    start central
    wait_until 'the replica' replica_up
    kill9 rack
    start rack
    wait_until 'the replica' replica_up
done
same_logs rack numbers central numbers@rack
numbers_are_whole "$dir/two" || fail 'numbers are missing after kill -9'
wait_until 'the proof at the server' signed central numbers@rack
exits 0 at central log verify numbers@rack

echo '--- the node is gone, and the replica stays'
stop rack
not_up() { state_is central numbers@rack waiting; }
wait_until 'the end of the link' not_up
says "$dir/central/log" 'node: not connected any more'
stop central
start central
exits 0 at central console list
says "$dir/out" 'numbers@rack'
start rack
wait_until 'the replica' replica_up
same_logs rack numbers central numbers@rack

echo '--- one flipped bit is found'
segment=$(find "$dir/central/state/consoles/numbers@rack" -name '*.log.zst' | sort | head -1)
if [ -n "$segment" ]; then
    printf 'X' | dd of="$segment" bs=1 seek=500 conv=notrunc 2> /dev/null
    exits 1 at central log verify numbers@rack
    says "$dir/out" damaged
fi
stop top
stop rack
stop central
echo ok
