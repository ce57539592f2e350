#!/usr/bin/env bash
# accounts.sh BIN_DIR: the accounts of machines are compared with what they should be and corrected as a whole; a stock client
# logs in with what amtd made, and sees what its realms allow.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
amtsim_start --devices 3
amtd_start
fleet 3
help='helpdesk=remote-control,general-info'
audit='audit=audit-log@any'

# result JQ: of the last command, one host's.
result()
{
    jq -r ".[0] | $1" "$dir/out"
}

# as USER HOST: curl logs in as that account and reads a page.
as()
{
    local password
    password=$(amtcli password show "$2" -o json | jq -r --arg user "$1" '.[] | select(.user == $user) | .password')
    curl -s -o "$dir/page" -w '%{http_code}' --digest -u "$1:$password" "http://127.16.0.$((10#${2#pc})):$port/index.htm"
}

# Nothing is there; what is missing is told, and added.
exits 0 amtcli user @lab -o json
[ "$(result '.detail.administrator + "/" + .detail.names')" = admin/ ] || fail "at first: $(cat "$dir/out")"
exits 0 amtcli user pc0001 check -a $help -a $audit -o json
[ "$(result '.remark')" = "not as they should be" ] || fail "check: $(cat "$dir/out")"
[ "$(result '[.detail.accounts[] | .account + ":" + .change] | join(" ")')" = "helpdesk:add audit:add" ] || fail "check: $(cat "$dir/out")"
exits 0 amtcli user @lab apply -a $help -a $audit --yes -o json
exits 0 amtcli user @lab check -a $help -a $audit --exact -o json
[ "$(result '.remark')" = "as they should be" ] || fail "after apply: $(cat "$dir/out")"
[ "$(as helpdesk pc0001)" = 200 ] || fail "helpdesk is not let in: $(as helpdesk pc0001)"

# Somebody changes it by hand, and adds another; both are seen, and corrected.
exits 0 amtcli user pc0002 apply -a helpdesk=administrator@any -a intruder=administrator --yes
exits 0 amtcli user pc0002 check -a $help -a $audit --exact -o json
[ "$(result '[.detail.accounts[] | .account + ":" + .change] | sort | join(" ")')" = "audit:same helpdesk:correct intruder:remove" ] ||
    fail "what was changed by hand: $(cat "$dir/out")"
exits 0 amtcli user pc0002 apply -a $help -a $audit --exact --yes -o json
exits 0 amtcli user pc0002 check -a $help -a $audit --exact -o json
[ "$(result '.detail.differ')" = 0 ] || fail "after correcting: $(cat "$dir/out")"
[ "$(as helpdesk pc0002)" = 200 ] || fail "helpdesk is not let in after it was corrected"
amtcli password list pc0002 -o json > "$dir/out"
[ "$(jq -c '[.[] | .user + ":" + .state]' "$dir/out")" = '["audit:proved","helpdesk:proved"]' ] || fail "passwords: $(cat "$dir/out")"

# A password that was on its way when its request, or its answer, was lost: it is given anew, and known then.
ctl set 3 'faults=[{"fault":"drop","at":"after-change","on":"UpdateUserAclEntryEx","first":1}]' > /dev/null
exits 1 amtcli user pc0003 rotate -a helpdesk -a nobody --yes
[ "$(amtcli password list pc0003 -o json | jq -r '.[] | select(.user == "helpdesk" and .state == "unproved") | .user')" = helpdesk ] ||
    fail "nothing is on its way: $(amtcli password list pc0003)"
exits 0 amtcli user pc0003 apply -a $help -a $audit --yes
exits 0 amtcli user pc0003 check -a $help -a $audit --exact -o json
[ "$(result '.detail.differ')" = 0 ] || fail "after a loss: $(cat "$dir/out")"
[ "$(amtcli password list pc0003 -o json | jq -c '[.[] | .user + ":" + .state]')" = '["audit:proved","helpdesk:proved"]' ] ||
    fail "passwords after a loss: $(amtcli password list pc0003)"
[ "$(as helpdesk pc0003)" = 200 ] || fail "helpdesk is not let in after a loss"

# New passwords alone; the calendar says how. The administrator is no account, and nothing is on its way for him.
before=$(amtcli password show pc0001 -o json | jq -r '.[] | select(.user == "helpdesk") | .password')
exits 0 amtcli calendar pc0001 --password-age 1d
says "$dir/out" 'amtcli user pc0001 rotate -a helpdesk'
exits 0 amtcli calendar --password-age 1d -b
says "$dir/out" 'pc[0001-0003]'
says "$dir/out" 'amtcli user HOST rotate -a helpdesk'
exits 0 amtcli user pc0001 rotate -a helpdesk --yes
says "$dir/out" 'new passwords'
[ "$(amtcli password show pc0001 -o json | jq -r '.[] | select(.user == "helpdesk") | .password')" != "$before" ] || fail "no new password"
[ "$(as helpdesk pc0001)" = 200 ] || fail "helpdesk is not let in with a new password"
exits 0 amtcli user pc0001 check -a $help -a $audit --exact -o json
[ "$(result '.detail.differ')" = 0 ] || fail "more than a password was changed: $(cat "$dir/out")"
exits 0 amtcli user pc0001 rotate -a nobody --yes
says "$dir/out" 'it has none of these accounts'
exits 0 amtcli user pc0001
says "$dir/out" 'helpdesk=remote-control,general-info audit=audit-log@any'
exits 1 amtcli user pc0001 apply -a $help -a admin=remote-control --yes
says "$dir/out" "is the administrator's"
! amtcli password list pc0001 -o json | jq -e 'any(.[]; .user == "admin")' > /dev/null || fail "a password of the administrator is on its way"

# As a job: kept so by night.
printf 'name: accounts\ntasks:\n  - user: {action: apply, accounts: ["%s", "%s"], exact: true}\n' $help $audit > "$dir/accounts.yaml"
exits 0 amtcli job check "$dir/accounts.yaml"
exits 0 amtcli user pc0002 apply -a helpdesk=administrator --yes
exits 0 amtcli job run "$dir/accounts.yaml" @lab --yes
exits 0 amtcli user @lab check -a $help -a $audit --exact -o json
[ "$(jq '[.[].detail.differ] | add' "$dir/out")" = 0 ] || fail "after the job: $(cat "$dir/out")"

# Who is logged in with an account neither changes nor removes it.
amtcli password show pc0001 -o json | jq -rj '.[] | select(.user == "helpdesk") | .password' > "$dir/helpdesk"
amtcli profile add helpdesk --user helpdesk --password-file "$dir/helpdesk" --port $port
exits 1 amtcli user pc0001 apply -a audit=audit-log --exact --yes --profile helpdesk
grep -qE 'invalid-argument|access-denied' "$dir/out" || fail "as helpdesk: $(cat "$dir/out")"

# Mistakes.
exits 2 amtcli user pc0001 apply -a helpdesk --yes
exits 2 amtcli user pc0001 apply -a helpdesk=flying --yes
says "$dir/err" "there is no realm 'flying'"
exits 2 amtcli user pc0001 apply --yes
exits 2 amtcli user pc0001 -a $help
exits 2 amtcli user pc0001 rotate --yes
exits 2 amtcli user pc0001 rotate -a $help --yes
exits 2 amtcli user pc0001 rotate -a helpdesk --exact --yes
amtd_stop
amtsim_stop
echo "accounts: ok"
