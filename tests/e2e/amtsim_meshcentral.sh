#!/usr/bin/env bash
# The AMT modules of npm's meshcentral, unchanged, under node: they connect, read and switch devices of every
# generation. $2: a directory where the package may be kept between runs.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/amtsim_lib.sh"
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/meshcentral_lib.sh"
kept=$2
fetch_meshcentral "$kept"
for generation in 6 9 11 16 21; do
    amtsim_start --devices 1 --generation $generation --power-seconds 0.01-0.03
    node "$(dirname "$0")/meshcentral.js" "$kept/node_modules/meshcentral/amt" 127.16.0.1 $port 0 $generation
    amtsim_stop
done
for generation in 16 21; do
    amtsim_start --devices 1 --generation $generation --power-seconds 0.01-0.03 --tls server
    node "$(dirname "$0")/meshcentral.js" "$kept/node_modules/meshcentral/amt" 127.16.0.1 $((port + 1)) 1 $generation
    amtsim_stop
done
echo "amtsim_meshcentral: ok"
