#!/usr/bin/env bash
# filter_files.sh BIN_DIR: filter files on the command line, without any device or daemon.
set -euo pipefail
PATH=$(cd "$1" && pwd):$PATH
data=$(cd "$(dirname "$0")/../data/filters" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export AMTD_SOCKET=$dir/none
fail() { echo "FAILED: $*" >&2; cat out err >&2; exit 1; }
exits() { # CODE COMMAND...
    local code=0
    "${@:2}" >out 2>err || code=$?
    [ "$code" = "$1" ] || fail "'${*:2}' exits with $code, not $1"
}
says() { grep -qF -- "$2" "$1" || fail "'$2' is not in $1"; }

# --- the product's own files ---
exits 0 amtcli filter list -o json
[ "$(jq -r '[.[].name] | join(" ")' out)" = 'allow-all anti-spoof block-all ping-limit ping-only quarantine remediate' ] || fail list
set -- --set management-server=10.0.0.5 --set dns=10.0.0.2
for file in allow-all anti-spoof ping-limit quarantine.xml remediate; do
    exits 0 amtcli filter check $file "$@" -o json
    [ "$(jq -r .result out)" = ok ] || fail "$file is not ok"
done
for file in ping-only block-all; do
    exits 1 amtcli filter check $file "$@" -o json
    [ "$(jq -r .result out)" = 'cuts off' ] || fail "$file does not cut off"
    [ "$(jq -r '.needs[] | select(.name == "server") | .verdict' out)" = drop ] || fail "$file lets the server in"
done
exits 0 amtcli filter check quarantine "$@"
says out "server        Passes all IPv4 between this host and 10.0.0.5."
exits 0 amtcli filter check quarantine
says err "@management is not set"
exits 0 amtcli filter show remediate --objects "$@"
says out "(server, task, package)"

# --- explain ---
exits 0 amtcli filter explain quarantine.xml 'tcp 10.0.0.7:51234 > 10.1.1.9:445'
says out 'dropped by default'
exits 0 amtcli filter explain quarantine 'tcp 10.0.0.7:51234 > 10.0.0.5:445' "$@" -o json
[ "$(jq -r '.packet.verdict + " " + .packet.rule + " " + .answer.rule' out)" = 'pass server server' ] || fail explain
exits 2 amtcli filter explain quarantine 'tcp 10.0.0.7 > 10.0.0.5'
says err 'expected ADDRESS:PORT'

# --- replay ---
exits 0 amtcli filter replay quarantine "$data/sample.pcapng" "$@" --write-lost lost.pcap -o json
[ "$(jq -c '[.packets, .others, .out.dropped, .in.dropped]' out)" = '[52,2,5,35]' ] || fail replay
[ "$(jq -c '.rules[] | select(.rule == "server") | [.out, .in]' out)" = '[3,3]' ] || fail 'replay by rule'
exits 0 amtcli filter replay quarantine lost.pcap "$@"
says out 'out: 5 packets'
exits 2 amtcli filter replay quarantine quarantine.xml
exits 2 amtcli filter replay quarantine "$data/good/all.xml"

# --- import ---
for file in CBFilters.xml sheet.csv ruleset.json; do
    cp "$data/import/$file" .
    exits 0 amtcli filter import $file --name old --to $file.new
    says err 'rules carried over'
    { amtcli filter check ./$file.new "$@" -o json || true; } | jq -e '.errors == 0' >/dev/null || fail "$file is not good when imported"
    exits 2 amtcli filter import $file --to $file
    cmp $file "$data/import/$file" || fail "the original was changed"
done
exits 2 amtcli filter import "$data/sample.pcapng"

# --- mistakes: all at once, with their lines ---
cat >bad.xml <<'XML'
<network-filters xmlns="urn:amt-network-filters:1" name="bad">
  <filter name="a" protocol="tpc"/>
  <filter name="b" remote="10.0.0.1/8" colour="red"/>
  <filter name="c" remote="@managment"/>
</network-filters>
XML
exits 2 amtcli filter check bad.xml
says err "bad.xml:2: rule 'a': protocol: 'tpc': expected any, tcp"
says err "bad.xml:3: rule 'b': <filter> has no attribute 'colour'"
says err "bad.xml:3: rule 'b': remote: '10.0.0.1/8': the address has bits outside its mask"
says err "bad.xml:4: rule 'c': @managment: expected @management"
exits 2 amtcli filter check bad.xml -o json
[ "$(jq -r '.result + " " + (.errors | tostring)' out)" = 'invalid 4' ] || fail 'mistakes in JSON'
exits 2 amtcli filter check nosuch
exits 2 amtcli filter check quarantine --set 'management=10.0.0.300'
says err "10.0.0.300"
printf '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>' >hostile.xml
exits 2 amtcli filter check hostile.xml
says err 'document type'

# --- what is written is read alike ---
exits 0 amtcli filter show remediate
cp out copy.xml
amtcli filter show remediate --objects "$@" >one
amtcli filter show ./copy.xml --objects "$@" >two
cmp one two || fail 'the file shown is another'
echo 'filter files: ok'
