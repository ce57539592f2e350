#!/usr/bin/env bash
# job_undo.sh BIN_DIR: what tasks of a job did is taken back when a later one fails, the last first: a boot that was not
# used yet, a machine that was started by one, drives, settings, and addresses: by DHCP again, static again, in another
# life of amtd, and when somebody else is there meanwhile. Hosts are gone through side by side.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
mkdir "$dir/images"
head -c 65536 /dev/urandom > "$dir/images/repair.iso"
echo "image-dir: $dir/images" > "$dir/amtd.yaml"

amtsim_start --devices 11 --power-seconds 1
amtd_start --config "$dir/amtd.yaml"
fleet 11

device() { # N JQ
    ctl get "$1" | jq -r "$2"
}
fails='  - name: fails
    run: [sh, -c, "exit 1"]
    on-failure: undo'
# job TARGET TASK...: a run of these tasks, and then one that fails.
job()
{
    local target=$1
    shift
    { echo 'tasks:'; printf '  - %s\n' "$@"; echo "$fails"; } > "$dir/job.yaml"
    exits 1 amtcli job run "$dir/job.yaml" "$target" --yes -o json
}
task() { # TASK JQ: of the one host of the last run
    jq -r ".[0].tasks[] | select(.task == \"$1\") | $2" "$dir/out"
}
address_is() { # N ADDRESS: the device's and amtd's host
    local known
    known=$(amtcli host list "$(printf 'pc%04d' "$1")" -o json | jq -r '.[0].address')
    [ "$(device "$1" .address) $known" = "$2 $2" ] ||
        fail "device $1 is at $(device "$1" .address), amtd takes it to be at $known, not $2: $(jq -c '.[0].tasks' "$dir/out")"
}
move() { # N: a file that moves device N
    printf 'network: {ipv4: static, address: 127.77.0.%d, mask: 255.0.0.0, ping: off, domain: moved.example}\n' "$1" > "$dir/move.yaml"
}
own() { # a file that keeps it where it is
    printf 'network: {ipv4: static, address: own, mask: 255.0.0.0, dns: 127.0.0.9}\n' > "$dir/own.yaml"
}

# When the time for a host is over, there is time to take back.
late()
{
    cat > "$dir/late.yaml" << 'YAML'
timeout: 6s
tasks:
  - power: off
  - run: { shell: 'sleep 100' }
    timeout: 3m
    on-failure: undo
YAML
    exits 1 amtcli job run "$dir/late.yaml" pc0009 --yes -o json
    [ "$(task run .cause) $(task undo-power .result)" = 'timeout ok' ] || fail "$(cat "$dir/out")"
    [ "$(device 9 .power)" = on ] || fail "late, and left off"
}

# A boot that waits for the next start is cleared; a machine that was off for it is off again; one that ran goes on.
boots()
{
    ctl set 1 power=off > /dev/null
    job pc0001 'boot: { to: pxe, sol: yes }'
    [ "$(task undo-boot .result)" = ok ] || fail "not taken back: $(cat "$dir/out")"
    [ "$(device 1 '"\(.boot.source) \(.boot.flags | length) \(.power)"')" = ' 0 off' ] || fail "a boot waits still: $(device 1 .boot)"
    job pc0001 'boot: { to: disk, reset: yes }'
    [ "$(task undo-boot '"\(.result) \(.from) \(.to)"')" = 'ok on off' ] || fail "not off again: $(cat "$dir/out")"
    [ "$(device 1 .power)" = off ] || fail "it is on still"
    job pc0002 'boot: { to: disk, reset: yes }'
    [ -z "$(task undo-boot .result)" ] || fail "a restart cannot be taken back: $(cat "$dir/out")"
    [ "$(device 2 .power)" = on ] || fail "it is not on"
}

