#!/usr/bin/env bash
# filter_fleet.sh BIN_DIR: quarantine of 500 devices of which 20 fail in the middle in different ways. By amtsim's record
# each is fully quarantined or exactly as before, and the report says which. Then amtd is killed in the middle of runs:
# after its restart every device is as amtd says.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
devices=500
kills=${AMTD_TEST_KILLS:-4}
RANDOM=${AMTD_TEST_SEED:-$$}
echo "filter_fleet: AMTD_TEST_SEED=${AMTD_TEST_SEED:-$$}" >&2

cat > "$dir/scenario.yaml" << 'YAML'
devices:
  - {select: 1-100, generation: 9}
  - {select: 101-200, generation: 11, ports: both}
  - {select: 401-500, generation: 21, ports: both}
  # 20 that are ill
  - {select: 11, faults: [{fault: refuse-activation}]}
  - {select: 12, faults: [{fault: ignore-activation}]}
  - {select: 13, faults: [{fault: flash-worn, after: 3}]}
  - {select: 14, faults: [{fault: flash-worn, on: AMT_SystemDefensePolicy}]}
  - {select: 15, defense: {policies: 8, filters: 10}}
  - {select: 16, defense: {policies: 1, filters: 75}}
  - {select: 17, defense: {policies: 2, filters: 4, enabled: console, precedence: 1}}
  - {select: 18, faults: [{fault: drop, at: mid-body, after: 33}]}
  - {select: 19, control-mode: client}
  - {select: 20, faults: [{fault: refused}]}
  - {select: 21, faults: [{fault: drop, at: after-request, after: 26}]}
  - {select: 22, faults: [{fault: drop, at: after-request, after: 35}]}
  - {select: 23, faults: [{fault: drop, at: after-change, after: 4}]}
  - {select: 24, faults: [{fault: drop, at: after-change, after: 13}]}
  - {select: 25, faults: [{fault: malformed-xml, after: 30}]}
  - {select: 26, faults: [{fault: garbage, after: 40}]}
  - {select: 27, faults: [{fault: access-denied, on: AMT_NetworkPortSystemDefensePolicy, after: 2}]}
  - {select: 111, faults: [{fault: refuse-activation, after: 1}]}
  - {select: 112, faults: [{fault: busy, how: quota, on: AMT_IPHeadersFilter, after: 6, first: 20}]}
  - {select: 113, faults: [{fault: xml-bomb, after: 45}]}
YAML
amtsim_start --devices $devices --generation 16 --scenario "$dir/scenario.yaml"
amtd_start
fleet $devices

# dump FILE: "HOST STATE-OF-THE-DEVICE" of all.
dump()
{
    ctl defense all | jq -c '[(.device | tostring | ("0000" + .)[-4:] | "pc" + .),
        {filters: [.filters[] | [.handle, .name]], policies: [.policies[] | [.handle, .name, .filters]],
         ports: [.ports[] | {port, active, enabled}]}]' > "$1"
}

# compare REPORT BEFORE AFTER: every host of the report ("HOST STATE") is quarantined on all its ports, or as before.
compare()
{
    jq -rn --slurpfile report "$1" --slurpfile before "$2" --slurpfile after "$3" '
        ($before | map({key: .[0], value: .[1]}) | from_entries) as $b |
        ($after | map({key: .[0], value: .[1]}) | from_entries) as $a |
        $report[] | . as [$host, $state] |
        ($a[$host].ports | all(.active == "amt:quarantine" and .enabled.console == "amt:quarantine"
            and .enabled.default == null)) as $active |
        ([$a[$host].policies[] | select(.[1] | startswith("amt:"))] | length == 1) as $one |
        if $state == "active" then ($active and $one)
        elif $state == "unchanged" or $state == "rolled-back" then $a[$host] == $b[$host]
        else $state == "unfinished" end |
        if . then empty else "\($host) is said to be \($state): \($a[$host].ports)" end'
}

dump "$dir/before"
status=0
amtcli filter apply quarantine @lab --yes --untested -o json > "$dir/out" 2> "$dir/err" || status=$?
[ $status = 1 ] || fail "the run ended with $status: $(tail -3 "$dir/err")"
dump "$dir/after"
jq -c '.[] | [.host, .state]' "$dir/out" > "$dir/report"
wrong=$(compare "$dir/report" "$dir/before" "$dir/after")
[ -z "$wrong" ] || fail "$wrong"
jq -r '.[] | select(.state != "active") | "\(.host) \(.state) \(.cause)"' "$dir/out" > "$dir/failed"
echo "filter_fleet: $(wc -l < "$dir/failed") of $devices are not quarantined:" \
    "$(cut -d' ' -f2 "$dir/failed" | sort | uniq -c | tr -s ' \n' ' ')" >&2
