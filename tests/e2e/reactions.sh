#!/usr/bin/env bash
# What is done on events: mail with STARTTLS and a sealed login, web hooks over HTTPS, commands, runs, captures; retries,
# limits, failures as events; patterns and reactions read again without touching a console; the log of a console by mail.
#   reactions.sh DIRECTORY-OF-PROGRAMS
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
here=$(cd "$(dirname "$0")" && pwd)

post=$dir/post
mkdir "$post"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/key.pem" -out "$dir/cert.pem" -days 2 \
    -subj /CN=localhost -addext 'subjectAltName=DNS:localhost' 2> /dev/null
python3 "$here/post_office.py" "$post" "$dir/cert.pem" "$dir/key.pem" > /dev/null 2>&1 &
office=$!
finish_office() {
    local status=$?
    kill $office 2> /dev/null || true
    if (exit $status); then finish_amtd; else finish_amtd; fi
}
trap finish_office EXIT
wait_until 'the post office' test -f "$post/ports"
read -r smtp web < "$post/ports"

has() { # FILE TEXT
    grep -qF -- "$2" "$post/$1" 2> /dev/null
}
lines_are() { # FILE N
    [ "$(wc -l 2> /dev/null < "$post/$1")" = "$2" ]
}
event_is() { # TEXT OPTION...
    local text=$1
    shift
    amtcli event list -o json "$@" | jq -r '.[].text' | grep -qF -- "$text"
}
type_into() { # CONSOLE TEXT
    amtcli console send "$1" "$2\\r\\n" 2> /dev/null
}

amtsim_start --devices 1 --power-seconds 1-1.2
config() { # PATTERNS
    cat > "$dir/amtd.yaml" << END
mail: { server: localhost, port: $smtp, from: amtd@example.com, ca-file: $dir/cert.pem }
patterns:
$1
reactions:
  - { name: hook, kinds: [ pattern, logging ], consoles: vm*, webhook: "https://localhost:$web/hook?x=1", webhook-ca-file: $dir/cert.pem }
  - { name: failures, kinds: [ action ], command: 'echo "\$AMTD_TEXT" >> $post/failures' }
consoles:
  - { name: vm1, source: { type: test }, host: pc0001 }
  - { name: vm2, source: { type: test } }
  - { name: other, source: { type: test } }
END
}
config "  - { name: panic, regex: 'Kernel panic', severity: critical, every: 0s, capture: 3, capture-wait: 200ms,
      mail: [ ops@example.com, b@example.com ], run: { task: power, args: { action: cycle } } }
  - { name: evil, regex: 'bad', every: 0s, consoles: [ other ], most: 2, within: 1h,
      command: 'echo \"\$AMTD_CONSOLE \$AMTD_PATTERN \$AMTD_SEVERITY \$AMTD_OFFSET \$AMTD_LINE\" >> $post/commands' }"

echo '--- mistakes'
check() { # TEXT: what --check says of it
    exits 1 amtd --check --config <(echo "$1")
    says "$dir/err" "$2"
}
check 'reactions: [ { name: a, mail: nobody } ]' "'nobody' is no mail address"
check 'reactions: [ { name: a } ]' "a reaction needs 'mail'"
check 'reactions: [ { name: a, webhook: "ftp://x" } ]' "'webhook': expected a URL"
check 'patterns: [ { name: a, regex: x, run: { task: nosuch } } ]' "there is no task 'nosuch'"
check 'patterns: [ { name: a, regex: x, run } ]' "expected names with values"
check 'patterns: [ { name: a, regex: x, run: { host: a } } ]' "'run': expected the name of a task"
check 'patterns: [ { name: a, regex: x, run: { task: power, args: { action: burn } } } ]' "'run':"
check 'patterns: [ { name: a, regex: x }, { name: a, regex: y } ]' "there is a pattern 'a' already"
check 'mail: { server: "a b", from: x@y }' "'server': expected a name"
exits 0 amtd --check --config "$dir/amtd.yaml"
amtd_start --config "$dir/amtd.yaml"
amtcli profile add lab --user admin --password-file "$dir/pw" --port "$port"
amtcli host add pc0001 --address 127.16.0.1 --profile lab 2> /dev/null

echo '--- mail: a login, sealed; a try'
printf 'wrong\n' > "$dir/mailpw"
amtcli mail login --user amtd --password-file "$dir/mailpw"
exits 1 amtcli mail test a@example.com
says "$dir/err" 'Login denied'
printf 's3cret\n' > "$dir/mailpw"
amtcli mail login --user amtd --password-file "$dir/mailpw"
amtcli mail test a@example.com 2> /dev/null
has mails "X-User: ['', 'amtd', 's3cret']" || fail 'no login'
has mails 'X-Secure: True' || fail 'in clear text'
! grep -rqF s3cret "$AMTD_STATE_DIR" || fail 'the password lies open'

