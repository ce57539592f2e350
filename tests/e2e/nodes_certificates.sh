#!/usr/bin/env bash
# Node and server that know each other by certificates of a CA, without tokens; two servers of one node, the other by a token.
#   nodes_certificates.sh DIRECTORY-OF-PROGRAMS DIRECTORY-OF-TEST-PROGRAMS
# shellcheck source=tests/e2e/nodes_lib.sh
. "$(dirname "$0")/nodes_lib.sh"
probe=$(cd "$2" && pwd)/mux_probe
ca=$dir/ca

new_ca() { # NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$ca/$1.key" -out "$ca/$1.crt" -subj "/CN=$1" \
        -days 2 2> /dev/null
}
issue() { # CA NAME EXTENSION
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$ca/$2.key" -out "$ca/$2.csr" -subj "/CN=$2" 2> /dev/null
    openssl x509 -req -in "$ca/$2.csr" -CA "$ca/$1.crt" -CAkey "$ca/$1.key" -CAcreateserial -out "$ca/$2.crt" -days 2 \
        -extfile <(echo "$3") 2> /dev/null
}
tls_of() { # NAME
    echo "tls: { certificate: $ca/$1.crt, key: $ca/$1.key, ca: $ca/ca.crt }"
}
state_is() { # AMTD CONSOLE STATE
    at "$1" console list -o json | jq -e --arg name "$2" --arg state "$3" 'any(.[]; .name == $name and .state == $state)' > /dev/null
}
end_of() { # AMTD CONSOLE
    "$probe" "$dir/$1/state/amtd.sock" call console.show "{\"name\": \"$2\"}" | jq -r 'select(.reply) | .reply.end'
}
same() { # CONSOLE, REPLICA at AMTD: has all that the node has now
    local upto
    upto=$(end_of rack "$1")
    has_come() { [ "$(end_of "$1" "$2")" -ge "$upto" ]; }
    wait_until "the replica at $3" has_come "$3" "$2"
    cmp <(at rack log show "$1" | head -c "$upto") <(at "$3" log show "$2" | head -c "$upto") || fail "the replica at $3"
}

mkdir "$ca"
new_ca ca
new_ca stranger
issue ca central 'subjectAltName=DNS:central,IP:127.0.0.1'
issue ca rack.example 'subjectAltName=DNS:rack.example'
issue ca other.example 'subjectAltName=DNS:other.example'
place central "$(tls_of central)
nodes: [ { name: rack.example, certificate: true } ]"
place second
place rack "$(tls_of rack.example)
servers: [ { address: '127.0.0.1:${port_of[central]}' } ]
console-defaults: { retry-min: 100ms, retry-max: 1s }
consoles:
  - { name: numbers, source: { type: test, rate: 50000 } }
  - { name: shell, source: { type: exec, command: 'exec sh -i' } }"

echo '--- by certificates'
exits 0 amtd --check --config "$dir/central/amtd.yaml"
exits 0 amtd --check --config "$dir/rack/amtd.yaml"
start central
start rack
wait_until 'the replica' state_is central numbers@rack.example up
same numbers numbers@rack.example central
exits 0 at central console shell@rack.example --send 'echo typed-$((6 * 7))\n' --expect 'typed-42' --timeout 60s
exits 0 at central node list
says "$dir/out" rack.example
exits 0 at rack server list
says "$dir/out" 127.0.0.1

echo '--- and another server, by a token: each has its replica, one of them types at a time'
start second
exits 0 at rack node join "$(at second node invite rack 2> /dev/null)"
wait_until 'the other replica' state_is second numbers@rack up
mkfifo "$dir/in"
at second console shell@rack < "$dir/in" > "$dir/typist" 2> "$dir/typist.err" &
typist=$!
exec 7> "$dir/in"
writes() { at rack console who shell -o json | grep -q 'at second'; }
wait_until 'the lease of one server' writes
exits 1 at central console shell@rack.example --send 'echo no\n' --expect 'no' --timeout 2s
echo 'echo second-$((6 * 7))' >&7
seen() { at "$1" log show "$2" | grep -q 'second-42'; }
wait_until 'what was typed' seen rack shell
wait_until 'the same at the first server' seen central shell@rack.example
exec 7>&-
wait $typist || true
stop second
same numbers numbers@rack.example central # whatever becomes of the other
start second
wait_until 'the other replica' state_is second numbers@rack up
same numbers numbers@rack second

