#!/usr/bin/env bash
# What is older than the sync interval survives power loss. amtd runs in a virtual PC whose disk is written past the
# host's cache, and logs numbered lines; the PC is killed in the middle, several times, and each time the log must hold
# every line, in order, up to what was logged a sync interval before, and must verify.
#   power_loss.sh DIRECTORY-OF-PROGRAMS [TIMES]
set -euo pipefail
bin=$(cd "$1" && pwd)
times=${2-2}
dir=$(mktemp -d)
qemu=
finish() {
    local status=$?
    [ -z "$qemu" ] || kill -9 "$qemu" 2> /dev/null || true
    [ $status = 0 ] || tail -20 "$dir/serial" >&2 || true
    rm -rf "$dir"
    exit $status
}
trap finish EXIT
fail() {
    echo "power_loss.sh: $*" >&2
    exit 1
}
# shellcheck source=tests/e2e/pc_lib.sh
. "$(dirname "$0")/pc_lib.sh"
sync_ms=2000
slack_ms=1000 # what the virtual PC and this script may be late

# --- the virtual PC: kernel, busybox, amtd and its libraries
kernel=$(printf '%s\n' /boot/vmlinuz-*-cloud-amd64 | sort -V | tail -1)
[ -r "$kernel" ] || { echo "power_loss.sh: skipped: no linux-image-cloud-amd64" >&2; exit 77; }
pc_root "$kernel" virtio_pci virtio_blk ext4
cat > "$root/etc/amtd.yaml" << END
console-sync: ${sync_ms}ms
consoles:
  - { name: numbers, source: { type: test, rate: 400000 },
      log: { segment-size: 1MiB, sign: 1s, keep-count: 0 } }
END
cat > "$root/init" << END
#!/bin/sh
mount -t proc none /proc
mount -t devtmpfs none /dev 2> /dev/null
exec > /dev/ttyS0 2>&1
for module in $modules; do insmod /lib/modules/\$module; done
mount -t ext4 /dev/vda /state || echo "no disk"
export HOME=/ AMTD_STATE_DIR=/state
amtd --config /etc/amtd.yaml --foreground > /tmp/log 2>&1 &
while [ ! -S /state/amtd.sock ]; do sleep 0.1; done
case " \$(cat /proc/cmdline) " in
*" look "*)
    amtcli console down numbers
    sleep 1
    amtcli log export numbers - > /tmp/all 2> /tmp/gaps
    echo "gaps: \$(cat /tmp/gaps)"
    awk '{ torn = sub(/.+line /, "line "); sub(/^0+/, "", \$2); n = \$2 + 0
           if (NR > 1 && n != last + 1 && n != 0) { if (bad < 4) print "order: line " NR ": " last " then " n; bad++ }
           last = n }
        END { print "order is " (bad ? "bad" : "good") ", " NR " lines" }' /tmp/all
    echo "bytes \$(stat -c %s /tmp/all)"
    amtcli log verify numbers | tail -1
    echo "looked"
    ;;
*)
    # what is logged, before it is known to be on the disk
    while true; do
        echo "end \$(amtcli console show numbers -o json | awk -F: '/"end"/ { print \$2 + 0 }')"
        sleep 0.1
    done
    ;;
esac
sleep 1000
END
chmod 755 "$root/init"
pc_initrd
truncate -s 512M "$dir/disk"
/usr/sbin/mkfs.ext4 -q -F "$dir/disk"

start() { # WORD: of its command line
    : > "$dir/serial"
    qemu-system-x86_64 -accel tcg -cpu max -m 512 -nographic -nodefaults -no-reboot -serial "file:$dir/serial" -monitor none \
        -kernel "$kernel" -initrd "$dir/initrd" -append "console=ttyS0 no_timer_check quiet panic=-1 $1" \
        -drive "file=$dir/disk,format=raw,if=virtio,cache=none" 2> "$dir/qemu" &
    qemu=$!
}
kill_it() {
    kill -9 "$qemu"
    wait "$qemu" 2> /dev/null || true
    qemu=
}
now_ms() { date +%s%3N; }

# Notes when this side saw which end of the log.
watch_ends() { # SECONDS
    local until=$(($(now_ms) + $1 * 1000)) end
    : > "$dir/ends"
    while [ "$(now_ms)" -lt $until ]; do
        end=$(grep -oE '^end [0-9]+' "$dir/serial" | tail -1 | cut -d' ' -f2)
        echo "$(now_ms) ${end:-0}" >> "$dir/ends"
        sleep 0.1
    done
}

for ((round = 1; round <= times; round++)); do
    start log
    pc_wait 120 '^end [1-9]'
    watch_ends $((5 + RANDOM % 3))
    killed=$(now_ms)
    kill_it
    safe=$(awk -v by=$((killed - sync_ms - slack_ms)) '$1 <= by { safe = $2 } END { print safe + 0 }' "$dir/ends")
    seen=$(tail -1 "$dir/ends" | cut -d' ' -f2)
    [ "$safe" -gt 0 ] || fail "nothing was old enough: $(tail -3 "$dir/ends")"
    start look
    pc_wait 120 '^looked'
    bytes=$(grep -oE '^bytes [0-9]+' "$dir/serial" | cut -d' ' -f2)
    grep -E '^(gaps|order|bytes|intact|DAMAGED)' "$dir/serial" | tr -d '\r'
    kill_it
    [ "$bytes" -ge "$safe" ] || fail "$bytes bytes survived, but $safe were older than the sync interval"
    grep -q '^order is good' "$dir/serial" || fail 'lines are missing or out of order'
    grep -q '^intact' "$dir/serial" || fail 'the log does not verify'
    echo "round $round: $seen bytes were logged, $safe of them older than the interval, $bytes survived"
done
echo ok
