#!/usr/bin/env bash
# certificates.sh BIN_DIR: machines get certificates of amtd's own CA. openssl's client sees them and trusts them by the
# exported CA; answers are lost, amtd is killed in the middle, clocks are years off, the CA is renewed and its key lost.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
kills=${AMTD_TEST_KILLS:-1}
RANDOM=${AMTD_TEST_SEED:-$$}
echo "certificates: AMTD_TEST_SEED=${AMTD_TEST_SEED:-$$}" >&2
tls_port=$((port + 1))

cat > "$dir/scenario.yaml" << 'Y'
devices:
  - select: 1-8
    faults: [{fault: slow, ms: 15}]
  - select: 9 # the answers to changes are lost
    faults:
      - {fault: drop, at: after-change, on: AddCertificate, first: 1}
      - {fault: drop, at: after-change, on: AMT_TLSCredentialContext, first: 1}
      - {fault: drop, at: after-change, on: CommitChanges, first: 1}
  - select: 10
    faults: # the certificate does not arrive
      - {fault: drop, at: after-request, on: AddCertificate, first: 1}
Y
amtsim_start --devices 15 --scenario "$dir/scenario.yaml"
amtd_start
fleet 15
amtcli profile add pin --user admin --password-file "$dir/pw" --port $tls_port --tls pin

# shown HOST: the SHA-256 of the certificate it shows to openssl, by the exported CA and the host's name.
shown()
{
    openssl s_client -connect "127.16.0.$((10#${1#pc})):$tls_port" -CAfile "$dir/ca.pem" -verify_return_error \
        -verify_hostname "$1" < /dev/null 2> /dev/null | openssl x509 -noout -fingerprint -sha256 2> /dev/null |
        sed 's/.*=//; s/://g' | tr 'A-F' 'a-f'
}

proved()
{
    amtcli certificate list "$1" -o json | jq -r '.[] | select(.state == "proved") | .sha256'
}

# well LIST: they show what amtd has proved; amtd trusts it, and there is one key and one certificate on each.
well()
{
    local host want
    exits 0 amtcli certificate check "$1" --profile pin -o json
    [ "$(jq -r '[.[].detail | "\(.state) \(.certificates) \(.keys)"] | unique | join(";")' "$dir/out")" = "good 1 1" ] ||
        fail "$1: $(jq -c '.[] | [.host, .detail]' "$dir/out")"
    amtcli certificate list "$1" -o json | jq -r '.[] | select(.state == "proved") | "\(.host) \(.sha256)"' > "$dir/proved"
    [ "$(wc -l < "$dir/proved")" = "$(jq length "$dir/out")" ] || fail "proved of $1: $(cat "$dir/proved")"
    while read -r host want; do
        [ "$(shown "$host")" = "$want" ] || fail "$host shows '$(shown "$host")', proved is $want"
    done < "$dir/proved"
}

export_ca()
{
    amtcli certificate ca export > "$dir/ca.pem"
}

# together PART...: functions at the same time, each with a directory of its own for what it writes.
together()
{
    local part pids=()
    for part in "$@"; do
        mkdir -p "$dir/$part"
        ln -sf "$dir/pw" "$dir/control" "$dir/$part/"
        (
            dir=$dir/$part
            "$part"
        ) &
        pids+=($!)
    done
    for part in "${pids[@]}"; do wait "$part" || fail "one of $* failed"; done
}

[ "$(amtcli certificate ca -o json)" = '[]' ] || fail "there is a CA before it was asked for"
exits 0 amtcli certificate check pc0011
says "$dir/out" off

# --- the first one, and openssl's word on it ---
first_one()
{
    exits 0 amtcli certificate issue pc0011
    says "$dir/out" 'in use, and proved'
    export_ca
    well pc0011
    exits 0 amtcli certificate issue pc0011
    says "$dir/out" 'left alone'
    [ "$(amtcli host show pc0011 -o json | jq -r '.. | objects | .["tls.pin"]? // empty')" = "$(proved pc0011)" ] ||
        fail "the pin of pc0011 is another one"
    local first
    first=$(proved pc0011)
    exits 0 amtcli certificate renew pc0011 --profile pin
    says "$dir/out" 'left alone'
    exits 0 amtcli certificate renew pc0011 --profile pin --force
    well pc0011
    [ "$(proved pc0011)" != "$first" ] || fail "the certificate was not renewed"
    exits 0 amtcli certificate renew pc0013
    says "$dir/out" 'nothing to renew'
}

