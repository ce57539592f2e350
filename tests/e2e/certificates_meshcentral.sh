#!/usr/bin/env bash
# certificates_meshcentral.sh BIN_DIR KEPT: the certificate that amtcli gives a device is read back by the modules of npm's
# meshcentral, unchanged, over TLS with it. KEPT: where the package may be kept between runs.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
# shellcheck source=tests/e2e/meshcentral_lib.sh
. "$(dirname "$0")/meshcentral_lib.sh"
kept=$2
fetch_meshcentral "$kept"

for generation in 11 16; do
    amtsim_start --devices 3 --generation $generation
    amtd_start
    [ $generation = 16 ] || fleet 3
    exits 0 amtcli certificate issue pc0002 --force
    der=$(amtcli certificate list pc0002 -o json | jq -r '.[0].pem' | openssl x509 -outform DER | base64 -w 0)
    node "$(dirname "$0")/certificates_meshcentral.js" "$kept/node_modules/meshcentral/amt" 127.16.0.2 $((port + 1)) "$der"
    amtd_stop
    amtsim_stop
done
echo "certificates_meshcentral: ok"
