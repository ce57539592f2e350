#!/usr/bin/env bash
# qemu_ipxe.sh BIN_DIR: a virtual PC is booted by `amtcli ider --ipxe`: iPXE comes through IDE-R, gets an address on the network of
# the virtual PC, and loads over HTTP a script that loads a Linux, which then runs; by the server's own log it was iPXE who asked.
if [ -z "${AMTD_TEST_NETNS-}" ]; then
    if [ "$(id -u)" = 0 ]; then
        AMTD_TEST_NETNS=1 exec unshare -n -- "$0" "$@"
    fi
    AMTD_TEST_NETNS=1 exec unshare -rn -- "$0" "$@"
fi
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
# shellcheck source=tests/e2e/peers_lib.sh
. "$(dirname "$0")/peers_lib.sh"
guest=$(cd "$bin/../guest" && pwd)
export TMPDIR=$dir # the image is made there

console()
{
    ctl console 1 | jq -r .console
}
fail()
{
    echo "$(basename "$0"): $*" >&2
    console 2> /dev/null | tail -20 >&2 || true
    cat "$dir/requests" "$dir/boot" >&2 || true
    exit 1
}
console_has()
{
    console | grep -qF -- "$1"
}
# wait_boot WHAT COMMAND...: as wait_until, for as long as an emulated PC needs on a busy machine.
wait_boot()
{
    local what=$1 deadline=$((SECONDS + 240))
    shift
    until "$@"; do
        [ $SECONDS -lt $deadline ] || fail "$what did not come"
        kill -0 $boot 2> /dev/null || fail "amtcli has ended"
        sleep 0.3
    done
}

peer deploy 10.7.0.1/24
dhcp deploy 10.7.0.1 10.7.0.1
mkdir "$dir/tree"
ln -s "$guest/vmlinuz" "$guest/initrd" "$dir/tree/"
cat > "$dir/tree/menu" << 'IPXE'
#!ipxe
kernel vmlinuz console=ttyS0,115200 no_timer_check mitigations=off
initrd initrd
boot
IPXE
cat > "$dir/server.py" << 'PYTHON'
import http.server, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    def log_request(self, code="-", size="-"):
        with open(sys.argv[2], "a") as log:
            log.write("%s %s %s\n" % (self.path, getattr(code, "value", code), self.headers.get("User-Agent")))
handler = lambda *a: Handler(*a, directory=sys.argv[1])
http.server.ThreadingHTTPServer(("10.7.0.1", 8080), handler).serve_forever()
PYTHON
: > "$dir/requests"
: > "$dir/boot"
stay_in deploy python3 "$dir/server.py" "$dir/tree" "$dir/requests"

amtsim_start --devices 1 --scenario <(printf 'devices:\n  - {select: 1, machine: qemu, cable: cable0, power: off}\n')
ip link set cable0 master br0 up
amtd_start
fleet 1

amtcli ider pc0001 --ipxe http://10.7.0.1:8080/menu --boot --yes 2> "$dir/boot" &
boot=$!
wait_boot "iPXE's request" grep -q '^/menu 200 iPXE' "$dir/requests"
wait_boot "the kernel" grep -q '^/vmlinuz 200 iPXE' "$dir/requests"
wait_boot "Linux" console_has 'amtsim-guest: amtsim guest boot 1 id'
[ "$(ctl record 1 | jq .counters.ider_bytes)" -gt 300000 ] || fail "iPXE did not come through IDE-R"
kill -INT $boot
wait $boot || fail "amtcli ended with $?"
compgen -G "$dir/amtcli-ipxe*" > /dev/null && fail "the image is left behind"
amtd_stop
amtsim_stop
echo "qemu_ipxe: ok"
