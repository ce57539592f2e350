#!/usr/bin/env bash
# filter_meshcentral.sh BIN_DIR KEPT: what amtcli puts on a device is read back by the modules of npm's meshcentral,
# unchanged, with the queries of MeshCommander's System Defense page. KEPT: where the package may be kept between runs.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
# shellcheck source=tests/e2e/meshcentral_lib.sh
. "$(dirname "$0")/meshcentral_lib.sh"
kept=$2
fetch_meshcentral "$kept"

amtsim_start --devices 5 --generation 11
amtd_start
fleet 5
for policy in quarantine anti-spoof remediate; do
    amtcli filter apply $policy pc0002 --set management=10.0.0.5 -o json > "$dir/out" ||
        fail "$policy: $(cat "$dir/out")"
    name=$(ctl defense 2 | jq -r '.ports[0].active')
    node "$(dirname "$0")/filter_meshcentral.js" "$kept/node_modules/meshcentral/amt" 127.16.0.2 $port "$name" \
        "$(jq '.[0].filters' "$dir/out")"
done
amtd_stop
amtsim_stop
echo "filter_meshcentral: ok"
