#!/usr/bin/env bash
# event_flood.sh BIN_DIR: a network goes mad: 10,000 traps a second from hundreds of devices for some seconds. amtd goes on with what it is
# asked, keeps what it wants to keep of each device, says of how many it did not, and hears what comes after.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
listen=$((30300 + $$ % 2400))
cat > "$dir/amtd.yaml" <<Y
alerts:
  traps: 127.0.0.1:$listen
Y
amtsim_start --devices 300
amtd_start --config "$dir/amtd.yaml"
fleet 300 2> /dev/null
exits 0 amtcli info @lab
amtcli host list -o json | jq -r '.[].facts["amt.uuid"] | select(. != null)' > "$dir/uuids"
[ "$(wc -l < "$dir/uuids")" = 300 ] || fail "not 300 UUIDs"

# A stock sender's trap of the first machine is the pattern of all.
cat > "$dir/flood.py" << 'PY'
import socket, subprocess, sys, time
uuids = [u.strip().replace('-', '') for u in open(sys.argv[1])]
port, seconds, rate = int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
def smbios(u):
    b = bytes.fromhex(u)
    return b[3::-1] + b[5:3:-1] + b[7:5:-1] + b[8:]
ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ear.bind(('127.0.0.1', 0))
ear.settimeout(60)
subprocess.run(['snmptrap', '-v', '1', '-c', 'public', '127.0.0.1:%d' % ear.getsockname()[1], '1.3.6.1.4.1.3183.1.1', '10.9.9.9', '6',
                str(5 << 16 | 0x6f << 8), '', '1.3.6.1.4.1.3183.1.1.1', 'x',
                smbios(uuids[0]).hex() + '00070000003cffff502010ff07170101020304050607080000000157 0000'], check=True)
pattern = ear.recv(2000)
at = pattern.index(smbios(uuids[0]))
traps = [pattern[:at] + smbios(u) + pattern[at + 16:] for u in uuids]
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sent, begun = 0, time.monotonic()
while True:
    now = time.monotonic() - begun
    if now >= seconds and sent >= seconds * rate:
        break
    while sent < now * rate:
        out.sendto(traps[sent % len(traps)], ('127.0.0.1', port))
        sent += 1
    time.sleep(0.001)
print(sent)
PY
memory() { awk '/VmRSS/ { print $2 }' "/proc/$amtd_pid/status"; }
before=$(memory)
python3 "$dir/flood.py" "$dir/uuids" "$listen" 5 10000 > "$dir/sent" &
sender=$!
begun() { [ "$(amtcli event list --kind alert --limit 10 -o json | jq length)" = 10 ]; }
wait_until "the first of them" begun
exits 0 amtcli power status @lab # in the middle of it
exits 0 amtcli power reset 'pc[0001-0010]' --yes
wait $sender || fail "the sender ended with $?"
[ "$(cat "$dir/sent")" -ge 50000 ] || fail "only $(cat "$dir/sent") were sent"
exits 0 amtcli power status @lab
kept=$(sqlite3 "$AMTD_STATE_DIR/amtd.db" "SELECT count(*) FROM events WHERE kind = 'alert'")
[ "$kept" -ge 300 ] && [ "$kept" -lt 40000 ] || fail "$kept of 50000 became events"
after=$(memory)
[ $((after - before)) -lt 200000 ] || fail "amtd grew from $before to $after KiB"
[ "$(stat -c %s "$dir/amtd.log")" -lt 10000000 ] || fail "its log has $(stat -c %s "$dir/amtd.log") bytes"
# It hears what comes later. How many were left out before is said, however many the kernel's buffer had room for.
newest=$(sqlite3 "$AMTD_STATE_DIR/amtd.db" 'SELECT max(id) FROM events')
sed -n 7p "$dir/uuids" > "$dir/one"
later() {
    python3 "$dir/flood.py" "$dir/one" "$listen" 0.2 1000 > /dev/null
    [ "$(sqlite3 "$AMTD_STATE_DIR/amtd.db" "SELECT count(*) FROM events WHERE id > $newest AND host = 'pc0007' AND text LIKE '%left out%'")" -gt 0 ]
}
deadline=$((SECONDS + 120))
until later; do
    [ $SECONDS -lt $deadline ] || fail "it is deaf after the flood, or tells nobody what was left out"
    sleep 1
done
amtd_stop
amtsim_stop
echo "event_flood: $kept of $(cat "$dir/sent") kept, $((after - before)) KiB more; ok"
