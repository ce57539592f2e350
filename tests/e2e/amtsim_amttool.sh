#!/usr/bin/env bash
# amtsim_amttool.sh BIN_DIR: Debian's amttool, the stock client of the SOAP interface (EOI), against firmware 2 and 5: info,
# netinfo, every power command, a special command; and a wrong password.
# shellcheck source=tests/e2e/amtsim_lib.sh
. "$(dirname "$0")/amtsim_lib.sh"
export AMT_PASSWORD=$password

# tool ARGUMENT...: amttool on the second device, who confirms what it asks; its words in $said.
tool()
{
    said=$(echo y | amttool "127.16.0.2:$port" "$@" 2>&1) || true
}

says()
{
    [[ $said == *"$1"* ]] || fail "'$1' is not in: $said"
}

# The device may be out of connections for a moment, which no login is.
wrong_login()
{
    AMT_PASSWORD=wrong tool info
    [[ $said != *pc0002* ]] || fail "a wrong password got: $said"
    [ "$(ctl record 2 | jq .counters.logins_wrong)" -gt 0 ]
}

# command SAYS ARGUMENT...
command()
{
    local expected=$1
    shift
    tool "$@"
    says "result: $expected"
}

booted()
{
    [ "$(ctl record 2 | jq '[.events[] | select(.event == "boot")] | length')" = "$1" ]
}

# What the last boot was told.
last_boot()
{
    ctl record 2 | jq -c '[.events[] | select(.event == "boot")] | last | [.source, .flags]'
}

for generation in 2 5; do
    amtsim_start --devices 2 --generation $generation --power-seconds 0.01-0.03
    tool info
    says "AMT version:  $generation."
    says 'Hostname:     pc0002.sim.example'
    says 'Powerstate:   S0'
    says 'IDER SOL BiosSetup BiosPause'
    says 'powercycle powerdown powerup reset'
    tool netinfo
    says 'Network Interface 0'
    says 'DhcpEnabled                     true'
    says 'LocalAddress                127.16.0.2'
    says 'SubnetMask                  255.0.0.0'

    command 'pt_status: success' powerdown
    wait_until off power_is 2 off
    tool info
    says 'Powerstate:   S5 (soft-off)'
    command 'pt_status: invalid command' reset
    command 'pt_status: success' powerup
    wait_until on power_is 2 on
    wait_until 'the first boot' booted 1
    command 'pt_status: success' reset
    wait_until 'the boot after a reset' booted 2
    command 'pt_status: success' powercycle pxe
    wait_until 'the boot from the network' booted 3
    [ "$(last_boot)" = '["Intel(r) AMT: Force PXE Boot",[]]' ] || fail "PXE: $(last_boot)"
    command 'pt_status: success' powercycle bios # which is a boot with SOL: eoi.md, 3.1
    wait_until 'the boot with SOL' booted 4
    [ "$(last_boot)" = '["",["UseSOL"]]' ] || fail "bios: $(last_boot)"
    command 'pt_status: invalid special_command' powercycle hdsafe
    tool netconf - 0 1 # its first word is lost
    says 'pt_status: success'
    tool netconf - 7 1
    says 'pt_status: invalid handle'

    ctl json '{"device":2,"set":{"faults":[{"fault":"refuse-transition","value":4919}]}}' > /dev/null
    command 'unknown pt_status code: 0x1337' reset
    wait_until 'a wrong login to be counted' wrong_login
    amtsim_stop
done
