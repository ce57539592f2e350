#!/usr/bin/env bash
# http_kerberos.sh DIRECTORY-OF-PROGRAMS: Kerberos login, for WS-Management and redirection, against a real KDC on loopback.
set -euo pipefail
# shellcheck source=tests/e2e/kdc_lib.sh
. "$(dirname "$0")/kdc_lib.sh"
bin=$1
dir=$(mktemp -d)
port=$((20000 + $$ % 6000 * 2)) # below those that the system hands out

finish()
{
    local status=$?
    trap - EXIT
    kdc_stop
    [ $status -eq 0 ] || cat "$dir"/*.log >&2
    rm -rf "$dir"
    exit $status
}
trap finish EXIT

kdc_start "$dir" $((port + 1)) << EOF
addprinc -pw userpw alice
addprinc -randkey HTTP/pc1.example:$port
addprinc -randkey HTTP/pc2.example
addprinc -randkey HTTP/pc4.example:$port
ktadd -k $dir/keytab HTTP/pc1.example:$port HTTP/pc2.example
EOF

"$bin/e2e_http_kerberos" "$port" "FILE:$dir/ccache"
"$bin/e2e_redir_kerberos" "$port" "FILE:$dir/ccache"

# Without the KDC, tickets in the cache still serve; new ones cannot be got.
kdc_ticket alice "$dir/ccache" > /dev/null
kvno -c "FILE:$dir/ccache" "HTTP/pc1.example:$port" > /dev/null
kdc_stop
"$bin/e2e_http_kerberos" "$port" "FILE:$dir/ccache" no-kdc
