#!/usr/bin/env bash
# The parts of Debian's full kernel that qemu_serial.sh boots, without installing its 400 MB: the cloud kernel has no USB at all, and
# modules of one do not fit the other. Fetches the package (70 MB) from the machine's own package sources, once for a build directory.
#   full_kernel.sh DIRECTORY: unpacked there, as AMTD_TEST_KERNEL wants it. Fails with one line where it cannot be had.
set -euo pipefail
to=$1
[ ! -e "$to/done" ] || exit 0
fail() {
    echo "full_kernel.sh: $*" >&2
    exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
package=$(apt-cache depends linux-image-amd64 2> /dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
[ -n "$package" ] || fail 'no linux-image-amd64 in the package lists'
release=${package#linux-image-}
(cd "$work" && timeout 300 apt-get download "$package" > "$work/said" 2>&1) || fail "$package: $(grep '^E:' "$work/said" | head -1)"
mkdir -p "$work/root"
dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x -C "$work/root" --wildcards "./boot/vmlinuz-$release" './lib/modules/*/modules.*' \
    './lib/modules/*/kernel/drivers/usb/common/*' './lib/modules/*/kernel/drivers/usb/core/*' './lib/modules/*/kernel/drivers/usb/host/uhci-hcd.ko' \
    './lib/modules/*/kernel/drivers/usb/serial/usbserial.ko' './lib/modules/*/kernel/drivers/usb/serial/ftdi_sio.ko' ||
    fail "$package is not what was expected"
/usr/sbin/depmod -b "$work/root" "$release" 2> /dev/null
rm -rf "$to"
mkdir -p "$(dirname "$to")"
mv "$work/root" "$to"
touch "$to/done"
