#!/usr/bin/env bash
# qemu_consoles.sh BIN_DIR: one amtd with a real Linux on Serial-over-LAN, one on the UNIX socket of a virtual machine, and a
# shell. Three people watch, one of them types. The kernel of the first panics; the pattern power-cycles its machine, and what
# it said before it died is captured. conserver's common keys are used on a terminal on the way.
# shellcheck source=tests/e2e/qemu_lib.sh
. "$(dirname "$0")/qemu_lib.sh"
# Nobody types there, and it does not end before the test.
mkfifo "$dir/nobody"
exec 8<> "$dir/nobody"
bin=$(cd "$bin" && pwd)
guest=$(cd "$bin/../guest" && pwd)
export PATH=$bin:$PATH AMTD_STATE_DIR=$dir/state
unset AMTD_SOCKET
amtd_pid=
vm_pid=
watchers=()

finish_consoles()
{
    local status=$?
    for pid in "${watchers[@]}" $vm_pid; do kill "$pid" 2> /dev/null || true; done
    [ -z "$amtd_pid" ] || { kill "$amtd_pid" 2> /dev/null || true; wait "$amtd_pid" || true; }
    [ $status = 0 ] || tail -20 "$dir/amtd.log" | sed 's/^/amtd: /' >&2
    finish_with "$status"
}
trap finish_consoles EXIT

file_has() # FILE TEXT
{
    grep -aqF -- "$2" "$1" 2> /dev/null
}

state_is() # CONSOLE STATE
{
    [ "$(amtcli console show "$1" -o json 2> /dev/null | jq -r .state)" = "$2" ]
}

cat > "$dir/amtd.yaml" << END
patterns:
  - { name: panic, regex: 'Kernel panic', severity: critical, every: 5m, capture: 50, capture-wait: 500ms,
      run: { task: power, args: { action: cycle } } }
consoles:
  - { name: pc1, source: { type: amt } }
  - { name: vm, source: { type: unix, path: $dir/vm.sock } }
  - { name: shell, source: { type: exec, command: 'exec sh -i' } }
END
start_amtsim --devices 1 --machine qemu
qemu-system-x86_64 -accel tcg -cpu qemu64,+rdrand -m 128 -nographic -nodefaults -no-reboot -monitor none \
    -serial "unix:$dir/vm.sock,server=on,wait=off" -kernel "$guest/vmlinuz" -initrd "$guest/initrd" \
    -append 'console=ttyS0,115200 no_timer_check amtsim.boot=1 amtsim.id=vm' 2> "$dir/vm.err" &
vm_pid=$!
amtd --foreground --config "$dir/amtd.yaml" 2> "$dir/amtd.log" &
amtd_pid=$!
wait_for "amtd" file_has "$dir/amtd.log" ' ready, state '
amtcli profile add lab --user admin --password-file "$dir/pw" --port $port
amtcli host add pc1 --address 127.16.0.1
expect_boot 1
for name in pc1 vm shell; do wait_for "console $name" state_is $name up; done

echo '--- three watch, one types'
for name in pc1 vm shell; do
    amtcli console $name --read-only <&8 > "$dir/watch.$name" 2> "$dir/watch.$name.err" &
    watchers+=($!)
done
for name in pc1 vm shell; do
    wait_for "the watcher of $name" sh -c "amtcli console who $name -o json | jq -e 'any(.[]; .watches)' > /dev/null"
done
for name in vm shell pc1; do
    # shellcheck disable=SC2016
    amtcli console $name --timeout 120s --send '\recho typed into '$name' $((6 * 7))\r' --expect "typed into $name 42" > "$dir/typed" ||
        fail "typing into $name: $(tail -c 300 "$dir/typed")"
    wait_for "what was typed, for who watches" file_has "$dir/watch.$name" "typed into $name 42"
done
wait_for "the lease to be free" sh -c "amtcli console show pc1 -o json | jq -e '.writer == \"\"' > /dev/null"

echo '--- the kernel panics'
amtcli console send pc1 'echo c > /proc/sysrq-trigger\r' 2> /dev/null
wait_for "the panic, for who watches" file_has "$dir/watch.pc1" 'Kernel panic'
expect_boot 2
wait_for "the boot, for who watches" file_has "$dir/watch.pc1" 'amtsim guest boot 2 id'
run_is_over()
{
    [ "$(amtcli run list -o json | jq -r 'first(.[] | select(.who == "reaction panic")) | "\(.task) \(.target) \(.ok)"')" = 'power pc1 1' ]
}
wait_for "the run" run_is_over
amtcli event list --kind pattern -o json | jq -e '.[0] | .console == "pc1" and .host == "pc1" and .severity == "critical"' > /dev/null ||
    fail "events: $(amtcli event list)"
amtcli event show "$(amtcli event list --kind capture -o json | jq '.[0].id')" > "$dir/capture"
file_has "$dir/capture" '| ' || fail 'nothing was captured'
file_has "$dir/capture" 'sysrq' || fail "captured: $(cat "$dir/capture")"
amtcli log events pc1 | grep -q 'power cycle' || fail 'the power cycle is not in the journal'
# the others never noticed
state_is vm up && state_is shell up || fail 'another console fell'
[ "$(amtcli event list --kind pattern -o json | jq length)" = 1 ] || fail 'the pattern was found more than once'
for name in pc1 vm shell; do
    amtcli console roll $name 2> /dev/null
    amtcli log verify $name > "$dir/verify" || fail "$name: $(cat "$dir/verify")"
done
echo "qemu_consoles: ok"
