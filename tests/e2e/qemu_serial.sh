#!/usr/bin/env bash
# amtd in a virtual PC with real serial ports: speed, parity and stop bits reach the UART; bytes go both ways; modem lines and what
# they tell of the machine; a break; and, where Debian's full kernel can be had, an USB adapter that is pulled out and put in
# again.
#   qemu_serial.sh DIRECTORY-OF-PROGRAMS DIRECTORY-OF-TEST-PROGRAMS DIRECTORY-FOR-THE-FULL-KERNEL
# AMTD_TEST_KERNEL: a directory into which linux-image-amd64 was unpacked (and depmod run).
set -euo pipefail
bin=$(cd "$1" && pwd)
tests=$(cd "$2" && pwd)
dir=$(mktemp -d)
qemu=
helpers=()
finish() {
    local status=$?
    trap - EXIT
    kill "${helpers[@]}" $qemu 2> /dev/null || true
    [ $status = 0 ] || tail -30 "$dir/serial" >&2 || true
    rm -rf "$dir"
    exit $status
}
trap finish EXIT
fail() {
    echo "qemu_serial.sh: $*" >&2
    exit 1
}
# shellcheck source=tests/e2e/pc_lib.sh
. "$(dirname "$0")/pc_lib.sh"

if [ -z "${AMTD_TEST_KERNEL:-}" ] && ! ls /boot/vmlinuz-*[0-9]-amd64 > /dev/null 2>&1 &&
    "$(dirname "$0")/full_kernel.sh" "$3"; then
    AMTD_TEST_KERNEL=$(cd "$3" && pwd)
fi
PC_MODULES=${AMTD_TEST_KERNEL:-/}
kernel=$(printf '%s\n' "${AMTD_TEST_KERNEL:-}"/boot/vmlinuz-*[0-9]-amd64 | sort -V | tail -1)
usb=1
if [ ! -r "$kernel" ]; then
    kernel=$(printf '%s\n' /boot/vmlinuz-*-cloud-amd64 | sort -V | tail -1) usb= PC_MODULES=/
    echo 'without linux-image-amd64: no USB adapter'
fi
[ -r "$kernel" ] || { echo "qemu_serial.sh: skipped: no linux-image-cloud-amd64" >&2; exit 77; }
pc_root "$kernel" ${usb:+uhci-hcd ftdi_sio}
pc_program "$tests/modem_lines"
by_id=/dev/serial/by-id/usb-QEMU_USB_SERIAL_1-if00-port0
cat > "$root/etc/amtd.yaml" << END
console-defaults: { retry-min: 100ms, retry-max: 500ms }
consoles:
  - { name: uart, source: { type: serial, path: /dev/ttyS1, speed: 19200, bits: 7, parity: even, stop: 2 }, break-length: 300ms }
  - { name: usb, source: { type: serial, path: $by_id, speed: 115200 } }
END
cat > "$root/bin/is" << 'END'
#!/bin/sh
# is CONSOLE MEMBER VALUE: waits until the console's member has that value.
n=0
while ! amtcli console show "$1" -o json > /tmp/shown 2>&1 || ! grep -q "\"$2\": \"\?$3\"\?,\?\$" /tmp/shown; do
    n=$((n + 1))
    if [ $n = 300 ]; then echo "BAD: $1: $2 is not $3"; cat /tmp/shown; break; fi
    sleep 0.2
done
END
cat > "$root/init" << END
#!/bin/sh
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev 2> /dev/null
mount -t tmpfs -o mode=0700 none /state
mkdir -p /dev/pts
exec > /dev/ttyS0 2>&1
for module in $modules; do insmod /lib/modules/\$module; done
# udev's links
(mkdir -p /dev/serial/by-id
while sleep 0.2; do
    port=\$(ls /dev | grep ttyUSB | head -1)
    if [ -n "\$port" ]; then ln -sfn /dev/\$port $by_id; else rm -f $by_id; fi
done) &
export HOME=/ AMTD_STATE_DIR=/state
amtd --config /etc/amtd.yaml --foreground > /state/log 2>&1 &
while [ ! -S /state/amtd.sock ]; do sleep 0.1; done
is uart state up
is uart device connected
echo '--- bytes'
while ! grep -q 'from the line' /state/consoles/uart/console.log 2> /dev/null; do sleep 0.1; done
amtcli console send uart 'to the line\n'
echo '--- a break'
amtcli console break uart
echo '--- modem lines'
modem_lines /dev/ttyS1
is uart device 'powered off'
modem_lines /dev/ttyS1 dsr ri
is uart device connected
is uart RI true
is uart CTS false
modem_lines /dev/ttyS1 dcd cts
is uart DSR false
is uart RI false
is uart CTS true
amtcli console list
amtcli log events uart
if [ -n "$usb" ]; then
    is usb device unplugged
    echo '--- plug'
    is usb state up
    while ! grep -q 'from usb' /state/consoles/usb/console.log 2> /dev/null; do sleep 0.1; done
    amtcli console send usb 'to usb\n'
    echo '--- unplug'
    is usb device unplugged
    amtcli console list
    echo '--- plug again'
    is usb state up
    while ! grep -q 'again usb' /state/consoles/usb/console.log 2> /dev/null; do sleep 0.1; done
    amtcli log events usb
