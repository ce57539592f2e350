# Sourced by tests whose amtd runs in a virtual PC of its own: what that PC boots. Wants $bin, $dir.
# shellcheck shell=bash disable=SC2154

# pc_root KERNEL MODULE...: fills $root (of an initrd) with busybox, amtd, amtcli and their libraries, and the modules.
# Sets $modules: their files, in the order of loading. PC_MODULES: a directory with lib/modules other than /.
pc_root() {
    local kernel=$1 release=${1##*/vmlinuz-} applet name what module
    shift
    root=$dir/root modules=
    mkdir -p "$root"/{bin,dev,etc,proc,sys,state,tmp,lib/modules}
    install -m 755 /bin/busybox "$root/bin/busybox"
    for applet in sh mount insmod sleep stat cat echo date awk tail head od cut sync poweroff ls zcat ln rm mkdir grep basename readlink; do
        ln -s busybox "$root/bin/$applet"
    done
    pc_program "$bin/amtd"
    pc_program "$bin/amtcli"
    echo 'root:x:0:0:root:/:/bin/sh' > "$root/etc/passwd"
    for name in "$@"; do
        while read -r what module _; do
            [ "$what" = insmod ] || continue
            cp -u "$module" "$root/lib/modules/"
            [[ " $modules " = *" ${module##*/} "* ]] || modules="$modules ${module##*/}"
        done < <(/usr/sbin/modprobe -d "${PC_MODULES:-/}" --show-depends -S "$release" "$name" 2> /dev/null)
    done
}

# pc_program PATH: into the root, with the libraries that it wants.
pc_program() {
    local library
    install -m 755 "$1" "$root/bin/"
    { ldd "$1" || true; } | grep -oE '/[^ ]+' | while read -r library; do
        mkdir -p "$root$(dirname "$library")"
        cp -Lu "$library" "$root$library"
    done
}

# The root as $dir/initrd.
pc_initrd() {
    (cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) > "$dir/initrd"
}

# pc_has PATTERN: the first serial port, whose output is in $dir/serial, said so.
pc_has() {
    grep -aqE -- "$1" "$dir/serial"
}

# pc_wait SECONDS PATTERN
pc_wait() {
    for ((i = 0; i < $1 * 10; i++)); do
        ! pc_has "$2" || return 0
        kill -0 "$qemu" 2> /dev/null || fail "the virtual PC ended: $(cat "$dir/qemu")"
        sleep 0.1
    done
    fail "no '$2' on the serial line"
}