# --- answers are lost; a clock that is years off is set first; a key from outside ---
answers_lost()
{
    ctl set 12 clock-offset=-250000000 > /dev/null
    amtcli certificate issue pc0009 > "$dir/lost" 2>&1 &
    local lost=$! never
    { amtcli certificate issue pc0010 || amtcli certificate issue pc0010; } > "$dir/never" 2>&1 &
    never=$!
    exits 0 amtcli certificate issue pc0012 --push-key -o json
    jq -e '.[0].detail.steps | map(.step) | index("set clock")' "$dir/out" > /dev/null || fail "the clock was not set: $(cat "$dir/out")"
    wait $lost || fail "answers lost: $(cat "$dir/lost")"
    wait $never || fail "request lost: $(cat "$dir/never")"
    export_ca
    well 'pc0009,pc0010,pc0012'
}

# --- mutual TLS: refused without a certificate of our own, and then with one of the CA ---
mutual_on()
{
    exits 1 amtcli certificate issue pc0015 --mutual on
    says "$dir/out" 'no client certificate'
    exits 0 amtcli certificate client "$dir/client.pem"
    [ "$(stat -c %a "$dir/client.pem")" = 600 ] || fail "the client's key is open to others"
    exits 2 amtcli certificate client "$dir/client.pem"
    amtcli profile add mutual --user admin --password-file "$dir/pw" --port $tls_port --tls pin --client-cert "$dir/client.pem" \
        --client-key "$dir/client.pem"
    exits 0 amtcli certificate issue pc0015
    exits 0 amtcli certificate issue pc0015 --profile mutual --mutual on --plain off
    exits 0 amtcli power status pc0015 --profile mutual
    exits 1 amtcli power status pc0015 --profile pin
    exits 0 amtcli certificate check pc0015 --profile mutual -o json
    [ "$(jq -c '[.[0].detail.held[] | [.root, .ours, .used]] | sort' "$dir/out")" = '[[false,true,"tls"],[true,true,""]]' ] ||
        fail "what pc0015 holds: $(jq -c '.[0].detail' "$dir/out")"
}

# --- plain off only when asked, and not from under oneself; TLS off again ---
tls_off()
{
    plain_is_open() { curl -s -o /dev/null --max-time 60 "http://127.16.0.14:$port/"; }
    exits 0 amtcli certificate issue pc0014
    export_ca
    exits 1 amtcli certificate issue pc0014 --profile lab --plain off
    says "$dir/out" 'would not reach'
    plain_is_open || fail "pc0014 takes none without TLS before it was asked to"
    exits 0 amtcli certificate issue pc0014 --profile pin --plain off
    ! plain_is_open || fail "pc0014 takes connections without TLS"
    exits 0 amtcli power status pc0014 --profile pin
    exits 0 amtcli certificate issue pc0014 --profile pin --plain on
    exits 1 amtcli certificate remove pc0014 --yes --profile pin
    exits 0 amtcli certificate remove pc0014 --yes --profile lab
    ! shown pc0014 | grep -q . || fail "pc0014 still shows a certificate"
    exits 0 amtcli power status pc0014 --profile lab
    [ "$(amtcli certificate list pc0014 -o json)" = '[]' ] || fail "$(amtcli certificate list pc0014)"
}
together first_one answers_lost mutual_on tls_off
export_ca

# --- amtd dies in the middle ---
issue_is_under_way()
{
    [ "$(amtcli run list -o json | jq '.[0] | if .task == "certificate" then .run else 0 end')" -gt "$1" ]
}
for ((k = 0; k < kills; k++)); do
    before=$(amtcli run list -o json | jq '.[0].run')
    amtcli certificate issue 'pc[0001-0008]' --yes --force --parallel 8 > "$dir/out" 2> "$dir/err" &
    client=$!
    wait_until "the run" issue_is_under_way "$before"
    sleep "$((RANDOM % 2)).$((RANDOM % 90 + 10))"
    kill -KILL "$amtd_pid"
    wait "$amtd_pid" 2> /dev/null || true
    wait $client || true
    amtd_start
    exits 0 amtcli power status 'pc[0001-0008]'
    exits 0 amtcli certificate issue 'pc[0001-0008]' --yes
    well 'pc[0001-0008]'
done

# --- a profile that trusts amtd's own CA, whichever it is ---
exits 2 amtcli profile add own --user admin --password-file "$dir/pw" --port $tls_port --tls own --ca-file "$dir/ca.pem"
exits 0 amtcli profile add own --user admin --password-file "$dir/pw" --port $tls_port --tls own
exits 0 amtcli power status 'pc0009,pc0011' --profile own

