#!/usr/bin/env bash
# redirection_faults.sh BIN_DIR [soak]: bad days of consoles: floods that nobody reads, a device that stops reading meanwhile, peers
# that vanish or fall silent, new TLS keys, lies about lengths. What was said is in the log to the last byte, everybody else goes on,
# and each end has its cause. `soak` takes a minute of deafness and 100 MB where a few seconds and 8 MB go through the same states.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
flood=8000000 deaf_ms=6000 patience=120s
[ "${2-}" != soak ] || flood=100000000 deaf_ms=60000 patience=900s

amtsim_start --devices 7 --generation 16 --console-rate 0 --scenario <(cat << END
devices:
  - {select: 4, tls: server}
  - {select: 5, generation: 21, tls: server}
END
)
# Consoles that stay open, watched or not.
{
    echo 'console-defaults: { retry-min: 200ms, retry-max: 2s }'
    echo 'consoles:'
    for n in 1 2 3 4 5 6 7; do echo "  - { name: pc000$n, source: { type: amt, host: pc000$n } }"; done
} > "$dir/amtd.yaml"
amtd_start --log-level debug --config "$dir/amtd.yaml"
fleet 7
amtcli profile add secure --user admin --password-file "$dir/pw" --tls pin --port $((port + 1))
amtcli host set pc0004,pc0005 --profile secure
reader=

end_reader()
{
    [ -z "$reader" ] || kill -KILL "$reader" 2> /dev/null || true
}
trap 'status=$?; set +e; end_reader; (exit $status); finish_amtd' EXIT

# shell N: the console of device N is open, and a shell answers.
shell()
{
    exits 0 amtcli console "pc000$1" --send '\r' --expect 'root@pc000'"$1"':/# $' --timeout 60s
}

# floods N BYTES: the log of that console ends with so many bytes of `flood`, all of them, in order.
lines=$((flood / 64))
floods()
{
    amtcli log show "pc000$1" --format plain > "$dir/log$1"
    awk -v last=$((lines - 1)) '
        /^[0-9]+ abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLM\r$/ {
            if ($1 + 0 != n) { print "line", n, "is", $0; exit 1 }
            n++
        }
        END { if (n != last + 1) { print n + 0, "lines of", last + 1; exit 1 } }' "$dir/log$1" > "$dir/missing" ||
        fail "the flood of pc000$1: $(cat "$dir/missing")"
}

# sessions N COUNT: by the device's own record it has had so many.
sessions()
{
    [ "$(ctl record "$1" | jq .counters.sessions)" = "$2" ] || fail "device $1 had $(ctl record "$1" | jq .counters.sessions) sessions"
}

struck()
{
    [ "$(ctl get "$1" | jq '.faults[0].struck')" -ge 1 ]
}

fault()
{
    ctl set "$1" "faults=[$2]" > /dev/null
}

event_of()
{
    amtcli log events "pc000$1" > "$dir/events" && grep -qF -- "$2" "$dir/events"
}

log_ends()
{
    amtcli log show "pc000$1" --lines 5 | grep -q "0*$((lines - 1)) abc"
}

# wait_until_long WHAT COMMAND...: as wait_until, for as long as a flood may take.
wait_until_long()
{
    local what=$1 deadline=$((SECONDS + ${patience%s}))
    shift
    until "$@"; do
        [ $SECONDS -lt $deadline ] || fail "$what did not come"
        sleep 0.3
    done
}

for n in 1 2 3 4 5 6 7; do shell $n; done

echo '--- peers that vanish: found while everything else goes on'
fault 6 '{"fault":"redirection-half-open","at":"session","bytes":1}'
fault 7 '{"fault":"redirection-no-heartbeat"}'
amtcli console send pc0006 'echo lost\r' > /dev/null

echo '--- a flood, and somebody attached who reads nothing'
amtcli console pc0001 --read-only > /dev/null 2>&1 &
reader=$!
wait_until "the reader" bash -c 'amtcli console who pc0001 | grep -q pc0001'
kill -STOP $reader
exits 0 amtcli console pc0001 --send "flood $flood\\r" --expect "0*$((lines - 1)) abc" --expect 'root@pc0001:/# $' --timeout $patience
floods 1
sessions 1 1
shell 1

echo '--- a device that stops reading while its console floods, and somebody who types on'
fault 2 "{\"fault\":\"redirection-deaf\",\"at\":\"session\",\"bytes\":100000,\"ms\":$deaf_ms}"
head -c $flood /dev/zero | tr '\0' x > "$dir/typed" # more than all that lies between
amtcli console pc0002 --send "flood $flood\\r" --expect '^0*2000 abc' --timeout $patience > /dev/null
struck 2 || fail "the device hears everything"
amtcli console pc0002 --escape none < "$dir/typed" > /dev/null 2>&1 &
typist=$!
shell 3
exits 0 amtcli status
wait_until_long "the end of the flood" log_ends 2
floods 2
wait $typist || fail "typing into a deaf device ended with $?"
exits 0 amtcli console pc0002 --send '\r' --expect 'root@pc0002:/# $' --timeout $patience
[ "$(ctl record 2 | jq .counters.sol_to_host)" -gt $flood ] || fail "what was typed did not arrive"
sessions 2 1

echo '--- new TLS keys in the middle'
for n in 4 5; do
    fault $n '{"fault":"redirection-renegotiate","at":"session","bytes":1000,"first":1}'
    exits 0 amtcli console pc000$n --send "flood $flood\\r" --timeout 1s
    wait_until "the new keys" struck $n
    shell $n
done
event_of 4 'the device wanted new keys' || fail "a renegotiation: $(cat "$dir/events")" # TLS 1.2: refused
sessions 5 1 # TLS 1.3: new keys are no matter

echo '--- lies and nonsense in the middle of a session'
for what in garbage drop false-length; do
    fault 3 "{\"fault\":\"redirection-$what\",\"at\":\"session\",\"bytes\":10,\"first\":1}"
    amtcli console send pc0003 'echo more\r' > /dev/null
    wait_until "the fault" struck 3
    fault 3 ''
    shell 3
done

echo '--- those that vanished'
wait_until_long "the end of a silent session" event_of 6 'nothing was heard of the device'
wait_until_long "the end of a session without heartbeat" event_of 7 'nothing was heard of the device'
ctl set 6-7 'faults=[]' > /dev/null
shell 6
shell 7
amtd_stop
amtsim_stop
echo "redirection_faults: ok"
