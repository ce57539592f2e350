#!/usr/bin/env bash
# qemu_filter.sh BIN_DIR: a real Linux in a virtual PC with three peers on its network cable: the management server, a
# file server, and the internet behind a router. Filters applied by amtcli decide what reaches whom, as tcpdump at the
# peers confirms. Everything is in network namespaces of the test's own.
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

peer management 10.7.0.1/24
peer files 10.7.0.2/24
peer internet 10.7.0.254/24
in_peer internet ip addr add 203.0.113.9/32 dev lo
dhcp management 10.7.0.254 10.7.0.1
# Whoever asks the name server's port gets the question back: that it comes through is what counts here.
stay_in management busybox nc -ll -p 53 -e cat

# --- the virtual PC
cat > "$dir/scenario.yaml" << 'YAML'
devices:
  - {select: 1, machine: qemu, cable: cable0}
YAML
amtsim_start --devices 1 --scenario "$dir/scenario.yaml"
ip link set cable0 master br0 up
amtd_start
fleet 1

console()
{
    ctl console 1 | jq -r .console
}
fail()
{
    echo "$(basename "$0"): $*" >&2
    console 2> /dev/null | tail -20 >&2 || true
    exit 1
}
console_has()
{
    console | grep -qE -- "$1"
}
number=0
# guest COMMAND: the command in the guest's shell; its exit code is ours.
guest()
{
    number=$((number + 1))
    "$bin/amtsim" ctl "$dir/control" set 1 "type=$1; echo END=\$?=$number="$'\n' > /dev/null
    wait_until "the end of '$1' in the guest" console_has "^END=[0-9]+=$number="
    [ "$(console | sed -n "s/^END=\([0-9]*\)=$number=.*/\1/p" | tail -1)" = 0 ]
}
# reaches ADDRESS NAME: the guest gets the page of that peer.
reaches()
{
    guest "printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 3 $1 80 | grep -q 'this is $2'"
}
reaches_all()
{
    reaches 10.7.0.1 management || fail "$1: the management server is not reached"
    reaches 10.7.0.2 files || fail "$1: the file server is not reached"
    reaches 203.0.113.9 internet || fail "$1: the internet is not reached"
}
reaches_management_only()
{
    reaches 10.7.0.1 management || fail "$1: the management server is not reached"
    ! reaches 10.7.0.2 files || fail "$1: the file server is reached"
    ! reaches 203.0.113.9 internet || fail "$1: the internet is reached"
}
renewals()
{
    console_has "lease renew" && console | grep -c "lease renew" || echo 0
}
# watch NAME FILTER: what of it arrives at a peer goes to $dir/NAME.seen, until `unwatch`.
watch()
{
    nsenter -t "${!1}" -n -- tcpdump -l -n --immediate-mode -i eth0 "$2" > "$dir/$1.seen" 2> "$dir/$1.tcpdump" &
    watcher=$!
    peers+=("$watcher")
    wait_until "tcpdump at $1" grep -q 'listening on' "$dir/$1.tcpdump"
}
unwatch()
{
    kill -INT $watcher
    wait $watcher || true
}
apply()
{
    amtcli filter apply "$@" --set management=10.7.0.1 --set dns=10.7.0.1 -o json > "$dir/out" 2> "$dir/err" ||
        fail "filter apply $*: $(cat "$dir/err" "$dir/out")"
}

wait_until "the guest" console_has 'ready, single-user shell'
guest 'udhcpc -i eth0 -s /bin/lease -p /run/udhcpc -q -n > /dev/null 2>&1' || fail "no lease: $(console | tail -5)"
guest 'udhcpc -i eth0 -s /bin/lease -p /run/udhcpc -b > /dev/null 2>&1' || fail "no lease for long"
guest 'mkdir /w && echo this is the guest > /w/index.html && httpd -p 80 -h /w' || fail "no web server in the guest"
# gets_in NAME: that peer gets the guest's page.
gets_in()
{
    in_peer "$1" curl -s --max-time 3 http://10.7.0.100/ 2> /dev/null | grep -q 'this is the guest'
}
reaches_all "before"
gets_in files || fail "the file server does not get in before"

# --- quarantine
apply quarantine pc0001
[ "$(jq -r '.[0].state' "$dir/out")" = active ] || fail "quarantine: $(cat "$dir/out")"
watch files 'src host 10.7.0.100 and ip'
reaches_management_only "quarantine"
unwatch
! grep -q '>' "$dir/files.seen" || fail "packets came through to the file server: $(head -3 "$dir/files.seen")"
guest "echo who | nc -w 3 10.7.0.1 53 | grep -q who" || fail "name service by TCP does not come through"
watch management 'udp dst port 53 and src host 10.7.0.100'
guest 'nslookup probe.example 10.7.0.1 > /dev/null 2>&1; true'
wait_until "the name service by UDP" grep -q 'probe.example' "$dir/management.seen"
unwatch
before=$(renewals)
guest 'kill -USR1 $(cat /run/udhcpc)'
renewed()
{
    [ "$(renewals)" -gt "$before" ]
}
wait_until "the lease to be renewed in quarantine" renewed
! gets_in files || fail "the file server gets in"
gets_in management || fail "the management server does not get in"

# --- spoofed packets
guest 'ip addr add 10.7.0.77/24 dev eth0'
watch management 'src host 10.7.0.77 and icmp'
guest 'ping -c 2 -W 1 -I 10.7.0.77 10.7.0.1 > /dev/null' || fail "a second address does not work at all"
unwatch # what it has not told yet comes now
grep -q '10.7.0.77 >' "$dir/management.seen" || fail "tcpdump does not see a second address"
apply quarantine pc0001 --anti-spoof
watch management 'src host 10.7.0.77 and icmp'
! guest 'ping -c 2 -W 1 -I 10.7.0.77 10.7.0.1 > /dev/null' || fail "spoofed packets pass"
reaches_management_only "anti-spoof"
unwatch
! grep -q '10.7.0.77 >' "$dir/management.seen" || fail "spoofed packets arrive: $(head -3 "$dir/management.seen")"
guest 'ip addr del 10.7.0.77/24 dev eth0'

# --- a flood of pings, and nothing else
apply ping-limit pc0001
reaches_all "ping-limit"
began=$SECONDS
in_peer management busybox ping -c 60 -i 0.02 -W 1 10.7.0.100 > "$dir/ping" || true
received=$(sed -n 's/.* \([0-9]*\) packets received.*/\1/p' "$dir/ping")
most=$((10 * (SECONDS - began + 2)))
[ "${received:-0}" -gt 0 ] || fail "no ping at all comes through: $(tail -2 "$dir/ping")"
[ "$received" -lt 60 ] || [ $most -ge 60 ] || fail "pings are not limited: $(tail -2 "$dir/ping")"
[ "$received" -le $most ] || fail "$received pings of 60 came through: $(tail -2 "$dir/ping")"

# --- what cuts off the way back undoes itself
apply block-all pc0001 --force --confirm-within 8s
! reaches 10.7.0.1 management || fail "block-all lets something pass"
back()
{
    [ "$(ctl defense 1 | jq -r '.ports[0].active')" = amt:ping-limit ]
}
wait_until "the way back" back

# --- and all is as it was
amtcli filter remove pc0001 -o json > "$dir/out"
reaches_all "after the removal"
gets_in files || fail "the file server does not get in after the removal"
[ "$(ctl defense 1 | jq '.cable.dropped')" -gt 0 ] || fail "nothing was dropped on the cable"
amtd_stop
amtsim_stop
echo "qemu_filter: ok"