echo '--- a pattern: capture, mail, run, web hook'
type_into vm1 'before'
type_into vm1 'Kernel panic - not syncing'
type_into vm1 'behind'
wait_until 'the web hook' has posts '"text":"panic: Kernel panic'
jq -e 'select(.console == "vm1" and .host == "pc0001" and .reaction == "hook" and .data.pattern == "panic")' "$post/posts" \
    > "$dir/out" || fail "posted: $(cat "$post/posts")"
wait_until 'the mail' has mails '<ops@example.com>,'
wait_until 'the capture' event_is 'panic' --kind capture
amtcli event show "$(amtcli event list --kind capture -o json | jq '.[-1].id')" > "$dir/out"
says "$dir/out" '| before'
says "$dir/out" '| behind'
sed -n '/ops@example.com/,/=end=/p' "$post/mails" | sed '1,/^$/d; /=end=/,$d' | base64 -d > "$dir/body"
says "$dir/body" 'Kernel panic'
says "$dir/body" 'behind'
run_is_done() {
    [ "$(amtcli run list -o json 2> /dev/null | jq -r '.[0] | "\(.who) \(.task) \(.target) \(.ok)"')" = 'reaction panic power pc0001 1' ]
}
wait_until 'the run' run_is_done
deed() # JQ: one row of the activity log
{
    [ "$(amtcli activity --limit 1000 -o json | jq "[.[] | select($1)] | length")" = 1 ]
}
wait_until 'its line in the activity log' deed '.by == "reaction panic" and .what == "run.start power {\"action\":\"cycle\"}" and .hosts == "pc0001" and .result == "ok"'

echo '--- bytes of a console are never part of a command; a limit'
for n in 1 2 3; do type_into other "\$(touch $post/never) \`x\` bad $n"; done
wait_until 'two commands' lines_are commands 2
has commands "other evil warning" || fail "ran with: $(cat "$post/commands")"
wait_until 'what was left out' event_is 'reaction evil: too often' --kind action
wait_until 'the reaction on failures' has failures 'reaction evil: too often'
[ ! -e "$post/never" ] || fail 'the console ran a command'

echo '--- refused for good, and for a while'
touch "$post/forbid"
type_into vm2 'Kernel panic'
wait_until 'the failure' event_is 'reaction hook: web hook https://localhost' --kind action
wait_until 'the other' event_is 'reaction panic: mail to ops@example.com' --kind action
wait_until 'no host' event_is "there is no host on which to do 'power'" --kind action
rm "$post/forbid"
touch "$post/refuse"
: > "$post/posts"
type_into vm2 'Kernel panic 2'
wait_until 'a failed try' grep -q 'tried again in 5 s' "$dir/amtd.log"
rm "$post/refuse"
wait_until 'the second try' has posts 'Kernel panic'

echo '--- mail that cannot be brought: the hint speaks of mail'
sed "s/port: $smtp/port: 9/" "$dir/amtd.yaml" > "$dir/other.yaml"
cp "$dir/amtd.yaml" "$dir/kept.yaml"
cp "$dir/other.yaml" "$dir/amtd.yaml"
exits 0 amtcli config reload
exits 1 amtcli mail test ops@example.com
says "$dir/err" "check 'mail'"
cp "$dir/kept.yaml" "$dir/amtd.yaml"
exits 0 amtcli config reload

echo '--- patterns read again; consoles stay'
amtcli console vm1 --read-only < /dev/null > "$dir/watcher" 2> /dev/null &
since=$(amtcli console show vm1 -o json | jq -r .since)
config "  - { name: oops, regex: 'Oops', every: 0s, mail: ops@example.com }"
reads() { grep -c 'configuration read again' "$dir/amtd.log" || true; }
before=$(reads)
kill -HUP "$amtd_pid"
read_again() { [ "$(reads)" -gt "$before" ]; }
wait_until 'the new configuration' read_again
type_into vm1 'Kernel panic Oops'
wait_until 'the new pattern' event_is 'oops:'
[ "$(amtcli event list --since 1h --kind pattern -o json | jq '[.[] | select(.text | startswith("panic"))] | length')" = 3 ] || fail 'the old pattern is still there'
[ "$(amtcli console show vm1 -o json | jq -r .since)" = "$since" ] || fail 'the console was touched'
sed -i "s/'Oops'/'Oops('/" "$dir/amtd.yaml"
kill -HUP "$amtd_pid"
wait_until 'the mistake' grep -q 'has mistakes, and is not used' "$dir/amtd.log"

