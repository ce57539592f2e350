#!/usr/bin/env bash
# qemu_amtcli.sh BIN_DIR: amtcli switches a device whose machine is a real virtual PC running Linux; that it happened
# is asked of the guest itself, by its boot counter and its kernel log.
# shellcheck source=tests/e2e/qemu_lib.sh
. "$(dirname "$0")/qemu_lib.sh"
bin=$(cd "$bin" && pwd)
export PATH=$bin:$PATH AMTD_STATE_DIR=$dir/state
unset AMTD_SOCKET

finish_amtcli()
{
    local status=$?
    amtcli stop 2> /dev/null || true
    finish_with "$status"
}
trap finish_amtcli EXIT

# does WORDS [TO]: the action is carried out, and the state told is TO.
does()
{
    # shellcheck disable=SC2086
    amtcli power $1 pc1 -o json > "$dir/out" 2> "$dir/err" || fail "power $1: $(cat "$dir/err") $(cat "$dir/out")"
    [ -z "${2:-}" ] || [ "$(jq -r '.[0].to' "$dir/out")" = "$2" ] || fail "power $1 tells: $(cat "$dir/out")"
}

start_amtsim --devices 1 --machine qemu
amtcli profile add lab --user admin --password-file "$dir/pw" --port $port
amtcli host add pc1 --address 127.16.0.1
expect_boot 1
does status on
does cycle on
expect_boot 2
does reset on
expect_boot 3
does 'off --graceful' off
console_has 'shutdown asked for by power button' || fail "the guest did not see the power button"
console_has 'reboot: Power down' || fail "the guest's kernel did not power down in order"
does status off
does on on
expect_boot 4
does soft-reset
wait_for "request for restart" console_has 'reboot asked for by agent'
expect_boot 5
does nmi
wait_for "NMI in the kernel log" console_has 'NMI received for unknown reason'
does 'cycle --graceful' on
expect_boot 6
does sleep sleep
does on on
wait_for "wake-up" console_has 'awake again after sleep'
wait_for "agent" available 8
does off off
does cycle on # of a machine that is off: a power-on, and said to be one
jq -e '.[0] | .from == "off" and (.remark | contains("powered on"))' "$dir/out" > /dev/null || fail "$(cat "$dir/out")"
expect_boot 7
type_line 'poweroff -f' # nobody but the guest wants it
wait_for "the guest's own power-off" console_has 'reboot: Power down'
wait_for "power state off" state_is 8
does on on
expect_boot 8
[ "$(amtcli activity -o json | jq '[.[] | select(.what | startswith("run.start power"))] | length')" -ge 12 ] ||
    fail "the activity log misses runs"
echo "qemu_amtcli: ok"
