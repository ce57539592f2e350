#!/usr/bin/env bash
# alerts_tls.sh BIN_DIR: devices tell amtd what happens over HTTPS. The listener's certificate is of amtd's CA; a device that
# was not given its root tells nothing, curl without it neither.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
listen=$((33000 + $$ % 2400))
cat > "$dir/amtd.yaml" << Y
alerts:
  listen: 127.0.0.1:$listen
  url: https://127.0.0.1:$listen
Y
amtsim_start --devices 3
amtd_start --config "$dir/amtd.yaml"
fleet 3

event()
{
    amtcli event list --kind alert -o json | jq -e --arg host "$1" 'any(.[]; .host == $host)' > /dev/null
}

shows_certificate()
{
    amtcli certificate ca export > "$dir/ca.pem"
    curl -s --cacert "$dir/ca.pem" -o "$dir/page" "https://127.0.0.1:$listen/"
}
wait_until "the listener's certificate" shows_certificate
! curl -s -o "$dir/page" "https://127.0.0.1:$listen/" || fail "curl trusts the listener without the CA"
! curl -s -o "$dir/page" "http://127.0.0.1:$listen/" || fail "the listener answers without TLS"

exits 0 amtcli certificate issue 'pc[0001-0002]' --yes
exits 0 amtcli alert 'pc[0002-0003]' on --yes
exits 0 amtcli power soft-off 'pc[0002-0003]' --yes
wait_until "the alert" event pc0002
! event pc0003 || fail "pc0003 trusts a listener whose root it does not have"
amtd_stop
amtsim_stop
echo "alerts_tls: ok"
