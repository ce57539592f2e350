#!/usr/bin/env bash
# Events: a pattern in a console's output, seen by those who may watch the console, listed, followed, kept over a restart.
#   events.sh DIRECTORY-OF-PROGRAMS
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

cat > "$dir/amtd.yaml" << END
events: { keep-age: 10d, keep-size: 10MiB }
patterns:
  - { name: panic, regex: 'Kernel panic', severity: critical, every: 0s }
  - { name: oops, regex: '^Oops', consoles: [ 'v*' ], every: 0s }
consoles:
  - { name: vm1, source: { type: test } }
  - { name: other, source: { type: test } }
END
exits 1 amtd --check --config <(echo 'events: { keep-age: long }')
says "$dir/err" "'keep-age': expected a duration"
amtd_start --config "$dir/amtd.yaml"

events_are() { # TEXT OPTION...: the texts of the events, one after the other
    local want=$1
    shift
    [ "$(amtcli event list -o json "$@" | jq -r '[.[].text] | join("; ")')" = "$want" ]
}

: > "$dir/follower"
follower_has() { # TEXT
    grep -qF -- "$1" "$dir/follower"
}

amtcli console send vm1 'Kernel panic - not syncing\r\n' 2> "$dir/err"
wait_until 'the event' events_are 'panic: Kernel panic'
amtcli event follow -o json > "$dir/follower" &
follower=$!
wait_until 'the event for who follows' follower_has 'panic: Kernel panic'
amtcli console send '*' 'Oops: 0002\r\n' 2> "$dir/err"
wait_until 'the second event' follower_has 'oops: Oops'
[ "$(jq -r .console "$dir/follower" | paste -sd,)" = vm1,vm1 ] || fail "followed: $(cat "$dir/follower")"
kill -INT $follower
wait $follower || fail "following ended with $?"
wait_until 'both' events_are 'panic: Kernel panic; oops: Oops'
events_are 'panic: Kernel panic' --severity critical || fail 'by severity'
events_are '' --console other || fail 'by console'
events_are 'oops: Oops' --console 'v*' -n 1 || fail 'the newest'
events_are '' --until 1h || fail 'by time'
exits 2 amtcli event list --kind nosuch
exits 0 amtcli event show 1
says "$dir/out" 'pattern=panic'
exits 2 amtcli event show 99

echo '--- after a restart'
amtd_stop
amtd_start --config "$dir/amtd.yaml"
events_are 'panic: Kernel panic; oops: Oops' || fail 'they are gone'
echo 'ok'
