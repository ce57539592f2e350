#include "amtd/fleet/certificate_proof.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "amtd/fleet/link.h"
#include "base/clock.h"
#include "base/xalloc.h"

#define EVERY_MS   1000  /* between two connections */
#define FOR_MS     90000 /* firmware takes some ten seconds to start its web server anew (wsman.md, 3.12) */
#define CONNECT_MS 5000

struct certificate_proof {
    uv_timer_t *timer;
    struct http *http;
    struct http_session *session; /* one connection under way */
    struct http_settings settings;
    char *pin;
    int64_t until_mono;
    certificate_proof_done *done;
    void *arg;
};

static void timer_closed(uv_handle_t *handle)
{
    free(handle);
}

void certificate_proof_cancel(struct certificate_proof *proof)
{
    if (!proof)
        return;
    http_session_free(proof->session);
    uv_close((uv_handle_t *)proof->timer, timer_closed);
    free(proof->pin);
    free(proof);
}

static void finish(struct certificate_proof *proof, const struct err *failure)
{
    certificate_proof_done *done = proof->done;
    void *arg = proof->arg;
    struct err why = failure ? *failure : (struct err)ERR_INIT;

    certificate_proof_cancel(proof);
    done(arg, failure ? &why : NULL);
}

/* An answer of any kind came over a connection whose certificate was the one. */
static bool answered(const struct err *failure)
{
    return !failure || failure->cause == CAUSE_NO_PROFILE || failure->cause == CAUSE_AUTH_FAILED ||
           failure->cause == CAUSE_AUTH_UNSUPPORTED || failure->cause == CAUSE_NOT_AMT;
}

static void look(uv_timer_t *timer);

static void asked(void *arg, const struct http_answer *answer, const struct err *failure)
{
    struct certificate_proof *proof = arg;
    bool shown = strcmp(http_session_facts(proof->session).pin, proof->pin) == 0;
    struct err err = ERR_INIT;

    (void)answer;
    http_session_free(proof->session);
    proof->session = NULL;
    if (shown && answered(failure)) {
        finish(proof, NULL);
    } else if (clock_mono(clock_system()) < proof->until_mono) {
        uv_timer_start(proof->timer, look, EVERY_MS, 0);
    } else {
        err_set(&err, failure ? failure->cause : CAUSE_TLS_FAILED,
                "the device does not show its new certificate: %s",
                failure ? failure->text : "it shows another one");
        finish(proof, &err);
    }
}

static void look(uv_timer_t *timer)
{
    struct certificate_proof *proof = timer->data;
    struct err err = ERR_INIT;

    proof->session = http_session_new(proof->http, &proof->settings, &err);
    if (proof->session)
        http_session_send(proof->session, "/", NULL, 0, asked, proof);
    else
        finish(proof, &err);
}

struct certificate_proof *certificate_proof_start(const struct task_pause *pause, const char *pin,
                                                  certificate_proof_done *done, void *arg)
{
    struct certificate_proof *proof = xcalloc(1, sizeof(*proof));
    struct http_settings *s = &proof->settings;

    proof->pin = xstrdup(pin);
    *s = link_settings(pause->host, pause->login);
    if (s->tls == HTTP_TLS_NONE)
        s->port++; /* 16993 beside 16992 */
    s->tls = HTTP_TLS_PIN;
    s->pin = proof->pin;
    s->pin_next = NULL;
    s->kerberos = false; /* nobody logs in */
    s->user = NULL;
    s->password = NULL;
    s->realm = NULL;
    s->connect_ms = s->request_ms = CONNECT_MS;
    proof->http = pause->http;
    proof->until_mono = clock_mono(clock_system()) + FOR_MS;
    proof->done = done;
    proof->arg = arg;
    proof->timer = xcalloc(1, sizeof(*proof->timer));
    uv_timer_init(pause->loop, proof->timer);
    proof->timer->data = proof;
    uv_timer_start(proof->timer, look, 0, 0);
    return proof;
}
