#!/usr/bin/env bash
# http_kerberos.sh DIRECTORY-OF-PROGRAMS: Kerberos login, for WS-Management and redirection, against a real KDC on loopback.
set -euo pipefail
bin=$1
dir=$(mktemp -d)
kdc_pid=
port=$((20000 + $$ % 6000 * 2)) # below those that the system hands out
kdc_port=$((port + 1))

finish()
{
    local status=$?
    trap - EXIT
    if [ -n "$kdc_pid" ]; then
        kill "$kdc_pid" 2> /dev/null || true
        wait "$kdc_pid" 2> /dev/null || true
    fi
    [ $status -eq 0 ] || cat "$dir"/*.log >&2
    rm -rf "$dir"
    exit $status
}
trap finish EXIT

export KRB5_CONFIG=$dir/krb5.conf KRB5_KDC_PROFILE=$dir/kdc.conf KRB5_KTNAME=FILE:$dir/keytab
export KRB5CCNAME=FILE:$dir/no-ccache KRB5RCACHETYPE=none
cat > "$KRB5_CONFIG" << EOF
[libdefaults]
    default_realm = TEST.EXAMPLE
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
[realms]
    TEST.EXAMPLE = {
        kdc = 127.0.0.1:$kdc_port
    }
EOF
cat > "$KRB5_KDC_PROFILE" << EOF
[kdcdefaults]
    kdc_listen = 127.0.0.1:$kdc_port
    kdc_tcp_listen = 127.0.0.1:$kdc_port
[realms]
    TEST.EXAMPLE = {
        database_name = $dir/db
        key_stash_file = $dir/stash
        acl_file = $dir/acl
    }
[logging]
    kdc = FILE:$dir/kdc.log
EOF

PATH=$PATH:/usr/sbin
kdb5_util create -s -r TEST.EXAMPLE -P master > "$dir/setup.log" 2>&1
kadmin.local >> "$dir/setup.log" 2>&1 << EOF
addprinc -pw userpw alice
addprinc -randkey HTTP/pc1.example:$port
addprinc -randkey HTTP/pc2.example
addprinc -randkey HTTP/pc4.example:$port
ktadd -k $dir/keytab HTTP/pc1.example:$port HTTP/pc2.example
EOF
krb5kdc -n >> "$dir/setup.log" 2>&1 &
kdc_pid=$!

# It is ready when it gives out a ticket.
deadline=$((SECONDS + 20))
until echo userpw | kinit -c "FILE:$dir/ccache" alice >> "$dir/setup.log" 2>&1; do
    kill -0 "$kdc_pid" 2> /dev/null || exit 1
    [ $SECONDS -lt $deadline ] || exit 1
    sleep 0.05
done

"$bin/e2e_http_kerberos" "$port" "FILE:$dir/ccache"
"$bin/e2e_redir_kerberos" "$port" "FILE:$dir/ccache"

# Without the KDC, tickets in the cache still serve; new ones cannot be got.
echo userpw | kinit -c "FILE:$dir/ccache" alice > /dev/null
kvno -c "FILE:$dir/ccache" "HTTP/pc1.example:$port" > /dev/null
kill "$kdc_pid"
wait "$kdc_pid" || true
kdc_pid=
"$bin/e2e_http_kerberos" "$port" "FILE:$dir/ccache" no-kdc
