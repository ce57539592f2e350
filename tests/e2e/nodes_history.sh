#!/usr/bin/env bash
# A node is put back to a backup, again and again, and logs on with offsets that its servers have other bytes for. Its servers keep what
# they have; a new history begins behind that, everybody says so, and everything is still proved.
#   nodes_history.sh DIRECTORY-OF-PROGRAMS DIRECTORY-OF-TEST-PROGRAMS
# shellcheck source=tests/e2e/nodes_lib.sh
. "$(dirname "$0")/nodes_lib.sh"
probe=$(cd "$2" && pwd)/mux_probe
step=1099511627776 # a history begins at a multiple of it

call() { # AMTD NAME [PARAMS]
    local name=$1
    shift
    "$probe" "$dir/$name/state/amtd.sock" call "$@"
}
shown() { # AMTD CONSOLE FIELD
    call "$1" console.show "{\"name\": \"$2\"}" | jq -r "select(.reply) | .reply.$3"
}
longer() { [ "$(shown "$1" "$2" end 2> /dev/null || echo 0)" -gt "$3" ]; }
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
join_node() { # SERVER NODE
    at "$2" node join "$(at "$1" node invite "$2" 2> /dev/null)" > /dev/null
}
# proved AMTD CONSOLE OFFSET: nothing is damaged, and the node's own signatures go beyond that offset
proved() {
    [ "$(call "$1" log.verify "{\"name\": \"$2\"}" |
        jq -r 'select(.reply) | .reply | .intact and (.origin.signed_to // .signed_to) > '"$3")" = true ]
}
histories() { # AMTD CONSOLE: how many its journal knows
    at "$1" log events "$2" | awk '$3 == "history"' | wc -l
}
back_up() {
    stop rack
    rm -rf "$dir/backup"
    cp -a "$dir/rack/state" "$dir/backup"
    start rack
}
put_back() {
    rm -rf "$dir/rack/state"
    cp -a "$dir/backup" "$dir/rack/state"
}

place rack 'console-defaults: { retry-min: 100ms, retry-max: 1s, log: { sign: 1s, segment-size: 100KiB } }
consoles: [ { name: one, source: { type: test, rate: 200000 } } ]'
place central
place top
place other
start rack
for name in central top other; do start $name; done
join_node central rack
join_node other rack
join_node top central
wait_until 'a replica of the replica' longer top one@rack@central 300000
back_up
wait_until 'more at the servers' longer other one@rack $(($(shown other one@rack end) + 300000))

echo '--- put back while the servers are away: the node writes over what they have, and beyond'
stop central
stop top
stop other
stop rack
cp -a "$dir/central/state/consoles/one@rack" "$dir/before"
put_back
start rack
held=$(call rack console.show '{"name": "one"}' | jq -r 'select(.reply) | .reply.end')
wait_until 'the node alone' longer rack one $((held + 2000000))
start central
start top
wait_until 'the new history at its server' longer central one@rack $((step + 300000))
wait_until 'and at the next one' longer top one@rack@central $((step + 300000))
upto=$(shown top one@rack@central end)
same rack one central one@rack $step "$upto"
same rack one top one@rack@central $step "$upto"
for name in central/one@rack top/one@rack@central rack/one; do
    exits 0 at "${name%%/*}" log events "${name#*/}"
    says "$dir/out" ' history '
    says "$dir/out" "begins at $step"
    exits 0 at "${name%%/*}" event list --kind history
    says "$dir/out" "${name#*/}"
done
says "$dir/central/log" 'put back to an older state'
says "$dir/rack/log" 'put back to an older state'

echo '--- nothing that the server had was touched'
find "$dir/before" -name '*.log.zst' -printf '%f\n' | while read -r file; do
    cmp "$dir/before/$file" "$dir/central/state/consoles/one@rack/$file" || fail "$file was written over"
done
for file in chain key; do
    cmp "$dir/before/origin/$file" "$dir/central/state/consoles/one@rack/"origin-until-*"/$file" || fail "origin/$file was written over"
done
size=$(shown central one@rack size)
[ "$size" -lt $step ] || fail "what was left out counts as size: $size"
wait_until 'the proof' proved central one@rack $((step + 200000))
wait_until 'the proof of the next one' proved top one@rack@central $((step + 200000))
exits 0 at central log verify one@rack
says "$dir/out" 'history'
says "$dir/out" 'origin-until-'
exits 0 at rack log verify one
says "$dir/out" 'a new history begins behind it'

echo '--- another server, which was away: the same history, not one more'
start other
wait_until 'the other server' longer other one@rack $((step + 300000))
upto=$(shown other one@rack end)
same rack one other one@rack $step "$upto"
[ "$(histories other one@rack)" = 1 ] || fail "the other server knows $(histories other one@rack) histories"
[ "$(histories rack one)" = 1 ] || fail "the node began $(histories rack one) histories"

echo '--- whoever starts again changes nothing'
stop rack
kill9 central
start central
start rack
wait_until 'more' longer central one@rack $(($(shown rack one end) + 200000))
wait_until 'more' longer top one@rack@central $(($(shown rack one end) + 200000))
kill9 rack
start rack
wait_until 'more' longer central one@rack $(($(shown rack one end) + 200000))
[ "$(histories central one@rack)" = 1 ] || fail "the server knows $(histories central one@rack) histories"

echo '--- put back once more, and the server is there at once'
stop rack
put_back
start rack
wait_until 'the next history' longer central one@rack $((2 * step + 200000))
wait_until 'and at the next one' longer top one@rack@central $((2 * step + 200000))
upto=$(shown top one@rack@central end)
same rack one top one@rack@central $((2 * step)) "$upto"
[ "$(histories central one@rack)" = 2 ] || fail "the server knows $(histories central one@rack) histories"
wait_until 'the proof' proved central one@rack $((2 * step + 100000))

echo '--- its logs are gone, and it has logged since: as if it were put back to its beginning'
stop central
stop rack
rm -rf "$dir/rack/state/consoles"
start rack
wait_until 'new bytes at offset 0' longer rack one 100000
start central
wait_until 'a third history' longer central one@rack $((3 * step + 100000))
wait_until 'the proof' proved central one@rack $((3 * step + 50000))
wait_until 'and at the next one' longer top one@rack@central $((3 * step + 100000))
wait_until 'the proof of the next one' proved top one@rack@central $((3 * step + 50000))
for name in rack central top other; do stop $name; done
echo ok
