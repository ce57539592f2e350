#!/usr/bin/env bash
# amtsim_amtterm.sh BIN_DIR: Debian's amtterm, which knows the login in clear text only, on firmware that has it: it sees a
# boot from POST on and types commands; a wrong password, and firmware without that login, are refused as firmware does.
# shellcheck source=tests/e2e/amtsim_lib.sh
. "$(dirname "$0")/amtsim_lib.sh"
redirection=$((port + 2))

terminals=0

terminal()
{
    tmux -S "$dir/tmux$terminals" -f /dev/null "$@"
}

# open_terminal PASSWORD: amtterm in a terminal of its own, whose screen is kept after it has ended.
open_terminal()
{
    terminal kill-server 2> /dev/null || true
    terminals=$((terminals + 1)) # a server that ends may still have its socket
    AMT_PASSWORD=$1 terminal new-session -d -x 120 -y 50 "amtterm 127.16.0.1 $redirection; sleep 1000"
}

shows()
{
    [[ $(terminal capture-pane -p -J -S -500) == *"$1"* ]]
}

close_terminal()
{
    local status=$?
    terminal kill-server 2> /dev/null || true
    finish_with $status
}
trap close_terminal EXIT

type_line()
{
    terminal send-keys -l "$1"
    terminal send-keys Enter
}

counter()
{
    ctl record 1 | jq ".counters.$1"
}

amtsim_start --generation 9 --power-seconds 0.1-0.2
ctl set 1 bios-redirects=true > /dev/null
open_terminal "$password"
wait_until "session" shows 'serial-over-lan redirection ok'
ctl set 1 power=off > /dev/null
wait_until "loss of power" shows 'The system is powered off'
ctl set 1 power=on > /dev/null
wait_until "BIOS" shows 'amtsim BIOS 1.0'
wait_until "kernel log" shows 'printk: console [ttyS0] enabled'
wait_until "prompt" shows 'root@pc0001:/# '
type_line 'echo three plus four'
wait_until "answer" shows $'\nthree plus four'
type_line reboot
wait_until "second boot" shows 'pc0001, boot 3, single-user mode'
terminal send-keys C-]
wait_until "end of amtterm" shows 'connection closed'
wait_until "end of the session" test "$(ctl get 1 | jq '.redirection["sol-session"]')" = false
[ "$(counter logins_wrong)" = 0 ] || fail "wrong logins were counted"

open_terminal 'not that one'
wait_until "refusal of a wrong password" shows 'ession authentication failed'
[ "$(counter logins_wrong)" = 1 ] || fail "no wrong login was counted"
amtsim_stop

amtsim_start --generation 16
open_terminal "$password"
wait_until "refusal of clear text" shows 'ession authentication failed'
[ "$(counter sessions)" = 0 ] || fail "a session was opened"
amtsim_stop
echo "amtsim_amtterm: ok"
