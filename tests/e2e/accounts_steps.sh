#!/usr/bin/env bash
# accounts_steps.sh BIN_DIR: amtd is killed while it corrects accounts, at every exchange: the request is lost, or its answer. Applied once
# more, everything is as it should be, and a stock client is let in with the passwords that amtd tells.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
exchanges=12 # of one that adds an account, corrects another, and removes a third
count=$((2 * exchanges))
amtsim_start --devices $count
amtd_start
fleet $count
exits 0 amtcli user @lab apply -a helpdesk=administrator@any -a intruder=administrator --yes --canary 0
for ((i = 0; i < count; i++)); do
    fault='"silent"'
    [ $((i / exchanges)) = 0 ] || fault='"slow","ms":600000'
    printf '{"device":%d,"set":{"faults":[{"fault":%s,"after":%d,"first":1}]}}\n' $((i + 1)) "$fault" $((i % exchanges))
done > "$dir/faults"
while read -r line; do ctl json "$line" > /dev/null; done < "$dir/faults"
wanted=(-a helpdesk=remote-control,general-info -a audit=audit-log@any --exact)
amtcli user @lab apply "${wanted[@]}" --yes --canary 0 > "$dir/apply" 2>&1 &
client=$!
all_are_where_they_stay()
{
    local over hang
    hang=$(ctl get all | jq -s '[.[].faults[0] | select(.struck > 0)] | length')
    over=$(amtcli run list -o json | jq '.[0] | if .run == 2 then .ok + .failed else 0 end')
    [ $((over + hang)) -ge $count ]
}
wait_until "their last step" all_are_where_they_stay
kill -KILL "$amtd_pid"
wait "$amtd_pid" 2> /dev/null || true
wait $client || true
struck=$(ctl get all | jq -s '[.[].faults[0] | select(.struck > 0)] | length')
ctl set all 'faults=[]' > /dev/null
amtd_start
echo "accounts_steps: $struck of $count were cut off; $(amtcli password list -o json | jq '[.[] | select(.state == "unproved")] | length') passwords were on their way"
[ "$struck" -ge $((count - 2)) ] || fail "only $struck of $count were cut off"
exits 0 amtcli user @lab apply "${wanted[@]}" --yes --canary 0
exits 0 amtcli user @lab check "${wanted[@]}" -o json
[ "$(jq '[.[].detail.differ] | add' "$dir/out")" = 0 ] || fail "not as they should be: $(jq -c '.[] | select(.detail.differ > 0)' "$dir/out")"
[ "$(amtcli password list -o json | jq -c '[.[] | .user + ":" + .state] | unique')" = '["audit:proved","helpdesk:proved"]' ] ||
    fail "not all known: $(amtcli password list)"
umask 077
exits 0 amtcli password export @lab "$dir/passwords.csv"
while IFS=, read -r host user secret _; do
    printf 'next\nsilent\ndigest\nuser = "%s:%s"\nurl = "http://127.16.0.%d:%s/index.htm"\noutput = /dev/null\nwrite-out = "%%{http_code}\\n"\n' \
        "$user" "$secret" $((10#${host#pc})) "$port"
done < <(tail -n +2 "$dir/passwords.csv" | tr -d '\r') > "$dir/curl"
[ "$(curl -K "$dir/curl" | sort | uniq -c | tr -s ' ')" = " $((2 * count)) 200" ] || fail "not let in: $(curl -K "$dir/curl" | sort | uniq -c)"
amtd_stop
amtsim_stop
echo "accounts_steps: ok"
