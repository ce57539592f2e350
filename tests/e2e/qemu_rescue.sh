#!/usr/bin/env bash
# qemu_rescue.sh BIN_DIR: a real virtual PC boots another system from an ISO file that amtcli serves, and reads a file from it that
# has the checksum of the original.
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

start_amtsim --devices 1 --generation 11 --machine qemu
amtcli profile add lab --user admin --password-file "$dir/pw" --port $port
amtcli host add pc1 --address 127.16.0.1
expect_boot 1

amtcli ider pc1 --cd "$guest/rescue.iso" --boot --yes 2> "$dir/ider" &
ider_pid=$!
wait_for "the other system" console_has 'amtsim-guest: amtsim rescue boot'
wait_for "its shell" console_has 'ready, single-user shell'
type_line "cd /mnt && sha256sum vmlinuz; echo over and \$((6 * 7))"
wait_for "the checksum" console_has 'over and 42'
console_has "$(sha256sum < "$guest/vmlinuz" | cut -d' ' -f1)" || fail "the file reads differently from what it is"

kill -INT $ider_pid
wait $ider_pid || fail "ider ended with $?"
ider_pid=
grep -q 'the session has ended' "$dir/ider" || fail "ider does not say its end"
amtcli power cycle pc1 > /dev/null
expect_boot 3 # of its own disk again
echo "qemu_rescue: ok"
