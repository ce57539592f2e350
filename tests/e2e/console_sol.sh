#!/usr/bin/env bash
# console_sol.sh BIN_DIR: the serial console of simulated machines by `amtcli console HOST`: typing, restarting the machine
# from inside and from outside while attached, firmware setup from its first byte on, and scripts.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

amtsim_start --devices 4 --power-seconds 0.5-1 --scenario <(printf 'devices:\n  - {select: 4, faults: [{fault: refused}]}\n')
amtd_start
fleet 4
ctl set 3 consent=4294967295 > /dev/null
CONTROL=$dir/control python3 "$(dirname "$0")/console_sol.py" || fail "a person on the console"

ctl set 3 consent=0 > /dev/null
exits 0 amtcli console pc0003 --send '\r' --expect 'root@pc0003:/# $' --timeout 60s
exits 2 amtcli boot pc0001,pc0002 --to bios --reset --console
exits 2 amtcli console pc9999 --expect x
says "$dir/err" not-found
exits 1 amtcli console pc0004 --send '\r' --expect x --timeout 8s
says "$dir/err" 'nothing was sent: '
exits 1 amtcli console pc0004 --expect x --timeout 8s
says "$dir/err" "waiting for 'x': "
exits 0 amtcli log show pc0001
says "$dir/out" 'POST of boot 3'
exits 0 amtcli log events pc0001
says "$dir/out" lease
# What is sent has arrived when amtcli ends well, although nothing is waited for.
exits 0 amtcli console pc0003 --send '\r' --expect '# $' --timeout 60s
amtcli console pc0003 --expect 'number-5' --timeout 60s > "$dir/watched" 2>&1 &
watcher=$!
wait_until "somebody who watches" bash -c 'amtcli console who pc0003 | grep -q root'
for n in 1 2 3 4 5; do
    exits 0 amtcli console pc0003 --force --send "echo number-$n\\r" --timeout 20s
done
wait $watcher || fail "what was sent did not arrive: $(cat "$dir/watched")"
amtd_stop
amtsim_stop
echo "console_sol: ok"
