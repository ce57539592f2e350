# Sourced by tests that need a Kerberos realm, TEST.EXAMPLE, with a KDC of its own on loopback.
# shellcheck shell=bash
kdc_pid=
PATH=$PATH:/usr/sbin

# kdc_start DIRECTORY PORT: makes the realm in the directory with the commands of kadmin.local on standard input, whose
# first is `addprinc -pw userpw alice`, and starts the KDC; returns when it gives out tickets. Programs of this shell then
# use the realm, the key table DIRECTORY/keytab and no credential cache; a ticket of alice's is in DIRECTORY/ccache.
kdc_start()
{
    local dir=$1 port=$2 deadline=$((SECONDS + 60))
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
        kdc = 127.0.0.1:$port
    }
EOF
    cat > "$KRB5_KDC_PROFILE" << EOF
[kdcdefaults]
    kdc_listen = 127.0.0.1:$port
    kdc_tcp_listen = 127.0.0.1:$port
[realms]
    TEST.EXAMPLE = {
        database_name = $dir/db
        key_stash_file = $dir/stash
        acl_file = $dir/acl
    }
[logging]
    kdc = FILE:$dir/kdc.log
EOF
    kdb5_util create -s -r TEST.EXAMPLE -P master > "$dir/setup.log" 2>&1
    kadmin.local >> "$dir/setup.log" 2>&1
    krb5kdc -n >> "$dir/setup.log" 2>&1 &
    kdc_pid=$!
    until kdc_ticket alice "$dir/ccache" >> "$dir/setup.log" 2>&1; do
        kill -0 "$kdc_pid" 2> /dev/null || return 1
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.05
    done
}

# kdc_ticket USER FILE: a credential cache of a user whose password is userpw.
kdc_ticket()
{
    echo userpw | kinit -c "FILE:$2" "$1"
}

kdc_stop()
{
    local pid=$kdc_pid
    kdc_pid=
    [ -n "$pid" ] || return 0
    kill "$pid" 2> /dev/null || true
    wait "$pid" || true
}
