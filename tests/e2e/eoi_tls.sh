#!/usr/bin/env bash
# eoi_tls.sh BIN_DIR: machines of AMT 2 and 5 with TLS only, which is TLS 1.0 with a key of 1024 bits: they are found and shown
# without a login, spoken to by an explicit exception and a pin only, and then as any other.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

cat > "$dir/scenario.yaml" << 'YAML'
devices:
  - {select: 1-2, generation: 2}
  - {select: 3-4, generation: 5}
YAML
amtsim_start --devices 4 --scenario "$dir/scenario.yaml" --tls server --tls-dir "$dir/tls" --rmcp-port $((port + 9))
amtd_start
amtcli profile add new --user admin --password-file "$dir/pw" --port $((port + 1)) --tls pin
exits 2 amtcli profile add bad --user admin --password-file "$dir/pw" --tls ca --old-tls on
amtcli profile add old --user admin --password-file "$dir/pw" --port $((port + 1)) --tls pin --old-tls on

# tried N: so many logins device N has seen.
tried()
{
    ctl record "$1" | jq '.counters | .logins_wrong + .logins_ok'
}
fails()
{
    local cause=$1
    shift
    exits 1 "$@" -o json
    [ "$(jq -r '.[0].cause' "$dir/out")" = "$cause" ] || fail "$*: not $cause: $(cat "$dir/out")"
}

# --- found, and shown with what is needed to pin it; nobody has logged in ---
exits 0 amtcli discover 127.16.0.1-127.16.0.4 --port $port --rmcp-port $((port + 9)) --rate 5000 --per-subnet 5000 --add \
    --profile old -o json
[ "$(jq -c 'map([.finding, .version, .tls.version]) | unique' "$dir/out")" = \
    '[["amt","2.6.20","TLSv1"],["amt","5.2.70","TLSv1"]]' ] || fail "found: $(cat "$dir/out")"
exits 0 amtcli discover show -o json
cp "$dir/out" "$dir/found"
pin_of() # ADDRESS
{
    jq -r --arg address "$1" '.[] | select(.address == $address) | .tls.pin' "$dir/found"
}
openssl s_client -connect 127.16.0.1:$((port + 1)) -cipher 'ALL:@SECLEVEL=0' -min_protocol TLSv1 < /dev/null > "$dir/tls.txt" \
    2> /dev/null || true
says "$dir/tls.txt" '1024 bit'
[ "$(openssl x509 -fingerprint -sha256 -noout < "$dir/tls.txt" | sed 's/.*=//; s/://g' | tr A-F a-f)" = "$(pin_of 127.16.0.1)" ] ||
    fail "another certificate: $(cat "$dir/found")"
for device in 1 2 3 4; do
    [ "$(tried $device)" = 0 ] || fail "a login was sent to a certificate that nobody knows: $(ctl record $device)"
done

# --- neither the exception nor the pin is enough by itself ---
fails tls-version amtcli power status 127.16.0.1 --profile new
fails tls-untrusted amtcli power status 127.16.0.1
exits 1 amtcli doctor 127.16.0.1
says "$dir/out" "$(pin_of 127.16.0.1)"
says "$dir/out" 'old TLS is spoken only with a certificate that is known'
says "$dir/out" 'Intel(R) Active Management Technology 2.6.20'
exits 0 amtcli host set 127.16.0.1 --pin "$(pin_of 127.16.0.1)"
fails tls-version amtcli power status 127.16.0.1 --profile new
exits 0 amtcli host set 127.16.0.2 --pin "$(pin_of 127.16.0.3)"
fails tls-changed amtcli power status 127.16.0.2
for device in 1 2; do
    [ "$(tried $device)" = 0 ] || fail "a login was sent all the same: $(ctl record $device)"
done

# --- with both it is a machine as any other ---
for n in 2 3 4; do
    exits 0 amtcli host set 127.16.0.$n --pin "$(pin_of 127.16.0.$n)"
done
amtcli collection add old --list '127.16.0.1,127.16.0.2,127.16.0.3,127.16.0.4'
exits 0 amtcli doctor @old
exits 0 amtcli power status @old
exits 0 amtcli power cycle @old --yes
exits 0 amtcli info 127.16.0.1
says "$dir/out" 2.6.20
exits 0 amtcli inventory update @old
exits 0 amtcli filter apply quarantine @old --yes --untested
exits 0 amtcli filter remove @old --yes
exits 0 amtcli password rotate 127.16.0.4 --yes
exits 0 amtcli power status 127.16.0.4
[ "$(amtcli host list 'where:interface = "eoi"' -o json | jq length)" = 4 ] || fail "$(amtcli host list -o json)"

# --- the console: AMT 2 knows no digest that is worth it, AMT 5 does ---
prompt() # HOST STATUS OPTION...
{
    exits "$2" amtcli console "$1" "${@:3}" --send '\r' --expect '# $' --send 'uname\r' --expect 'amtsim'
}
prompt 127.16.0.2 1 --timeout 5s
says "$dir/err" 'the device offers: old digest, clear text; allowed here: digest'
[ "$(ctl record 2 | jq .counters.sessions)" = 0 ] || fail "somebody was let in: $(ctl record 2)"
prompt 127.16.0.3 0
exits 0 amtcli profile set old --clear-text on
prompt 127.16.0.2 0
amtd_stop
amtsim_stop
echo "eoi_tls: ok"
