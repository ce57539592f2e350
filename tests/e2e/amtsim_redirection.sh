#!/usr/bin/env bash
# amtsim_redirection.sh BIN_DIR DIR: the redirection and IDE-R modules of npm's meshcentral, unchanged, under node: a console on
# every generation, plain and through TLS, and a CD read through IDE-R to the last byte. DIR keeps the package between runs.
# shellcheck source=tests/e2e/amtsim_lib.sh
. "$(dirname "$0")/amtsim_lib.sh"
# shellcheck source=tests/e2e/meshcentral_lib.sh
. "$(dirname "$0")/meshcentral_lib.sh"
kept=$2
fetch_meshcentral "$kept"

client=(node --no-deprecation "$(dirname "$0")/meshcentral_redirection.js" "$kept/node_modules/meshcentral" 127.16.0.1)

for generation in 6 9 11 16; do
    amtsim_start --devices 1 --generation $generation
    "${client[@]}" $((port + 2)) 0 sol 'echo plain on '$generation $'\nplain on '$generation
    amtsim_stop
done
# Through TLS, with new keys in the middle: a renegotiation, and from TLS 1.3 on a key update.
for generation in 16 21; do
    amtsim_start --devices 1 --generation $generation --tls server
    ctl set 1 'faults=[{"fault":"redirection-renegotiate","bytes":100}]' > /dev/null
    "${client[@]}" $((port + 3)) 1 sol 'flood 200000' $'JKLM\r\nroot@pc0001:/# '
    [ "$(ctl get 1 | jq '.faults[0].struck')" = 1 ] || fail "the keys were not changed"
    amtsim_stop
done

console_has()
{
    [[ $(ctl console 1 | jq -r .console) == *"$1"* ]]
}

# Ports that are closed from the start are refused, until AMT opens them, and again when it closes them.
cat > "$dir/closed" << 'YAML'
devices:
  - {select: 1, listener: false}
YAML
open_at()
{
    (exec 3<> "/dev/tcp/$1/$2") 2> /dev/null
}
amtsim_start --devices 2 --generation 16 --scenario "$dir/closed"
open_at 127.16.0.1 $port || fail "WS-Man is closed"
open_at 127.16.0.1 $((port + 2)) && fail "redirection is open in spite of its listener"
open_at 127.16.0.2 $((port + 2)) || fail "another device's redirection is closed"
post "http://127.16.0.1:$port/wsman" "$(envelope "$transfer/Put" "$amt/AMT_RedirectionService" \
    "<r:AMT_RedirectionService xmlns:r=\"$amt/AMT_RedirectionService\"><r:CreationClassName>AMT_RedirectionService</r:CreationClassName><r:EnabledState>32771</r:EnabledState><r:ListenerEnabled>true</r:ListenerEnabled><r:Name>Intel(r) AMT Redirection Service</r:Name><r:SystemCreationClassName>CIM_ComputerSystem</r:SystemCreationClassName><r:SystemName>Intel(r) AMT</r:SystemName></r:AMT_RedirectionService>")" > /dev/null
"${client[@]}" $((port + 2)) 0 sol 'echo opened' $'\nopened'
ctl set 1 redirection=none > /dev/null
open_at 127.16.0.1 $((port + 2)) && fail "redirection is open in spite of its state"
amtsim_stop

# Faults over real connections: in each state the client is told that there is no session (any more).
amtsim_start --devices 1 --generation 16
for at in start login open; do
    for fault in drop garbage; do
        ctl set 1 "faults=[{\"fault\":\"redirection-$fault\",\"at\":\"$at\"}]" > /dev/null
        "${client[@]}" $((port + 2)) 0 sol hostname pc0001 2> "$dir/refused" > /dev/null && fail "$fault at $at: a session"
        grep -q 'no session' "$dir/refused" || fail "$fault at $at: $(cat "$dir/refused")"
    done
done
ctl set 1 'faults=[{"fault":"redirection-drop","bytes":20}]' > /dev/null
"${client[@]}" $((port + 2)) 0 sol 'echo one two three' nothing 2> "$dir/dropped" > /dev/null && fail "nobody dropped it"
grep -q 'session has ended' "$dir/dropped" || fail "dropped: $(cat "$dir/dropped")"
amtsim_stop

