// MeshCentral's redirection transport and IDE-R modules, as published, against a device.
//   sol  TEXT WANTED   types TEXT and a carriage return, ends when the console has said WANTED
//   ider IMAGE [FLOPPY]   serves a CD image, and that of a floppy disk, until it is killed
// Arguments before that: directory of the npm package, host, port, tls (0/1).
'use strict';
const [, , pkg, host, port, tls, mode, ...rest] = process.argv;
const path = require('path');
const Module = require('module');
const crypto = require('crypto');

// The transport is written for MeshCentral's agent: what that has and node has not.
const load = Module._load;
Module._load = (name, ...more) => name == 'MD5Stream'
    ? { create: () => ({ syncHash: (text) => crypto.createHash('md5').update(text, 'binary').digest() }) }
    : load(name, ...more);
require('tls').generateRandomInteger = (from, to) => crypto.randomInt(+from, +to + 1);
process.removeAllListeners('warning'); // of its old Buffer constructor

function fail(text) {
    console.error(`meshcentral_redirection.js: ${host}:${port}: ${text}`);
    process.exit(1);
}

const createRedirect = require(path.join(pkg, 'agents/modules_meshcmd/amt-redir-duk.js'));

function connect(module) {
    const redirect = createRedirect(module);
    redirect.Start(host, +port, 'admin', 'P@ssw0rd1', tls == '1', null);
    return redirect;
}

function sol(text, wanted) {
    let said = '', open = false;
    setTimeout(() => fail(`no '${wanted}' within a minute; the console said lately: ${said.slice(-300)}`), 60000).unref();
    const redirect = connect({
        protocol: 1,
        xxStateChange: (state) => {
            if (state == 3) {
                open = true;
                redirect.Send(text + '\r');
            } else if (state == 0) {
                fail(open ? 'the session has ended' : 'no session');
            }
        },
        ProcessData: (data) => {
            said += data.toString('latin1');
            if (said.includes(wanted))
                process.exit(0);
        },
    });
}

function ider(image, floppy) {
    const { CreateAmtRemoteIder } = require(path.join(pkg, 'amt/amt-ider-module.js'));
    const module = CreateAmtRemoteIder(null, null);
    const changed = module.xxStateChange;
    if (module.diskSetup(floppy || null, image) != 0)
        fail(`cannot use ${image}, ${floppy}`);
    module.iderStart = 2; // now
    module.xxStateChange = (state) => {
        if (state == 0)
            fail('the session has ended');
        changed(state);
        if (state == 3)
            console.log('ider: logged in');
    };
    connect(module);
}

({ sol, ider })[mode](...rest);
