#!/usr/bin/env bash
# Logs begin with the first byte: what consoles that never said anything show, and kill -9 at random around the
# first bytes and the first events of others.
#   console_first_byte.sh DIRECTORY-OF-PROGRAMS [ROUNDS]
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
rounds=${2:-8}
logs=$AMTD_STATE_DIR/consoles
all_up() { [ "$(amtcli console list 2> /dev/null | grep -c ' up ')" = "$1" ]; }
up_events() { amtcli log events "$1" | grep -cE ' up *$' || true; }

echo '--- consoles that never said anything'
{
    echo 'consoles:'
    for ((i = 0; i < 40; i++)); do echo "- { name: q$i, source: { type: test } }"; done
} > "$dir/amtd.yaml"
amtd_start --config "$dir/amtd.yaml"
wait_until 'all consoles up' all_up 40
exits 0 amtcli log show q1
[ ! -s "$dir/out" ] || fail 'a log of nothing shows something'
exits 0 amtcli log verify q1
exits 1 amtcli log search -E 'anything' q2
[ "$(up_events q3)" = 1 ] || fail 'the journal does not say that q3 came up'
[ ! -e "$logs/q4/console.log" ] || fail 'a log was begun without a byte'
journals_are_made() { [ ! -e "$logs/.events" ] && [ "$(cat "$logs"/q*/console.jnl | grep -c '"up"')" = 40 ]; }
wait_until 'the journals' journals_are_made

echo '--- kill -9 as soon as they are up'
for ((round = 2; round <= 4; round++)); do
    kill -9 "$amtd_pid"
    wait "$amtd_pid" || true
    amtd_start --config "$dir/amtd.yaml"
    wait_until 'all consoles up' all_up 40
done
for ((i = 0; i < 40; i += 13)); do
    [ "$(up_events q$i)" = 4 ] || fail "q$i came up four times, its journal says $(up_events q$i)"
done
amtd_stop
[ ! -e "$logs/.events" ] || fail 'events still wait after an end in good order'
rm -rf "$AMTD_STATE_DIR"

echo '--- kill -9 at random around the first byte'
{
    echo 'console-defaults: { retry-min: 100ms, retry-max: 1s, log: { sign: 1s } }'
    echo 'consoles:'
    for ((i = 0; i < 12; i++)); do
        echo "- { name: r$i, source: { type: exec, command: 'sleep 0.$((i * 7 % 10))$((i % 10)); seq -f \"\$\$ %06g is a line of r$i\" 200; exec sleep 1000' } }"
    done
} > "$dir/amtd.yaml"
mkdir "$dir/alone" # no amtd beside it that it could start when ours is killed
cp "$bin/amtcli" "$dir/alone"
: > "$dir/seen"
for ((round = 0; round < rounds; round++)); do
    amtd_start --config "$dir/amtd.yaml"
    for i in 0 5 10; do
        PATH=/usr/bin:/bin timeout 20 "$dir/alone/amtcli" log follow r$i --since 1s > "$dir/follow.$i" 2> /dev/null &
        followers[i]=$!
    done
    sleep "0.$((RANDOM % 10))$((RANDOM % 10))"
    kill -9 "$amtd_pid"
    wait "$amtd_pid" || true
    for i in 0 5 10; do
        wait "${followers[i]}" || true
        sed -i '$!b;/line of r[0-9]*.\?$/!d' "$dir/follow.$i" # a line that was cut
        tr -d '\r' < "$dir/follow.$i" >> "$dir/seen"
    done
done
amtd_start --config "$dir/amtd.yaml"
whole() { for ((i = 0; i < 12; i++)); do amtcli log show r$i | tail -1 | grep -q ' 000200 is a line' || return 1; done; }
wait_until 'the last lines' whole
for ((i = 0; i < 12; i++)); do
    amtcli log show r$i | tr -d '\r' > "$dir/r$i"
    # of each life a beginning, in order, and each line once
    awk '$2 + 0 == 1 { last = 0 } $2 ~ /^[0-9]{6}$/ { if ($2 + 0 != last + 1) bad = 1; last = $2 + 0 } END { exit bad }' "$dir/r$i" ||
        fail "r$i: lines are lost or doubled"
    exits 0 amtcli log verify r$i
done
cat "$dir"/r? "$dir"/r1? | sort > "$dir/logged"
sort -u "$dir/seen" | comm -23 - <(sort -u "$dir/logged") > "$dir/missing"
[ ! -s "$dir/missing" ] || fail "shown, and not in the log: $(head -3 "$dir/missing")"
echo "$(wc -l < "$dir/seen") lines were seen before kill -9, and all are there"
amtd_stop
