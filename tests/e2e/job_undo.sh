#!/usr/bin/env bash
# job_undo.sh BIN_DIR: what tasks of a job did is taken back when a later one fails, the last first: a boot that was not
# used yet, a machine that was started by one, drives, settings, and addresses: by DHCP again, static again, in another
# life of amtd, when the device does not come back, and when somebody else is there meanwhile.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
mkdir "$dir/images"
head -c 65536 /dev/urandom > "$dir/images/repair.iso"
echo "image-dir: $dir/images" > "$dir/amtd.yaml"

amtsim_start --devices 10 --power-seconds 1
amtd_start --config "$dir/amtd.yaml"
fleet 10

device() { # N JQ
    ctl get "$1" | jq -r "$2"
}
fails='  - name: fails
    run: [sh, -c, "exit 1"]
    on-failure: undo'
# job NAME TARGET TASK...: a run of these tasks, and then one that fails.
job()
{
    local name=$1 target=$2
    shift 2
    { echo 'tasks:'; printf '  - %s\n' "$@"; echo "$fails"; } > "$dir/$name.yaml"
    exits 1 amtcli job run "$dir/$name.yaml" "$target" --yes -o json
}
task() { # TASK JQ: of the one host of the last run
    jq -r ".[0].tasks[] | select(.task == \"$1\") | $2" "$dir/out"
}
address_is() { # N ADDRESS: the device's and amtd's host
    [ "$(device "$1" .address)" = "$2" ] || fail "device $1 is not at $2: $(device "$1" .address) $(jq -c '.[0].tasks' "$dir/out")"
    [ "$(amtcli host list "$(printf 'pc%04d' "$1")" -o json | jq -r '.[0].address')" = "$2" ] ||
        fail "amtd takes device $1 to be elsewhere than at $2: $(amtcli host list "$(printf 'pc%04d' "$1")" -o json)"
}

echo '--- when the time for a host is over, there is time to take back'
cat > "$dir/late.yaml" << 'YAML'
timeout: 6s
tasks:
  - power: off
  - run: { shell: 'sleep 100' }
    timeout: 3m
    on-failure: undo
YAML
exits 1 amtcli job run "$dir/late.yaml" pc0009 --yes -o json
[ "$(task run .cause) $(task undo-power .result)" = 'timeout ok' ] || fail "late: $(cat "$dir/out")"
[ "$(device 9 .power)" = on ] || fail "late, and left off"

echo '--- a boot that waits for the next start is cleared'
ctl set 1 power=off > /dev/null
job boot pc0001 'boot: { to: pxe, sol: yes }'
[ "$(task undo-boot .result)" = ok ] || fail "not taken back: $(cat "$dir/out")"
[ "$(device 1 '"\(.boot.source) \(.boot.flags | length) \(.power)"')" = ' 0 off' ] || fail "a boot waits still: $(device 1 .boot)"

echo '--- a machine that was off for it is off again; one that ran goes on'
job started 'pc0001' 'boot: { to: disk, reset: yes }'
[ "$(task undo-boot '"\(.result) \(.from) \(.to)"')" = 'ok on off' ] || fail "not off again: $(cat "$dir/out")"
[ "$(device 1 .power)" = off ] || fail "it is on still"
job started 'pc0002' 'boot: { to: disk, reset: yes }'
[ -z "$(task undo-boot .result)" ] || fail "a restart cannot be taken back: $(cat "$dir/out")"
[ "$(device 2 .power)" = on ] || fail "it is not on"

echo '--- drives are ejected before the machine is switched off'
job drives pc0001 'power: on' 'ider: repair.iso'
[ "$(jq -r '[.[0].tasks[] | "\(.task) \(.result)"] | join(", ")' "$dir/out")" = \
    'power ok, ider ok, fails failed, undo-power ok, undo-ider ok' ] ||
    [ "$(jq -r '[.[0].tasks[] | "\(.task) \(.result)"] | join(", ")' "$dir/out")" = \
        'power ok, ider ok, fails failed, undo-ider ok, undo-power ok' ] || fail "drives: $(cat "$dir/out")"
closed() { [ "$(device 1 '"\(.redirection."ider-session") \(.redirection.drives) \(.power)"')" = 'false false off' ]; }
wait_until "that the drives are gone" closed

echo '--- an address: by DHCP again'
printf 'network: {ipv4: static, address: 127.77.0.3, mask: 255.0.0.0, ping: off, domain: moved.example}\n' > "$dir/move.yaml"
job moved pc0003 "config: { apply: $dir/move.yaml, force: yes }" 'info:'
[ "$(task config .result)$(task info .result)" = okok ] || fail "did not move: $(cat "$dir/out")"
[ "$(task undo-config .result)" = ok ] || fail "not taken back: $(cat "$dir/out")"
[ "$(device 3 '"\(.settings.dhcp) \(.settings.ping) \(.settings.domain)"')" = 'true true sim.example' ] || fail "taken back: $(ctl get 3)"
address_is 3 127.16.0.3
exits 0 amtcli info pc0003