drives_are()
{
    [ "$(ctl get 1 | jq .redirection.drives)" = "$1" ]
}

# 3 MiB and a block: its last read is a short one.
head -c $((3 * 1048576 + 2048)) /dev/urandom > "$dir/cd.iso"
truncate -s 1474560 "$dir/empty.img" # without it, firmware that makes USB storage of IDE-R resets it for ever
amtsim_start --devices 1 --generation 16
: > "$dir/ider"
"${client[@]}" $((port + 2)) 0 ider "$dir/cd.iso" "$dir/empty.img" > "$dir/ider" &
ider_pid=$!
wait_until "login" grep -q 'logged in' "$dir/ider"
wait_until "redirected drives" drives_are true
ctl console 1 > /dev/null
ctl set 1 'type=sha256sum cd'$'\n' > /dev/null
wait_until "checksum" console_has "$(sha256sum < "$dir/cd.iso" | cut -d ' ' -f 1)"
ctl set 1 'type=cdb cd 25'$'\n' > /dev/null # READ CAPACITY: last block, block size
wait_until "capacity" console_has $'good, 8 bytes\r\n00 00 06 00 00 00 08 00\r\n'
ctl set 1 'type=cdb floppy 9e 10'$'\n' > /dev/null # what it does not have
wait_until "sense" console_has 'sense 05/20/00'

# A boot from it: by AMT's settings for one boot, with the BIOS on the console.
false_settings=
for name in BIOSPause BIOSSetup ConfigurationDataReset ForcedProgressEvents LockKeyboard LockPowerButton LockResetButton \
    LockSleepButton ReflashBIOS UseSafeMode UserPasswordBypass; do
    false_settings+="<r:$name>false</r:$name>"
done
post "http://127.16.0.1:$port/wsman" "$(envelope "$transfer/Put" "$amt/AMT_BootSettingData" \
    "<r:AMT_BootSettingData xmlns:r=\"$amt/AMT_BootSettingData\">$false_settings<r:BootMediaIndex>0</r:BootMediaIndex><r:FirmwareVerbosity>0</r:FirmwareVerbosity><r:IDERBootDevice>1</r:IDERBootDevice><r:InstanceID>Intel(r) AMT:BootSettingData 0</r:InstanceID><r:UseIDER>true</r:UseIDER><r:UseSOL>true</r:UseSOL></r:AMT_BootSettingData>")" \
    > "$dir/put"
grep -q AMT_BootSettingData "$dir/put" || fail "Put of the boot settings: $(cat "$dir/put")"
post "http://127.16.0.1:$port/wsman" "$(envelope "$cim/CIM_BootService/SetBootConfigRole" "$cim/CIM_BootService" \
    "<r:SetBootConfigRole_INPUT xmlns:r=\"$cim/CIM_BootService\"><r:BootConfigSetting><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address><a:ReferenceParameters><w:ResourceURI>$cim/CIM_BootConfigSetting</w:ResourceURI><w:SelectorSet><w:Selector Name=\"InstanceID\">Intel(r) AMT: Boot Configuration 0</w:Selector></w:SelectorSet></a:ReferenceParameters></r:BootConfigSetting><r:Role>1</r:Role></r:SetBootConfigRole_INPUT>")" \
    > "$dir/role"
grep -q 'ReturnValue>0<' "$dir/role" || fail "SetBootConfigRole: $(cat "$dir/role")"
post "http://127.16.0.1:$port/wsman" "$(power_request 10)" > /dev/null
wait_until "boot from the CD" console_has 'booting the redirected cd: 1537 blocks of 2048 bytes'
wait_until "system of the CD" console_has 'boot 2, single-user mode, system from cd'

kill $ider_pid
wait $ider_pid || true
wait_until "end of the session" drives_are false
ctl set 1 'type=sha256sum cd'$'\n' > /dev/null
wait_until "loss of the drive" console_has 'sha256sum: no such device'
amtsim_stop
echo "amtsim_redirection: ok"
