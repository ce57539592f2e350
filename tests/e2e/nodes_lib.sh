# Sourced by tests of several amtds. Each has a directory, $dir/NAME, with its state, its log and amtd.yaml; their ports are
# in $port_NAME.
# shellcheck shell=bash disable=SC2034
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/amtd_lib.sh"
declare -A pid_of=() port_of=()
places=0
export HOME=$dir/home XDG_CONFIG_HOME=
mkdir -p "$HOME"
unset AMTD_STATE_DIR AMTD_SOCKET AMTD_SERVER XDG_STATE_HOME

# place NAME [YAML]: a directory for an amtd that listens on a port of its own on loopback.
place()
{
    mkdir -p "$dir/$1"
    port_of[$1]=$((port + places++))
    printf 'name: %s\nlisten: 127.0.0.1:%d\n%s\n' "$1" "${port_of[$1]}" "${2-}" > "$dir/$1/amtd.yaml"
}

# start NAME: returns when it is ready.
start()
{
    : > "$dir/$1/log"
    amtd --foreground --config "$dir/$1/amtd.yaml" --state-dir "$dir/$1/state" 2>> "$dir/$1/log" &
    pid_of[$1]=$!
    wait_until "$1's readiness" is_ready "$1"
}

is_ready()
{
    grep -q ' ready, state ' "$dir/$1/log" && return
    kill -0 "${pid_of[$1]}" 2> /dev/null || fail "$1 has ended: $(tail -3 "$dir/$1/log")"
    return 1
}

# stop NAME
stop()
{
    local pid=${pid_of[$1]}
    unset "pid_of[$1]"
    kill "$pid"
    wait "$pid" || fail "$1 ended with status $?: $(tail -3 "$dir/$1/log")"
}

# kill9 NAME
kill9()
{
    local pid=${pid_of[$1]}
    unset "pid_of[$1]"
    kill -9 "$pid"
    wait "$pid" 2> /dev/null || true
}

# at NAME COMMAND...: amtcli on that amtd's machine.
at()
{
    local name=$1
    shift
    AMTD_STATE_DIR=$dir/$name/state amtcli "$@"
}

finish_nodes()
{
    local status=$? name
    trap - EXIT
    for name in "${!pid_of[@]}"; do
        kill "${pid_of[$name]}" 2> /dev/null || true
        wait "${pid_of[$name]}" 2> /dev/null || true
    done
    if [ $status != 0 ]; then
        for name in "${!port_of[@]}"; do
            tail -20 "$dir/$name/log" 2> /dev/null | sed "s/^/$name: /" >&2
        done
    fi
    rm -rf "$dir"
    exit $status
}
trap finish_nodes EXIT