echo '--- an address: static again'
printf 'network: {ipv4: static, address: own, mask: 255.0.0.0, dns: 127.0.0.9}\n' > "$dir/own.yaml"
exits 0 amtcli config apply "$dir/own.yaml" pc0003
job moved pc0003 "config: { apply: $dir/move.yaml, force: yes }"
[ "$(task undo-config .result)" = ok ] || fail "not taken back: $(cat "$dir/out")"
address_is 3 127.16.0.3
exits 0 amtcli config diff "$dir/own.yaml" pc0003

echo '--- an address, when amtd is killed before the task that fails'
sed 's/77.0.3/77.0.4/' "$dir/move.yaml" > "$dir/move4.yaml"
cat > "$dir/killed.yaml" << YAML
name: killed
tasks:
  - config: { apply: $dir/move4.yaml, force: yes }
  - run: [sh, -c, "touch $dir/runs; exec sleep 600"]
    timeout: 10m
    on-failure: undo
YAML
amtcli job run "$dir/killed.yaml" pc0004 --yes > /dev/null 2>&1 & client=$!
runs() { [ -e "$dir/runs" ]; }
wait_until "the second task" runs
[ "$(device 4 .address)" = 127.77.0.4 ] || fail "did not move"
kill -9 "$amtd_pid"
wait "$amtd_pid" 2> /dev/null || true
wait $client || true
amtd_start --config "$dir/amtd.yaml"
is_over() { [ "$(amtcli job list --job killed -o json 2> /dev/null | jq -r '.[0].state')" = over ]; }
wait_until "its end" is_over
amtcli job show "$(amtcli job list --job killed -o json | jq '.[0].run')" -o json > "$dir/out" 2> /dev/null || true
[ "$(task run .cause)$(task undo-config .result)" = interruptedok ] || fail "not taken back: $(cat "$dir/out")"
address_is 4 127.16.0.4

echo '--- the device stays at its new address; somebody else is at the old one: told, and amtd knows where it is'
sed 's/77.0.3/77.0.5/' "$dir/move.yaml" > "$dir/move5.yaml"
sed 's/77.0.3/77.0.6/' "$dir/move.yaml" > "$dir/move6.yaml"
exits 0 amtcli config apply "$dir/own.yaml" pc0006
{ echo 'tasks:'; echo "  - config: { apply: $dir/move6.yaml, force: yes }"
  echo "  - run: { shell: 'touch $dir/meanwhile; while [ ! -e $dir/done ]; do sleep 0.1; done; exit 1' }"
  echo '    on-failure: undo'; } > "$dir/taken.yaml"
amtcli job run "$dir/taken.yaml" pc0006 --yes -o json > "$dir/taken.out" 2> /dev/null & client=$!
meanwhile() { [ -e "$dir/meanwhile" ]; }
wait_until "the second task" meanwhile
printf 'network: {ipv4: static, address: 127.16.0.6, mask: 255.0.0.0}\n' > "$dir/intruder.yaml"
amtcli host set pc0006 --address 127.77.0.6
exits 0 amtcli config apply "$dir/intruder.yaml" pc0007 --force
touch "$dir/done"
wait $client || true
cp "$dir/taken.out" "$dir/out"
[ "$(task undo-config .result)" = failed ] || fail "put where somebody is: $(cat "$dir/out")"
says "$dir/out" '127.16.0.6'
address_is 6 127.77.0.6
exits 0 amtcli info pc0006

job stuck pc0005 "config: { apply: $dir/move5.yaml, force: yes }"
[ "$(task undo-config .result)" = ok ] || fail "not taken back: $(cat "$dir/out")"
address_is 5 127.16.0.5

echo '--- what a device had and nobody can declare stays; the rest goes back'
printf 'network: {domain: other.example, ipv6: on, ipv6-address: "2001:db8::8"}\nredirection: {sol: off}\n' > "$dir/wish.yaml"
job more pc0008 "config: { apply: $dir/wish.yaml }" 'clock: { set: yes }'
[ "$(device 8 '"\(.settings.domain) \(.settings.ipv6) \(.settings."ipv6-address") \(.redirection.sol)"')" = 'sim.example false :: true' ] ||
    fail "settings: $(ctl get 8)"
amtd_stop
amtsim_stop
echo "job_undo: ok"
