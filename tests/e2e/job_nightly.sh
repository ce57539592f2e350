#!/usr/bin/env bash
# job_nightly.sh BIN_DIR [soak]: a mixed fleet of 200 devices, from an empty amtd on: it is discovered, inventoried and put into
# collections by what was found; then the nightly job runs: wake, look, quarantine what is not patched, boot a repair image,
# read all of it on the machine's own console, shut down. One device in twenty is ill that night, in ten ways and at several tasks. The report is right for every host, and by
# amtsim's record every device is as the report says. `soak` does it with 2000 devices.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
devices=200
[ "${2-}" != soak ] || devices=2000
quarter=$((devices * 24 / 100))
hosts=$((quarter * 4)) # behind them: some that are not provisioned, some that are no AMT at all
strangers=$((hosts + devices / 50))

cat > "$dir/scenario.yaml" << YAML
devices:
  - {select: 1-$quarter, generation: 6}
  - {select: $((quarter + 1))-$((quarter * 2)), generation: 9}
  - {select: $((quarter * 2 + 1))-$((quarter * 3)), generation: 11}
  - {select: $((quarter * 3 + 1))-$hosts, generation: 16}
  - {select: $((hosts + 1))-$strangers, faults: [{fault: not-provisioned}]}
  - {select: $((strangers + 1))-$devices, faults: [{fault: not-amt}]}
YAML
rmcp=$((port + 9))
amtsim_start --devices $devices --rmcp-port $rmcp --scenario "$dir/scenario.yaml" --power-seconds 0.2-0.6
mkdir "$dir/images"
head -c 262144 /dev/urandom > "$dir/images/repair.iso"
sum=$(sha256sum "$dir/images/repair.iso" | cut -d ' ' -f 1)
echo "image-dir: $dir/images" > "$dir/amtd.yaml"
amtd_start --config "$dir/amtd.yaml"
amtcli profile add lab --user admin --password-file "$dir/pw" --port $port

# --- by day: known, looked at, sorted ---
exits 0 amtcli discover 127.16.0.0/21 --port $port --rmcp-port $rmcp --rate 20000 --per-subnet 5000 --add --profile lab --tag site=lab -o json
jq -r '.[] | select(.finding != "refused") | "\(.finding) \(.outcome // "-")"' "$dir/out" | sort | uniq -c | awk '{ print $2, $3, $1 }' > "$dir/found"
cat > "$dir/wanted" << WANTED
amt added $hosts
not-provisioned - $((strangers - hosts))
other-service - $((devices - strangers))
WANTED
sed -i 's/ \(none\|skipped\|known\) / - /' "$dir/found"
diff "$dir/wanted" "$dir/found" >&2 || fail "not found as wanted (wanted <, found >)"
exits 0 amtcli inventory update all -o json
[ "$(jq '[.[] | select(.result == "ok")] | length' "$dir/out")" = $hosts ] || fail "not all are inventoried"
exits 0 amtcli collection add lab --where 'tag.site = "lab"'
exits 0 amtcli collection add unpatched --where 'inventory.bios.version ~ "EXBIOS60*" or inventory.bios.version ~ "EXBIOS90*"'
[ "$(amtcli host list @unpatched -o json | jq length)" = $((quarter * 2)) ] || fail "$(amtcli host list @unpatched -o json | jq length) hosts are not patched"
# names of hosts by the numbers of devices, from their addresses
amtcli host list all -o json | jq -r '.[] | (.address | split(".") | (.[2] | tonumber) * 256 + (.[3] | tonumber)) as $n | "\($n) \(.name)"' | sort > "$dir/names"

# --- evening: people go home, and one machine in twenty is ill ---
ctl set 1-$hosts power=off > /dev/null
plan=( # what the tenth of the ill gets, at which task it ends, with which cause; those of quarantine only where it is needed
    'wake unreachable {"fault":"unreachable"}'
    'quarantine-flash fault {"fault":"flash-worn"}'
    'wake auth-failed {"fault":"wrong-password"}'
    'quarantine-activation fault {"fault":"refuse-activation"}'
    'wake not-amt {"fault":"not-amt"}'
    'wake not-reached {"fault":"ignore"}'
    'wake not-provisioned {"fault":"not-provisioned"}'
    'repair access-denied {"fault":"access-denied","on":"AMT_BootSettingData"}'
    'repair dropped {"fault":"redirection-drop","at":"open","on":"ider"}'
    'wake auth-locked {"fault":"locked","how":"page"}'
)
for ((n = 7; n <= hosts; n += 20)); do
    read -r task cause fault <<< "${plan[n / 20 % 10]}"
    ctl json "{\"device\":$n,\"set\":{\"faults\":[$fault]}}" > /dev/null
    case $task in
    quarantine-*) [ $n -gt $((quarter * 2)) ] || echo "$n quarantine $cause" ;;
    *) echo "$n $task $cause" ;;
    esac
