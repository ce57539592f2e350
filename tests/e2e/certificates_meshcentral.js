// What MeshCommander's page of certificates asks, by MeshCentral's modules as published: which certificate TLS has, its
// key, the settings. Arguments: directory of the modules, host, port, the certificate that must be in use (base64 of DER).
'use strict';
const [, , modules, host, port, der] = process.argv;
const path = require('path');
const crypto = require('crypto');
const comm = require(path.join(modules, 'amt-wsman-comm.js'))(host, +port, 'admin', 'P@ssw0rd1', 1,
                                                            { rejectUnauthorized: false }, null);
comm.xtlsFingerprint = 0; // any certificate
const wsman = require(path.join(modules, 'amt-wsman.js'))(comm);
const amt = require(path.join(modules, 'amt.js'))(wsman);

function fail(text) {
    console.error(`certificates_meshcentral.js: ${host}: ${text}`);
    process.exit(1);
}
setTimeout(() => fail('took longer than a minute'), 60000).unref();

const read = (names) => new Promise((done) =>
    amt.BatchEnum('', names, (stack, name, results) => done(results), null, true));

(async () => {
    const names = ['AMT_PublicKeyCertificate', 'AMT_PublicPrivateKeyPair', 'AMT_TLSSettingData', 'AMT_TLSCredentialContext'];
    const results = await read(names);
    for (const name of names) {
        if (!results[name] || results[name].status != 200)
            fail(`${name}: ${results[name] && results[name].status}`);
    }
    const contexts = results.AMT_TLSCredentialContext.responses;
    const id = contexts.length == 1 && contexts[0].ElementInContext.ReferenceParameters.SelectorSet.Selector.Value;
    const own = results.AMT_PublicKeyCertificate.responses.find((c) => c.InstanceID == id);
    if (!own || own.X509Certificate != der)
        fail(`the certificate of TLS is ${id}: ${JSON.stringify(results.AMT_PublicKeyCertificate.responses)}`);
    if (own.TrustedRootCertficate !== false || !own.Subject.endsWith('CN=pc0002'))
        fail(`as a page shows it: ${JSON.stringify(own)}`);
    // As the page finds the key of a certificate: by comparing what is in it.
    const key = new crypto.X509Certificate(Buffer.from(der, 'base64')).publicKey.export({ type: 'pkcs1', format: 'der' });
    if (!results.AMT_PublicPrivateKeyPair.responses.some((k) => k.DERKey == key.toString('base64')))
        fail(`no key of it: ${JSON.stringify(results.AMT_PublicPrivateKeyPair.responses)}`);
    const settings = results.AMT_TLSSettingData.responses;
    if (settings.length != 2 || settings.some((s) => s.Enabled !== true))
        fail(`settings: ${JSON.stringify(settings)}`);
    process.exit(0);
})();
