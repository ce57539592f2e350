#!/usr/bin/env bash
# inventory.sh BIN_DIR: what machines are made of, read, kept with history, compared, asked for in queries; and their
# event and audit logs, read on from where they were left.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

cat > "$dir/scenario" << 'YAML'
devices:
  - {select: 1-10, generation: 6}
  - {select: 11-20, generation: 9}
  - {select: 21-30, generation: 11}
YAML
amtsim_start --devices 40 --scenario "$dir/scenario"
amtd_start
fleet 40
expect() # WHAT IS WANT
{
    [ "$2" = "$3" ] || fail "$1: '$2', not '$3'"
}
hosts() # QUERY: which hosts
{
    amtcli host list "where:$1" -o json | jq -r 'map(.name) | join(" ")'
}

# --- one that was never read is read by looking ---
exits 0 amtcli inventory show pc0001 -o json
jq -e '.host == "pc0001" and .version == 1 and .inventory.memory.bytes == 4294967296 and
    (.inventory.memory.modules | length) == 2 and .inventory.firmware.amt == "6.2.50" and
    .inventory.system.serial == "00000001" and .inventory.bios.date == "2011-03-23" and
    .inventory.processors[0].name == "Example CPU 650 @ 3.20GHz" and .inventory.memory.modules[0].part == "EM-2G"' \
    "$dir/out" > /dev/null || fail "inventory: $(cat "$dir/out")"
exits 0 amtcli inventory update all -o json
expect read "$(jq '[.[] | select(.result == "ok")] | length' "$dir/out")" 40
exits 0 amtcli inventory show pc0010
says "$dir/out" 'EB03056XL'
exits 2 amtcli inventory show nobody

# --- queries ---
expect 'memory' "$(hosts 'inventory.memory.bytes >= 16GiB and inventory.memory.bytes < 32GiB' | wc -w)" 10
expect 'BIOS and AMT' "$(hosts 'inventory.bios.version ~ "EXBIOS6*" and amt.version < 9' | wc -w)" 10
expect portable "$(hosts 'has inventory.batteries.0.id')" 'pc0010 pc0020 pc0030 pc0040'
expect modules "$(hosts 'inventory.memory.modules.0.type in (DDR4, DDR5) and not tag.site = "x"' | wc -w)" 20
exits 0 amtcli collection add small --where 'inventory.memory.bytes <= 8GiB'
expect 'a saved query' "$(amtcli collection show small -o json | jq -r .members)" 'pc[0001-0020]'

# --- lists, history, differences ---
exits 0 amtcli inventory list 'pc[0001-0003]' --columns system.serial,inventory.memory.bytes -o csv
expect CSV "$(sed -n '1p;3p' "$dir/out" | tr -d '\r' | cut -d, -f1,3- | paste -sd' ')" 'host,system.serial,inventory.memory.bytes pc0002,00000002,4294967296'
exits 0 amtcli inventory export @small
expect exported "$(jq length "$dir/out")" 20
exits 0 amtcli inventory update pc0001
exits 0 amtcli inventory history pc0001 -o json
expect 'one version while nothing changes' "$(jq length "$dir/out")" 1
amtcli redirection pc0001 --kvm off > "$dir/out"
exits 0 amtcli inventory update pc0001
exits 0 amtcli inventory diff pc0001 -o json
expect changes "$(jq -r '.changes | map("\(.name): \(.was) -> \(.is)") | join(", ")' "$dir/out")" \
    'features.kvm: enabled -> disabled'
exits 0 amtcli inventory show pc0001 --version 1 -o json
expect 'as it was' "$(jq -r .inventory.features.kvm "$dir/out")" enabled
expect 'as it is, in a query' "$(hosts 'inventory.features.kvm = disabled')" pc0001
exits 0 amtcli inventory diff pc0001 pc0035 -o json
jq -e '.changes | map(select(.name == "bios.date")) | .[0].is == "2022-08-10"' "$dir/out" > /dev/null ||
    fail "between hosts: $(cat "$dir/out")"

# --- half an inventory is none ---
ctl set 2 'faults=[{"fault":"drop","at":"mid-body","on":"CIM_PhysicalMemory"}]' > "$dir/ctl"
exits 1 amtcli inventory update pc0002
exits 0 amtcli inventory show pc0002 -o json
expect 'what was known stays' "$(jq '.version' "$dir/out")" 1

# --- event logs ---
texts() # FILE: how often each sentence is in it
{
    jq -r '.[].text' "$1" | sort | uniq -c | sed 's/^ *//' | paste -sd,
}
exits 0 amtcli eventlog read all -o json
expect 'first reading' "$(jq '[.[].detail.new] | add' "$dir/out")" 120
amtcli power cycle pc0011 > "$dir/out"
exits 0 amtcli eventlog read pc0011 -o json
expect 'what is new after a boot' "$(jq -c '.[0].detail' "$dir/out")" '{"new":1,"unreadable":0,"gap":false}'
exits 0 amtcli eventlog read pc0011 -o json
expect 'nothing more' "$(jq '.[0].detail.new' "$dir/out")" 0
exits 0 amtcli eventlog show pc0011 -o json
expect sentences "$(texts "$dir/out")" '1 OS boot started,1 firmware error: disk failure,1 firmware progress: PCI initialisation,1 firmware started: a processor runs'
exits 0 amtcli eventlog search 'DISK failure' 'pc[0011-0015]' -o json
expect found "$(jq length "$dir/out")" 5
exits 0 amtcli eventlog show all --severity critical --limit 7 -o csv
expect limited "$(tail -n +2 "$dir/out" | wc -l)" 7
printf wrong > "$dir/wrong"
amtcli profile add bad --user admin --password-file "$dir/wrong" --port $port
exits 1 amtcli profile test bad pc0012
exits 0 amtcli eventlog read pc0012
exits 0 amtcli eventlog search authentication pc0012 -o json
expect 'a wrong password' "$(jq -r '.[0] | "\(.severity): \(.text)"' "$dir/out")" 'non-critical: authentication failed 1 time'

# --- audit logs ---
exits 0 amtcli auditlog show pc0011 -o json
expect 'who did what' "$(jq -r 'map("\(.who) \(.text)") | join(", ")' "$dir/out")" \
    'admin provisioning completed: by host-based, admin, admin power cycle'
amtcli power off pc0011 --yes > "$dir/out"
exits 0 amtcli auditlog read pc0011 -o json
expect 'what is new after power off' "$(jq '.[0].detail.new' "$dir/out")" 1
exits 0 amtcli auditlog search 'power down' -o json
expect 'power off' "$(jq -r '.[0] | "\(.host) \(.source) \(.text)"' "$dir/out")" 'pc0011 remote control power down'
exits 0 amtcli auditlog export -o csv
says "$dir/out" 'power cycle'
amtd_stop
amtsim_stop