# Drives are ejected before the machine is switched off.
drives()
{
    ctl set 10 power=off > /dev/null
    job pc0010 'power: on' 'ider: repair.iso'
    [ "$(jq -r '[.[0].tasks[] | "\(.task) \(.result)"] | sort | join(", ")' "$dir/out")" = \
        'fails failed, ider ok, power ok, undo-ider ok, undo-power ok' ] || fail "$(cat "$dir/out")"
    closed() { [ "$(device 10 '"\(.redirection."ider-session") \(.redirection.drives) \(.power)"')" = 'false false off' ]; }
    wait_until "that the drives are gone" closed
}

# An address: by DHCP again, with all else that was changed; then static again.
addresses()
{
    move 3
    own
    job pc0003 "config: { apply: $dir/move.yaml, force: yes }" 'info:'
    [ "$(task config .result)$(task info .result)" = okok ] || fail "did not move: $(cat "$dir/out")"
    [ "$(task undo-config .result)" = ok ] || fail "not taken back: $(cat "$dir/out")"
    [ "$(device 3 '"\(.settings.dhcp) \(.settings.ping) \(.settings.domain)"')" = 'true true sim.example' ] || fail "taken back: $(ctl get 3)"
    address_is 3 127.16.0.3
    exits 0 amtcli config apply "$dir/own.yaml" pc0003
    job pc0003 "config: { apply: $dir/move.yaml, force: yes }"
    [ "$(task undo-config .result)" = ok ] || fail "not taken back: $(cat "$dir/out")"
    address_is 3 127.16.0.3
    exits 0 amtcli config diff "$dir/own.yaml" pc0003
}

# Somebody else is at the old address meanwhile: told, and amtd knows where the device is.
taken()
{
    move 6
    own
    exits 0 amtcli config apply "$dir/own.yaml" pc0006
    printf 'tasks:\n  - config: { apply: %s, force: yes }\n  - run: { shell: "%s" }\n    on-failure: undo\n' "$dir/move.yaml" \
        "touch $dir/moved; while [ ! -e $dir/done ]; do sleep 0.1; done; exit 1" > "$dir/taken.yaml"
    amtcli job run "$dir/taken.yaml" pc0006 --yes -o json > "$dir/taken.out" 2> /dev/null & local client=$!
    moved() { [ -e "$dir/moved" ]; }
    wait_until "the second task" moved
    printf 'network: {ipv4: static, address: 127.16.0.6, mask: 255.0.0.0}\n' > "$dir/intruder.yaml"
    exits 0 amtcli config apply "$dir/intruder.yaml" pc0007 --force
    touch "$dir/done"
    wait $client || true
    cp "$dir/taken.out" "$dir/out"
    [ "$(task undo-config .result)" = failed ] || fail "put where somebody is: $(cat "$dir/out")"
    says "$dir/out" '127.16.0.6'
    address_is 6 127.77.0.6
    exits 0 amtcli info pc0006
}

# Static IPv6 and redirection go back with the names.
others()
{
    printf 'network: {domain: other.example, ipv6: on, ipv6-address: "2001:db8::8"}\nredirection: {sol: off}\n' > "$dir/wish.yaml"
    job pc0008 "config: { apply: $dir/wish.yaml }" 'clock: { set: yes }'
    [ "$(device 8 '"\(.settings.domain) \(.settings.ipv6) \(.settings."ipv6-address") \(.redirection.sol)"')" = 'sim.example false :: true' ] ||
        fail "settings: $(ctl get 8)"
}

base=$dir
begin() { # SCENARIO: in a directory of its own
    (
        dir=$base/$1
        mkdir "$dir"
        ln -s "$base/control" "$dir/control"
        "$1"
        echo "--- $1: ok"
    ) &
}
running=()
for scenario in late boots drives addresses taken others; do
    begin $scenario
    running+=($!)
done
bad=0
for pid in "${running[@]}"; do wait "$pid" || bad=1; done
[ $bad = 0 ] || fail "see above"

# amtd is killed before the task that fails: the next one takes back.
move 4
cat > "$dir/killed.yaml" << YAML
name: killed
tasks:
  - config: { apply: $dir/move.yaml, force: yes }
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
amtd_stop
amtsim_stop
echo "job_undo: ok"
