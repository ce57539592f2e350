# Sourced by tests that use npm's meshcentral. fetch_meshcentral DIR: the package is in DIR, kept there between runs.
# shellcheck shell=bash
meshcentral_version=1.1.55

fetch_meshcentral()
{
    [ ! -f "$1/node_modules/meshcentral/amt/amt.js" ] || return 0
    mkdir -p "$1"
    if ! npm install --prefix "$1" "meshcentral@$meshcentral_version" --ignore-scripts --no-audit --no-fund \
        --omit=optional > "$dir/npm" 2>&1; then
        cat "$dir/npm" >&2
        fail "npm could not fetch meshcentral@$meshcentral_version"
    fi
}
