#!/usr/bin/env bash
# Followers of a log through segments that roll, are compressed and expire: every byte once, in order, whoever is slow.
#   console_follow.sh DIRECTORY-OF-PROGRAMS
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
cat > "$dir/amtd.yaml" << END
consoles:
  - { name: numbers, source: { type: test, rate: 200000 }, log: { segment-size: 64KiB, sign: 1s } }
  - { name: short, source: { type: test, rate: 200000 }, log: { segment-size: 64KiB, sign: 1s, keep-count: 3 } }
END
amtd_start --config "$dir/amtd.yaml"
logs=$AMTD_STATE_DIR/consoles
closed() { find "$logs/$1" -name '*.log.zst' | wc -l; }
at_least() { [ "$(closed "$1")" -ge "$2" ]; }
# Every number once, in order; the last line may be cut, and the first one with `cut`.
whole() { # FILE [cut]
    sed '$d' "$1" | tr -d '\r' | { [ "${2-}" = '' ] || sed 1d; cat; } |
        awk '{ n = $2 + 0; if (NR > 1 && n != want) { print "line " NR ": " $0 ", not " want; exit 1 }; want = n + 1 } END { exit NR < 100 }'
}

echo '--- from the beginning, over closed and compressed segments, into those that are still to come'
wait_until 'compressed segments' at_least numbers 4
amtcli log follow numbers --from 0 --format plain > "$dir/all" &
follower=$!
# one that does not read: it holds nobody up
mkfifo "$dir/slow"
amtcli log follow numbers --from 0 --format plain > "$dir/slow" &
slow=$!
exec 7< "$dir/slow"
amtcli log follow numbers --lines 5 --format plain > "$dir/last" &
last=$!
wait_until 'more of them' at_least numbers $(($(closed numbers) + 6))
exits 0 amtcli console roll numbers
kill -HUP "$amtd_pid"
wait_until 'more of them' at_least numbers $(($(closed numbers) + 3))
kill $last $follower
wait $last $follower || true
whole "$dir/all" || fail 'the follower'
[ "$(head -1 "$dir/all" | awk '{ print $2 + 0 }')" = 0 ] || fail 'the follower did not begin at the beginning'
whole "$dir/last" || fail 'the follower of the last lines'
[ "$(stat -c %s "$dir/all")" -gt 500000 ] || fail "the follower got $(stat -c %s "$dir/all") bytes"
timeout 60 head -c 700000 <&7 > "$dir/slowly" # all is there for whoever reads late
exec 7<&-
wait $slow || true
whole "$dir/slowly" || fail 'the slow follower'
cmp -n 500000 "$dir/all" "$dir/slowly" || fail 'two followers, two logs'

echo '--- what is kept no longer is passed over, and said'
wait_until 'expired segments' at_least short 3
gone() { [ ! -e "$logs/short/00000000000000000000.log.zst" ] && [ ! -e "$logs/short/00000000000000000000.log" ]; }
wait_until 'the first one gone' gone
[ "$(closed short)" -le 4 ] || fail "$(closed short) segments are kept, not 3"
amtcli log show short --format plain > "$dir/kept"
whole "$dir/kept" cut || fail 'what is kept'
exits 0 amtcli log verify short
says "$dir/out" expired
amtd_stop
echo ok
