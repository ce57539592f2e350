// MeshCentral's AMT modules, as published, read back what a configuration put on a device: by the queries of
// MeshCommander's settings pages. Arguments: directory of the modules, host, port, what is expected (JSON).
'use strict';
const [, , modules, host, port, expected] = process.argv;
const path = require('path');
const comm = require(path.join(modules, 'amt-wsman-comm.js'))(host, +port, 'admin', 'P@ssw0rd1', 0, {}, null);
const wsman = require(path.join(modules, 'amt-wsman.js'))(comm);
const amt = require(path.join(modules, 'amt.js'))(wsman);

setTimeout(() => { console.error(`${host}: took longer than a minute`); process.exit(1); }, 60000).unref();
const classes = ['*AMT_GeneralSettings', 'AMT_EthernetPortSettings', '*AMT_RedirectionService', '*CIM_KVMRedirectionSAP',
    '*IPS_OptInService', '*IPS_KVMRedirectionSettingData', 'AMT_SystemPowerScheme', 'CIM_ElementSettingData',
    '*AMT_TimeSynchronizationService', 'IPS_IPv6PortSettings'];
amt.BatchEnum('', classes, (stack, name, r) => {
    const general = r.AMT_GeneralSettings.response, wired = r.AMT_EthernetPortSettings.responses[0];
    const six = r.IPS_IPv6PortSettings.responses[0];
    const current = r.CIM_ElementSettingData.responses.filter((e) => e.IsCurrent == 1).map((e) =>
        e.SettingData.ReferenceParameters.SelectorSet.Selector);
    const guid = current.filter((s) => Array.isArray(s) && s.length == 2).map((s) => s[1].Value || s[1])[0];
    const scheme = r.AMT_SystemPowerScheme.responses.find((s) => s.SchemeGUID == guid);
    const seen = {
        name: `${general.HostName}.${general.DomainName}`, ping: general.PingResponseEnabled, idle: general.IdleWakeTimeout,
        dhcp: wired.DHCPEnabled, address: wired.IPAddress, mask: wired.SubnetMask, dns: wired.PrimaryDNS,
        redirection: r.AMT_RedirectionService.response.EnabledState, listener: r.AMT_RedirectionService.response.ListenerEnabled,
        kvm: r.CIM_KVMRedirectionSAP.response.EnabledState, session: r.IPS_KVMRedirectionSettingData.response.SessionTimeout,
        consent: r.IPS_OptInService.response.OptInRequired, screen: r.IPS_OptInService.response.OptInDisplayTimeout,
        sync: r.AMT_TimeSynchronizationService.response.LocalTimeSyncEnabled,
        scheme: scheme && scheme.Description, ipv6: current.length,
        static6: six.IPv6Address, router6: six.DefaultRouter, dns6: six.PrimaryDNS, vlan: 'VLANTag' in wired ? wired.VLANTag : 'none',
    };
    for (const [key, value] of Object.entries(JSON.parse(expected))) {
        if (seen[key] != value) {
            console.error(`${host}: ${key} is ${seen[key]}, not ${value}: ${JSON.stringify(seen)}`);
            process.exit(1);
        }
    }
    process.exit(0);
}, null, true);
