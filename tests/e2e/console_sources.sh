#!/usr/bin/env bash
# Sources of consoles against stock programs: sockets, telnet, a serial line, commands; links that end and come back.
#   console_sources.sh DIRECTORY-OF-PROGRAMS DIRECTORY-OF-TEST-PROGRAMS
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
probe=$(cd "$2" && pwd)/mux_probe
logs=$AMTD_STATE_DIR/consoles
helpers=()

helper() { # COMMAND...: in the background until the test ends
    "$@" 2>> "$dir/helpers" &
    helpers+=($!)
}

finish_helpers()
{
    local status=$?
    ((${#helpers[@]} == 0)) || kill "${helpers[@]}" 2> /dev/null || true
    set +e
    (exit $status)
    finish_amtd
}
trap finish_helpers EXIT

call() { "$probe" "$AMTD_STATE_DIR/amtd.sock" call "$@"; }
show() { call console.show "{\"name\": \"$1\"}" | jq -r ".reply.$2"; }
state_is() { [ "$(show "$1" state)" = "$2" ]; }
file_has() { grep -qaF -- "$2" "$1" 2> /dev/null; }
send() { call console.send "{\"names\": [\"$1\"], \"text\": \"$2\"}" > "$dir/out"; says "$dir/out" "\"sent\":[\"$1\"]"; }

# A telnet server that asks for what it may not have, quotes, and tells the lines of its port.
printf '\377\375\030\377\373\001\377\373\003\377\375\054login: a\377\377b\r\0\377\372\054\153\240\377\360done\r\n' > "$dir/telnet.bytes"
cat > "$dir/amtd.yaml" << END
console-defaults: { retry-min: 100ms, retry-max: 500ms }
consoles:
  - { name: tcp, source: { type: tcp, host: 127.0.0.1, port: $port } }
  - { name: telnet, source: { type: telnet, host: 127.0.0.1, port: $((port + 1)), speed: 9600 } }
  - { name: vm, source: { type: unix, path: $dir/vm.sock } }
  - { name: serial, source: { type: serial, path: $dir/tty0, speed: 115200 } }
  - { name: prog, source: { type: exec, command: "echo pid \$\$; tty; exec sleep 1000" } }
  - { name: done, source: { type: exec, command: "echo last words; exit 4" }, retry-min: 1h, retry-max: 1h }
END
helper socat TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork SYSTEM:'echo from tcp; cat'
helper socat TCP-LISTEN:$((port + 1)),bind=127.0.0.1,reuseaddr,fork SYSTEM:"cat '$dir/telnet.bytes'; tee -a '$dir/telnet.got' > /dev/null"
helper socat UNIX-LISTEN:"$dir/vm.sock" SYSTEM:'echo machine 1; cat'
vm=${helpers[-1]}
helper socat pty,raw,echo=0,link="$dir/tty0" pty,raw,echo=0,link="$dir/tty1"
tty=${helpers[-1]}
wait_until 'the serial line' test -e "$dir/tty1"
wait_until 'the machine' test -S "$dir/vm.sock"
amtd_start --config "$dir/amtd.yaml"

echo '--- tcp'
wait_until 'tcp' file_has "$logs/tcp/console.log" 'from tcp'
send tcp 'echoed\n'
wait_until 'the echo' file_has "$logs/tcp/console.log" echoed

echo '--- telnet with RFC 2217'
wait_until 'telnet' file_has "$logs/telnet/console.log" done
printf 'login: a\377b\rdone\r\n' | cmp - "$logs/telnet/console.log" || fail 'telnet was not taken apart'
[ "$(show telnet signals.DCD)" = true ] || fail 'DCD is not known'
[ "$(show telnet signals.CTS)" = false ] || fail 'CTS is not known'
send telnet 'x\r'
wait_until 'settings of the port' file_has "$dir/telnet.got" "$(printf '\377\372\054\001')"
call console.break '{"name": "telnet"}' > "$dir/out"
wait_until 'a break' file_has "$dir/telnet.got" "$(printf '\377\372\054\005\005\377\360')"
wait_until 'its end' file_has "$dir/telnet.got" "$(printf '\377\372\054\005\006\377\360')"

echo '--- a virtual machine that goes and comes back'
wait_until 'vm' file_has "$logs/vm/console.log" 'machine 1'
kill "$vm"
wait_until 'the end of the link' state_is vm waiting
rm -f "$dir/vm.sock"
helper socat UNIX-LISTEN:"$dir/vm.sock" SYSTEM:'echo machine 2; cat'
wait_until 'the link again' state_is vm up
wait_until 'vm again' file_has "$logs/vm/console.log" 'machine 2'
[ "$(grep -c '"event":"up"' "$logs/vm/console.jnl")" = 2 ] || fail "$(cat "$logs/vm/console.jnl")"

echo '--- serial'
wait_until 'serial' state_is serial up
echo 'from the line' > "$dir/tty1"
wait_until 'the line' file_has "$logs/serial/console.log" 'from the line'
head -1 "$dir/tty1" > "$dir/typed" &
reader=$!
sleep 0.2
send serial 'to the line\n'
wait $reader
says "$dir/typed" 'to the line'
kill "$tty"
wait_until 'the port gone' state_is serial waiting

echo '--- commands'
wait_until 'prog' file_has "$logs/prog/console.log" /dev/pts/
kill -9 "$(tr -d '\r' < "$logs/prog/console.log" | sed -n 's/^pid //p')"
wait_until 'a dead command noticed' file_has "$logs/prog/console.jnl" 'killed by signal 9'
wait_until 'it runs again' state_is prog up
wait_until 'the end of done' state_is done waiting
says "$logs/done/console.log" 'last words'
[ "$(show 'done' reason)" = 'exit status 4' ] || fail "$(show 'done' reason)"
children=$(pgrep -P $amtd_pid | wc -l)
call console.down '{"name": "prog"}' > "$dir/out"
fewer() { [ "$(pgrep -P $amtd_pid | wc -l)" -lt "$children" ]; }
wait_until 'the command ended and reaped' fewer

echo '--- two thousand that fail'
{
    echo 'consoles:'
    for ((i = 0; i < 2000; i++)); do
        echo "  - { name: f$i, source: { type: unix, path: $dir/nobody$((i % 7)).sock }, retry-min: 100ms, retry-max: 1s }"
    done
    echo "  - { name: tcp, source: { type: tcp, host: 127.0.0.1, port: $port }, retry-min: 100ms, retry-max: 500ms }"
} > "$dir/amtd.yaml"
since=$(show tcp since)
kill -HUP $amtd_pid
tried() { [ "$(call console.list '{"names": ["f*"]}' | jq '[.reply[] | select(.reason != "")] | length')" -gt 1500 ]; }
wait_until 'all tried' tried # the first attempts are not held back
[ "$(show tcp since)" = "$since" ] || fail 'an untouched console was opened again'
before=$(awk '{ print $14 + $15 }' "/proc/$amtd_pid/stat")
sleep 2
after=$(awk '{ print $14 + $15 }' "/proc/$amtd_pid/stat")
echo "clock ticks in two seconds: $((after - before))"
amtd_stop
echo ok
