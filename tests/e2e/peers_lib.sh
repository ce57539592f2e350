# Sourced by tests of a virtual PC on a network of the test's own: after amtd_lib.sh, in a network namespace made by
# `unshare -n` (tests that are not root's: -rn). The virtual PC's cable is a tap interface, which is put into br0.
# shellcheck shell=bash
ip link set lo up
peers=()

end_peers()
{
    [ ${#peers[@]} = 0 ] || kill "${peers[@]}" 2> /dev/null || true
}

# --- the virtual network: a bridge, and a namespace for each peer
ip link add br0 type bridge
ip link set br0 up

has_left()
{
    [ "$(readlink /proc/self/ns/net)" != "$(readlink "/proc/$1/ns/net")" ]
}
# peer NAME ADDRESS: a namespace with eth0 at the bridge and a web server that says its name. Sets $NAME to its process.
peer()
{
    unshare -n -- sleep 600 > /dev/null 2>&1 &
    local pid=$!
    peers+=("$pid")
    printf -v "$1" %s $pid
    wait_until "the namespace of $1" has_left $pid
    ip link add "$1" type veth peer name eth0 netns $pid
    ip link set "$1" master br0 up
    in_peer "$1" ip link set lo up
    in_peer "$1" ip link set eth0 up
    in_peer "$1" ip addr add "$2" dev eth0
    mkdir "$dir/$1"
    echo "this is $1" > "$dir/$1/index.html"
    stay_in "$1" busybox httpd -f -p 80 -h "$dir/$1"
}

# in_peer NAME COMMAND...
in_peer()
{
    local pid=${!1}
    shift
    nsenter -t "$pid" -n -- "$@"
}

# stay_in NAME COMMAND...: for as long as the test.
stay_in()
{
    local pid=${!1}
    shift
    nsenter -t "$pid" -n -- "$@" > /dev/null 2>&1 &
    peers+=($!)
}

# dhcp NAME ROUTER DNS: that peer leases 10.7.0.100.
dhcp()
{
    cat > "$dir/udhcpd.conf" << CONF
start 10.7.0.100
end 10.7.0.100
interface eth0
lease_file $dir/leases
pidfile $dir/udhcpd.pid
option subnet 255.255.255.0
option router $2
option dns $3
option lease 600
CONF
    : > "$dir/leases"
    stay_in "$1" busybox udhcpd -f -S "$dir/udhcpd.conf"
}

# Without -e: the status is handed on by a command that fails.
trap 'status=$?; set +e; end_peers; (exit $status); finish_amtd' EXIT
