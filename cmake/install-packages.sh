#!/usr/bin/env bash
# install-packages.sh SECTION...: installs the Debian packages of these sections of packages.txt that are missing. Says
# first what it will do; silent when nothing is missing.
set -euo pipefail

list=$(dirname "$0")/packages.txt
wanted=$(awk -v sections=" $* " '
    /^\[/ { on = index(sections, " " substr($1, 2, length($1) - 2) " ") > 0; next }
    on && $1 !~ /^#/ && NF > 0 { print $1 }' "$list")
missing=
for package in $wanted; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] && continue
    # a package of the same purpose from elsewhere will do (node, npm)
    case $package in nodejs) command -v node >/dev/null && continue ;; npm) command -v npm >/dev/null && continue ;; esac
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "installing Debian packages:$missing"
as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "these packages are missing, and neither root nor sudo is at hand to install them" >&2
        exit 1
    }
    as_root=sudo
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
if ! $as_root apt-get update >"$log" 2>&1 ||
    ! $as_root apt-get install -y --no-install-recommends $missing >>"$log" 2>&1; then
    tail -20 "$log" >&2
    exit 1
fi
