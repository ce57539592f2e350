#!/usr/bin/env bash
# json_names.sh BIN_DIR: the members that -o json has, for scripts: what is in json_names.txt, command by command, and
# nothing else. And what people see keeps to their terminal.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
names=$(cd "$(dirname "$0")" && pwd)/json_names.txt

amtsim_start --devices 4 --power-seconds 0.1-0.2 --scenario <(printf 'devices:\n  - {select: 4, faults: [{fault: refused}]}\n')
cat > "$dir/amtd.yaml" << 'YAML'
consoles:
  - { name: shell, source: { type: exec, command: cat } }
YAML
amtd_start --config "$dir/amtd.yaml"
fleet 4

# --- something of everything ---
printf 'tasks:\n  - info:\n  - name: broken\n    run: [ sh, -c, "exit 3" ]\n    on-failure: continue\n' > "$dir/two.yaml"
printf 'network: { ping: on }\n' > "$dir/set.yaml"
exits 1 amtcli inventory update all
exits 0 amtcli info pc0001
exits 0 amtcli filter apply quarantine pc0001 --for 1h --set management-server=127.0.0.1
exits 0 amtcli password rotate pc0002
exits 0 amtcli certificate issue pc0003
exits 0 amtcli grant add watch --user nobody
exits 0 amtcli job run "$dir/two.yaml" 'pc[0001-0002]'
job=$(amtcli job list -o json | jq '.[0].run')
exits 0 amtcli schedule add soon --every 1d --job "$dir/two.yaml" --target @lab
exits 0 amtcli config declare "$dir/set.yaml" lab
exits 0 amtcli discover 127.16.0.0/29 --port "$port" --rmcp-port "$port"

# --- their names ---
members() # of all objects of an array, or of an object
{
    jq -r 'if type == "array" then map(keys) | add // [] | unique else keys end | join(" ")'
}
wrong=0
while IFS=: read -r command expected; do
    # shellcheck disable=SC2086
    amtcli ${command/JOB/$job} -o json > "$dir/out" 2> "$dir/err" || [ $? = 1 ] || fail "'$command': $(cat "$dir/err")"
    found=$(members < "$dir/out")
    [ "$found" = "${expected# }" ] || { echo "$command: has '$found', not '${expected# }'" >&2; wrong=1; }
    [[ $found =~ ^[a-z0-9_.\ ]*$ ]] || fail "$command: a name of another form: $found"
done < "$names"
[ $wrong = 0 ] || fail "scripts know other names; where they are meant to change, docs/api.md and $names say so too"

# --- tables ---
while IFS=: read -r command expected; do
    # shellcheck disable=SC2086
    COLUMNS=80 amtcli ${command/JOB/$job} > "$dir/out" 2>&1 || true
    [ "$(LC_ALL=C.UTF-8 wc -L < "$dir/out")" -le 80 ] || fail "'$command' is wider than the terminal: $(cat "$dir/out")"
done < "$names"
echo "json names: ok"
