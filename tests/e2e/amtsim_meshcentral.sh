#!/usr/bin/env bash
# The AMT modules of npm's meshcentral, unchanged, under node: they connect, read and switch devices of every
# generation. $2: a directory where the package may be kept between runs.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/amtsim_lib.sh"
kept=$2
version=1.1.55

if [ ! -f "$kept/node_modules/meshcentral/amt/amt.js" ]; then
    mkdir -p "$kept"
    if ! npm install --prefix "$kept" "meshcentral@$version" --ignore-scripts --no-audit --no-fund --omit=optional \
        > "$dir/npm" 2>&1; then
        cat "$dir/npm" >&2
        fail "npm could not fetch meshcentral@$version"
    fi
fi
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
