/* What a host of a run asks the store. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/jobs/job_host_internal.h"
#include "amtd/store/passwords.h"
#include "base/xalloc.h"

int job_host_ask_work(struct tx *tx, void *data, struct err *err)
{
    struct question *q = data;
    const struct run *run = &q->h->run->record.run;
    const struct run_order *order = q->order;

    if (q->start)
        return tx_host_expect(tx, q->h->host->id, err) == 0 ? tx_job_result_put(tx, q->start, err) : -1;
    if (q->query)
        return tx_host_matches(tx, q->h->host->id, run->id, q->query, &q->matches, err);
    free(q->known); /* the transaction is tried again when others in it fail */
    q->known = NULL;
    return order->task->keeping->admit(tx, order->args, run, q->h->host, &q->known, err);
}

void job_host_answered(void *data, const struct err *failure, void (*then)(struct job_host *h))
{
    struct question *q = data;
    struct job_host *h = q->h;

    h->run->pending--;
    h->asking = false;
    free(h->known);
    h->known = q->known;
    h->asked = failure ? *failure : (struct err)ERR_INIT;
    h->matches = q->matches;
    if (q->start) {
        job_result_clear(q->start);
        free(q->start);
    }
    free(q);
    if (!h->run->dropped)
        job_run_ready(h, then);
    else
        job_run_wake(h->run);
}

struct question *job_host_ask(struct job_host *h, const struct run_order *order)
{
    struct question *q = xcalloc(1, sizeof(*q));

    q->h = h;
    q->order = order;
    h->asking = true;
    return q;
}

/* --- what an earlier task of the job, or somebody else, changed meanwhile --- */

bool job_host_had_rotation(const struct job_host *h)
{
    if (h->run->was_held) /* and others had time to */
        return true;
    for (size_t i = 0; i <= h->at && i < h->run->job->count; i++)
        if (h->run->orders[i].task && h->run->orders[i].task->new_password && (i < h->at || h->tries > 0))
            return true;
    return false;
}

struct renewal {
    struct job_host *h;
    struct own_passwords passwords;
    struct host now;
    void (*then)(struct job_host *h);
};

static const char *const pins[] = {"tls.pin", "tls.pin.next"};

static int read_again(struct tx *tx, void *data, struct err *err)
{
    struct renewal *r = data;
    struct err renamed = ERR_INIT;

    own_passwords_clear(&r->passwords);
    host_clear(&r->now);
    memset(&r->now, 0, sizeof(r->now));
    if (tx_host_passwords(tx, r->h->host->id, &r->passwords, err) != 0)
        return -1;
    if (tx_host_get(tx, r->h->host->name, &r->now, &renamed) != 0 && renamed.cause != CAUSE_NOT_FOUND) {
        *err = renamed;
        return -1;
    }
    return 0;
}

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same_secret(const struct secret *a, const struct secret *b)
{
    size_t n = secret_len(a);

    return !a == !b && n == secret_len(b) && CRYPTO_memcmp(secret_str(a), secret_str(b), n) == 0;
}

static bool are_same(const struct own_passwords *a, const struct own_passwords *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++) {
        const struct own_password *other = own_password(b, a->items[i].user);

        same = other && is_same_secret(a->items[i].proven, other->proven) &&
               is_same_secret(a->items[i].next, other->next);
    }
    return same;
}

/* What is on its way into the store may still look at the ones before: they stay until the run is over. */
static void take_passwords(struct job_host *h, struct own_passwords *fresh)
{
    h->renewed |= !are_same(&h->host->passwords, fresh);
    h->former = xreallocarray(h->former, h->former_count + 1, sizeof(*h->former));
    h->former[h->former_count++] = h->host->passwords;
    h->host->passwords = *fresh;
}

static void take_pins(struct job_host *h, const struct host *now)
{
    for (size_t i = 0; now->id == h->host->id && i < sizeof(pins) / sizeof(pins[0]); i++) {
        const char *pin = pairs_get(&now->facts, pins[i]);

        if (is_same(pin, pairs_get(&h->host->facts, pins[i])))
            continue;
        h->renewed = true;
        pairs_set(&h->host->facts, pins[i], pin);
    }
}

static void renewal_read(void *data, const struct err *failure)
{
    struct renewal *r = data;
    struct job_host *h = r->h;

    h->run->pending--;
    h->asking = h->renewed = false;
    h->asked = failure ? *failure : (struct err)ERR_INIT;
    if (failure) {
        own_passwords_clear(&r->passwords);
    } else {
        take_passwords(h, &r->passwords);
        take_pins(h, &r->now);
    }
    host_clear(&r->now);
    if (!h->run->dropped)
        job_run_ready(h, r->then);
    else
        job_run_wake(h->run);
    free(r);
}

void job_host_renew(struct job_host *h, void (*then)(struct job_host *h))
{
    struct renewal *r = xcalloc(1, sizeof(*r));

    r->h = h;
    r->then = then;
    h->asking = true;
    job_run_ask(h->run, read_again, renewal_read, r);
}

void job_host_clear_passwords(struct job_host *h)
{
    for (size_t i = 0; i < h->former_count; i++)
        own_passwords_clear(&h->former[i]);
    free(h->former);
}
