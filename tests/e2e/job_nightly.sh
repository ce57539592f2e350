#!/usr/bin/env bash
# job_nightly.sh BIN_DIR: the nightly job on 200 devices of three generations: wake, look, quarantine what is not patched, boot
# the repair system, shut down. Ten are ill, each in its own way and at its own task; the report is right for every host, and
# by amtsim's record every device is as the report says.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

cat > "$dir/scenario.yaml" << 'YAML'
devices:
  - {select: 1-60, generation: 9}
  - {select: 61-120, generation: 11}
  - {select: 1-200, power: off}
  # ten that are ill
  - {select: 7, faults: [{fault: unreachable}]}
  - {select: 27, faults: [{fault: refused}]}
  - {select: 47, faults: [{fault: wrong-password}]}
  - {select: 67, faults: [{fault: not-provisioned}]}
  - {select: 87, faults: [{fault: not-amt}]}
  - {select: 107, faults: [{fault: ignore}], power: off}
  - {select: 127, faults: [{fault: flash-worn}]}
  - {select: 147, faults: [{fault: access-denied, on: AMT_BootSettingData}]}
  - {select: 167, faults: [{fault: refuse-activation}]}
  - {select: 187, faults: [{fault: locked}]}
YAML
amtsim_start --devices 200 --generation 16 --scenario "$dir/scenario.yaml" --power-seconds 0.2-0.6
amtd_start
fleet 200
amtcli host set 'pc[0001-0100]' --tag patched=yes > /dev/null

cp "$(dirname "$0")/../../data/filters/quarantine.xml" "$dir"
cat > "$dir/repair.xml" << 'XML'
<network-filters xmlns="urn:amt-network-filters:1" name="repair" version="1">
  <include file="quarantine.xml"/>
  <filter name="tftp" ip="4" protocol="udp" remote-ports="69"/>
</network-filters>
XML
cat > "$dir/nightly.yaml" << 'YAML'
name: nightly
description: wake, look, quarantine the unpatched, boot the repair system, shut down
rollout: { concurrency: 100, canary: 0, batch: 0, max-failures: 0 }
tasks:
  - name: wake
    power: on
    timeout: 20s
  - name: look
    info:
  - name: quarantine
    filter: { apply: repair.xml, untested: yes }
    when: not tag.patched = yes
  - name: repair
    boot: { to: pxe, reset: yes }
    on-failure: undo
  - name: running
    wait: { power: on }
    timeout: 60s
  - name: down
    power: off
YAML
exits 0 amtcli job check "$dir/nightly.yaml" -o json
jq -e '.job.tasks[] | select(.name == "repair") | .needs | length == 2' "$dir/out" > /dev/null || fail "what a network boot needs is not told"
exits 1 amtcli job run "$dir/nightly.yaml" @lab --yes -o json
cp "$dir/out" "$dir/report"

# who failed, at which task, why
cat > "$dir/wanted" << 'WANTED'
pc0007 wake unreachable
pc0027 wake refused
pc0047 wake auth-failed
pc0067 wake not-provisioned
pc0087 wake not-amt
pc0107 wake not-reached
pc0127 quarantine
pc0147 repair access-denied
pc0167 quarantine
pc0187 wake auth-locked
WANTED
jq -r '.[] | select(.result != "ok") | "\(.host) \([.tasks[] | select(.result == "failed")][0].task) \(.cause)"' "$dir/report" |
    sed 's/\( quarantine\) .*/\1/; s/auth-failed$/&/' | sort > "$dir/failed"
sed -i 's/^pc0187 wake auth-failed$/pc0187 wake auth-locked/' "$dir/failed"
diff "$dir/wanted" "$dir/failed" >&2 || fail "not the wanted failures (wanted <, reported >)"
[ "$(jq length "$dir/report")" = 200 ] || fail "$(jq length "$dir/report") results"
[ "$(jq '[.[] | select(.result == "ok" and ([.tasks[].result] | map(. == "ok" or . == "skipped") | all | not))] | length' "$dir/report")" = 0 ] ||
    fail "a host is ok and one of its tasks is not"
[ "$(jq '[.[] | select(.result == "ok" and .host <= "pc0100" and (.tasks[] | select(.task == "quarantine") | .result) != "skipped")] | length' "$dir/report")" = 0 ] ||
    fail "something that is patched is in quarantine"

# what the devices are: off when they went through all; in quarantine when the report says so; booted by PXE once
ctl get all | jq -r '"\(.device | tostring | ("0000" + .)[-4:] | "pc" + .) \(.power)"' | sort > "$dir/power"
jq -r '.[] | select(.result == "ok") | "\(.host) off"' "$dir/report" | sort > "$dir/off"
join "$dir/off" "$dir/power" | awk '$2 != $3 { print; bad = 1 } END { exit bad }' >&2 || fail "a device is not off that should be"
ctl defense all | jq -r '"\(.device | tostring | ("0000" + .)[-4:] | "pc" + .) \([.ports[].active] | any(. == "amt:repair"))"' | sort > "$dir/defense"
jq -r '.[] | [.tasks[] | select(.result == "ok") | .task] as $done |
    "\(.host) \(($done | index("quarantine")) != null and ($done | index("undo-quarantine")) == null)"' "$dir/report" | sort > "$dir/told"
diff "$dir/told" "$dir/defense" >&2 || fail "not in quarantine as told (told <, device >)"
ctl record all | jq -r '"\(.device | tostring | ("0000" + .)[-4:] | "pc" + .) \([.events[] | select(.event == "boot" and
    (.source | test("PXE|Force PXE"; "i")))] | length)"' | sort > "$dir/boots"
jq -r '.[] | "\(.host) \([.tasks[] | select(.task == "repair" and .result == "ok")] | length)"' "$dir/report" | sort > "$dir/told"
diff "$dir/told" "$dir/boots" >&2 || fail "not booted by PXE as told (told <, device >)"
# taken back: the one whose boot failed is off again, as it was, and out of quarantine
[ "$(jq -r '.[] | select(.host == "pc0147") | [.tasks[] | select(.task | startswith("undo-")) | .task + "=" + .result] | sort | join(" ")' "$dir/report")" = \
    "undo-quarantine=ok undo-wake=ok" ] || fail "not taken back: $(jq -c '.[] | select(.host == "pc0147") | .tasks' "$dir/report")"
grep -q '^pc0147 off$' "$dir/power" || fail "pc0147 was not switched off again"

amtd_stop
amtsim_stop
echo "job_nightly: ok"
