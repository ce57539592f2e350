#!/usr/bin/env bash
# kerberos.sh BIN_DIR: profiles that log in with tickets: accounts of the device by their SID, what their realms let them
# do, tickets of nobody, and none at all. A real KDC; amtsim takes the tickets, amtd sends them.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
# shellcheck source=tests/e2e/kdc_lib.sh
. "$(dirname "$0")/kdc_lib.sh"

finish_kerberos()
{
    local status=$?
    kdc_stop
    (exit $status)
    finish_amtd
}
trap finish_kerberos EXIT

kdc_start "$dir" $((port + 1)) << EOF
addprinc -pw userpw alice
addprinc -pw userpw bob
addprinc -pw userpw carol
addprinc -randkey HTTP/pc1.example:$port
ktadd -k $dir/keytab HTTP/pc1.example:$port
EOF
for user in bob carol; do kdc_ticket $user "$dir/$user.cc" > /dev/null; done

cat > "$dir/sids" << 'EOF'
# carol has none
alice@TEST.EXAMPLE S-1-5-21-1-2-3-1104
bob@TEST.EXAMPLE   S-1-5-21-1-2-3-1105
EOF
amtsim_start --devices 1 --kerberos-sids "$dir/sids" --power-seconds 0.1-0.2
amtd_start
cause_of() # PROFILE COMMAND...
{
    local profile=$1
    shift
    amtcli "$@" pc1.example --profile "$profile" -o json 2> "$dir/err" > "$dir/out" || true
    jq -r '.[0] | if .result == "ok" then "ok" else .cause end' "$dir/out"
}
is() # CAUSE PROFILE COMMAND...
{
    local want=$1 got
    shift
    got=$(cause_of "$@")
    [ "$got" = "$want" ] || fail "$*: $got, not $want: $(cat "$dir/err") $(jq -c '.[0] | del(.detail)' "$dir/out")"
}
add_account() # RELATIVE-ID REALM: of the domain 1-2-3
{
    local sid answer
    sid=$(printf "\\x01\\x05\\x00\\x00\\x00\\x00\\x00\\x05\\x15\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x02\\x00\\x00\\x00\\x03\\x00\\x00\\x00\\x$(printf %02x $(($1 & 255)))\\x$(printf %02x $(($1 >> 8)))\\x00\\x00" | base64 -w0)
    answer=$(post http://127.16.0.1:$port/wsman "$(envelope $amt/AMT_AuthorizationService/AddUserAclEntryEx $amt/AMT_AuthorizationService "<r:AddUserAclEntryEx_INPUT xmlns:r=\"$amt/AMT_AuthorizationService\"><r:KerberosUserSid>$sid</r:KerberosUserSid><r:AccessPermission>2</r:AccessPermission><r:Realms>$2</r:Realms></r:AddUserAclEntryEx_INPUT>")")
    [[ $answer == *"<g:ReturnValue>0<"* ]] || fail "AddUserAclEntryEx: $answer"
}

for user in alice bob carol; do
    cache=$dir/$user.cc
    [ $user != alice ] || cache=$dir/ccache
    amtcli profile add $user --auth kerberos --ccache "FILE:$cache" --port $port
done
amtcli profile add nobody --auth kerberos --ccache "FILE:$dir/none" --port $port
amtcli host add pc1.example --address 127.16.0.1

is auth-failed alice power status # no account has her SID yet
add_account 1104 5
add_account 1105 13
is ok alice power status
is ok alice power off --yes
wait_until "off" power_is 1 off
is access-denied bob power status # he may look at settings
is auth-failed carol power status
is no-ticket nobody power status
answer=$(post http://127.16.0.1:$port/wsman "$(envelope $transfer/Get $amt/AMT_KerberosSettingData '')")
[[ $answer == *"<g:KrbEnabled>true<"* ]] || fail "Get: $answer"
# One ticket a connection: the requests after it go without.
ctl clear 1 > /dev/null
is ok alice power on --yes
record=$(ctl record 1)
[ "$(jq .counters.logins_ok <<< "$record")" -lt "$(jq .counters.requests <<< "$record")" ] || fail "a ticket with every request: $record"
[ "$(jq .counters.unauthorized <<< "$record")" = 0 ] || fail "refused on the way: $record"
echo "kerberos: ok"