fi
echo '--- end'
sleep 1000
END
chmod 755 "$root/init" "$root/bin/is"
pc_initrd

: > "$dir/serial"
qemu-system-x86_64 -accel tcg -cpu max -m 512 -nographic -nodefaults -no-reboot -serial "file:$dir/serial" \
    -chardev "socket,id=line,path=$dir/line,server=on,wait=off" -serial chardev:line \
    -chardev "socket,id=usb,path=$dir/usb,server=on,wait=off" -device piix3-usb-uhci,id=hub \
    -monitor "unix:$dir/monitor,server=on,wait=off" -trace serial_write -trace serial_update_parameters -D "$dir/trace" \
    -kernel "$kernel" -initrd "$dir/initrd" -append 'console=ttyS0 no_timer_check quiet panic=-1' 2> "$dir/qemu" &
qemu=$!
for ((i = 0; i < 600; i++)); do [ ! -S "$dir/line" ] || break; sleep 0.1; done
monitor() { echo "$1" | socat -t 2 - "UNIX-CONNECT:$dir/monitor" > /dev/null; }
# The other ends of both lines: what is written to fd 7 and 8 goes there, what comes is in line.got and usb.got.
mkfifo "$dir/line.in" "$dir/usb.in"
socat "UNIX-CONNECT:$dir/line" "SYSTEM:cat $dir/line.in & cat > $dir/line.got" &
helpers+=($!)
exec 7<> "$dir/line.in" 8<> "$dir/usb.in"
pc_wait 240 '--- bytes'
# says FD TEXT COMMAND...: types it, as somebody would who sees no answer: again, until the command succeeds.
says() {
    local fd=$1 text=$2 tries=0
    shift 2
    until "$@"; do
        ! pc_has 'BAD: ' || fail "$(grep -a BAD: "$dir/serial")"
        [ $((tries++)) -lt 600 ] || fail "no answer to '$text'"
        [ $((tries % 20)) != 1 ] || echo "$text" >&"$fd"
        sleep 0.1
    done
}
got() { # FILE TEXT
    grep -qaF "$2" "$1" 2> /dev/null
}
grep -q 'baudrate=19200 parity=.E. data=7 stop=2' "$dir/trace" || fail "the UART was not set: $(grep update "$dir/trace" | tail -3)"
says 7 'from the line' got "$dir/line.got" 'to the line'
pc_wait 60 '--- modem lines'
breaks() { grep -cE 'serial_write .*(addr|write) (addr )?0x0?3 val 0x[4-7]' "$dir/trace"; }
for ((i = 0; i < 600; i++)); do [ "$(breaks)" = 0 ] || break; sleep 0.1; done
[ "$(breaks)" -gt 0 ] || fail "no break: $(grep serial_write "$dir/trace" | tail -3)"
if [ -n "$usb" ]; then
    socat "UNIX-CONNECT:$dir/usb" "SYSTEM:cat $dir/usb.in & cat > $dir/usb.got" 7>&- 8>&- & # or its own end would keep it waiting
    helpers+=($!)
    pc_wait 120 '--- plug'
    monitor 'device_add usb-serial,chardev=usb,id=adapter'
    says 8 'from usb' got "$dir/usb.got" 'to usb'
    pc_wait 120 '--- unplug'
    monitor 'device_del adapter'
    pc_wait 120 '--- plug again'
    monitor 'device_add usb-serial,chardev=usb,id=adapter'
    says 8 'again usb' pc_has '--- end'
fi
pc_wait 120 '--- end'
! pc_has 'BAD: ' || fail "$(grep -a -A20 BAD: "$dir/serial")"
tr -d '\r' < "$dir/serial" | grep -aE '^(CONSOLE|uart|usb|20)' || true
echo ok
