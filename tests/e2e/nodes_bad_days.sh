#!/usr/bin/env bash
# A link that is cut every second or sooner, and amtds that die, under load: every byte of the source is in the node's log
# and in the replica, once and in order.
#   nodes_bad_days.sh DIRECTORY-OF-PROGRAMS DIRECTORY-OF-TEST-PROGRAMS
# shellcheck source=tests/e2e/nodes_lib.sh
. "$(dirname "$0")/nodes_lib.sh"
probe=$(cd "$2" && pwd)/mux_probe
here=$(cd "$(dirname "$0")" && pwd)
proxy_port=$((port + 3))
proxy=

call() { # AMTD NAME [PARAMS]
    local name=$1
    shift
    "$probe" "$dir/$name/state/amtd.sock" call "$@"
}
end_of() { # AMTD CONSOLE
    call "$1" console.show "{\"name\": \"$2\"}" | jq -r 'select(.reply) | .reply.end'
}
part() { # AMTD CONSOLE FROM TO: those bytes of its log
    call "$1" log.show "{\"name\": \"$2\", \"from\": $3, \"to\": $4}" |
        jq -rj 'select(.event) | .event.text // error("bytes are missing")'
}
start_proxy() { # SHORTEST LONGEST
    [ -z "$proxy" ] || stop_proxy
    : > "$dir/proxy.out"
    "$here/cut_proxy.py" "$proxy_port" "${port_of[central]}" "$1" "$2" >> "$dir/proxy.out" &
    proxy=$!
    wait_until 'the proxy' grep -q ready "$dir/proxy.out"
}
stop_proxy() {
    kill "$proxy"
    wait "$proxy" 2> /dev/null || true
    proxy=
}
finish_proxy() {
    local status=$?
    [ -z "$proxy" ] || kill "$proxy" 2> /dev/null || true
    set +e
    (exit $status)
    finish_nodes
}
trap finish_proxy EXIT
# All consoles: the replica has what the node has, and nothing is missing or twice.
compare() {
    local name upto
    for name in one two three; do
        upto=$(end_of rack $name)
        caught_up() { [ "$(end_of central "$name@rack")" -ge "$upto" ]; }
        deadline=$((SECONDS + 120))
        until caught_up; do
            [ $SECONDS -lt $deadline ] || fail "the replica of $name stays behind: $(end_of central "$name@rack") of $upto"
            sleep 0.2
        done
        part rack $name 0 "$upto" > "$dir/node.bytes"
        part central "$name@rack" 0 "$upto" > "$dir/replica.bytes"
        [ "$(stat -c %s "$dir/node.bytes")" = "$upto" ] || fail "the node has lost bytes of $name"
        cmp "$dir/node.bytes" "$dir/replica.bytes" || fail "the replica of $name is not what the node has"
        sed '$d' "$dir/replica.bytes" | tr -d '\r' | awk '{ n = $2 + 0; if (n != want && n != 0) { print "line " NR ": " $0 ", not " want; exit 1 }; want = n + 1 }' ||
            fail "numbers of $name are missing"
    done
}

place rack 'console-defaults: { retry-min: 100ms, retry-max: 1s, log: { sign: 1s, segment-size: 2MiB } }
consoles:
  - { name: one, source: { type: test, rate: 300000 } }
  - { name: two, source: { type: test, rate: 300000 } }
  - { name: three, source: { type: test, rate: 2000 } }'
place central
start rack
start central
start_proxy 0.3 1.0
joined() { at rack node join "$(at central node invite rack --replace --address "127.0.0.1:$proxy_port" 2> /dev/null)" > /dev/null 2>&1; }
wait_until 'joining' joined

echo '--- a link that is cut again and again'
has() { [ "$(end_of central one@rack 2> /dev/null || echo 0)" -gt "$1" ]; }
wait_until 'a replica through a bad link' has 1500000
compare

echo '--- and either side dies, ten times'
for ((i = 0; i < 5; i++)); do
    kill9 central
    start central
    before=$(end_of central one@rack)
    wait_until 'progress' has "$before"
    kill9 rack
    start rack
    before=$(end_of central one@rack)
    wait_until 'progress' has "$before"
done
compare

echo '--- cut in the midst of everything, then a good link: the proof is whole'
start_proxy 0.02 0.2
sleep 2
start_proxy 1000 2000
compare
exits 0 at rack console roll one
proved() { [ "$(call central log.verify '{"name": "one@rack"}' | jq -r 'select(.reply) | .reply | .intact and .origin.signed_to > 1000000')" = true ]; }
wait_until 'the proof' proved
stop rack
stop central
echo ok
