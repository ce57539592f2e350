#!/usr/bin/env bash
# filter_clock.sh BIN_DIR: filters that undo themselves, while somebody sets the clock years forward and back, amtd is restarted and
# its machine reboots. amtd sees another wall clock (libfaketime), another boot and another time since boot (namespaces); the
# machine's own clock is left alone.
if [ -z "${AMTD_TEST_NS-}" ]; then
    if [ "$(id -u)" != 0 ] || ! unshare -m --time true 2> /dev/null; then
        echo "filter_clock: SKIPPED: another boot needs root and time namespaces" >&2
        exit 77
    fi
    AMTD_TEST_NS=1 exec unshare -m -- "$0" "$@"
fi
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
for faketime in /usr/lib/*/faketime/libfaketimeMT.so.1; do :; done
[ -f "$faketime" ] || fail "no libfaketime"
boot_id=/proc/sys/kernel/random/boot_id
since=$$ # whose time since boot amtd has

# Instead of the program: with the clock that $dir/clock says, and the boot of process $since.
amtd()
{
    exec nsenter --time="/proc/$since/ns/time" env LD_PRELOAD="$faketime" FAKETIME_TIMESTAMP_FILE="$dir/clock" \
        FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 \
        ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0" "$bin/amtd" "$@"
}
# clock_is OFFSET: from now on, against the machine's.
clock_is()
{
    echo "$1" > "$dir/clock.new"
    mv "$dir/clock.new" "$dir/clock"
}
restart()
{
    amtd_stop
    amtd_start
}
# reboot UP [OFFSET]: amtd's machine is another boot, UP seconds up, with the clock off.
boots=0
reboot()
{
    amtd_stop
    clock_is "${2-+0}"
    boots=$((boots + 1))
    printf '%08d-0000-4000-8000-000000000000\n' $boots > "$dir/boot$boots"
    mount --bind "$dir/boot$boots" $boot_id
    unshare --time --boottime=$(($1 - $(cut -d. -f1 /proc/uptime))) --fork --kill-child sleep 600 &
    sleepers+=($!)
    disown
    wait_until "another boot" sleeper_of $!
    amtd_start
}
sleepers=()
sleeper_of()
{
    since=$(pgrep -P "$1" -x sleep)
}
finish_clock()
{
    local status=$?
    for pid in "${sleepers[@]}"; do kill -KILL "$pid" 2> /dev/null || true; done
    for ((; boots > 0; boots--)); do umount $boot_id || true; done
    set +e
    (exit $status)
    finish_amtd
}
trap finish_clock EXIT

active()
{
    ctl defense "$1" | jq -r '[.ports[] | .active // .enabled.agent // "none"] | unique | join(" ")'
}
active_is()
{
    [ "$(active "$1")" = "$2" ]
}
nobody_at_it()
{
    [ "$(amtcli filter status -o json | jq '[.[] | select(.at_it)] | length')" = 0 ]
}
# stays WHEN: what lasts 30 minutes is there after amtd has looked what is due (as it does after each run), says so, and says
# when it ends: within the next 30 minutes of the clock that it has.
stays()
{
    local now
    exits 0 amtcli filter ping pc0009 --yes -o json
    exits 0 amtcli filter remove pc0009 --yes -o json
    wait_until "an end of all runs $1" nobody_at_it
    for device in 1 2 3; do active_is $device amt:site || fail "$1: $device has lost its filters"; done
    now=$(($(date +%s) + $2))
    amtcli filter status 'pc[0001-0003]' -o json > "$dir/status"
    jq -e --argjson now $now '[.[] | .until // .confirm_by // .waiting[0].until | sub("\\.[0-9]+"; "") |
        fromdate - $now] | length == 3 and all(. > 0 and . <= 1860)' "$dir/status" > /dev/null ||
        fail "$1: at $(date -u -d "@$now") it says $(jq -c '.[] | [.until, .confirm_by, .waiting[0].until]' "$dir/status" | tr '\n' ' ')"
}
# apply NUMBER OPTION...
apply()
{
    exits 0 amtcli filter apply "$dir/site.xml" "pc000$1" --yes -o json "${@:2}"
}
gone()
{
    for device in "$@"; do wait_until "the end of filters on $device" active_is "$device" none; done
}

cat > "$dir/site.xml" << 'XML'
<network-filters xmlns="urn:amt-network-filters:1" name="site">
  <policy default-out="pass" default-in="pass"/>
  <filter name="server" protocol="tcp" remote="10.0.0.1" remote-ports="443" action="drop"/></network-filters>
XML
years=$((365 * 86400))
clock_is +0
amtsim_start --devices 9 --generation 11
amtd_start
fleet 9

apply 1 --for 30m
apply 2 --confirm-within 30m
apply 3 --for 30m --when agent
stays "at first" 0

# --- set while it runs, and while it does not: nothing comes early, and what is due comes
clock_is +5y
stays "five years forward" $((5 * years))
apply 4 --for 2s
restart
stays "restarted five years forward" $((5 * years))
gone 4
apply 4 --for 3s
apply 5 --confirm-within 3s
apply 6 --for 3s --when agent
clock_is -20y
gone 4 5 6
stays "twenty years back" $((-20 * years))
apply 4 --for 2s
amtd_stop
clock_is -30y
amtd_start
gone 4
stays "restarted thirty years back" $((-30 * years))
clock_is +0
stays "right again" 0

# --- the machine reboots: the clock decides
reboot 20
stays "after a reboot" 0
apply 4 --for 3s
gone 4
# ... also one that is years late: then the whole time is counted from the reboot
reboot 20 -20y
stays "after a reboot, twenty years back" $((-20 * years))
reboot $((30 * 60 - 8)) -20y
gone 1 2 3
# ... and one that is years early ends it at once
clock_is +0
for device in 1 2; do apply $device --for 30m; done
reboot 20 +5y
gone 1 2
[ "$(amtcli filter status -o json | jq -c '[.[] | .policy // .waiting[0].policy // empty]')" = '[]' ] ||
    fail "amtd keeps what is gone: $(amtcli filter status)"
amtd_stop
amtsim_stop
echo "filter_clock: ok"
