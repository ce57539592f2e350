#!/usr/bin/env bash
# lists.sh BIN_DIR: long lists: the same hosts in every form, whole for who reads them all, over at once for who does not, and never
# half of one that passes for the whole.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
many=20000

amtd_start
exits 0 amtcli host add "pc[1-$many]" --address 10.0.0.1 --tag site=lab

echo '--- whole, and in the order of names'
for ((i = 1; i <= many; i++)); do echo "pc$i"; done > "$dir/names"
exits 0 amtcli host list -o json
jq -r '.[] | select(.tags.site == "lab" and .facts == {}) | .name' "$dir/out" | cmp - "$dir/names"
[ "$(wc -l < "$dir/out")" = $((many + 2)) ] || fail "not a host a line"
exits 0 amtcli host list -o csv
tail -n +2 "$dir/out" | cut -d, -f1 | cmp - "$dir/names"
exits 0 amtcli host list
tail -n +2 "$dir/out" | cut -d' ' -f1 | cmp - "$dir/names"
exits 0 amtcli host list 'pc[7-9]' -o json
jq -e '[.[].name] == ["pc7", "pc8", "pc9"]' "$dir/out" > /dev/null || fail "other hosts: $(cat "$dir/out")"
exits 2 amtcli host list nosuch -o json
[ ! -s "$dir/out" ] || fail "something is printed of a list that there is not"
exits 0 amtcli inventory list -o json
[ "$(jq length "$dir/out")" = 0 ] || fail "inventories of machines that were never read"

echo '--- nobody reads on'
for form in json csv table; do
    set +o pipefail
    amtcli host list -o $form | head -1 > "$dir/out"
    [ "${PIPESTATUS[0]}" -ge 128 ] || fail "it went on to its end"
    set -o pipefail
    [ "$(wc -l < "$dir/out")" = 1 ] || fail "no first line"
done

echo '--- amtd ends in the middle'
mkfifo "$dir/slow"
amtcli host list -o json > "$dir/slow" 2> "$dir/err" &
list=$!
exec 7< "$dir/slow"
read -r _ <&7 # it has begun, and the rest has no room in the pipe
kill -9 "$amtd_pid"
wait "$amtd_pid" 2> /dev/null || true
amtd_pid=
cat <&7 > "$dir/out"
exec 7<&-
got=0
wait $list || got=$?
[ $got = 3 ] || fail "it ended with $got"
says "$dir/err" 'the connection to amtd broke'
[ "$(grep -c '^amtcli: ' "$dir/err")" = 1 ] || fail "more than a line: $(cat "$dir/err")"
! { echo '['; cat "$dir/out"; } | jq . > /dev/null 2>&1 || fail "half a list is whole JSON"