# --- the CA is renewed: both are trusted until the last machine has a new certificate ---
exits 0 amtcli certificate ca renew
[ "$(amtcli certificate ca -o json | jq -c '[.[].state]')" = '["current","trusted"]' ] || fail "$(amtcli certificate ca)"
export_ca
[ "$(grep -c BEGIN "$dir/ca.pem")" = 2 ] || fail "the export has not both CAs"
[ "$(shown pc0011)" = "$(proved pc0011)" ] || fail "pc0011 is not trusted by the export"
renew_all() # but pc0010
{
    exits 0 amtcli certificate check pc0011 --profile pin
    says "$dir/out" due
    exits 0 amtcli certificate renew pc0011 --profile own
    exits 0 amtcli power status 'pc0009,pc0011' --profile own
    cmp -s "$AMTD_STATE_DIR/own-ca.pem" <(amtcli certificate ca export) || fail "profile own trusts other CAs than both"
    exits 0 amtcli certificate renew 'pc[0001-0014],!pc0010' --yes
}

# The old root of mutual TLS: needed as long as amtd shows a certificate of that CA; told, and then gone in one step.
roots()
{
    amtcli certificate list pc0015 -o json | jq '.[0].old_roots // 0'
}
old_root()
{
    exits 0 amtcli certificate renew pc0015 --profile mutual
    says "$dir/out" 'an old root stays'
    [ "$(roots)" = 1 ] || fail "old roots: $(amtcli certificate list pc0015 -o json)"
    exits 0 amtcli calendar pc0015
    says "$dir/out" 'it keeps 1 root of renewed CAs'
    exits 0 amtcli power status pc0015 --profile mutual
    exits 0 amtcli certificate client "$dir/client2.pem"
    exits 0 amtcli profile set mutual --client-cert "$dir/client2.pem" --client-key "$dir/client2.pem"
    exits 0 amtcli power status pc0015 --profile mutual
    exits 0 amtcli certificate renew pc0015 --profile mutual --force
    says "$dir/out" 'the new certificate is in use, and proved'
    [ "$(roots)" = 0 ] || fail "old roots: $(amtcli certificate list pc0015 -o json)"
    exits 0 amtcli power status pc0015 --profile mutual
    exits 1 amtcli power status pc0015 --profile pin
    ! amtcli calendar pc0015 | grep -q 'keeps' || fail "the calendar still tells of an old root"
}

# Events: one that is renewed, one that ends soon.
told()
{
    amtcli event list --kind "$1" -o json | jq -e --arg host "$2" 'any(.[]; .host == $host)' > /dev/null
}
ends_soon()
{
    exits 0 amtcli certificate issue pc0013 --days 5
    wait_until "word of the new certificate" told certificate-renewed pc0013
    wait_until "word of its end" told certificate-expires pc0013
}
together renew_all old_root ends_soon
[ "$(amtcli certificate ca -o json | jq -c '[.[].state]')" = '["current","trusted"]' ] || fail "pc0010 has one of it: $(amtcli certificate ca)"
exits 0 amtcli certificate renew pc0010
export_ca
[ "$(grep -c BEGIN "$dir/ca.pem")" = 1 ] || fail "the old CA is exported: $(amtcli certificate ca)"
[ "$(amtcli certificate ca -o json | jq -c '[.[].state]')" = '["current","retired"]' ] || fail "$(amtcli certificate ca)"
well 'pc0001,pc0009,pc0011,pc0012'
exits 0 amtcli power status 'pc0009,pc0011' --profile own
[ "$(grep -c BEGIN "$AMTD_STATE_DIR/own-ca.pem")" = 1 ] || fail "profile own trusts the old CA"

# --- the key of the CA is lost: nothing is issued, what is there stays trusted, and a new CA mends it ---
amtd_stop
cp "$AMTD_STATE_DIR"/*key* "$dir/" 2> /dev/null || true
sqlite3 "$AMTD_STATE_DIR/amtd.db" "UPDATE authorities SET key = x'00' WHERE state = 0"
amtd_start
exits 0 amtcli power status pc0001 --profile pin
exits 1 amtcli certificate issue pc0014
says "$dir/out" seal-broken
exits 0 amtcli certificate ca renew
exits 0 amtcli certificate issue pc0014
export_ca
well pc0014

# --- the calendar, rights, the activity log; secrets nowhere ---
exits 0 amtcli calendar --within 400d -o json
[ "$(jq '[.[] | select(.what == "certificate")] | length' "$dir/out")" -ge 12 ] || fail "$(cat "$dir/out")"
exits 0 amtcli activity -o json
says "$dir/out" certificate.ca_renew
! grep -qaF -e 'PRIVATE KEY' "$AMTD_STATE_DIR"/amtd.db* "$dir/amtd.log" || fail "a private key lies about"
amtd_stop
amtsim_stop
echo "certificates: ok"
