#!/usr/bin/env bash
# A node that has its consoles' configuration from its server: at first start, at each change, and through restarts.
#   nodes_config.sh DIRECTORY-OF-PROGRAMS
# shellcheck source=tests/e2e/nodes_lib.sh
. "$(dirname "$0")/nodes_lib.sh"

place central 'nodes: [ { name: rack, configuration: rack.yaml }, { name: own, configuration: rack.yaml } ]'
place rack
place own 'consoles: [ { name: mine, source: { type: test } } ]'
echo 'consoles: [ { name: a, source: { type: test } } ]' > "$dir/central/rack.yaml"
start central
has() { # AMTD CONSOLE
    at "$1" console list -o json | jq -e --arg name "$2" 'any(.[]; .name == $name)' > /dev/null
}
has_not() { ! has "$@"; }
configured() { # NODE TEXT
    at central node list -o json | jq -e --arg name "$1" --arg text "$2" 'any(.[]; .name == $name and (.configuration | contains($text)))' > /dev/null
}

echo '--- at first start'
exits 0 amtd node join --state-dir "$dir/rack/state" "$(at central node invite rack 2> /dev/null)"
start rack
wait_until 'the console' has rack a
wait_until 'its replica' has central a@rack
wait_until 'the word of it' configured rack taken

echo '--- each change'
echo 'consoles: [ { name: a, source: { type: test } }, { name: b, source: { type: test } } ]' > "$dir/central/rack.yaml"
kill -HUP "${pid_of[central]}"
wait_until 'the new console' has rack b
wait_until 'its replica' has central b@rack
echo 'consoles: [ { name: b, source: { type: test, rate: -1 } }, { nam: c } ]' > "$dir/central/rack.yaml"
kill -HUP "${pid_of[central]}"
wait_until 'the mistake' configured rack "there is no option 'nam'"
has rack a || fail 'a mistake took a console away'
echo 'socket: /tmp/x' > "$dir/central/rack.yaml"
kill -HUP "${pid_of[central]}"
wait_until 'the refusal' configured rack "there is no option 'socket'"
echo 'consoles: [ { name: b, source: { type: test } } ]' > "$dir/central/rack.yaml"
kill -HUP "${pid_of[central]}"
wait_until 'one console less' has_not rack a

at rack activity -o json > "$dir/activity"
jq -e '[.[] | select(.what == "configure" and (.who | endswith("central"))) | .result] | unique == ["invalid-argument", "ok"]' "$dir/activity" > /dev/null ||
    fail "what the server configured is not in the node's activity log: $(jq -c '.[] | select(.what == "configure")' "$dir/activity")"
at central activity -o json | jq -e '[.[] | select(.by == "signal HUP" and (.what | startswith("daemon.reload {")))] | length >= 2' > /dev/null ||
    fail 'readings of the configuration are not in the activity log'

echo '--- a restart without the server'
stop central
stop rack
start rack
has rack b || fail 'the configuration was forgotten'
start central
wait_until 'the link' configured rack taken
wait_until 'the replica of a console that is gone' has central a@rack

echo '--- a node with consoles of its own keeps them'
start own
exits 0 at own node join "$(at central node invite own 2> /dev/null)"
wait_until 'the refusal' configured own 'does not take its configuration'
has own mine || fail 'its own console is gone'
has_not own b || fail 'it took what it should not'
exits 0 at own node join --configuration take "$(at central node invite own --replace 2> /dev/null)"
wait_until 'both' has own b
has own mine || fail 'its own console is gone'
stop own
stop rack
stop central
echo ok
