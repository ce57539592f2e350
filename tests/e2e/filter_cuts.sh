#!/usr/bin/env bash
# filter_cuts.sh BIN_DIR: quarantine is put on devices, changed and taken away; device n is lost for good at the n-th
# request of that: not carried out, its answer cut, or carried out and not answered. By amtsim's record each is as wanted
# or exactly as before, and the report says which; what was lost half-way is put right when it answers again, and what
# amtd keeps is what the devices do.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
devices=${AMTD_TEST_CUTS:-84}

printf 'devices:\n  - {select: 1-%d, ports: both, defense: {policies: 1, filters: 2}}\n' "$devices" > "$dir/scenario.yaml"
amtsim_start --devices "$devices" --generation 11 --scenario "$dir/scenario.yaml"
amtd_start
fleet "$devices"

# dump FILE: "HOST STATE-OF-THE-DEVICE" of all, without the handles that creating anew changes.
dump()
{
    ctl defense all | jq -c '[(.device | tostring | ("0000" + .)[-4:] | "pc" + .),
        {filters: ([.filters[].name] | sort), policies: ([.policies[].name] | sort),
         ports: [.ports[] | {port, active, enabled}]}]' > "$1"
}

# faults POINT: device n is lost at its n-th request; none without POINT.
faults()
{
    python3 - "$dir/control" "$devices" "$1" << 'PYTHON'
import json, socket, sys
path, devices, point = sys.argv[1], int(sys.argv[2]), sys.argv[3]
control = socket.socket(socket.AF_UNIX)
control.connect(path)
answers = control.makefile()
for n in range(1, devices + 1):
    faults = [{"fault": "drop", "at": point, "after": n - 1}] if point else []
    control.sendall(json.dumps({"device": n, "set": {"faults": faults}}).encode() + b"\n")
    if not json.loads(answers.readline())["ok"]:
        sys.exit("amtsim refuses")
PYTHON
}

# differ WHAT FILE...: those of $dir/hosts that are now, in WHAT of the dump (a filter of jq), as in none of the files.
differ()
{
    local what=$1
    shift
    jq -rn --slurpfile hosts "$dir/hosts" --slurpfile now "$dir/now" '
        def states: map({host: .[0], value: (.[1] | '"$what"')});
        [inputs] as $states | ($now | states | map({key: .host, value}) | from_entries) as $now |
        ($states | states | group_by(.host) | map({key: .[0].host, value: map(.value)}) | from_entries) as $states |
        $hosts[] | select(. as $host | $states[$host] | index([$now[$host]]) | not) |
        "\(.): \($now[.])"' "$@" | head -3
}

# reported STATE...: the hosts of which the report says one of these, into $dir/hosts.
reported()
{
    jq --arg states " $* " '.[] | select(.state as $s | $states | contains(" " + $s + " ")) | .host' "$dir/result" > "$dir/hosts"
}

nobody_at_it()
{
    [ "$(amtcli filter status -o json | jq '[.[] | select(.at_it)] | length')" = 0 ]
}

# all COMMAND...: on all, and it must be well.
all()
{
    exits 0 amtcli filter "$@" --yes -o json
}

# cuts WHAT PREPARE POINTS COMMAND...: PREPARE brings every device to where it begins; then COMMAND, cut at each of POINTS.
cuts()
{
    local what=$1 prepare=$2 points=$3 point wrong through status
    shift 3
    $prepare
    dump "$dir/before"
    all "$@"
    dump "$dir/wanted"
    for point in $points; do
        $prepare
        faults "$point"
        status=0 # those that lose answers and obey come through
        amtcli filter "$@" --yes -o json > "$dir/result" 2> "$dir/err" || status=$?
        [ $status -le 1 ] || fail "$what, $point: ended with $status: $(tail -3 "$dir/err")"
        faults ''
        dump "$dir/now"
        reported unchanged rolled-back
        wrong=$(differ . "$dir/before")
        [ -z "$wrong" ] || fail "$what, $point: not as before: $wrong"
        reported active removed ready
        wrong=$(differ '[.ports[] | .active, .enabled.console, .enabled.agent]' "$dir/wanted")
        [ -z "$wrong" ] || fail "$what, $point: not as wanted: $wrong"
        through=$(wc -l < "$dir/hosts")
        [ "$through" -gt 0 ] || fail "$what, $point: more requests than devices: AMTD_TEST_CUTS=$((devices * 2))"
        echo "filter_cuts: $what, $point: $(jq -r '.[] | .state' "$dir/result" | sort | uniq -c | tr -s ' \n' ' ')" >&2
        amtd_stop # what is half-done is due at once at the next start
        amtd_start
        wait_until "the repairs of $what, $point" nobody_at_it
        dump "$dir/now"
        reported active removed ready
        wrong=$(differ . "$dir/wanted")
        [ -z "$wrong" ] || fail "$what, $point: left behind: $wrong"
        reported unfinished
        wrong=$(differ . "$dir/before" "$dir/wanted")
        [ -z "$wrong" ] || fail "$what, $point: neither as wanted nor as before: $wrong"
        agree "$what, $point"
    done
}

# agree WHAT: what amtd keeps is what the devices do.
agree()
{
    amtcli filter status -o json | jq -c '.[] | [.host, .policy, ([.waiting // [] | .[].policy] | join(" "))]' > "$dir/kept"
    jq -c '[.[0], (.[1].ports[0].enabled.console // null | if . then .[4:] else . end),
        (.[1].ports[0].enabled.agent // "" | .[4:])]' "$dir/now" > "$dir/devices"
    cmp -s <(sort "$dir/kept") <(sort "$dir/devices") ||
        fail "$1: amtd keeps something else: $(diff <(sort "$dir/kept") <(sort "$dir/devices") | head -4)"
}

nothing()
{
    all remove @lab
    all remove @lab --when agent
}
quarantined()
{
    nothing
    all apply quarantine @lab --untested
}
watched()
{
    nothing
    all apply quarantine @lab --untested --when agent
}

cuts "apply" nothing "after-request mid-body" apply quarantine @lab --untested --canary 0 --batch 0 --max-failures 0
cuts "switch" quarantined "after-request after-change mid-body" \
    apply remediate @lab --set task-server=10.1.2.3 --untested --canary 0 --batch 0 --max-failures 0
cuts "remove" quarantined "after-request mid-body" remove @lab
cuts "apply for agents" nothing mid-body apply quarantine @lab --untested --when agent --canary 0 --batch 0 --max-failures 0
cuts "remove for agents" watched mid-body remove @lab --when agent
amtd_stop
amtsim_stop
echo "filter_cuts: ok"
