#!/usr/bin/env bash
# tls.sh BIN_DIR: a profile asks for TLS by CA or by pin, or for none, and gets that or a failure: changed, expired and
# foreign certificates, old TLS, client certificates, and no way from TLS to plain or back.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

cat > "$dir/scenario.yaml" << 'YAML'
devices:
  - {select: 3, faults: [{fault: expired-certificate}]}
  - {select: 4, faults: [{fault: old-tls-only}]}
YAML
tls_port=$((port + 1))

# cause_of HOST PROFILE: what a status of it says: ok, or the cause.
cause_of()
{
    amtcli power status "$1" --profile "$2" -o json 2> "$dir/err" > "$dir/out" || true
    jq -r '.[0] | if .result == "ok" then "ok" else .cause end' "$dir/out"
}

# is HOST PROFILE CAUSE
is()
{
    local got
    got=$(cause_of "$1" "$2")
    [ "$got" = "$3" ] || fail "$1 with profile $2: $got, not $3: $(cat "$dir/err") $(jq -c '.[0] | del(.detail)' "$dir/out")"
}

pin_of()
{
    openssl s_client -connect "$1:$tls_port" -cipher 'ALL:@SECLEVEL=0' -min_protocol TLSv1 < /dev/null 2> /dev/null |
        openssl x509 -fingerprint -sha256 -noout | sed 's/.*=//; s/://g' | tr 'A-F' 'a-f'
}

recorded_pin()
{
    amtcli host show "$1" -o json | jq -r '.. | objects | .["tls.pin"]? // empty'
}

amtsim_start --devices 6 --tls server --tls-dir "$dir/tls" --scenario "$dir/scenario.yaml"
amtd_start
amtcli host add 'pc[1-6]' --address 127.16.0.1
amtcli profile add pin --user admin --password-file "$dir/pw" --port $tls_port --tls pin
amtcli profile add ca --user admin --password-file "$dir/pw" --port $tls_port --tls ca --ca-file "$dir/tls/ca.pem"
amtcli profile add plain --user admin --password-file "$dir/pw" --port $port
amtcli profile add plain-at-tls --user admin --password-file "$dir/pw" --port $tls_port
amtcli profile add old --user admin --password-file "$dir/pw" --port $tls_port --tls pin --old-tls on

# --- pinned: the first certificate is recorded, another is refused until it is forgotten ---
is pc1 pin ok
[ "$(recorded_pin pc1)" = "$(pin_of 127.16.0.1)" ] || fail "recorded: $(recorded_pin pc1), shown: $(pin_of 127.16.0.1)"
is pc1 pin ok
ctl set 1 'faults=[{"fault":"changed-certificate"}]' > /dev/null
ctl set 1 me=reset > /dev/null
is pc1 pin tls-changed
[ "$(ctl record 1 | jq '.counters.logins_ok + .counters.logins_wrong')" -ge 1 ] || fail "no login before the change"
before=$(ctl record 1 | jq '.counters.requests')
is pc1 pin tls-changed
[ "$(ctl record 1 | jq '.counters.requests')" = "$before" ] || fail "a request went to a device with another certificate"
exits 0 amtcli host set pc1 --forget-pin
is pc1 pin ok
[ "$(recorded_pin pc1)" = "$(pin_of 127.16.0.1)" ] || fail "the new pin is not recorded"

# --- a CA ---
is pc2 ca ok
is pc3 ca tls-expired
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$dir/k" -out "$dir/other.pem" -subj /CN=other -days 2 2> /dev/null
amtcli profile add foreign --user admin --password-file "$dir/pw" --port $tls_port --tls ca --ca-file "$dir/other.pem"
is pc5 foreign tls-untrusted
amtcli host add elsewhere.example --address 127.16.0.6
is elsewhere.example ca tls-untrusted

# --- old TLS: only where a profile allows it, and then only a certificate that is known ---
is pc4 pin tls-version
is pc4 ca tls-version
got=$(cause_of pc4 old)
[ "$got" != ok ] || fail "old TLS was spoken without a pin"
exits 0 amtcli host set pc4 --pin "$(pin_of 127.16.0.4)"
is pc4 old ok
is pc4 pin tls-version
exits 0 amtcli host set pc4 --pin "$(printf '%064d' 7)"
is pc4 old tls-changed
exits 2 amtcli profile add bad --user admin --password-file "$dir/pw" --tls ca --old-tls on
exits 2 amtcli profile add bad --user admin --password-file "$dir/pw" --client-cert "$dir/pw" --client-key "$dir/pw"
says "$dir/err" "goes with 'tls' pin, ca or own"

# --- what was not asked for is not tried ---
is pc6 plain refused
got=$(cause_of pc6 plain-at-tls)
[ "$got" != ok ] || fail "plain HTTP was served by a TLS port"
[ "$(ctl record 6 | jq '.counters.logins_ok')" = 0 ] || fail "a plain profile logged in to a TLS device"
is pc6 pin ok
amtsim_stop

# The same device without TLS: no TLS profile talks to it, and none at all on its own account.
amtsim_start --devices 6
is pc6 pin refused
amtcli profile add pin-at-plain --user admin --password-file "$dir/pw" --port $port --tls pin
got=$(cause_of pc6 pin-at-plain)
[ "$got" != ok ] || fail "a TLS profile talked to a plain port"
amtcli power status pc6 -o json > "$dir/out" 2> "$dir/err" || true # all profiles, as they come
[ "$(jq -r '.[0].result' "$dir/out")" = failed ] || fail "a device known by TLS was talked to without it"
[ "$(ctl record 6 | jq '.counters.requests')" = 0 ] || fail "a request was sent without TLS"
is pc6 plain ok # asked for by name
amtsim_stop

# --- client certificates ---
amtsim_start --devices 2 --tls mutual --tls-dir "$dir/mutual"
amtcli host add 'm[1-2]' --address 127.16.0.1
amtcli profile add mutual --user admin --password-file "$dir/pw" --port $tls_port --tls ca --ca-file "$dir/mutual/ca.pem" \
    --client-cert "$dir/mutual/client.pem" --client-key "$dir/mutual/client.key"
amtcli profile add without --user admin --password-file "$dir/pw" --port $tls_port --tls ca --ca-file "$dir/mutual/ca.pem"
is m1 mutual ok
got=$(cause_of m2 without)
[ "$got" = tls-failed ] || fail "without a client certificate: $got: $(jq -c '.[0] | del(.detail)' "$dir/out")"
amtsim_stop
amtd_stop
echo "tls: ok"