jq -r '.[] | select(.result == "failed") | .host' "$dir/out" | sort > "$dir/failed"
printf 'pc%04d\n' $(seq 11 27) 111 112 113 | sort > "$dir/ill"
[ -z "$(comm -23 "$dir/failed" "$dir/ill")" ] || fail "healthy ones failed: $(comm -23 "$dir/failed" "$dir/ill")"
[ "$(wc -l < "$dir/failed")" -ge 18 ] || fail "these came through: $(comm -13 "$dir/failed" "$dir/ill" | tr "\n" " ")" # those that lose answers and obey
[ "$(jq '[.[] | select(.state == "active")] | length' "$dir/out")" = $((devices - $(wc -l < "$dir/failed"))) ] ||
    fail "neither quarantined nor failed"

# What was lost half-way is put right as soon as it answers.
ctl json '{"device": "11-27,111-113", "set": {"faults": []}}' > /dev/null
amtd_stop
amtd_start
nobody_at_it()
{
    [ "$(amtcli filter status -o json | jq '[.[] | select(.at_it)] | length')" = 0 ]
}
wait_until "the repairs" nobody_at_it
dump "$dir/repaired"
amtcli filter status -o json > "$dir/status"
jq -c --slurpfile now "$dir/status" '($now[0] | map({key: .host, value: .policy}) | from_entries) as $policy | .[] |
    select(.state == "unfinished") | [.host, (if $policy[.host] then "active" else "rolled-back" end)]' "$dir/out" > "$dir/report"
[ -s "$dir/report" ] || fail "no device was lost half-way"
wrong=$(compare "$dir/report" "$dir/before" "$dir/repaired")
[ -z "$wrong" ] || fail "after the repair: $wrong"

# --- amtd is killed
# agree: what amtd keeps is what the devices do.
agree()
{
    amtcli filter status -o json | jq -r '.[] | [.host, (if .policy then "amt:" + .policy else "none" end)] | join(" ")' |
        sort > "$dir/kept"
    ctl defense all | jq -r '[(.device | tostring | ("0000" + .)[-4:] | "pc" + .),
        ([.ports[].enabled.console // "none" | sub("[0-9]$"; "") | select(startswith("isv") | not)] | unique | join("+")),
        ([.policies[].name | select(startswith("amt:"))] | length), ([.filters[].name | select(startswith("amt:"))] | length),
        ([.ports[].enabled.default // empty] | length)] | join(" ")' | sort > "$dir/devices"
    join "$dir/kept" "$dir/devices" | awk '
        $3 == "" || NF < 6 { next }
        $2 == "none" && ($3 == "none") && $4 == 0 && $5 == 0 && $6 == 0 { next }
        $2 == "amt:quarantine" && $3 == $2 && $4 == 1 && $5 == 12 && $6 == 0 { next }
        $2 == "amt:ping-limit" && $3 == $2 && $4 == 1 && $5 == 1 && $6 == 0 { next }
        { print "kept, enabled, policies, filters, defaults:", $0; bad = 1 }
        END { exit bad }'
}
agree || fail "before amtd was killed"
last_run()
{
    amtcli run list -o json | jq '.[0].run // 0'
}
run_has_begun() # after RUN: a client that amtd's death meets before it is connected starts an amtd of its own
{
    [ "$(last_run)" -gt "$1" ]
}
for ((i = 0; i < kills; i++)); do
    before=$(last_run)
    if [ $((i % 2)) = 0 ]; then
        amtcli filter ping @lab --yes --untested -o json > "$dir/out" 2> "$dir/err" &
    else
        amtcli filter apply quarantine @lab --yes -o json > "$dir/out" 2> "$dir/err" &
    fi
    client=$!
    wait_until "run $((i + 1))" run_has_begun "$before"
    sleep "0.$((RANDOM % 9))" &
    wait $!
    kill -KILL "$amtd_pid"
    wait "$amtd_pid" 2> /dev/null || true
    wait $client || true
    amtd_start
    wait_until "the repairs after kill $((i + 1))" nobody_at_it
    agree || fail "after kill $((i + 1))"
done
status=0
amtcli filter remove @lab --yes -o json > "$dir/out" 2> "$dir/err" || status=$?
[ $status -le 1 ] || fail "remove: $(tail -3 "$dir/err")"
agree || fail "after the removal"
[ "$(ctl defense all | jq '[.filters[] | select(.name | startswith("amt:"))] | length' | sort -u | tr '\n' ' ')" = "0 " ] ||
    fail "filters are left behind"
amtd_stop
amtsim_stop
echo "filter_fleet: ok"
