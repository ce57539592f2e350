#!/usr/bin/env bash
# console_terminal.sh BIN_DIR: `amtcli console` on real terminals and in scripts: what is typed arrives, sequences do what
# they say, several share a console, and the terminal is as it was after every way out.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
cat > "$dir/amtd.yaml" << 'YAML'
consoles:
  - { name: echo, source: { type: test, rate: 0, echo: true } }
  - { name: second, source: { type: test, rate: 0, echo: true } }
  - { name: lines, source: { type: test, rate: 2000 } }
  - { name: absent, source: { type: unix, path: /nonexistent/console } }
  - { name: shell, source: { type: exec, command: "PS1='machine# ' exec bash --norc --noprofile -i" } }
YAML

# --- scripts ---
amtd_start --config "$dir/amtd.yaml"
exits 0 amtcli console shell --send '\r' --expect 'machine# $' --send 'echo a$((6*7))b\r' --expect '^a42b$' --timeout 60s
says "$dir/out" a42b
exits 0 amtcli console lines --expect 'line 0*[0-9]+ of' --timeout 60s
exits 1 amtcli console echo --expect 'never said' --timeout 200ms
says "$dir/err" "timed out waiting for 'never said'"
exits 2 amtcli console echo --expect 'a(' --timeout 1s
exits 2 amtcli console echo --send 'a\q'
exits 2 amtcli console echo --read-only --send a
exits 2 amtcli console nosuch --expect x
says "$dir/err" not-found
# what is to be done to a console that is not there was not done
exits 2 amtcli console send nosuch x
says "$dir/err" "there is no console 'nosuch'"
exits 2 amtcli console roll nosuch
says "$dir/err" "there is no console 'nosuch'"
exits 0 amtcli console list nosuch
exits 0 amtcli console logging second off
exits 0 amtcli console list second # a log that is off is seen in the list
says "$dir/out" ' off'
exits 0 amtcli console logging second on
exits 2 amtcli log show echo --since 2x
says "$dir/err" "'2x' is neither a time ago, such as 2h"
printf 'from a pipe\r\n' | amtcli console echo
exits 0 amtcli console echo --replay 1 --expect 'from a pipe' --timeout 60s

# --- without a terminal ---
exits 0 amtcli console list -o json
jq -e 'map(.name) == ["absent", "echo", "lines", "second", "shell"]' "$dir/out" > /dev/null || fail "$(cat "$dir/out")"
exits 0 amtcli console send echo second 'to both\r\n'
exits 0 amtcli log search -E 'to both' -l
[ "$(sort "$dir/out" | xargs)" = "echo second" ] || fail "not sent to both: $(cat "$dir/out")"
exits 0 amtcli console note echo 'a note of a test'
exits 0 amtcli log events echo
says "$dir/out" 'a note of a test'
exits 0 amtcli log show echo --format plain
says "$dir/out" 'from a pipe'
exits 0 amtcli log export echo "$dir/echo.html"
says "$dir/echo.html" 'from a pipe'
exits 0 amtcli log export echo "$dir/echo.cast"
head -1 "$dir/echo.cast" | jq -e '.version == 2' > /dev/null || fail "no recording: $(cat "$dir/echo.cast")"
exits 0 amtcli log search -E 'FROM A' -i echo -c
says "$dir/out" 'echo:1'
exits 1 amtcli log search -E 'is nowhere' echo
exits 0 amtcli log verify echo
says "$dir/out" intact
printf '#!/bin/sh\ncat > "%s/printed"\n' "$dir" > "$dir/lp"
chmod +x "$dir/lp"
PATH=$dir:$PATH exits 0 amtcli log print echo
says "$dir/printed" 'from a pipe'

# --- people ---
cat > "$dir/restart" << RESTART
#!/usr/bin/env bash
touch "$dir/restart.wanted"
until [ -e "$dir/restart.done" ]; do sleep 0.05; done
RESTART
chmod +x "$dir/restart"
RESTART=$dir/restart python3 "$(dirname "$0")/console_terminal.py" &
people=$!
restart_wanted()
{
    ! kill -0 $people 2> /dev/null || [ -e "$dir/restart.wanted" ]
}
SECONDS=0
until restart_wanted; do sleep 0.05; done
if [ -e "$dir/restart.wanted" ]; then
    kill -9 "$amtd_pid"
    wait "$amtd_pid" || true
    amtd_start --config "$dir/amtd.yaml"
    touch "$dir/restart.done"
fi
wait $people || fail "people at terminals"
amtd_stop
echo "console_terminal: ok"