done | sort | join "$dir/names" - | cut -d ' ' -f 2- | sort > "$dir/wanted"
ctl clear all > /dev/null

# --- the night ---
cp "$(dirname "$0")/../../data/filters/quarantine.xml" "$dir"
cat > "$dir/nightly.yaml" << YAML
name: nightly
description: wake, look, quarantine the unpatched, boot the repair image, work in it, shut down
rollout: { concurrency: 100, canary: 0, batch: 0, max-failures: 0 }
tasks:
  - name: wake
    power: on
    timeout: 20s
  - name: look
    inventory:
  - name: quarantine
    filter: { apply: quarantine.xml, untested: yes }
    when: inventory.bios.version ~ "EXBIOS60*" or inventory.bios.version ~ "EXBIOS90*"
  - name: repair
    ider: repair.iso
    on-failure: undo
  - name: work
    console:
      within: 120s
      steps:
        - send: '\r' # the prompt may have come before the line was up
        - expect: '# \$'
        - send: 'sha256sum cd\r'
        - expect: '$sum'
        - send: 'poweroff\r'
  - name: done
    wait: { power: off }
    timeout: 120s
  - name: down
    power: off
YAML
exits 0 amtcli job check "$dir/nightly.yaml"
exits 1 amtcli job run "$dir/nightly.yaml" @lab --yes -o json
cp "$dir/out" "$dir/report"

# who failed, at which task, why
jq -r '.[] | select(.result != "ok") | "\(.host) \([.tasks[] | select(.result == "failed")][0].task) \(.cause)"' "$dir/report" | sort > "$dir/failed"
diff "$dir/wanted" "$dir/failed" >&2 || fail "not the wanted failures (wanted <, reported >)"
[ "$(jq length "$dir/report")" = $hosts ] || fail "$(jq length "$dir/report") results"
[ "$(jq '[.[] | select(.result == "ok" and ([.tasks[].result] | map(. == "ok" or . == "skipped") | all | not))] | length' "$dir/report")" = 0 ] ||
    fail "a host is ok and one of its tasks is not"

# by_device FILTER: a line a device that became a host: its host's name and what the filter makes of amtsim's answer.
by_device()
{
    jq -r "\"\\(.device) \\($1)\"" | sort | join "$dir/names" - | cut -d ' ' -f 2- | sort
}
# told FILTER: the same by the report; $done are the tasks that went well.
told()
{
    jq -r ".[] | [.tasks[] | select(.result == \"ok\") | .task] as \$done | \"\\(.host) \\($1)\"" "$dir/report" | sort > "$dir/told"
}
# compare WHAT FILE
compare()
{
    diff "$dir/told" "$2" >&2 || fail "$1: not as told (told <, device >)"
}
# off when they went through all
ctl get all | by_device .power > "$dir/power"
jq -r '.[] | select(.result == "ok") | .host' "$dir/report" | sort | join - "$dir/power" | awk '$2 != "off" { print; bad = 1 } END { exit bad }' >&2 ||
    fail "a device is not off that should be"
# in quarantine when the report says so, and when it is not patched
ctl defense all | by_device '[.ports[].active] | any(. == "amt:quarantine")' > "$dir/defense"
told '($done | index("quarantine")) != null and ($done | index("undo-quarantine")) == null'
compare 'in quarantine' "$dir/defense"
amtcli host list @unpatched -o json | jq -r '.[].name' | sort > "$dir/unpatched"
awk '$2 == "true" { print $1 }' "$dir/told" | comm -23 - "$dir/unpatched" | grep . >&2 && fail "something that is patched is in quarantine"
# booted from the image once, which the machine has read
ctl record all > "$dir/record"
by_device '[.events[] | select(.event == "boot" and (.flags | index("UseIDER")))] | length' < "$dir/record" > "$dir/boots"
told '[.tasks[] | select(.task == "repair" and .result == "ok")] | length'
compare 'booted from the image' "$dir/boots"
by_device '.counters.ider_bytes >= 262144' < "$dir/record" > "$dir/read"
told '($done | index("work")) != null'
compare 'read the image' "$dir/read"
# taken back: those whose boot failed are off again and out of quarantine, as they were
while read -r host task _; do
    [ "$task" = repair ] || continue
    grep -qx "$host off" "$dir/power" || fail "$host was not switched off again"
    ! grep -qx "$host true" "$dir/defense" || fail "$host is still in quarantine"
done < "$dir/wanted"
jq -r '[.[].result] | group_by(.) | map("\(length) \(.[0])") | join(", ")' "$dir/report"
awk '{ print $2, $3 }' "$dir/failed" | sort | uniq -c

amtd_stop
amtsim_stop
echo "job_nightly: ok"
