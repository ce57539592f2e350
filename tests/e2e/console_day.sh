#!/usr/bin/env bash
# A day with consoles: what is typed by configuration, boots, rolling on request and by signal, floods and silence, all forms of
# the log, and the log after a crash.
#   console_day.sh DIRECTORY-OF-PROGRAMS
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
logs=$AMTD_STATE_DIR/consoles
# A machine that boots again and again: firmware, kernel, login.
cat > "$dir/machine" << 'END'
#!/bin/bash
for ((boot = 1; ; boot++)); do
    printf '\033[2JSeaBIOS (version 1.16.%d)\r\n\033[32mbooting\033[0m\r\nmachine %d is up\r\n' $boot $boot
    read -r line
    echo "going down by $line"
    sleep 1.5
done
END
chmod +x "$dir/machine"
cat > "$dir/amtd.yaml" << END
console-defaults: { retry-min: 100ms, retry-max: 1s, log: { sign: 1s } }
consoles:
  - { name: machine, source: { type: exec, command: "stty -echo; exec $dir/machine" } }
  - { name: cat, source: { type: exec, command: "stty raw -echo; exec cat" }, initial-text: 'hello\n', idle: 2s, idle-text: 'still here\n' }
  - { name: loud, source: { type: test, rate: 50000 }, activity: { window: 1s, high: 10000, low: 10 } }
  - { name: quiet, source: { type: test }, activity: { window: 1s, high: 10000, low: 10 } }
END
amtd_start --config "$dir/amtd.yaml"
log_has() { amtcli log show "$1" 2> /dev/null | grep -qF -- "$2"; }
event_is() { amtcli log events "$1" | grep -qE -- "$2"; }

echo '--- typed by configuration'
wait_until 'the initial text' log_has cat hello
wait_until 'the idle text' log_has cat 'still here'

echo '--- floods and silence'
wait_until 'the flood' event_is loud 'activity.*flood'
wait_until 'the silence' event_is quiet 'activity.*silence'

echo '--- boots'
wait_until 'the first boot' log_has machine 'machine 1 is up'
wait_until 'the first boot in the journal' event_is machine 'boot .*SeaBIOS \(version 1.16.1\)'
# Boots within a minute are one: the first is made an hour old.
at=$(date -u -d '-1 hour' +%Y-%m-%dT%H:%M:%S.000Z)
exits 0 amtcli console send machine 'somebody\n'
wait_until 'the second boot' log_has machine 'machine 2 is up'
typed_recently() { ! event_is machine 'boot .*1\.16\.2'; } # it came within seconds of what somebody typed
typed_recently || fail 'what follows typing was taken for a boot'
sleep 4 # more than five seconds without typing
exits 0 amtcli console send machine 'x'
amtd_stop
sed -i "/\"boot\"/s/\"at\":\"[^\"]*\"/\"at\":\"$at\"/; /\"boot\"/s/\"at\": \"[^\"]*\"/\"at\": \"$at\"/" "$logs/machine/console.jnl"
amtd_start --config "$dir/amtd.yaml"
second_boot() { [ "$(amtcli log events machine | grep -c ' boot ')" -ge 2 ]; }
wait_until 'another boot' second_boot
exits 0 amtcli log show machine --boot 0
says "$dir/out" 'SeaBIOS (version 1.16.1)'
! grep -q 'going down by somebody' "$dir/out" || fail 'the last boot begins too early'
exits 0 amtcli log show machine --boot 1
says "$dir/out" 'going down by somebody'
exits 2 amtcli log show machine --boot 7

echo '--- rolling: on request, and all by signal'
exits 0 amtcli console roll cat
closed() { find "$logs/$1" -name '*.log.zst' | grep -q .; }
wait_until 'a closed segment' closed cat
kill -USR2 "$amtd_pid"
wait_until 'a closed segment of each' closed machine
wait_until 'a closed segment of each' closed loud
exits 0 amtcli log verify machine
zstdcat -q "$logs/machine"/*.log.zst | grep -q 'machine 1 is up' || fail 'zstdcat reads it'

echo '--- every form of a log, also from closed segments'
exits 0 amtcli log export machine "$dir/plain"
grep -q $'\033\[2J' "$dir/plain" || fail 'the bytes are not as they were'
exits 0 amtcli log export machine "$dir/machine.txt"
! grep -q $'\033' "$dir/machine.txt" || fail 'not stripped'
says "$dir/machine.txt" 'machine 1 is up'
exits 0 amtcli log export machine "$dir/machine.html"
grep -qE '<span [^>]*>booting</span>' "$dir/machine.html" || fail "no colours: $(grep booting "$dir/machine.html")"
exits 0 amtcli log export machine "$dir/machine.cast"
sed -n 2p "$dir/machine.cast" | jq -e '.[1] == "o" and (.[2] | length) > 0' > /dev/null || fail 'no recording'
exits 0 amtcli log show machine --stamps --lines 3
grep -qE '^\[20[0-9-]+T[0-9:.]+Z\] ' "$dir/out" || fail "no times: $(cat "$dir/out")"
exits 0 amtcli log show machine --since 1h --until "$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)"
says "$dir/out" 'machine 1 is up'

echo '--- search as grep does'
exits 0 amtcli log search -i -E 'MACHINE [0-9] IS' -C 1 machine
says "$dir/out" 'booting'
exits 0 amtcli log search -l -E 'is up|still here'
[ "$(sort "$dir/out" | xargs)" = 'cat machine' ] || fail "$(cat "$dir/out")"
exits 0 amtcli log search -c -E 'machine 1 is up' machine
says "$dir/out" 'machine:2'
exits 0 amtcli log search -E 'still here' -m 1 cat
[ "$(wc -l < "$dir/out")" = 1 ] || fail "$(cat "$dir/out")"
exits 1 amtcli log search -E 'machine 1' --until 2020-01-01T00:00:00Z machine

echo '--- the log after a crash'
before=$(amtcli log show machine | wc -l)
kill -9 "$amtd_pid"
wait "$amtd_pid" 2> /dev/null || true
amtd_start --config "$dir/amtd.yaml"
[ "$(amtcli log show machine | wc -l)" -ge "$before" ] || fail 'lines are gone'
exits 0 amtcli log verify machine
amtd_stop
echo ok
