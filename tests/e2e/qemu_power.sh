#!/usr/bin/env bash
# qemu_power.sh BIN_DIR: a stock client (curl) switches a simulated device whose machine is a real virtual PC; that it
# happened is asked of the guest itself, by its boot counter and its kernel log.
# shellcheck source=tests/e2e/qemu_lib.sh
. "$(dirname "$0")/qemu_lib.sh"

start_amtsim --devices 1 --machine qemu
expect_boot 1
request 5 # power cycle
expect_boot 2
request 10 # reset
expect_boot 3
request 14 # restart by the running system
wait_for "request for restart" console_has 'reboot asked for by agent'
expect_boot 4
request 11 # NMI
wait_for "NMI in the kernel log" console_has 'NMI received for unknown reason'
request 12 # shutdown by the running system
wait_for "orderly shutdown" console_has 'reboot: Power down'
console_has 'shutdown asked for by power button' || fail "the guest did not see the power button"
wait_for "power state off" state_is 8
request 2 # on
expect_boot 5
state_is 2 || fail "not on after boot"
request 4 # sleep
wait_for "power state sleep" state_is 4
request 2
wait_for "wake-up" console_has 'awake again after sleep'
wait_for "agent" available 8
request 8 # off, hard
wait_for "power state off" state_is 8
request 2
expect_boot 6
type_line 'poweroff -f' # nobody but the guest wants it
wait_for "the guest's own power-off" console_has 'reboot: Power down'
wait_for "power state off" state_is 8
request 2
expect_boot 7
kill -KILL "$(qemu_pid)" # a PC that dies
wait_for "power state off" state_is 8
grep -q 'machine: the virtual PC ended by itself: killed by signal 9' "$dir/log" || fail "amtsim did not report it"
request 2
expect_boot 8

# Nothing is left behind when amtsim is gone, in whatever way.
qemu=$(qemu_pid)
kill -KILL "$amtsim_pid"
wait "$amtsim_pid" 2> /dev/null || true
amtsim_pid=
runs()
{
    [ "$(cut -d ' ' -f 3 "/proc/$1/stat" 2> /dev/null || echo Z)" != Z ]
}
deadline=$((SECONDS + 20))
while runs "$qemu"; do
    [ $SECONDS -lt $deadline ] || fail "qemu outlived amtsim"
    sleep 0.1
done
