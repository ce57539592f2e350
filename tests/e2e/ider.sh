#!/usr/bin/env bash
# ider.sh BIN_DIR: images served to simulated machines: what is switched on for it, consent, a boot that reads them, files that
# are wrong or go wrong, sessions in use, and ends of every kind.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"

amtsim_start --devices 6 --generation 16 --power-seconds 0.4-0.6 --scenario <(cat << END
devices:
  - {select: 1, redirection: none, listener: false}
  - {select: 2, consent: 4294967295}
  - {select: 3, tls: server}
  - {select: 6, generation: 6, digest: false}
END
)
amtd_start --log-level debug
fleet 6
amtcli profile add secure --user admin --password-file "$dir/pw" --tls pin --port $((port + 1))
amtcli host set pc0003 --profile secure
head -c 3000000 /dev/urandom > "$dir/rescue.iso"
head -c 1474560 /dev/urandom > "$dir/dos.img"
ider_pid=

# ider_start HOST OPTION...: amtcli ider in the background; what it says goes to $dir/ider.
ider_start()
{
    : > "$dir/ider"
    amtcli ider "$@" 2> "$dir/ider" &
    ider_pid=$!
}

ider_says()
{
    grep -qF -- "$1" "$dir/ider"
}

# ider_wait TEXT: until it has said it.
ider_wait()
{
    local deadline=$((SECONDS + 60))
    until ider_says "$1"; do
        kill -0 $ider_pid 2> /dev/null || fail "ider has ended: $(cat "$dir/ider")"
        [ $SECONDS -lt $deadline ] || fail "ider does not say '$1': $(cat "$dir/ider")"
        sleep 0.05
    done
}

# ider_end CODE: Ctrl-C; it must end with that.
ider_end()
{
    local got=0
    kill -INT $ider_pid
    wait $ider_pid || got=$?
    [ $got = "$1" ] || fail "ider ended with $got, not $1: $(cat "$dir/ider")"
}

# session_is DEVICE true|false
session_is()
{
    [ "$(ctl get "$1" | jq -r '.redirection["ider-session"]')" = "$2" ]
}

# has_read DEVICE BYTES: the machine has read so much from its drives.
has_read()
{
    [ "$(ctl record "$1" | jq .counters.ider_bytes)" -ge "$2" ]
}

# --- switched on, booted, ended cleanly ---
ider_start pc0001 --cd "$dir/rescue.iso" --boot
ider_wait 'switched on, its listener opened'
ider_wait 'the machine boots from the image'
session_is 1 true || fail "no session"
wait_until "the boot's reads" has_read 1 65536
ctl record 1 | jq -e '[.events[] | select(.event == "boot")][-1].flags | index("UseIDER")' > /dev/null || fail "not booted by IDE-R"
ider_end 0
says "$dir/ider" 'the session has ended'
wait_until "the end of the session" session_is 1 false

# --- a floppy, and drives that come without a boot ---
ider_start pc0001 --floppy "$dir/dos.img"
ider_wait 'the session is open'
exits 1 timeout 60 amtcli ider pc0001 --cd "$dir/rescue.iso" # somebody has it
says "$dir/err" in-use
session_is 1 true || fail "the first session is gone"
ider_end 0

# --- consent ---
ider_start pc0002 --cd "$dir/rescue.iso"
ider_wait 'a six-digit code is on the screen'
session_is 2 false || fail "a session without consent"
ctl get 2 | jq -r .consent.code | head -c 6 > "$dir/code"
until amtcli consent pc0002 code < "$dir/code" > "$dir/out" 2> "$dir/err"; do
    says "$dir/out" busy # amtd is looking whether it has been given
done
ider_wait 'the session is open'
ider_end 0

# --- over TLS ---
ider_start pc0003 --cd "$dir/rescue.iso" --boot
ider_wait 'the machine boots from the image'
wait_until "reads over TLS" has_read 3 65536
ider_end 0

