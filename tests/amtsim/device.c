#include "tests/amtsim/device.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "tests/amtsim/agents.h"
#include "tests/amtsim/alarms.h"
#include "tests/amtsim/cable.h"
#include "tests/amtsim/console.h"
#include "tests/amtsim/defense.h"
#include "tests/amtsim/digest.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/keyring.h"
#include "tests/amtsim/network.h"
#include "tests/amtsim/record.h"
#include "tests/amtsim/setup.h"
#include "tests/amtsim/subscriptions.h"
#include "tests/amtsim/tls.h"
#include "tests/amtsim/tls_settings.h"
#include "tests/amtsim/traps.h"
#include "tests/amtsim/users.h"

const char *const device_redirection_names[] = {"none", "ider", "sol", "both", NULL};
const char *const device_tls_names[] = {"none", "server", "mutual", NULL};
const char *const device_ports_names[] = {"none", "wired", "wireless", "both", NULL};

void device_init(struct device *d, struct fleet *fleet, uint32_t index, const struct generation *generation,
                 enum device_tls tls)
{
    d->fleet = fleet;
    d->index = index;
    d->generation = generation;
    d->tls = tls;
    d->agent = true;
    d->ports = 1;
    d->initial_state = MACHINE_ON;
    setup_factory(d);
    d->boot = (struct device_boot){
        .cleared = true,
        .service_state = generation->number >= 16 ? 32769 : 2,
    };
}

void device_clear(struct device *d)
{
    if (d->machine != NULL)
        d->machine->ops->destroy(d->machine);
    d->machine = NULL;
    plan_unref(d->plan);
    d->plan = NULL;
    record_clear(d);
    console_free(d->console);
    d->console = NULL;
    subscriptions_free(d);
    trap_sinks_free(d);
    tls_settings_free(d);
    keyring_free(d->keyring);
    d->keyring = NULL;
    users_free(d->users);
    alarms_free(d->alarms);
    cable_free(d->cable);
    free(d->tap);
    defense_free(d);
    agents_free(d);
    tls_identity_free(d->tls_identity);
    network_free(d);
    free(d->settings.host_name);
    free(d->settings.domain_name);
}

bool device_serves(const struct device *d, bool tls)
{
    return tls ? d->tls != DEVICE_TLS_NONE : d->tls == DEVICE_TLS_NONE || d->plain_too;
}

int64_t device_mono_ms(const struct device *d)
{
    return clock_mono(&d->fleet->clock);
}

int64_t device_wall_ms(const struct device *d)
{
    return clock_wall(&d->fleet->clock) + d->clock_offset_ms;
}

/* Bytes that belong to this device alone and stay the same for a seed: what `purpose` they serve keeps apart
 * realm, UUID and so on. */
static void derive(const struct device *d, const char *purpose, uint32_t epoch, uint8_t out[16])
{
    char text[96];
    int n = snprintf(text, sizeof(text), "%s/%llu/%u/%u", purpose,
                     (unsigned long long)d->fleet->options->seed, d->index, epoch);
    digest_md5(d->fleet, text, (size_t)n, out);
}

static const char *realm_text(const struct device *d, uint32_t epoch, char *out)
{
    uint8_t id[16];
    derive(d, "realm", epoch, id);
    memcpy(out, "Digest:", 7);
    for (unsigned i = 0; i < 16; i++) {
        out[7 + 2 * i] = "0123456789ABCDEF"[id[i] >> 4];
        out[8 + 2 * i] = "0123456789ABCDEF"[id[i] & 15];
    }
    out[39] = '\0';
    return out;
}

const char *device_realm(const struct device *d, char *out)
{
    return realm_text(d, d->login.realm_epoch, out);
}

const char *device_challenge_realm(struct device *d, char *out)
{
    if (d->plan != NULL && fault_pending(d, FAULT_WRONG_REALM) != NULL)
        return realm_text(d, ~d->login.realm_epoch, out);
    return device_realm(d, out);
}

enum { BLANK_ZEROS = 1, BLANK_ONES, BLANK_SAMPLE };
const char *const device_blank_uuids[] = {
    "", [BLANK_ZEROS] = "zeros", [BLANK_ONES] = "ones", [BLANK_SAMPLE] = "sample", NULL};

void device_uuid(const struct device *d, uint8_t out[16])
{
    static const uint8_t sample[16] = {0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9};
    const struct device *twin = d->twin > 0 ? fleet_number(d->fleet, d->twin) : NULL;

    if (d->blank_uuid == BLANK_SAMPLE)
        memcpy(out, sample, sizeof(sample));
    else if (d->blank_uuid != 0)
        memset(out, d->blank_uuid == BLANK_ONES ? 0xff : 0, 16);
    else
        derive(twin != NULL ? twin : d, "uuid", 0, out);
}

const char *device_mac(const struct device *d, char *out)
{
    snprintf(out, 18, "02-16-%02x-%02x-%02x-00", d->index >> 16 & 255, d->index >> 8 & 255, d->index & 255);
    return out;
}

const char *device_host_name(const struct device *d, char *out)
{
    if (d->settings.host_name != NULL)
        return d->settings.host_name;
    snprintf(out, DEVICE_NAME_MAX, "pc%04u", d->index + 1);
    return out;
}

const char *device_address(const struct device *d, char *out)
{
    struct in_addr a = {.s_addr = htonl(network_port(d).address)};
    return inet_ntop(AF_INET, &a, out, INET_ADDRSTRLEN);
}

/* From the fleet's password, as long as the device got none of its own. */
static void fleet_ha1(struct device *d, const char *user, const char *realm, uint8_t out[16])
{
    const struct options *o = d->fleet->options;
    EVP_MD_CTX *md = d->fleet->md;
    EVP_DigestInit_ex2(md, d->fleet->md5, NULL);
    EVP_DigestUpdate(md, user, strlen(user));
    EVP_DigestUpdate(md, ":", 1);
    EVP_DigestUpdate(md, realm, strlen(realm));
    EVP_DigestUpdate(md, ":", 1);
    EVP_DigestUpdate(md, secret_str(o->password), secret_len(o->password));
    EVP_DigestFinal_ex(md, out, NULL);
}

bool device_ha1(struct device *d, const char *user, const char *realm, uint8_t out[16])
{
    char own[DEVICE_REALM_MAX];
    if (strcmp(user, users_admin_name(d)) != 0)
        return users_ha1(d, user, out);
    bool usual = strcmp(realm, device_realm(d, own)) == 0;
    if (d->login.admin_ha1_known && usual) {
        memcpy(out, d->login.admin_ha1, 16);
    } else {
        fleet_ha1(d, user, realm, out);
        if (usual) {
            memcpy(d->login.admin_ha1, out, 16);
            d->login.admin_ha1_known = true;
        }
    }
    if (fault_pending(d, FAULT_WRONG_PASSWORD) != NULL)
        out[0] ^= 0xff;
    return true;
}

void device_acl_changed(struct device *d)
{
    d->login.epoch++;
    d->login.last_nonce = 0;
}
