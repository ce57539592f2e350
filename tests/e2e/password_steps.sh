#!/usr/bin/env bash
# password_steps.sh BIN_DIR: a rotation is cut off at every exchange that it makes with a machine, in each way: the connection breaks
# before the request arrives, in the middle of its answer, after it was carried out; and amtd is killed while it waits for each. Half of
# the machines have a password of their own before, half the profile's. In the end amtd gets in everywhere, and so does curl with what
# amtd tells; none was tried so often that an account is locked.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
exchanges=6 # of a rotation with its proof
kinds=('"drop","at":"after-request"' '"drop","at":"mid-body"' '"drop","at":"after-change"' '"slow","ms":600000' '"silent"')
count=$((exchanges * ${#kinds[@]} * 2))
amtsim_start --devices $count
amtd_start
fleet $count

# The i-th device's fault, i from 1: its kind and at which exchange it strikes. Twice the same: the second half has the profile's password.
device_fault()
{
    local i=$((($1 - 1) % (count / 2)))
    printf '{"fault":%s,"after":%d,"first":1}' "${kinds[$((i / exchanges))]}" $((i % exchanges))
}
own="pc[0001-$(printf %04d $((count / 2)))]"
exits 0 amtcli password rotate "$own" --yes --canary 0
exits 0 amtcli power status @lab # realms are known, connections warm: the next exchange is the rotation's first
for ((i = 1; i <= count; i++)); do printf '{"device":%d,"set":{"faults":[%s]}}\n' $i "$(device_fault $i)"; done > "$dir/faults"
while read -r line; do ctl json "$line" > /dev/null; done < "$dir/faults"
ctl clear all > /dev/null

# All at once; those that are cut come to their end, those that hang are caught in it.
before=$(amtcli run list -o json | jq '.[0].run')
amtcli password rotate @lab --yes --canary 0 -o json > "$dir/rotate" 2>&1 &
client=$!
all_are_where_they_stay() # hanging, over, or (few) in the pause between two passwords
{
    local over hang
    hang=$(ctl get all | jq -s '[.[].faults[0] | select((.fault == "slow" or .fault == "silent") and .struck > 0)] | length')
    over=$(amtcli run list -o json | jq --argjson before "$before" '.[0] | if .run > $before then .ok + .failed else 0 end')
    [ "$hang" = $((4 * exchanges)) ] && [ $((over + hang)) -ge $((count - 6)) ]
}
wait_until "their last step" all_are_where_they_stay
kill -KILL "$amtd_pid"
wait "$amtd_pid" 2> /dev/null || true
wait $client || true
struck=$(ctl get all | jq -s '[.[].faults[0] | select(.struck > 0)] | length')
[ "$struck" -ge $((count - 2 * (exchanges - 1))) ] || fail "$struck of $count faults have struck" # of changes there are fewer
ctl set all 'faults=[]' > /dev/null
amtd_start
amtcli password list -o json > "$dir/list"
echo "password_steps: $struck faults have struck; $(jq '[.[] | select(.state == "unproved")] | length' "$dir/list") passwords were on their way"
exits 0 amtcli power status @lab -o json
none_unproved()
{
    [ "$(amtcli password list -o json | jq '[.[] | select(.state == "unproved")] | length')" = 0 ]
}
wait_until "the last proof" none_unproved

# amtd tells a stock client the right ones: of their own, or the profile's where none is known.
umask 077
exits 0 amtcli password export @lab "$dir/passwords.csv"
declare -A known=()
while IFS=, read -r host _ secret _; do known[$host]=$secret; done < <(tail -n +2 "$dir/passwords.csv" | tr -d '\r')
for ((i = 1; i <= count; i++)); do
    host=$(printf 'pc%04d' $i)
    printf 'next\nsilent\ndigest\nuser = "admin:%s"\nurl = "http://127.16.0.%d:%s/index.htm"\noutput = /dev/null\nwrite-out = "%%{http_code}\\n"\n' \
        "${known[$host]:-$password}" $i "$port"
done > "$dir/curl"
curl -K "$dir/curl" | sort | uniq -c > "$dir/codes"
[ "$(tr -s ' ' < "$dir/codes")" = " $count 200" ] || fail "curl is not let in everywhere: $(cat "$dir/codes")"
[ "$(ctl record all | jq -s '[.[] | select(any(.events[]; .event == "lock"))] | length')" = 0 ] || fail "an account was locked"

# And once more, everywhere, without anything in the way.
exits 0 amtcli password rotate @lab --yes --canary 0 -o json
exits 0 amtcli power status @lab
amtd_stop
amtsim_stop
echo "password_steps: ok"
