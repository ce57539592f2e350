// MeshCentral's AMT modules, as published, against a device: what MeshCentral and MeshCommander read at connect,
// logs, users, power. Arguments: directory of the modules, host, port, tls (0/1), firmware generation.
'use strict';
const [, , modules, host, port, tls, generation] = process.argv;
const path = require('path');
const comm = require(path.join(modules, 'amt-wsman-comm.js'))(host, +port, 'admin', 'P@ssw0rd1', +tls,
                                                            { rejectUnauthorized: false }, null);
comm.xtlsFingerprint = 0; // any certificate
const wsman = require(path.join(modules, 'amt-wsman.js'))(comm);
const amt = require(path.join(modules, 'amt.js'))(wsman);

function fail(text) {
    console.error(`meshcentral.js: ${host}, firmware ${generation}: ${text}`);
    process.exit(1);
}
setTimeout(() => fail('took longer than a minute'), 60000).unref();

// Classes by the step that asks for them; what a generation need not have may answer 400.
const batch = [
    'CIM_SoftwareIdentity', '*AMT_SetupAndConfigurationService', 'CIM_ServiceAvailableToElement',
    '*AMT_GeneralSettings', 'AMT_EthernetPortSettings', '*AMT_RedirectionService', 'CIM_ElementSettingData',
    '*AMT_BootCapabilities', 'IPS_IPv6PortSettings', '*CIM_KVMRedirectionSAP', '*IPS_OptInService',
    '*IPS_KVMRedirectionSettingData', '*IPS_HostBasedSetupService', '*CIM_BootService', '*AMT_8021XProfile',
    'AMT_SystemPowerScheme', 'CIM_FilterCollection', 'CIM_ListenerDestination', 'CIM_FilterCollectionSubscription',
    '*AMT_AgentPresenceCapabilities', 'AMT_AgentPresenceWatchdog', 'CIM_ConcreteDependency',
    'AMT_PublicKeyCertificate', 'AMT_PublicPrivateKeyPair', 'AMT_TLSSettingData', 'AMT_TLSCredentialContext',
    '*CIM_ComputerSystemPackage', 'CIM_SystemPackaging', '*CIM_Chassis', 'CIM_Chip', '*CIM_Card', '*CIM_BIOSElement',
    'CIM_Processor', 'CIM_PhysicalMemory', 'CIM_MediaAccessDevice', 'CIM_PhysicalPackage',
    'AMT_SystemDefensePolicy', 'AMT_NetworkPortSystemDefensePolicy', 'AMT_Hdr8021Filter', 'AMT_IPHeadersFilter',
];
const newer = ['IPS_AlarmClockOccurrence', '*IPS_ScreenConfigurationService', '*IPS_PowerManagementService'];

const read = (names) => new Promise((done) =>
    amt.BatchEnum('', names, (stack, name, results) => done(results), null, true));
const call = (method, ...args) => new Promise((done) =>
    amt[method](...args, (stack, name, response, status) => done({ response, status })));
const log = (method) => new Promise((done) => amt[method]((stack, messages) => done(messages)));

async function powerState() {
    const r = (await read(['CIM_ServiceAvailableToElement'])).CIM_ServiceAvailableToElement;
    return r.responses[0].PowerState;
}

async function power(value, wanted) {
    const { response, status } = await call('RequestPowerStateChange', value);
    if (status != 200 || response.Body.ReturnValue != 0)
        fail(`RequestPowerStateChange(${value}): ${status} ${JSON.stringify(response)}`);
    while (await powerState() != wanted)
        await new Promise((done) => setTimeout(done, 20));
}

(async () => {
    const results = await read(batch);
    for (const name of batch.map((n) => n.replace('*', ''))) {
        if (!results[name] || results[name].status != 200)
            fail(`${name}: ${results[name] && results[name].status}`);
    }
    const version = results.CIM_SoftwareIdentity.responses.find((s) => s.InstanceID == 'AMT').VersionString;
    if (!String(version).startsWith(generation + '.'))
        fail(`version ${version}`);
    if (results.AMT_GeneralSettings.response.DigestRealm != comm.digestRealm)
        fail(`DigestRealm is not the realm of the challenge: ${comm.digestRealm}`);
    if (results.IPS_HostBasedSetupService.response.CurrentControlMode != 2)
        fail('not in admin control mode');
    const late = await read(newer);
    for (const name of newer.map((n) => n.replace('*', ''))) {
        const since = name == 'IPS_AlarmClockOccurrence' ? 8 : 10;
        if (late[name].status != (+generation >= since ? 200 : 400))
            fail(`${name}: ${late[name].status}`);
    }
    const time = await call('AMT_TimeSynchronizationService_GetLowAccuracyTimeSynch');
    if (Math.abs(time.response.Body.Ta0 - Date.now() / 1000) > 5)
        fail(`clock: ${JSON.stringify(time.response.Body)}`);
    await power(8, 8);
    await power(2, 2);
    const events = await log('GetMessageLog');
    if (!events || !events.some((e) => /operating system boot/i.test(e.Desc)))
        fail(`event log: ${JSON.stringify(events)}`);
    const audit = await log('GetAuditLog');
    if (!audit || audit.length < 3)
        fail(`audit log: ${JSON.stringify(audit)}`);
    console.log(`meshcentral.js: firmware ${generation} ${+tls ? 'TLS' : 'plain'}: ok`);
    process.exit(0);
})();