echo '--- jobs'
cat > "$dir/look.yaml" << END
name: look
tasks:
  - run: { shell: 'echo "\$AMTD_EVENT_KIND \$AMTD_EVENT_DATA_PATTERN \$AMTD_EVENT_REACTION \$AMTD_HOST" >> $post/began' }
  - power: status
    when: event.kind = pattern and event.data.pattern = boots
  - notify: again
END
config "  - { name: boots, regex: 'boots', every: 0s, job: { file: look.yaml } }
  - { name: named, regex: 'stored', every: 0s, consoles: [ other ], job: { schedule: kept, target: pc0001 } }"
sed -i "s|^reactions:|reactions:\n  - { name: circle, kinds: [ job ], hosts: [ pc0001 ], job: { file: look.yaml } }|" "$dir/amtd.yaml"
check "reactions: [ { name: a, job: { file: $dir/nosuch.yaml } } ]" 'No such file'
check "reactions: [ { name: a, job: { } } ]" "one of 'file' and 'schedule'"
sed 's/status/burn/' "$dir/look.yaml" > "$dir/bad.yaml"
check "reactions: [ { name: a, job: { file: $dir/bad.yaml } } ]" 'bad.yaml:4:'
amtcli schedule add kept --cron '0 0 1 1 *' --job "$dir/look.yaml" --target pc0001 > /dev/null
amtcli config reload
mv "$dir/look.yaml" "$dir/gone.yaml" # it was read
job_runs() { # JQ: of all runs of jobs
    amtcli job list -o json | jq -e "$1" > "$dir/out"
}
type_into vm1 'it boots'
wait_until 'the job' job_runs 'any(.[]; .reaction == "boots" and .state == "over" and .ok == 1)'
has began 'pattern boots boots pc0001' || fail "the command saw: $(cat "$post/began")"
run=$(amtcli job list -o json | jq '.[] | select(.reaction == "boots") | .run')
deed '.by == "reaction boots" and .result == "begun" and .hosts == "pc0001"' || fail 'that the job began is not written down'
wait_until 'its end in the activity log' deed '.by == "reaction boots" and .result == "ok" and (.detail | endswith("1 ok, 0 failed"))'
amtcli job show "$run" > "$dir/out" 2> "$dir/err"
says "$dir/err" 'begun by reaction boots, event '
[ "$(amtcli job show "$run" -o json | jq -r '.[0].tasks[1].result')" = ok ] || fail 'the condition on the event'
# What the job says begins another one, and what that says does not begin it once more.
wait_until 'the second' job_runs 'any(.[]; .reaction == "circle" and .state == "over" and .event.reactions == ["boots", "circle"])'
wait_until 'the end of the circle' event_is 'reaction circle: the event comes from a run that it began itself' --kind action
amtcli event list --kind job -o json | jq -e 'length == 2' > /dev/null || fail 'the circle goes on'
type_into other 'stored'
wait_until 'the job of the schedule' job_runs 'any(.[]; .reaction == "named" and .state == "over" and .ok == 1)'
mv "$dir/gone.yaml" "$dir/look.yaml"
amtd_stop
amtd_start --config "$dir/amtd.yaml"
job_runs 'any(.[]; .reaction == "named" and .event.data.pattern == "named")' || fail 'forgotten'

echo '--- a web hook whose server is not trusted: said once, and at once'
config "  - { name: whose, regex: 'whose', every: 0s, webhook: 'https://localhost:$web/whose' }"
amtcli config reload
: > "$post/posts"
type_into other 'whose server'
wait_until 'the failure' event_is 'reaction whose: web hook https://localhost' --kind action
[ "$(amtcli event list --kind action -o json | jq '[.[] | select(.text | startswith("reaction whose"))] | length')" = 1 ] || fail 'said again'
amtcli event list --kind action -o json | jq -r '.[].text' | grep 'reaction whose' | grep -qi certificate || fail 'the event does not say why'
! grep -q whose "$post/posts" || fail 'it was posted all the same'

echo '--- a log by mail'
: > "$post/mails"
amtcli log mail vm1 a@example.com b@example.com --lines 2
has mails 'filename="vm1.txt"' || fail 'no attachment'
exits 2 amtcli log mail vm1 nobody
echo 'ok'
