#!/usr/bin/env bash
# daemon.sh BIN_DIR: amtd's life beside its work: one per state directory, stale sockets, garbage from clients, mistakes
# in the configuration, starts that fail, amtcli that starts it, people who may not, a disk that is full.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
socket=$AMTD_STATE_DIR/amtd.sock

# --- started with nothing open, as some supervisors do ---
amtd --foreground <&- >&- 2>&- &
amtd_pid=$!
wait_until 'amtd without standard descriptors' test -S "$socket"
[ "$(amtcli status -o json <&- | jq .pid)" = "$amtd_pid" ] || fail "amtd without standard descriptors does not answer"
amtd_stop

# --- one amtd a state directory ---
amtd_start
exits 1 amtd --foreground
says "$dir/err" "pid $amtd_pid"
exits 1 amtd # its start into the background fails, and says so to who started it
says "$dir/err" "pid $amtd_pid"
exits 0 amtcli status
[ "$(amtcli status -o json | jq .pid)" = "$amtd_pid" ] || fail "another amtd answers"

# --- the socket of another amtd is not taken, nor is anything else of its name removed ---
exits 1 amtd --foreground --state-dir "$dir/other" --socket "$socket"
says "$dir/err" "pid $amtd_pid"
printf 'not yours' > "$dir/precious"
exits 1 amtd --foreground --state-dir "$dir/other" --socket "$dir/precious"
[ "$(cat "$dir/precious")" = 'not yours' ] || fail "a file was removed to make room for a socket"
[ "$(amtcli status -o json | jq .pid)" = "$amtd_pid" ] || fail "the first amtd lost its socket"

# --- garbage on the socket ---
python3 - "$socket" << 'PY'
import os, random, socket, sys
random.seed(7)
for n in range(60):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(5)
    s.connect(sys.argv[1])
    try:
        s.sendall(random.choice([b"GET / HTTP/1.1\r\n\r\n", random.randbytes(random.randrange(1, 70000)), b"\xff" * 65536,
                                 b"{" * 100000, b"\0" * 17, b"\n" * 5000]))
        if n % 3:
            s.shutdown(socket.SHUT_WR)
            while s.recv(65536):
                pass
    except OSError:
        pass
    s.close()
idle = [socket.socket(socket.AF_UNIX) for _ in range(200)]
for s in idle:
    s.connect(sys.argv[1])
PY
[ "$(amtcli status -o json | jq .pid)" = "$amtd_pid" ] || fail "amtd did not survive garbage"
[ "$(wc -l < "$dir/amtd.log")" -lt 400 ] || fail "garbage filled the log: $(wc -l < "$dir/amtd.log") lines"

# --- a stale socket ---
kill -KILL "$amtd_pid"
wait "$amtd_pid" 2> /dev/null || true
[ -S "$socket" ] || fail "no socket was left behind"
amtd_start
exits 0 amtcli status
amtd_stop
[ ! -e "$socket" ] || fail "the socket outlived amtd"

# --- mistakes in the configuration: all at once, with their places ---
cat > "$dir/bad.yaml" << 'YAML'
sokcet: /tmp/x
dial-limit: many
log-level: loud
private-idle: 5 bananas
allow:
  - {user: nobody, role: king}
  - {role: watch}
YAML
exits 1 amtd --check --config "$dir/bad.yaml"
cat "$dir/out" >> "$dir/err"
for place in 1:1 2:13 3:12 4:15 6:26; do says "$dir/err" "bad.yaml:$place: "; done
grep -q 'bad.yaml:7:' "$dir/err" || fail "the rule without user and group is no mistake: $(cat "$dir/err")"
exits 1 amtd --foreground --config "$dir/bad.yaml"
says "$dir/err" 'bad.yaml:6:26: '
printf 'allow: [\n' > "$dir/worse.yaml"
exits 1 amtd --check --config "$dir/worse.yaml"
cat "$dir/out" >> "$dir/err"
says "$dir/err" 'worse.yaml:2:1: '
exits 1 amtd --check --config "$dir/absent.yaml"
says "$dir/err" absent.yaml
exits 2 amtd --such-option
printf 'log-level: info\nprivate-idle: 1h\n' > "$dir/good.yaml"
exits 0 amtd --check --config "$dir/good.yaml"