# --- old firmware that knows no digest: only where clear text is allowed ---
exits 1 amtcli ider pc0006 --cd "$dir/rescue.iso"
says "$dir/err" 'the device offers: clear text'
[ "$(ctl record 6 | jq .counters.sessions)" = 0 ] || fail "logged in by clear text"
amtcli profile add oldest --user admin --password-file "$dir/pw" --port "$port" --clear-text on
amtcli host set pc0006 --profile oldest
ider_start pc0006 --cd "$dir/rescue.iso"
ider_wait 'the session is open'
ider_end 0

# --- files that are wrong ---
exits 2 amtcli ider pc0004 --cd "$dir/missing.iso"
says "$dir/err" missing.iso
: > "$dir/empty.iso"
exits 2 amtcli ider pc0004 --cd "$dir/empty.iso"
says "$dir/err" 'is empty'
truncate -s 5G "$dir/large.iso"
exits 2 amtcli ider pc0004 --cd "$dir/large.iso"
says "$dir/err" 'at most 4 GiB'
exits 2 amtcli ider pc0004 --cd "$dir"
exits 2 amtcli ider pc0004
[ "$(ctl record 4 | jq .counters.sessions)" = 0 ] || fail "a session for nothing"

# --- an image made on the way ---
exits 2 amtcli ider pc0004 --ipxe 'http://deploy/a menu'
says "$dir/err" '%20'
exits 2 amtcli ider pc0004 --ipxe http://deploy/menu --cd "$dir/rescue.iso"
TMPDIR=$dir ider_start pc0004 --ipxe http://deploy/menu --boot
ider_wait 'the machine boots from the image'
wait_until "reads of iPXE" has_read 4 65536
ider_end 0
compgen -G "$dir/amtcli-ipxe*" > /dev/null && fail "leaves its image behind"

# --- a file that goes wrong ---
cp "$dir/rescue.iso" "$dir/shrinks.iso"
ider_start pc0004 --cd "$dir/shrinks.iso"
ider_wait 'the session is open'
truncate -s 4096 "$dir/shrinks.iso"
amtcli boot pc0004 --to ider-cd --reset > /dev/null
ider_wait 'has become shorter'
[ "$(grep -c 'has become shorter' "$dir/ider")" = 1 ] || fail "said more than once"
session_is 4 true || fail "the session went with the image"
ider_end 1

# --- whoever serves it dies in the middle of a boot ---
ider_start pc0005 --cd "$dir/rescue.iso" --boot
ider_wait 'the machine boots from the image'
kill -KILL $ider_pid
{ wait $ider_pid || true; } 2> /dev/null
wait_until "the end of the session" session_is 5 false
amtcli status > /dev/null
ider_start pc0005 --cd "$dir/rescue.iso"
ider_wait 'the session is open'

# --- amtd is killed in the middle of a boot: the drives go, the machine is told, and the next amtd begins anew ---
ider_end 0
ctl clear 5 > /dev/null
ider_start pc0005 --cd "$dir/rescue.iso" --boot
ider_wait 'the machine boots from the image'
wait_until "the boot's reads" has_read 5 65536
kill -KILL $amtd_pid
{ wait $amtd_pid || true; } 2> /dev/null
got=0
wait $ider_pid || got=$?
[ $got = 1 ] || [ $got = 3 ] || fail "ider ended with $got when its amtd was killed: $(cat "$dir/ider")"
ider_says 'amtd' || fail "ider does not tell that amtd has gone: $(cat "$dir/ider")"
wait_until "the end of the session" session_is 5 false
[ "$(ctl get 5 | jq .redirection.drives)" = false ] || fail "the machine has drives of nobody"
amtd_start --log-level debug
ider_start pc0005 --cd "$dir/rescue.iso"
ider_wait 'the session is open'

# --- amtd ends ---
amtd_stop
got=0
wait $ider_pid || got=$?
[ $got != 0 ] || fail "ider does not tell that amtd has gone"
wait_until "the end of the session" session_is 5 false

amtsim_stop
