#!/usr/bin/env bash
# password.sh BIN_DIR: machines get passwords of their own; answers are lost at the worst moments, and amtd is killed in the
# middle. Afterwards every machine lets in whoever asks amtd, and a stock client with the password that amtd shows.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
kills=${AMTD_TEST_KILLS:-3}
RANDOM=${AMTD_TEST_SEED:-$$}
echo "password: AMTD_TEST_SEED=${AMTD_TEST_SEED:-$$}" >&2

cat > "$dir/scenario.yaml" <<'Y'
devices:
  - select: 1-40
    faults:
      - {fault: slow, ms: 20}
  - select: 41
    faults: # the new password is there, and nobody says so
      - {fault: drop, at: after-change, on: AMT_AuthorizationService, first: 1}
  - select: 42
    faults: # the request never arrives
      - {fault: drop, at: after-request, on: SetAdminAclEntryEx, first: 1}
Y
amtsim_start --devices 44 --scenario "$dir/scenario.yaml"
amtd_start
fleet 44

# own HOST: its own password.
own()
{
    amtcli password show "$1" -o json | jq -r '.[0].password'
}

# logs_in HOST PASSWORD: curl's idea of it.
logs_in()
{
    [ "$(curl -s -o "$dir/page" -w '%{http_code}' --digest -u "admin:$2" "http://127.16.0.$((10#${1#pc})):$port/index.htm")" = 200 ]
}

# A new one for two machines: the old one is none any more, by a stock client's word.
exits 0 amtcli password rotate 'pc[0043-0044]' --yes -o json
fresh=$(own pc0043)
[ ${#fresh} = 20 ] || fail "the password '$fresh' has not 20 signs"
[ "$fresh" != "$(own pc0044)" ] || fail "two machines have the same password"
logs_in pc0043 "$fresh" || fail "curl is not let in with the new password"
! logs_in pc0043 "$password" || fail "curl is let in with the old password"
exits 0 amtcli power status 'pc[0043-0044]'
exits 0 amtcli password rotate pc0043 --yes --length 8
[ "$(amtcli password show pc0043 --all -o json | jq -c '[.[].state]')" = '["proved","former"]' ] ||
    fail "the passwords of pc0043: $(amtcli password show pc0043 --all | cut -c1-6,20-)"
exits 2 amtcli password rotate pc0043 --length 7
exits 2 amtcli password show pc0001
says "$dir/err" "has no password of its own"
exits 2 amtcli password show nosuch
says "$dir/err" "there is no host 'nosuch'"

# Secrets are nowhere but where they were asked for.
fresh=$(own pc0043)
! grep -rqF -e "$fresh" "$AMTD_STATE_DIR" "$dir/amtd.log" || fail "the password is in: $(grep -rlF -e "$fresh" "$AMTD_STATE_DIR" "$dir/amtd.log")"
amtcli activity -o json > "$dir/out"
! grep -qF -e "$fresh" "$dir/out" || fail "the password is in the activity log"
says "$dir/out" password.show

# The answer is lost after the change: the proof finds the new password. The request is lost: the old one stays.
exits 0 amtcli password rotate pc0041 --yes
[ "$(amtcli password list pc0041 -o json | jq -r '.[].state')" = proved ] || fail "pc0041: $(amtcli password list pc0041)"
exits 1 amtcli password rotate pc0042 --yes -o json
[ "$(amtcli password list pc0042 -o json)" = '[]' ] || fail "pc0042 has a password of its own: $(amtcli password list pc0042)"
logs_in pc0042 "$password" || fail "pc0042 does not have its old password"
exits 0 amtcli password rotate pc0042 --yes

# The request is lost, and the device with it before it is known which it has: its first password of its own. Whoever
# is let in later settles it, and the wrong one is tried no more.
ctl json '{"device": 40, "set": {"faults": [{"fault": "drop", "at": "after-request", "on": "SetAdminAclEntryEx", "first": 1},
    {"fault": "locked", "after": 3}]}}' > "$dir/ctl"
exits 1 amtcli password rotate pc0040 --yes -o json
[ "$(amtcli password list pc0040 -o json | jq -r '.[].state')" = unproved ] || fail "pc0040: $(amtcli password list pc0040 --all)"
ctl set 40 'faults=[]' > "$dir/ctl"
exits 0 amtcli power status pc0040
[ "$(amtcli password list pc0040 -o json)" = '[]' ] || fail "pc0040 is not settled: $(amtcli password list pc0040)"
wrong=$(ctl record 40 | jq '.counters.logins_wrong')
exits 0 amtcli power status pc0040
[ "$(ctl record 40 | jq '.counters.logins_wrong')" = "$wrong" ] || fail "the wrong password was tried again at pc0040"

# amtd dies in the middle.
run_is_under_way()
{
    [ "$(amtcli run list -o json | jq '.[0] | if .task == "password" then .run else 0 end')" -gt "$1" ]
}
none_unproved() # the proofs are written down behind the results
{
    [ "$(amtcli password list -o json | jq '[.[] | select(.state == "unproved")] | length')" = 0 ]
}
unproved=0
for ((k = 0; k < kills; k++)); do
    before=$(amtcli run list -o json | jq '.[0].run')
    amtcli password rotate 'pc[0001-0040]' --yes --parallel 4 > "$dir/out" 2> "$dir/err" &
    client=$!
    wait_until "the rotation" run_is_under_way "$before"
    sleep "0.$((RANDOM % 60 + 10))"
    kill -KILL "$amtd_pid"
    wait "$amtd_pid" 2> /dev/null || true
    wait $client || true
    amtd_start
    unproved=$((unproved + $(amtcli password list -o json | jq '[.[] | select(.state == "unproved")] | length')))
    exits 0 amtcli power status @lab -o json
    wait_until "the last proof" none_unproved
done
echo "password: $unproved passwords were on their way when amtd died" >&2
amtcli password list -o json | jq -r '.[].host' | while read -r host; do
    logs_in "$host" "$(own "$host")" || fail "$host does not let curl in"
done

# A machine that was removed: its password is still told. One that was set up anew: back to the profile.
fresh=$(own pc0044)
exits 0 amtcli host remove pc0044
[ "$(amtcli password show pc0044 --all -o json | jq -r '.[0].password')" = "$fresh" ] || fail "the password of pc0044 is lost"
exits 0 amtcli password forget pc0043 --yes
exits 1 amtcli power status pc0043
says "$dir/out" auth-failed
amtd_stop
amtsim_stop
echo "password: ok"
