#!/usr/bin/env bash
# Events: a pattern in a console's output, seen by those who may watch the console, listed, followed, kept over a restart.
#   events.sh DIRECTORY-OF-PROGRAMS
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

cat > "$dir/amtd.yaml" << END
console-activity: { window: 1s, high: 5000 }
events: { keep-age: 10d, keep-size: 10MiB }
patterns:
  - { name: panic, regex: 'Kernel panic', severity: critical, every: 0s }
  - { name: oops, regex: '^Oops', consoles: [ 'v*' ], every: 0s }
consoles:
  - { name: vm1, source: { type: test } }
  - { name: other, source: { type: test } }
  - { name: loud, source: { type: test, rate: 20000 }, activity: { window: 1s, high: 10000 } }
  - { name: mute, source: { type: test }, activity: { window: 1s, low: 10 } }
END
exits 1 amtd --check --config <(echo 'console-activity: { low: 10, high: 5 }')
says "$dir/err" "'low' must be less than 'high'"
exits 1 amtd --check --config <(echo 'events: { keep-age: long }')
says "$dir/err" "'keep-age': expected a duration"
amtd_start --config "$dir/amtd.yaml"

events_are() { # TEXT OPTION...: the texts of the events, one after the other
    local want=$1
    shift
    [ "$(amtcli event list --kind pattern -o json "$@" | jq -r '[.[].text] | join("; ")')" = "$want" ]
}

: > "$dir/follower"
follower_has() { # TEXT
    grep -qF -- "$1" "$dir/follower"
}

amtcli console send vm1 'Kernel panic - not syncing\r\n' 2> "$dir/err"
wait_until 'the event' events_are 'panic: Kernel panic'
amtcli event follow --kind pattern -o json > "$dir/follower" &
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
exits 0 amtcli event show "$(amtcli event list --kind pattern -o json | jq '.[0].id')"
says "$dir/out" 'pattern=panic'
exits 2 amtcli event show 999

echo '--- floods and silence'
kinds_are() { # CONSOLE KINDS
    [ "$(amtcli event list -o json --console "$1" | jq -r '[.[].kind] | join(" ")')" = "$2" ]
}
all_flood() {
    amtcli event list --kind flood -o json | jq -e 'any(.[]; .console == null and (.text | startswith("all consoles: flood")))' > "$dir/out"
}
wait_until 'the flood' kinds_are loud flood
wait_until 'the flood of all' all_flood
mute_fell_silent() { # what it says of itself when it is connected may have made it steady again meanwhile
    [ "$(amtcli event list -o json --console mute | jq -r '.[0].kind')" = silence ]
}
wait_until 'the silence' mute_fell_silent
[ "$(amtcli console show loud -o json | jq -r .activity)" = flood ] || fail 'the state'
amtcli console down loud
amtcli log events loud | grep -q 'flood: ' || fail 'not in the journal'
[ "$(amtcli status -o json | jq .consoles)" = 4 ] || fail 'the number of consoles'
type_until_steady() {
    amtcli console send mute "$(printf 'x%.0s' {1..200})" 2> /dev/null
    amtcli event list -o json --console mute | jq -e 'map(.kind)[0:2] == ["silence", "steady"]' > "$dir/out"
}
wait_until 'steady' type_until_steady

echo '--- the configuration in parts, read again'
mkdir "$dir/conf.d"
echo 'consoles: [ { name: part, source: { type: test } } ]' > "$dir/conf.d/10-part.yaml"
echo 'not read' > "$dir/conf.d/README"
since=$(amtcli console show vm1 -o json | jq -r .since)
amtcli config reload 2> "$dir/err"
says "$dir/err" '5 consoles'
[ "$(amtcli console show part -o json | jq -r .name)" = part ] || fail 'the part is not there'
[ "$(amtcli console show vm1 -o json | jq -r .since)" = "$since" ] || fail 'an untouched console was touched'
echo 'consoles: [ { name: vm1, source: { type: test } }, { nam: x } ]' > "$dir/conf.d/20-bad.yaml"
exits 2 amtcli config reload
says "$dir/err" "20-bad.yaml:1:13: there is a console 'vm1' already"
exits 1 amtd --check --config "$dir/amtd.yaml"
says "$dir/err" "20-bad.yaml:1:"
amtcli console show part > "$dir/out" || fail 'a mistake took a console away'
rm -r "$dir/conf.d"
amtcli config reload 2> "$dir/err"
exits 2 amtcli console show part
exits 0 amtcli console roll vm1
says "$dir/err" '1 logs rolled'

echo '--- after a restart'
amtd_stop
amtd_start --config "$dir/amtd.yaml"
events_are 'panic: Kernel panic; oops: Oops' || fail 'they are gone'
echo 'ok'
