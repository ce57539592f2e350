#!/usr/bin/env bash
# Nodes and clients on other machines: tokens, pins, roles, and those who are nobody.
#   nodes_join.sh DIRECTORY-OF-PROGRAMS
# shellcheck source=tests/e2e/nodes_lib.sh
. "$(dirname "$0")/nodes_lib.sh"

place central 'consoles: [ { name: echo, source: { type: test } } ]'
place rack7
place other
start central
start rack7
start other

echo '--- a client of another machine'
exits 3 amtcli --server central status
says "$dir/err" 'amtcli join TOKEN'
token=$(at central client invite anna --role operate --user anna 2> "$dir/out")
[[ $token == amtd1-* ]] || fail "no token: $token"
says "$dir/out" 'amtcli join'
exits 0 amtcli join "$token"
says "$dir/out" 'joined central'
[ "$(stat -c %a "$HOME/.config/amtd/client.pem")" = 600 ] || fail 'the key is not for its user alone'
exits 4 amtcli join "$token" # once
says "$dir/err" 'used, replaced, or has expired'
exits 0 amtcli --server central console list
says "$dir/out" echo
exits 0 amtcli --server "127.0.0.1:${port_of[central]}" console list
exits 0 env AMTD_SERVER=127.0.0.1 amtcli console list
exits 4 amtcli --server central node invite x # operate is not administer
says "$dir/err" "'administer' on every host, which client anna (anna) does not have"
exits 0 amtcli --server central console echo --send 'from afar' --expect 'from afar' --timeout 30s
exits 0 at central console show echo
exits 0 at central client list
says "$dir/out" operate
exits 0 at central client remove anna
exits 3 amtcli --server central console list
exits 0 amtcli join - --default < <(at central client invite anna --role administer --valid 5m 2> /dev/null)
exits 0 amtcli client list
says "$dir/out" administer
exits 0 amtcli activity
says "$dir/out" 'client.remove'

echo '--- a node'
token=$(at central node invite rack7 2> /dev/null)
exits 2 amtcli --server central join "$token"
says "$dir/err" 'is for a node'
exits 0 at rack7 node join - <<< "$token"
says "$dir/out" 'joined central'
exits 4 at other node join "$token"
exits 2 at central node invite rack7
exits 0 at central node list
says "$dir/out" rack7
exits 0 at rack7 server list
says "$dir/out" central

echo '--- not the server that gave the token'
token=$(at central node invite fake --address "127.0.0.1:${port_of[other]}" 2> /dev/null)
exits 1 at rack7 node join "$token"
says "$dir/err" 'is not the server that gave the token'
token=$(at central node invite late --valid 1s 2> /dev/null)
sleep 1.1
exits 2 at other node join "$token"
says "$dir/err" 'expired'
exits 2 at other node join "${token:0:60}"
says "$dir/err" 'not all of it was copied'

echo '--- garbage, half a handshake, no certificate, nobody: all are turned away, and others are served'
head -c 100000 /dev/urandom 2> /dev/null > "/dev/tcp/127.0.0.1/${port_of[central]}" || true
timeout 20 openssl s_client -connect "127.0.0.1:${port_of[central]}" < /dev/null > "$dir/out" 2>&1 || true
exec 6<> "/dev/tcp/127.0.0.1/${port_of[central]}" # says nothing
printf '\x16\x03\x01' >&6
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/nobody.key" -out "$dir/nobody.crt" \
    -subj /CN=rack7 -days 2 2> /dev/null
(sleep 2; printf 'GET / HTTP/1.0\r\n\r\n'; sleep 1) |
    timeout 25 openssl s_client -quiet -connect "127.0.0.1:${port_of[central]}" -cert "$dir/nobody.crt" \
        -key "$dir/nobody.key" > "$dir/out" 2>&1 || true
wait_until 'a word about it' grep -q 'is nobody that is known here' "$dir/central/log"
for ((i = 0; i < 40; i++)); do # more than one address may have half open
    eval "exec $((10 + i))<> /dev/tcp/127.0.0.1/${port_of[central]}"
done
wait_until 'the limit' grep -q 'too many connections' "$dir/central/log"
for ((i = 0; i < 40; i++)); do
    eval "exec $((10 + i))>&-"
done
exec 6>&-
served() { amtcli console list > "$dir/out" 2>&1; }
wait_until 'service' served
exits 0 at central node remove rack7
exits 0 at rack7 server remove central

echo '--- joining by amtd itself: while it runs, and while it does not'
token=$(at central node invite rack7 2> /dev/null)
exits 0 amtd node join --state-dir "$dir/rack7/state" - <<< "$token"
says "$dir/out" 'joined central'
token=$(at central node invite fresh 2> /dev/null)
exits 0 amtd node join --state-dir "$dir/fresh/state" "$token"
says "$dir/out" 'joined central'
exits 1 amtd node join --state-dir "$dir/fresh/state" "$token"
says "$dir/err" 'used, replaced'
exits 2 amtd node join
exits 0 at central node list
says "$dir/out" fresh

echo '--- with a CA of its own'
ca=$dir/ca
mkdir -p "$ca"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$ca/ca.key" -out "$ca/ca.crt" -subj /CN=ca \
    -days 2 2> /dev/null
issue() { # NAME EXTENSION
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$ca/$1.key" -out "$ca/$1.csr" -subj "/CN=$1" 2> /dev/null
    openssl x509 -req -in "$ca/$1.csr" -CA "$ca/ca.crt" -CAkey "$ca/ca.key" -CAcreateserial -out "$ca/$1.crt" -days 2 \
        -extfile <(echo "$2") 2> /dev/null
}
issue central 'subjectAltName=DNS:central,IP:127.0.0.1'
issue bert 'subjectAltName=DNS:bert'
issue carl 'subjectAltName=DNS:carl'
stop central
cat >> "$dir/central/amtd.yaml" << END
tls: { certificate: $ca/central.crt, key: $ca/central.key, ca: $ca/ca.crt }
allow: [ { certificate: bert, role: watch } ]
END
start central
as() { # NAME COMMAND...
    local home=$dir/home-$1
    mkdir -p "$home/.config/amtd"
    cp "$ca/$1.crt" "$home/.config/amtd/client.crt"
    cp "$ca/$1.key" "$home/.config/amtd/client.key"
    cp "$ca/ca.crt" "$home/.config/amtd/ca.crt"
    shift
    HOME=$home amtcli "$@"
}
exits 0 as bert --server "127.0.0.1:${port_of[central]}" console list
says "$dir/out" echo
exits 4 as bert --server "127.0.0.1:${port_of[central]}" console send echo x
exits 3 as carl --server "127.0.0.1:${port_of[central]}" console list
stop central
stop rack7
stop other
echo ok
