#!/usr/bin/env bash
# qemu_boot.sh BIN_DIR: boot settings of a device, set by a stock client (curl), decide what its virtual PC boots, once;
# the guest's banner tells which system it is. The fleet is a scenario's: only the second device is a virtual PC.
# shellcheck source=tests/e2e/qemu_lib.sh
. "$(dirname "$0")/qemu_lib.sh"

# shellcheck disable=SC2034 # for qemu_lib.sh
device=2
url=http://127.16.0.2:$port/wsman

# force_source NAME: the next boot is from there.
force_source()
{
    local config=$cim/CIM_BootConfigSetting service=$cim/CIM_BootService answer
    answer=$(wsman "$config/ChangeBootOrder" "$config" "<r:ChangeBootOrder_INPUT xmlns:r=\"$config\"><r:Source>
$(reference CIM_BootSourceSetting InstanceID "Intel(r) AMT: $1")</r:Source></r:ChangeBootOrder_INPUT>")
    [[ $answer == *ReturnValue\>0\<* ]] || fail "ChangeBootOrder was answered: $answer"
    answer=$(wsman "$service/SetBootConfigRole" "$service" "<r:SetBootConfigRole_INPUT xmlns:r=\"$service\">
<r:BootConfigSetting>$(reference CIM_BootConfigSetting InstanceID 'Intel(r) AMT: Boot Configuration 0')
</r:BootConfigSetting><r:Role>1</r:Role></r:SetBootConfigRole_INPUT>")
    [[ $answer == *ReturnValue\>0\<* ]] || fail "SetBootConfigRole was answered: $answer"
}

cat > "$dir/scenario" << 'YAML'
devices:
  - select: "2"
    machine: qemu
    power: off
YAML
start_amtsim --devices 3 --scenario "$dir/scenario"

state_is 8 || fail "the virtual PC is not off"
force_source 'Force CD/DVD Boot'
request 2
wait_for "rescue system" console_has 'amtsim-guest: amtsim rescue boot 1 id '
wait_for "CD" console_has 'CD mounted on /mnt'
wait_for "agent" available 14
# What the guest reads from the CD is what the image has.
type_line 'sha256sum /mnt/vmlinuz'
wait_for "checksum" console_has "$(sha256sum < "$bin/../guest/vmlinuz" | cut -d ' ' -f 1)"

request 14 # the settings held for one boot
expect_boot 2

force_source 'Force PXE Boot'
type_line 'reboot -f' # they hold for a boot of whatever cause
wait_for "restart" console_has 'reboot: Restarting system'
wait_for "boot by PXE" recorded_boots 3
request 10
wait_for "boot of the disk" console_has 'amtsim-guest: amtsim guest boot 3 id '
recorded_boots 4 || fail "amtsim counted other boots"
