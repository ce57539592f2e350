#!/usr/bin/env bash
# discover_fleet.sh BIN_DIR: 2000 mixed devices: each is found as what it is; those that can be logged in to become hosts,
# are inventoried and asked for in saved queries; and all are known again after they changed their addresses.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

cat > "$dir/scenario" << 'YAML'
devices:
  - {select: 1-500, generation: 6}
  - {select: 501-1000, generation: 9}
  - {select: 1001-1500, generation: 11}
  - {select: 1501-1900, generation: 16}
  - {select: 1901-1950, faults: [{fault: not-provisioned}]}
  - {select: 1951-1980, faults: [{fault: not-amt}]}
YAML
rmcp=$((port + 9))
quick=(--port $port --rmcp-port $rmcp --rate 20000 --per-subnet 5000)
simulate() # ADDRESS
{
    amtsim_start --devices 2000 --seed 11 --address "$1" --rmcp-port $rmcp --scenario "$dir/scenario"
}
expect() # WHAT IS WANT
{
    [ "$2" = "$3" ] || fail "$1: '$2', not '$3'"
}
# What each address must be found to be, computed from the scenario.
expected()
{
    local n
    for ((n = 0; n < 2048; n++)); do
        case 1 in
        $((n >= 1 && n <= 500))) echo "amt 6.2.50" ;;
        $((n >= 501 && n <= 1000))) echo "amt 9.1.45" ;;
        $((n >= 1001 && n <= 1500))) echo "amt 11.8.93.4323" ;;
        $((n >= 1901 && n <= 1950))) echo "not-provisioned 16.0.15.1810" ;;
        $((n >= 1951 && n <= 1980))) echo "other-service" ;;
        $((n >= 1501 && n <= 2000))) echo "amt 16.0.15.1810" ;;
        *) echo "refused" ;;
        esac
    done
}

simulate 127.16.0.1
amtd_start
amtcli profile add lab --user admin --password-file "$dir/pw" --port $port
exits 0 amtcli discover 127.16.0.0/21 "${quick[@]}" --add --profile lab --tag site=lab -o json
expected > "$dir/expected"
jq -r '.[] | "\(.finding) \(.version // "")" | sub(" $"; "")' "$dir/out" > "$dir/found"
diff "$dir/expected" "$dir/found" > "$dir/diff" || fail "findings: $(head -5 "$dir/diff")"
expect added "$(jq '[.[] | select(.outcome == "added")] | length' "$dir/out")" 1920
exits 0 amtcli inventory update all -o json
expect inventoried "$(jq '[.[] | select(.result == "ok")] | length' "$dir/out")" 1920
exits 0 amtcli collection add small --where 'inventory.memory.bytes < 8GiB and tag.site = "lab"'
expect 'small machines' "$(amtcli collection show small -o json | jq -r .members)" 'pc[0001-0500]'
exits 0 amtcli collection add old-bios --where 'inventory.bios.version ~ "EXBIOS9*" or amt.version < 7'
expect 'old firmware' "$(amtcli collection show old-bios -o json | jq -r .members)" 'pc[0001-1000]'
amtsim_stop
simulate 127.16.16.1
exits 0 amtcli discover 127.16.16.0/21 "${quick[@]}" --add --profile lab -o json
expect moved "$(jq '[.[] | select(.outcome == "moved")] | length' "$dir/out")" 1920
expect hosts "$(amtcli host list -o json | jq length)" 1920
expect 'an address' "$(amtcli host list pc1234 -o json | jq -r '.[0] | "\(.address) \(.tags.site)"')" '127.16.20.210 lab'
amtd_stop
amtsim_stop
