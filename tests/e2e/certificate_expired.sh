#!/usr/bin/env bash
# certificate_expired.sh BIN_DIR: nobody renewed the certificates in time. Machines whose certificate amtd gave and knows are reached by
# amtd's own CA all the same, and renewed over that; others are not. amtd sees another wall clock by libfaketime.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
for faketime in /usr/lib/*/faketime/libfaketimeMT.so.1; do :; done
[ -f "$faketime" ] || fail "no libfaketime"
tls_port=$((port + 1))
clock=+0
# Instead of the program: its clock is off by $clock.
amtd()
{
    exec env LD_PRELOAD="$faketime" FAKETIME="$clock" FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 \
        ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0" "$bin/amtd" "$@"
}
amtsim_start --devices 3
amtd_start
fleet 3
amtcli profile add own --user admin --password-file "$dir/pw" --port $tls_port --tls own
exits 0 amtcli certificate issue @lab --days 30 --plain on --canary 0
exits 0 amtcli power status @lab --profile own

echo '--- 60 days later'
amtd_stop
clock=+60d
amtd_start
exits 0 amtcli certificate check @lab --profile own -o json
[ "$(jq -r '[.[].detail.state] | unique | join(" ")' "$dir/out")" = due ] || fail "what has ended is not due: $(cat "$dir/out")"
exits 0 amtcli calendar
says "$dir/out" 'amtcli certificate renew pc0001'
told() { amtcli event list --kind certificate-expires -o json | jq -e 'any(.[]; .text | contains("has ended"))' > /dev/null; }
wait_until "word that they have ended" told

echo '--- another one that has ended is not trusted'
exits 0 amtcli host set pc0003 --forget-pin
exits 1 amtcli power status pc0003 --profile own -o json
[ "$(jq -r '.[0].cause' "$dir/out")" = tls-expired ] || fail "an unknown one that has ended: $(cat "$dir/out")"

echo '--- renewed over that'
exits 0 amtcli power status 'pc[0001-0002]' --profile own
exits 0 amtcli certificate renew 'pc[0001-0002]' --profile own --canary 0 -o json
[ "$(jq -r '[.[].detail.state] | unique | join(" ")' "$dir/out")" = good ] || fail "not renewed: $(cat "$dir/out")"
amtcli certificate ca export > "$dir/ca.pem"
for n in 1 2; do
    openssl s_client -connect 127.16.0.$n:$tls_port -CAfile "$dir/ca.pem" -verify_return_error -verify_ip 127.16.0.$n \
        -attime "$(date -d '+60 days' +%s)" < /dev/null > "$dir/shown" 2>&1 || fail "openssl does not trust it: $(tail -3 "$dir/shown")"
done

echo '--- amtd believes that it is five years ago'
amtd_stop
clock=-1825d
amtd_start
exits 0 amtcli power status 'pc[0001-0002]' --profile own
amtd_stop
amtsim_stop
echo "certificate_expired: ok"