# --- starts that fail ---
exits 1 amtd --state-dir /proc/none/such
says "$dir/err" "/proc/none: "
printf 'no database' > "$dir/file"
exits 1 amtd --state-dir "$dir/file"
mkdir -m 777 "$dir/open"
exits 1 amtd --state-dir "$dir/open"
says "$dir/err" 'others may write there'
exits 1 amtd --check --config "$dir"
cat "$dir/out" >> "$dir/err"
says "$dir/err" 'Is a directory'
mkdir -m 700 "$dir/broken"
head -c 8192 /dev/urandom > "$dir/broken/amtd.db"
for f in "$AMTD_STATE_DIR"/*; do case $f in *.db | *.sqlite*) database=$(basename "$f") ;; esac; done
cp "$dir/broken/amtd.db" "$dir/broken/${database:?}" 2> /dev/null || true
exits 1 amtd --state-dir "$dir/broken"
says "$dir/err" database
exits 3 env AMTD_STATE_DIR=/proc/none/such amtcli status
exits 3 env AMTD_SOCKET="$dir/none/such.sock" AMTD_STATE_DIR="$dir/file" amtcli host list

# --- ten amtcli start one private amtd ---
amtd_pids()
{
    grep -c ' ready, state ' "$AMTD_STATE_DIR/amtd.log"
}
clients=()
for i in 1 2 3 4 5 6 7 8 9 10; do
    amtcli status -o json > "$dir/status.$i" 2> "$dir/err.$i" &
    clients+=($!)
done
for i in "${!clients[@]}"; do wait "${clients[$i]}" || fail "amtcli ended with $?: $(cat "$dir/err.$((i + 1))")"; done
[ "$(jq .pid "$dir"/status.* | sort -u | wc -l)" = 1 ] || fail "more than one amtd answered"
[ "$(amtd_pids)" = 1 ] || fail "$(amtd_pids) amtd became ready"
exits 0 amtcli stop
[ ! -e "$socket" ] || fail "amtcli stop did not wait for the end of amtd"
# What amtcli was given stays open with it, and not with the amtd that goes on: faketime and build servers wait for that.
timeout 60 bash -c 'exec 9> >(cat > "$1/pipe.end"; echo >> "$1/pipe.end"); amtcli status > "$1/out" 2>&1; exec 9>&-; wait $!' - "$dir" ||
    fail "an amtd that amtcli started keeps what amtcli was given"
exits 0 amtcli stop

# --- who may not, is refused, and that is written down ---
amtd_start
chmod 711 "$dir" "$AMTD_STATE_DIR"
if [ "$(id -u)" = 0 ]; then
    chmod 666 "$socket" # what stands before is only the second fence
    cp "$bin/amtcli" "$dir/amtcli"
    chmod 755 "$dir/amtcli"
    as_nobody()
    {
        setpriv --reuid=nobody --regid=nogroup --clear-groups "$dir/amtcli" "$@"
    }
    exits 4 as_nobody status
    exits 4 as_nobody host add intruder
    says "$dir/err" denied
    says "$dir/err" 'nobody'
    amtcli activity -o json > "$dir/activity"
    [ "$(jq '[.[] | select((.who | contains("nobody")) and .what == "host.add")] | length' "$dir/activity")" = 1 ] ||
        fail "the denial is not in the activity log: $(cat "$dir/activity")"
    [ "$(amtcli host list -o json | jq length)" = 0 ] || fail "nobody added a host"
    amtd_stop
    cat > "$dir/watch.yaml" << 'YAML'
allow:
  - {user: nobody, role: watch}
YAML
    amtd_start --config "$dir/watch.yaml"
    chmod 666 "$socket"
    exits 0 as_nobody status
    exits 4 as_nobody host add intruder
fi
amtd_stop

# --- a full disk ---
if [ "$(id -u)" = 0 ] && mkdir "$dir/disk" && mount -t tmpfs -o size=1m none "$dir/disk" 2> /dev/null; then
    disk=$dir/disk
    amtsim_start --devices 5 --power-seconds 1-1.2
    export AMTD_STATE_DIR=$dir/disk/state
    amtd_start
    fleet 5
    exits 0 amtcli power status @lab
    dd if=/dev/zero of="$dir/disk/fill" bs=4k 2> /dev/null || true
    ctl clear all > /dev/null
    for _ in 1 2 3 4 5 6 7 8; do # what the write-ahead log has room for in its last page may still be written
        status=0
        amtcli power cycle @lab --yes -o json > "$dir/out" 2> "$dir/err" || status=$?
        [ $status = 0 ] || break
        ctl clear all > /dev/null
        dd if=/dev/zero of="$dir/disk/fill" bs=1 seek="$(stat -c %s "$dir/disk/fill")" 2> /dev/null || true
    done
    [ $status != 0 ] || fail "a power change on a full disk was carried out"
    cat "$dir/out" "$dir/err" > "$dir/both"
    says "$dir/both" store-failed
    [ "$(ctl record all | jq -s '[.[].events[] | select(.event == "power")] | length')" = 0 ] ||
        fail "power requests were sent though they could not be written down"
    exits 0 amtcli status
    exits 0 amtcli host list
    rm "$dir/disk/fill"
    exits 0 amtcli power cycle @lab --yes
    amtd_stop
    amtsim_stop
else
    echo "daemon: no tmpfs of its own: the full disk was left out" >&2
fi
echo "daemon: ok"
