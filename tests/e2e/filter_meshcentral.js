// What MeshCommander's System Defense page asks, by MeshCentral's modules as published: the batch of the page, the
// statistics of the active policy, and the way back from associations to filters. Arguments: directory of the modules,
// host, port, name of the policy that must be active, number of its filters.
'use strict';
const [, , modules, host, port, policyName, filterCount] = process.argv;
const path = require('path');
const comm = require(path.join(modules, 'amt-wsman-comm.js'))(host, +port, 'admin', 'P@ssw0rd1', 0, {}, null);
const wsman = require(path.join(modules, 'amt-wsman.js'))(comm);
const amt = require(path.join(modules, 'amt.js'))(wsman);

function fail(text) {
    console.error(`filter_meshcentral.js: ${host}: ${text}`);
    process.exit(1);
}
setTimeout(() => fail('took longer than a minute'), 60000).unref();

const read = (names) => new Promise((done) =>
    amt.BatchEnum('', names, (stack, name, results) => done(results), null, true));
// The page's own helper: the value of a selector among several.
const selector = (set, name) => (Array.isArray(set) ? set : [set]).find((s) => s['@Name'] == name);
const list = (x) => (x == null ? [] : Array.isArray(x) ? x : [x]);

(async () => {
    const names = ['AMT_SystemDefensePolicy', 'AMT_NetworkPortSystemDefensePolicy', 'AMT_Hdr8021Filter',
                   'AMT_IPHeadersFilter', 'AMT_NetworkFilter'];
    const results = await read(names);
    for (const name of names) {
        if (!results[name] || results[name].status != 200)
            fail(`${name}: ${results[name] && results[name].status}`);
    }
    const policies = results.AMT_SystemDefensePolicy.responses;
    const policy = policies.find((p) => p.PolicyName == policyName);
    if (!policy)
        fail(`no policy ${policyName}: ${JSON.stringify(policies)}`);
    if (isNaN(parseInt(policy.InstanceID.substring(20)))) // as the page shows its number
        fail(`InstanceID ${policy.InstanceID}`);
    const handles = list(policy.FilterCreationHandles).map(String);
    if (handles.length != +filterCount)
        fail(`${handles.length} filters in the policy: ${JSON.stringify(policy)}`);
    const filters = [...results.AMT_Hdr8021Filter.responses, ...results.AMT_IPHeadersFilter.responses];
    for (const handle of handles) {
        const filter = filters.find((f) => String(f.InstanceID) == handle);
        if (!filter || !/^amt:/.test(filter.Name) || ![0, 1].includes(filter.FilterDirection))
            fail(`filter ${handle}: ${JSON.stringify(filter)}`);
    }
    const on = results.AMT_NetworkPortSystemDefensePolicy.responses;
    if (on.length != 1 || on[0].Active != true || on[0].Enabled != true)
        fail(`associations: ${JSON.stringify(on)}`);
    const antecedent = on[0].Antecedent.ReferenceParameters.SelectorSet.Selector;
    if (!Array.isArray(antecedent) || !selector(antecedent, 'DeviceID').Value.endsWith('Port 0'))
        fail(`Antecedent: ${JSON.stringify(antecedent)}`);
    const dependent = on[0].Dependent.ReferenceParameters.SelectorSet.Selector;
    if (Array.isArray(dependent) || dependent.Value != policy.InstanceID)
        fail(`Dependent: ${JSON.stringify(dependent)}`);

    const update = await new Promise((done) => amt.AMT_SystemDefensePolicy_UpdateStatistics(
        '<Address xmlns="http://schemas.xmlsoap.org/ws/2004/08/addressing"></Address><ReferenceParameters ' +
        'xmlns="http://schemas.xmlsoap.org/ws/2004/08/addressing"><ResourceURI ' +
        'xmlns="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd">http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/' +
        'CIM_EthernetPort</ResourceURI><SelectorSet xmlns="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><Selector ' +
        'Name="CreationClassName">CIM_EthernetPort</Selector><Selector Name="DeviceID">Intel(r) AMT Ethernet Port 0' +
        '</Selector></SelectorSet></ReferenceParameters>', false,
        (stack, name, response, status) => done({ response, status }), 0, 0, { InstanceID: policy.InstanceID }));
    if (update.status != 200 || update.response.Body.ReturnValue != 0)
        fail(`UpdateStatistics: ${update.status} ${JSON.stringify(update.response)}`);
    const counted = (await read(['AMT_ActiveFilterStatistics'])).AMT_ActiveFilterStatistics.responses;
    for (const c of counted) {
        const ends = c.Dependent.ReferenceParameters.SelectorSet.Selector;
        const filter = ends[1].Value.EndpointReference.ReferenceParameters.SelectorSet.Selector;
        if (typeof c.ReadCount != 'number' || !selector(filter, 'Name').Value)
            fail(`statistics: ${JSON.stringify(c)}`);
    }
    if (counted.length == 0)
        fail('no statistics');
    console.log(`filter_meshcentral.js: ${handles.length} filters, ${counted.length} counters: ok`);
    process.exit(0);
})();
