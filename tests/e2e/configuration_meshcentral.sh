#!/usr/bin/env bash
# configuration_meshcentral.sh BIN_DIR KEPT: what a configuration puts on devices is read back by the modules of npm's
# meshcentral, unchanged. KEPT: where the package may be kept between runs.
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
# shellcheck source=tests/e2e/meshcentral_lib.sh
. "$(dirname "$0")/meshcentral_lib.sh"
kept=$2
fetch_meshcentral "$kept"

amtsim_start --devices 3 --scenario <(printf 'devices:\n  - {select: 2, generation: 11}\n  - {select: 3, generation: 9}\n')
amtd_start
fleet 3
cat > "$dir/lab.yaml" << 'YAML'
network: {host-name: own, domain: lab.example, ping: off, ipv4: static, address: own, mask: 255.0.0.0, dns: 127.0.0.3, ipv6: on}
redirection: {sol: on, ider: off, listener: off, kvm: off, kvm-session: 10m}
consent: {required: kvm, screen-timeout: 2m}
power: {in-sleep: off, idle-wake: 30m}
clock: {local-sync: off}
YAML
for n in 1 2; do
    exits 0 amtcli config apply "$dir/lab.yaml" pc000$n --force
    node "$(dirname "$0")/configuration_meshcentral.js" "$kept/node_modules/meshcentral/amt" 127.16.0.$n $port \
        "{\"name\": \"pc000$n.lab.example\", \"ping\": false, \"idle\": 30, \"dhcp\": false, \"address\": \"127.16.0.$n\",
          \"mask\": \"255.0.0.0\", \"dns\": \"127.0.0.3\", \"redirection\": 32770, \"listener\": false, \"kvm\": 3,
          \"session\": 10, \"consent\": 1, \"screen\": 120, \"sync\": 2, \"scheme\": \"Mobile: ON in S0\"}" ||
        fail "meshcentral reads something else"
done

# Static IPv6 addresses; a VLAN on firmware that tells one.
cat > "$dir/six.yaml" << 'YAML'
network: {ipv6: on, ipv6-address: "2001:db8::7", ipv6-router: "fe80::1", ipv6-dns: "2001:db8::5", vlan: 120}
YAML
for n in 2 3; do
    exits 0 amtcli config apply "$dir/six.yaml" pc000$n --force
    node "$(dirname "$0")/configuration_meshcentral.js" "$kept/node_modules/meshcentral/amt" 127.16.0.$n $port \
        "{\"static6\": \"2001:db8::7\", \"router6\": \"fe80::1\", \"dns6\": \"2001:db8::5\", \"dhcp\": $([ $n = 3 ] && echo true || echo false),
          \"vlan\": $([ $n = 3 ] && echo 120 || echo '"none"')}" ||
        fail "meshcentral reads something else"
done
amtd_stop
amtsim_stop
echo "configuration_meshcentral: ok"
