# Sourced by tests of amtd and amtcli against simulated devices. $1 of the test: the directory of the programs.
# Everything a test makes, and the state of its amtd, is in a directory of its own; its amtsim has ports of its own.
# shellcheck shell=bash disable=SC2034
# shellcheck source=tests/e2e/amtsim_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/amtsim_lib.sh"
bin=$(cd "$bin" && pwd)
export PATH=$bin:$PATH AMTD_STATE_DIR=$dir/state
unset AMTD_SOCKET COLUMNS # tables as in a pipe
amtd_pid=
disk= # mounted by the test

# amtd_start OPTION...: returns when it is ready. Its log: $dir/amtd.log.
amtd_start()
{
    : > "$dir/amtd.log"
    amtd --foreground "$@" 2>> "$dir/amtd.log" &
    amtd_pid=$!
    wait_until "amtd's readiness" amtd_is_ready
}

amtd_is_ready()
{
    grep -q ' ready, state ' "$dir/amtd.log" && return
    kill -0 "$amtd_pid" 2> /dev/null || fail "amtd has ended: $(tail -3 "$dir/amtd.log")"
    return 1
}

amtd_stop()
{
    local pid=$amtd_pid
    amtd_pid=
    kill "$pid"
    wait "$pid" || fail "amtd ended with status $?: $(tail -3 "$dir/amtd.log")"
}

finish_amtd()
{
    local status=$?
    trap - EXIT
    [ -z "$disk" ] || umount -l "$disk" || true
    if [ -n "$amtd_pid" ]; then
        kill "$amtd_pid" 2> /dev/null || true
        wait "$amtd_pid" || true
    elif [ -S "$AMTD_STATE_DIR/amtd.sock" ]; then
        amtcli stop 2> /dev/null || true
    fi
    [ $status = 0 ] || [ ! -f "$dir/amtd.log" ] || tail -20 "$dir/amtd.log" | sed 's/^/amtd: /' >&2
    finish_with $status
}
trap finish_amtd EXIT

# fleet N: profile lab, hosts pc0001... imported from CSV, collection lab.
fleet()
{
    amtcli profile add lab --user admin --password-file "$dir/pw" --port $port
    {
        echo 'name,address,tag.site'
        for ((i = 0; i < $1; i++)); do
            printf 'pc%04d,127.16.%d.%d,lab\n' $((i + 1)) $(((i + 1) / 256)) $(((i + 1) % 256))
        done
    } > "$dir/fleet.csv"
    amtcli host import "$dir/fleet.csv" 2> "$dir/import.out"
    amtcli collection add lab --where 'tag.site = "lab"'
}

# exits CODE COMMAND...: runs it with its output in $dir/out and $dir/err; it must end with that code.
exits()
{
    local want=$1 got=0
    shift
    "$@" > "$dir/out" 2> "$dir/err" || got=$?
    [ $got = "$want" ] || fail "'$*' ended with $got, not $want: $(tail -5 "$dir/err") $(tail -c 300 "$dir/out")"
}

# says FILE TEXT: the file has it.
says()
{
    grep -qF -- "$2" "$1" || fail "'$2' is not in: $(head -c 1000 "$1")"
}
