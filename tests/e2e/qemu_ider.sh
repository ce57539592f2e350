#!/usr/bin/env bash
# qemu_ider.sh BIN_DIR DIR: a stock client (npm's meshcentral under node; DIR keeps the package) boots a real Linux from a CD image
# through IDE-R, while another one looks at its console through SOL; what the guest reads from the CD is what the image has.
# shellcheck source=tests/e2e/qemu_lib.sh
. "$(dirname "$0")/qemu_lib.sh"
# shellcheck source=tests/e2e/meshcentral_lib.sh
. "$(dirname "$0")/meshcentral_lib.sh"
kept=$2
client=(node --no-deprecation "$(dirname "$0")/meshcentral_redirection.js" "$kept/node_modules/meshcentral" 127.16.0.1 $((port + 2)) 0)
amt=http://intel.com/wbem/wscim/1/amt-schema/1
fetch_meshcentral "$kept"

# boot_settings USE_IDER: for the next boot; the firmware speaks on the console.
boot_settings()
{
    local settings=$amt/AMT_BootSettingData service=$cim/CIM_BootService name answer body=''
    for name in BIOSPause BIOSSetup ConfigurationDataReset ForcedProgressEvents LockKeyboard LockPowerButton LockResetButton \
        LockSleepButton ReflashBIOS UseSafeMode UserPasswordBypass; do
        body+="<r:$name>false</r:$name>"
    done
    wsman http://schemas.xmlsoap.org/ws/2004/09/transfer/Put "$settings" "<r:AMT_BootSettingData xmlns:r=\"$settings\">$body
<r:BootMediaIndex>0</r:BootMediaIndex><r:FirmwareVerbosity>0</r:FirmwareVerbosity><r:IDERBootDevice>1</r:IDERBootDevice>
<r:InstanceID>Intel(r) AMT:BootSettingData 0</r:InstanceID><r:UseIDER>$1</r:UseIDER><r:UseSOL>true</r:UseSOL>
</r:AMT_BootSettingData>" > /dev/null
    answer=$(wsman "$service/SetBootConfigRole" "$service" "<r:SetBootConfigRole_INPUT xmlns:r=\"$service\">
<r:BootConfigSetting>$(reference CIM_BootConfigSetting InstanceID 'Intel(r) AMT: Boot Configuration 0')
</r:BootConfigSetting><r:Role>1</r:Role></r:SetBootConfigRole_INPUT>")
    [[ $answer == *ReturnValue\>0\<* ]] || fail "SetBootConfigRole was answered: $answer"
}

drives_are()
{
    [ "$("$bin/amtsim" ctl "$dir/control" get 1 | jq .redirection.drives)" = "$1" ]
}

counter()
{
    "$bin/amtsim" ctl "$dir/control" record 1 | jq ".counters.$1"
}

cat > "$dir/scenario" << 'YAML'
devices:
  - select: "1"
    machine: qemu
    power: off
YAML
start_amtsim --devices 1 --scenario "$dir/scenario"
iso=$bin/../guest/rescue.iso
truncate -s 1474560 "$dir/empty.img" # firmware that makes USB storage of IDE-R wants it
"${client[@]}" ider "$iso" "$dir/empty.img" > "$dir/ider" &
ider_pid=$!
wait_for "redirected drives" drives_are true
boot_settings true
request 2
wait_for "rescue system" console_has 'amtsim-guest: amtsim rescue boot 1 id '
console_has 'SeaBIOS' || fail "the firmware said nothing"
wait_for "CD" console_has 'CD mounted on /mnt'
[ "$(counter ider_bytes)" -gt "$(stat -c %s "$bin/../guest/vmlinuz")" ] || fail "the CD was not read through IDE-R"
# Through SOL: what the guest reads from the CD is what the image has.
"${client[@]}" sol 'sha256sum /mnt/vmlinuz' "$(sha256sum < "$bin/../guest/vmlinuz" | cut -d ' ' -f 1)"
"${client[@]}" sol 'cd /mnt && sha256sum -c SHA256SUMS; cd /' 'rescue-initrd: OK'

# The end of the session takes the CD away from the running system.
kill $ider_pid
wait $ider_pid || true
wait_for "end of the session" drives_are false
type_line 'umount /mnt; dd if=/dev/sr0 bs=2048 count=1 > /dev/null || echo no longer "there"'
wait_for "loss of the CD" console_has 'no longer there'

request 10 # without a session the disk is booted
expect_boot 2
