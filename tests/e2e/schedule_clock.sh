#!/usr/bin/env bash
# schedule_clock.sh BIN_DIR: schedules and a run that waits for its window, while somebody sets the clock back and forth, by years:
# what is due comes, once, and nothing waits for a year that was never there. amtd sees another wall clock (libfaketime).
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
for faketime in /usr/lib/*/faketime/libfaketimeMT.so.1; do :; done
[ -f "$faketime" ] || { echo "schedule_clock: SKIPPED: there is no libfaketime" >&2; exit 77; }

# Instead of the program: with the clock that $dir/clock says.
amtd()
{
    exec env LD_PRELOAD="$faketime" FAKETIME_TIMESTAMP_FILE="$dir/clock" FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 \
        NO_FAKE_STAT=1 ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0" "$bin/amtd" "$@"
}
# clock_is TIME: of amtd, now.
clock_is()
{
    printf '%+ds\n' $(($(date -d "$1" +%s) - $(date +%s))) > "$dir/clock.new"
    mv "$dir/clock.new" "$dir/clock"
    # what looks at the clock by itself does so twice a minute: whoever changes a schedule is not waited for
    amtcli schedule disable other > /dev/null
    amtcli schedule enable other > /dev/null
}
runs() { [ "$(amtcli job list --job look -o json | jq "[.[] | select(.schedule == \"$1\" and .state == \"over\")] | length")" = "$2" ]; }
left_out() { amtcli schedule show "$1" -o json | jq -e '.last_note == "amtd was not running when it was due"' > /dev/null; }
next_is() { amtcli schedule next "$1" -n 2 > "$dir/next" && head -1 "$dir/next" | grep -qF "$2" || fail "$1 comes next at $(cat "$dir/next"), not $2"; }

echo +0 > "$dir/clock"
amtsim_start --devices 2 --power-seconds 0.2-0.4
amtd_start
fleet 2
printf 'name: look\ntasks: [ info: ]\n' > "$dir/look.yaml"
printf 'name: shut\ntasks:\n  - info:\n  - run: { shell: "until test -e %s; do sleep 0.1; done", safe: yes }\n  - power: off\n' "$dir/gate" > "$dir/shut.yaml"
add() { exits 0 amtcli schedule add "$@" --zone UTC --job "$dir/look.yaml" --target @lab; }
add other --cron '@yearly'
clock_is '2030-06-01 01:00 UTC'
add night --cron '0 3 * * *'
add caught --cron '0 3 * * *' --catch-up
add often --every 6h

echo '--- on the day'
clock_is '2030-06-01 03:00:05 UTC'
wait_until "the first night" runs night 1
wait_until "the first night, of the other" runs caught 1
next_is night '2030-06-02T03:00:00Z'

echo '--- years ahead, for a moment: left out, or caught up on once'
clock_is '2035-01-01 12:00 UTC'
wait_until "that a night is left out" left_out night
wait_until "that it is caught up on" runs caught 2
wait_until "that an interval is left out" left_out often

echo '--- and right again: nothing waits for 2035'
clock_is '2030-06-01 12:00 UTC'
next_is night '2030-06-02T03:00:00Z'
clock_is '2030-06-02 03:00:05 UTC'
wait_until "the second night" runs night 2
wait_until "the second night, of the other" runs caught 3

echo '--- an hour back: what was done is not done again'
clock_is '2030-06-02 02:30 UTC'
clock_is '2030-06-02 03:00:05 UTC'
clock_is '2030-06-03 03:00:05 UTC'
wait_until "the third night" runs night 3

echo '--- years back, over another life of amtd'
amtd_stop
printf '%+ds\n' $(($(date -d '2024-02-29 02:00 UTC' +%s) - $(date +%s))) > "$dir/clock"
amtd_start
clock_is '2024-02-29 03:00:05 UTC'
wait_until "a night of a leap year" runs night 4
wait_until "the same, of the other" runs caught 5

echo '--- a run that waits for its window'
exits 0 amtcli schedule add shut --cron '0 5 * * *' --window 04:00-06:00 --zone UTC --job "$dir/shut.yaml" --target @lab
shut_is() { [ "$(amtcli job list --job shut -o json | jq -r '.[0].state')" = "$1" ]; }
clock_is '2024-03-01 05:00:05 UTC'
wait_until "the run" shut_is running
clock_is '2034-03-01 07:00 UTC' # it looks by itself, four times a minute
wait_until "the end of its window" shut_is waiting
touch "$dir/gate"
power_is 1 on || fail "it went on outside of its window"
clock_is '2024-03-01 05:10 UTC'
wait_until "its end" shut_is over
power_is 1 off || fail "it did not go on"
[ "$(amtcli job list --job shut -o json | jq '.[0].ok')" = 2 ] || fail "not both went well"
amtd_stop
amtsim_stop
echo "schedule_clock: ok"
