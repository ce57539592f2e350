/* What the sequence holds on for: keys are made on a thread of their own, certificates given in the store,
 * and proved by connections of their own. */
#include "amtd/fleet/task_certificate_internal.h"

#include <stdlib.h>

#include "amtd/fleet/certificate_proof.h"
#include "amtd/store/certificates.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "wsman/http.h"

#define EARLY_MS DAY_MS /* valid from before now: clocks differ */

/* What is done away from the loop; it outlives a work that ends before it. */
struct certificate_errand {
    struct certificate_work *work; /* NULL: nobody waits for it any more */
    int64_t host_id, run_id;
    uint32_t days;
    char *names[NAMES_MAX + 1];
    struct buf public_key, request, private_key, leaf;
    struct err failure;
    uv_work_t thread;
};

static void errand_free(struct certificate_errand *e)
{
    for (size_t i = 0; i < NAMES_MAX; i++)
        free(e->names[i]);
    buf_free(&e->public_key);
    buf_free(&e->request);
    buf_free(&e->private_key);
    buf_free(&e->leaf);
    free(e);
}

static struct certificate_errand *errand_new(struct certificate_work *w)
{
    struct certificate_errand *e = xcalloc(1, sizeof(*e));

    e->work = w;
    e->host_id = w->host->id;
    e->run_id = w->pause.operation->run_id;
    e->days = w->args->days > 0 ? w->args->days : CERTIFICATE_DAYS;
    for (size_t i = 0; w->names[i]; i++)
        e->names[i] = xstrdup(w->names[i]);
    e->public_key = buf_init(AUTHORITY_DER_MAX);
    e->request = buf_init(AUTHORITY_DER_MAX);
    e->private_key = buf_init_secret(AUTHORITY_DER_MAX);
    e->leaf = buf_init(AUTHORITY_DER_MAX);
    w->errand = e;
    return e;
}

/* Back from an errand: what it brought is the sequence's. */
static void errand_over(struct certificate_errand *e)
{
    struct certificate_work *w = e->work;
    struct task_pause pause;

    if (!w) {
        errand_free(e);
        return;
    }
    pause = w->pause;
    w->errand = NULL;
    w->seq.failure = e->failure;
    if (e->private_key.len > 0) {
        buf_add(&w->seq.private_key, e->private_key.p, e->private_key.len);
        buf_add(&w->seq.public_key, e->public_key.p, e->public_key.len);
    }
    if (e->leaf.len > 0) {
        char *pin = certificate_pin(e->leaf.p, e->leaf.len);

        buf_add(&w->seq.leaf, e->leaf.p, e->leaf.len);
        if (http_session_expect(pause.session, pin, &w->seq.failure) == 0)
            xreplace(&w->next, pin);
        free(pin);
    }
    errand_free(e);
    pause.go_on(pause.arg);
}

static void make_key(uv_work_t *thread)
{
    struct certificate_errand *e = thread->data;

    authority_key(&e->private_key, &e->public_key, &e->failure);
}

static void key_made(uv_work_t *thread, int status)
{
    (void)status;
    errand_over(thread->data);
}

/* The leaf is written down before the device can have it. */
static int issue(struct tx *tx, void *data, struct err *err)
{
    struct certificate_errand *e = data;
    int64_t now = clock_wall(clock_system());
    const struct leaf_order order = {.names = (const char *const *)e->names,
                                     .from_ms = now - EARLY_MS,
                                     .until_ms = now + e->days * DAY_MS,
                                     .public_key = &e->public_key,
                                     .request = &e->request};

    buf_reset(&e->leaf);
    return tx_certificate_issue(tx, e->host_id, &order, e->run_id, now, &e->leaf, err);
}

static void issued(void *data, const struct err *failure)
{
    struct certificate_errand *e = data;

    if (failure) {
        buf_reset(&e->leaf);
        e->failure = *failure;
    }
    errand_over(e);
}

static void proof_over(void *arg, const struct err *failure)
{
    struct certificate_work *w = arg;
    struct task_pause pause = w->pause;

    w->proof = NULL;
    w->seq.proved = failure == NULL;
    if (failure)
        w->seq.failure = *failure;
    pause.go_on(pause.arg);
}

static void start_errand(struct certificate_work *w)
{
    struct certificate_errand *e = errand_new(w);

    if (w->seq.wants == CERTIFICATE_WANTS_KEY) {
        e->thread.data = e;
        uv_queue_work(w->pause.loop, &e->thread, make_key, key_made);
        return;
    }
    buf_add(&e->public_key, w->seq.public_key.p, w->seq.public_key.len);
    buf_add(&e->request, w->seq.signed_request.p, w->seq.signed_request.len);
    store_submit(w->pause.store, issue, issued, e);
}

void certificate_work_pause(void *work, const struct task_pause *pause)
{
    struct certificate_work *w = work;
    char *pin;

    w->pause = *pause;
    if (w->seq.wants != CERTIFICATE_WANTS_PROOF) {
        start_errand(w);
        return;
    }
    pin = certificate_pin(w->seq.leaf.p, w->seq.leaf.len);
    http_session_expect(pause->session, pin, NULL);
    w->proof = certificate_proof_start(pause, pin, proof_over, w);
    free(pin);
}

void certificate_work_let_go(struct certificate_work *w)
{
    certificate_proof_cancel(w->proof);
    if (w->errand)
        w->errand->work = NULL;
}
