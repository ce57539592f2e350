#!/usr/bin/env bash
# qemu_rescue.sh BIN_DIR: a real virtual PC by amtcli alone: switched on, used on its serial console through a power cycle, booted
# into another system from an ISO file that amtcli serves, where a file has the checksum of the original.
# shellcheck source=tests/e2e/qemu_lib.sh
. "$(dirname "$0")/qemu_lib.sh"
bin=$(cd "$bin" && pwd)
guest=$(cd "$bin/../guest" && pwd)
export PATH=$bin:$PATH AMTD_STATE_DIR=$dir/state
unset AMTD_SOCKET
ider_pid=

finish_amtcli()
{
    local status=$?
    [ $status = 0 ] || sed 's/^/ider: /' "$dir/ider" >&2 || true
    [ -z "$ider_pid" ] || kill -KILL "$ider_pid" 2> /dev/null || true
    amtcli stop 2> /dev/null || true
    finish_with "$status"
}
trap finish_amtcli EXIT

session_open()
{
    [ "$(amtsim ctl "$dir/control" get 1 | jq '.redirection["sol-session"]')" = true ]
}

console_log_has()
{
    amtcli log show pc1 2> /dev/null | grep -aqF -- "$1"
}

start_amtsim --devices 1 --generation 11 --machine qemu
amtcli profile add lab --user admin --password-file "$dir/pw" --port $port
amtcli host add pc1 --address 127.16.0.1
expect_boot 1
amtcli power off pc1 > /dev/null

# on_console OPTION...: a script on the console of pc1.
on_console()
{
    amtcli console pc1 --timeout 120s "$@" > "$dir/console" 2> "$dir/console.err" ||
        fail "console $*: $(tail -c 400 "$dir/console") $(cat "$dir/console.err")"
}

on_console --expect 'amtsim guest boot 3 id' &
watcher=$!
wait_for "the console" session_open
amtcli power on pc1 > /dev/null
wait_for "boot 2" console_log_has 'SeaBIOS' # from the first moment on
wait_for "boot 2" console_log_has 'amtsim guest boot 2 id'
amtcli power cycle pc1 > /dev/null
wait $watcher
# shellcheck disable=SC2016
on_console --send 'echo here and $((6 * 7))\r' --expect 'here and 42'

amtcli ider pc1 --cd "$guest/rescue.iso" --boot --yes 2> "$dir/ider" &
ider_pid=$!
on_console --expect 'amtsim rescue boot 4 id'
on_console --send 'sha256sum /mnt/vmlinuz\r' --expect "$(sha256sum < "$guest/vmlinuz" | cut -d' ' -f1)"

kill -INT $ider_pid
wait $ider_pid || fail "ider ended with $?"
ider_pid=
grep -q 'the session has ended' "$dir/ider" || fail "ider does not say its end"
amtcli power cycle pc1 > /dev/null
expect_boot 5 # of its own disk again
echo "qemu_rescue: ok"
