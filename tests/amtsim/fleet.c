#include "tests/amtsim/fleet.h"

#include <openssl/rand.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "tests/amtsim/kerberos.h"
#include "tests/amtsim/machine_kinds.h"
#include "tests/amtsim/network.h"
#include "tests/amtsim/tls.h"

#define BODY_MAX (80u << 20)

struct fleet *fleet_new(const struct options *options, uv_loop_t *loop, const struct clock *clock,
                        struct err *err)
{
    struct fleet *f = xcalloc(1, sizeof(*f));
    f->options = options;
    f->loop = loop;
    f->clock = *clock;
    f->began_ms = clock_wall(clock);
    f->body = buf_init(BODY_MAX);
    f->part = buf_init(BODY_MAX);
    f->wire = buf_init(BODY_MAX + (BODY_MAX >> 4));
    f->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
    f->md = EVP_MD_CTX_new();
    if (f->md5 == NULL || f->md == NULL || RAND_bytes(f->nonce_key, sizeof(f->nonce_key)) != 1) {
        err_set(err, CAUSE_SYSTEM, "OpenSSL offers no MD5 or no random numbers");
        fleet_free(f);
        return NULL;
    }
    f->devices = xcalloc(options->devices, sizeof(*f->devices));
    f->count = options->devices;
    for (uint32_t i = 0; i < f->count; i++)
        device_init(&f->devices[i], f, i, options->generation, options->tls);
    return f;
}

void fleet_free(struct fleet *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->count; i++)
        device_clear(&f->devices[i]);
    free(f->devices);
    tls_store_free(f->tls);
    kerberos_free(f->kerberos);
    buf_free(&f->body);
    buf_free(&f->part);
    buf_free(&f->wire);
    EVP_MD_CTX_free(f->md);
    EVP_MD_free(f->md5);
    free(f);
}

int fleet_start_machines(struct fleet *f, struct err *err)
{
    for (size_t i = 0; i < f->count; i++) {
        struct device *d = &f->devices[i];
        if (d->machine_kind == NULL)
            d->machine_kind = f->options->machine;
        if (machine_kind_start(d, err) != 0)
            return err_context(err, "device %zu", i + 1);
    }
    return 0;
}

struct device *fleet_at(struct fleet *f, uint32_t address)
{
    uint32_t index = address - f->options->address; /* wraps below the first */
    struct device *d = index < f->count ? &f->devices[index] : NULL;
    return d != NULL && !network_moved(d) ? d : network_at(f, address);
}

struct device *fleet_number(struct fleet *f, uint64_t number)
{
    return number >= 1 && number <= f->count ? &f->devices[number - 1] : NULL;
}