echo '--- a certificate of the CA that is nobody here; one of another CA with the right name; a server that is another one'
stop rack
sed -i "s/rack\.example\.\(crt\|key\)/other.example.\1/g" "$dir/rack/amtd.yaml"
: > "$dir/central/log"
start rack
wait_until 'a word about it' grep -q 'is nobody that is known here' "$dir/central/log"
state_is central numbers@rack.example waiting || fail 'a stranger has a replica'
stop rack
issue stranger rack.example 'subjectAltName=DNS:rack.example'
sed -i "s/other\.example\.\(crt\|key\)/rack.example.\1/g" "$dir/rack/amtd.yaml"
: > "$dir/central/log"
start rack
refused() { grep -q 'is nobody that is known here' "$dir/central/log"; }
wait_until 'a word about it' refused
state_is central numbers@rack.example waiting || fail 'another CA was believed'
issue ca rack.example 'subjectAltName=DNS:rack.example'
stop rack
issue ca central 'subjectAltName=DNS:elsewhere.example'
stop central
start central
start rack
doubts() { grep -q "central\|127.0.0.1" "$dir/rack/log" && grep -qi 'not connected' "$dir/rack/log"; }
wait_until 'the doubt of the node' doubts
state_is central numbers@rack.example waiting || fail 'a server of another name was believed'
issue ca central 'subjectAltName=DNS:central,IP:127.0.0.1'
stop central
start central
exits 0 at central console show numbers@rack.example # before its node was seen
exits 0 at central node show rack.example
wait_until 'the replica again' state_is central numbers@rack.example up
same numbers numbers@rack.example central
echo '--- read again: servers of a node, nodes of a server, certificates; what cannot be is said'
reload() { exits 0 at "$1" config reload; }
cp "$dir/rack/amtd.yaml" "$dir/rack.yaml"
sed -i '/^servers:/d' "$dir/rack/amtd.yaml"
reload rack
wait_until 'the end of the link' state_is central numbers@rack.example waiting
exits 0 at rack server list -o json
[ "$(jq -r '.[].name' "$dir/out")" = second ] || fail 'a server that is not named any more is listed'
cp "$dir/rack.yaml" "$dir/rack/amtd.yaml"
kill -HUP "${pid_of[rack]}"
wait_until 'the link' state_is central numbers@rack.example up
since() { at "$1" console show "$2" -o json | jq -r .since; }
before=$(since central numbers@rack.example)
reload rack
reload central
[ "$(since central numbers@rack.example)" = "$before" ] || fail 'a reload without a change cut the link'
cp "$dir/central/amtd.yaml" "$dir/central.yaml"
sed -i '/^nodes:/d' "$dir/central/amtd.yaml"
reload central
wait_until 'the end of the link' state_is central numbers@rack.example waiting
cp "$dir/central.yaml" "$dir/central/amtd.yaml"
reload central
wait_until 'the link' state_is central numbers@rack.example up
serial() { # of the certificate that is shown
    { openssl s_client -connect "127.0.0.1:${port_of[central]}" < /dev/null 2> /dev/null || true; } | openssl x509 -noout -serial
}
before=$(serial)
issue ca central 'subjectAltName=DNS:central,IP:127.0.0.1'
[ "$(serial)" = "$before" ] || fail 'a certificate was taken without being asked'
reload central
[ "$(serial)" = "serial=$(openssl x509 -noout -serial -in "$ca/central.crt" | cut -d= -f2)" ] || fail "the certificate that is shown is still $before"
state_is central numbers@rack.example up || fail 'a new certificate cut the link'
echo 'no certificate' > "$ca/central.crt"
exits 2 at central config reload
says "$dir/err" central.crt
[ -n "$(serial)" ] || fail 'a broken certificate was taken'
issue ca central 'subjectAltName=DNS:central,IP:127.0.0.1'
sed -i 's/^listen: .*/listen: 127.0.0.1:1/; s/^name: .*/name: other/' "$dir/central/amtd.yaml"
reload central
says "$dir/err" 'only read when amtd starts: name, listen'
says "$dir/central/log" 'only read when amtd starts: name, listen'
stop rack
stop second
stop central
echo ok
