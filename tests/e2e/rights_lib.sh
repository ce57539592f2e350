# Sourced by tests of what users of this machine may do. $1 of the test: the directory of the programs, $2: that of the tests' own.
# The test runs in a mount namespace, in which the accounts are its own; without root it is skipped.
# shellcheck shell=bash disable=SC2034
if [ -z "${AMTD_TEST_NS-}" ]; then
    if [ "$(id -u)" != 0 ] || ! unshare -m true 2> /dev/null; then
        echo "$(basename "$0"): SKIPPED: other users need root" >&2
        exit 77
    fi
    AMTD_TEST_NS=1 exec unshare -m -- "$0" "$@"
fi
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/amtd_lib.sh"
probe=$(cd "$2" && pwd)/mux_probe

# account NAME NUMBER: a user with a group of its own, as long as the test.
account()
{
    echo "$1:x:$2:$2::/nonexistent:/bin/false" >> "$dir/passwd"
    echo "$1:x:$2:" >> "$dir/group"
}
cp /etc/passwd "$dir/passwd"
cp /etc/group "$dir/group"
account amtd-wanda 61001
account amtd-oskar 61002
account amtd-nemo 61003
account amtd-quinn 61004
echo 'amtd-helpdesk:x:61010:amtd-wanda' >> "$dir/group"
mount --bind "$dir/passwd" /etc/passwd
mount --bind "$dir/group" /etc/group
chmod 711 "$dir"
mkdir "$dir/open"
chmod 755 "$dir/open"
export AMTD_SOCKET=$dir/open/amtd.sock

# as NAME COMMAND...: with the account's groups.
as()
{
    local name=$1
    shift
    setpriv --reuid "$name" --regid "$name" --init-groups -- "$@"
}

# denied NAME TEXT COMMAND...: refused for want of a role; the reason has the text.
denied()
{
    local name=$1 text=$2
    shift 2
    exits 4 as "$name" "$@"
    says "$dir/err" '(denied)'
    says "$dir/err" "$text"
}
