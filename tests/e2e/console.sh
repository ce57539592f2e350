#!/usr/bin/env bash
# Consoles of a running amtd: attaching, sharing, typing, searching, verifying, and the bad days of a log.
#   console.sh DIRECTORY-OF-PROGRAMS DIRECTORY-OF-TEST-PROGRAMS
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
probe=$(cd "$2" && pwd)/mux_probe
logs=$AMTD_STATE_DIR/consoles

call() { # NAME [PARAMS]: prints what the call gives
    "$probe" "$AMTD_STATE_DIR/amtd.sock" call "$@"
}

reply() { # FILTER NAME [PARAMS]
    local filter=$1
    shift
    call "$@" | jq -r "select(.reply) | .reply | $filter"
}

state_is() { # CONSOLE STATE
    [ "$(reply ".state" console.show "{\"name\": \"$1\"}")" = "$2" ]
}

log_has() { # CONSOLE TEXT: in its whole log
    call log.show "{\"name\": \"$1\"}" | jq -r 'select(.event) | .event.text // empty' | grep -qF -- "$2"
}

file_has() { # FILE TEXT
    grep -qF -- "$2" "$1" 2> /dev/null
}

cat > "$dir/amtd.yaml" << END
console-defaults: { retry-min: 100ms, retry-max: 1s, log: { sign: 1s } }
consoles:
  - { name: shell, source: { type: exec, command: "exec sh -i" } }
  - { name: numbers, source: { type: test, rate: 200000 } }
  - { name: echo, source: { type: test } }
  - { name: vm, source: { type: unix, path: $dir/vm.sock } }
  - { name: cat, source: { type: exec, command: "stty raw -echo; exec cat" }, on-demand: true }
END
exits 1 amtd --check --config <(echo 'consoles: [ { name: "a b", source: { type: unix } } ]')
says "$dir/err" ":1:36: a source of the type 'unix' needs 'path'"
says "$dir/err" "is no name for a console"
exits 0 amtd --check --config "$dir/amtd.yaml"
amtd_start --config "$dir/amtd.yaml"
[ "$(amtcli completion words 'console show nu')" = numbers ] || fail 'names of consoles by Tab'

echo '--- a shell: typing and watching'
wait_until 'the shell' state_is shell up
mkfifo "$dir/in" "$dir/in2"
"$probe" "$AMTD_STATE_DIR/amtd.sock" console '{"console": "shell"}' < "$dir/in" > "$dir/writer" 2> "$dir/writer.events" &
exec 7> "$dir/in"
wait_until 'the writer' file_has "$dir/writer.events" '"holds":true'
"$probe" "$AMTD_STATE_DIR/amtd.sock" console '{"console": "shell", "mode": "watch"}' < "$dir/in2" > "$dir/watcher" 2> "$dir/watcher.events" &
exec 8> "$dir/in2"
wait_until 'the watcher' file_has "$dir/watcher.events" '"state"'
echo 'echo result-$((6 * 7))' >&7
wait_until 'the answer' file_has "$dir/watcher" 'result-42'
wait_until 'the answer' file_has "$dir/writer" 'result-42'
echo 'touch /nowhere/forbidden' >&8
wait_until 'the refusal' file_has "$dir/watcher.events" '"dropped"'
[ "$(reply 'length' console.who '{"names": ["shell"]}')" = 2 ] || fail 'who'
call console.message '{"name": "shell", "text": "going home"}' > "$dir/out"
wait_until 'the message' file_has "$dir/writer.events" 'going home'
exits 0 amtcli console message 's*' echo 'to everybody'
says "$dir/err" 'told those at 1 console'
wait_until 'the broadcast' file_has "$dir/watcher.events" 'to everybody'
id=$(reply '.[] | select(.watches) | .id' console.who '{"names": ["shell"]}')
call console.disconnect "{\"name\": \"shell\", \"id\": $id}" > "$dir/out"
wait_until 'the end of the watcher' file_has "$dir/watcher.events" '"closed"'
exec 7>&- 8>&-
file_has "$logs/shell/console.log" 'result-42' || fail 'the log has not what was shown'
! file_has "$logs/shell/console.log" forbidden || fail 'a watcher typed'

echo '--- on demand, up, down, breaks, sending to many'
state_is cat idle || fail 'cat is not idle'
printf 'hello' | "$probe" "$AMTD_STATE_DIR/amtd.sock" console '{"console": "cat"}' > "$dir/out" 2> /dev/null || true
wait_until 'cat idle again' state_is cat idle
call console.down '{"name": "echo"}' > "$dir/out"
state_is echo down || fail 'echo is not down'
call console.up '{"name": "echo"}' > "$dir/out"
wait_until 'echo up' state_is echo up
call console.send '{"names": ["e*", "vm"], "text": "to many\n"}' > "$dir/out"
says "$dir/out" '"sent":["echo"]'
says "$dir/out" '"console":"vm"'
wait_until 'what was sent' log_has echo 'to many'
exits 1 call console.break '{"name": "shell"}'
says "$dir/out" unsupported

echo '--- search'
call log.search '{"names": ["shell", "echo"], "regex": "RESULT-[0-9]+$|^to m", "ignore_case": true}' > "$dir/out"
says "$dir/out" '"console":"echo"'
says "$dir/out" 'result-42'
[ "$(reply .consoles log.search '{"regex": "result-4[0-9]", "count": true}')" = 1 ] || fail 'count'

echo '--- segments, verify, a flipped bit'
reply '"rolled \(length)"' console.roll '{"names": ["numbers"]}'
wait_until 'compression' test -e "$logs/numbers/00000000000000000000.log.zst"
zstdcat -q "$logs/numbers/00000000000000000000.log.zst" > "$dir/out"
says "$dir/out" 'line 0000000000 of'
[ "$(reply .intact log.verify '{"name": "numbers"}')" = true ] || fail 'not intact'
cp -a "$logs/numbers/00000000000000000000.log.zst" "$dir/kept"
printf 'X' | dd of="$logs/numbers/00000000000000000000.log.zst" bs=1 seek=500 conv=notrunc 2> /dev/null
call log.verify '{"name": "numbers"}' > "$dir/out"
says "$dir/out" '"intact":false'
says "$dir/out" '"segment":"00000000000000000000.log.zst","first":0'
cp -a "$dir/kept" "$logs/numbers/00000000000000000000.log.zst"
[ "$(reply .intact log.verify '{"name": "numbers"}')" = true ] || fail 'not intact again'

# What the log of numbers has from its first line to the last whole one: every number once, in order.
numbers_are_whole()
{
    call log.show '{"name": "numbers"}' | jq -rj 'select(.event) | .event.text // error("bytes are missing")' > "$dir/numbers"
    # After a restart the source begins again at 0.
    sed '$d' "$dir/numbers" | tr -d '\r' | awk '{ n = $2 + 0; if (n != want && n != 0) { print "line " NR ": " $0 ", not " want; exit 1 }; want = n + 1 }'
}

echo '--- a deleted log'
before=$(reply .end console.show '{"name": "numbers"}')
rm "$logs/numbers/console.log"
wait_until 'a new log' test -e "$logs/numbers/console.log"
numbers_are_whole || fail 'bytes are lost after the log was deleted'
[ "$(reply .end console.show '{"name": "numbers"}')" -gt "$before" ] || fail 'the log does not grow'

echo '--- kill -9: what was shown is in the log'
"$probe" "$AMTD_STATE_DIR/amtd.sock" console "{\"console\": \"numbers\", \"mode\": \"watch\", \"offset\": $before}" \
    < <(sleep 60) > "$dir/shown" 2> /dev/null &
shown=$!
wait_until 'something shown' test -s "$dir/shown"
for ((i = 0; i < 3; i++)); do
    kill -9 $amtd_pid
    wait $amtd_pid || true
    [ $i -gt 0 ] || wait $shown || true
    amtd_start --config "$dir/amtd.yaml"
    wait_until 'numbers again' state_is numbers up
done
call log.show "{\"name\": \"numbers\", \"from\": $before, \"to\": $((before + $(stat -c %s "$dir/shown")))}" |
    jq -rj 'select(.event) | .event.text' > "$dir/logged"
cmp "$dir/shown" "$dir/logged" || fail 'the log has not what was shown'
numbers_are_whole || fail 'bytes are lost or doubled after kill -9'
[ "$(reply .intact log.verify '{"name": "numbers"}')" = true ] || fail 'not intact after kill -9'

echo '--- reload'
sed -i '/name: echo/d' "$dir/amtd.yaml"
since=$(reply .since console.show '{"name": "shell"}')
kill -HUP $amtd_pid
gone() { ! call console.show '{"name": "echo"}' > /dev/null; }
wait_until 'echo gone' gone
[ "$(reply .since console.show '{"name": "shell"}')" = "$since" ] || fail 'an untouched console was opened again'
amtd_stop

echo '--- a full disk'
disk=$AMTD_STATE_DIR/consoles
mount -t tmpfs -o size=1m tmpfs "$disk"
amtd_start --config "$dir/amtd.yaml"
is_paused() { [ "$(reply .logging console.show '{"name": "numbers"}')" = paused ]; }
wait_until 'the full disk' is_paused
says "$dir/amtd.log" 'logging is paused'
state_is numbers up || fail 'the console is not usable'
"$probe" "$AMTD_STATE_DIR/amtd.sock" console '{"console": "numbers", "mode": "watch"}' < <(sleep 60) > "$dir/live" 2> /dev/null &
live=$!
wait_until 'live bytes while the disk is full' test -s "$dir/live"
mount -o remount,size=50m "$disk"
not_paused() { ! is_paused; }
wait_until 'logging again' not_paused
events_say() { call log.events '{"name": "numbers"}' > "$dir/out" && grep -q "$1" "$dir/out"; }
wait_until 'the pause in the journal' events_say 'paused: .*No space left'
wait_until 'its end in the journal' events_say 'goes on; [0-9]* bytes are lost'
kill $live
wait $live || true
end=$(reply .end console.show '{"name": "numbers"}')
grows() { [ "$(reply .end console.show '{"name": "numbers"}')" -gt "$end" ]; }
wait_until 'a growing log' grows
amtd_stop
echo ok
