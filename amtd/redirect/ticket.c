#include "amtd/redirect/ticket.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "sol/redir.h"
#include "wsman/http_kerberos.h"

static const char scheme[] = "Negotiate "; /* what HTTP puts before the token */

struct ticket {
    struct http_kerberos *kerberos;
    ticket_done *done;
    void *arg;
};

/* --- work on another thread --- */

struct job {
    uv_work_t req;
    void (*work)(void *data);
    void (*done)(void *data);
    void *data;
};

static void run_work(uv_work_t *req)
{
    struct job *job = req->data;

    job->work(job->data);
}

static void after_work(uv_work_t *req, int status)
{
    struct job *job = req->data;

    (void)status;
    job->done(job->data);
    free(job);
}

static void offload(void *arg, void (*work)(void *data), void (*done)(void *data), void *data)
{
    struct job *job = xcalloc(1, sizeof(*job));

    job->req.data = job;
    job->work = work;
    job->done = done;
    job->data = data;
    uv_queue_work(arg, &job->req, run_work, after_work);
}

/* --- the login --- */

static void got(void *arg, const struct err *failure)
{
    struct ticket *ticket = arg;
    const char *header = http_kerberos_token(ticket->kerberos);
    struct buf token = buf_init_secret(REDIR_TOKEN_MAX);
    struct err err = ERR_INIT;

    if (failure) {
        err = *failure;
    } else if (strncmp(header, scheme, sizeof(scheme) - 1) != 0 ||
               !text_base64_decode(&token, header + sizeof(scheme) - 1,
                                   strlen(header) - sizeof(scheme) + 1)) {
        err_set(&err, CAUSE_NO_TICKET,
                "the Kerberos token for %s has more bytes than a redirection login takes",
                http_kerberos_service(ticket->kerberos));
    }
    http_kerberos_forget(ticket->kerberos);
    ticket->done(ticket->arg, (struct view){token.p, token.len}, err.cause ? &err : NULL);
    buf_free(&token);
}

struct ticket *ticket_get(uv_loop_t *loop, const char *host, uint16_t port, const char *ccache,
                          ticket_done *done, void *arg)
{
    const struct http_owner owner = {.arg = loop, .offload = offload};
    struct ticket *ticket = xcalloc(1, sizeof(*ticket));

    ticket->done = done;
    ticket->arg = arg;
    ticket->kerberos = http_kerberos_new(host, port, ccache);
    http_kerberos_start(ticket->kerberos, &owner, got, ticket);
    return ticket;
}

int ticket_prove(struct ticket *ticket, struct view answer, struct err *err)
{
    struct buf text = buf_init_secret(2 * REDIR_TOKEN_MAX);
    bool proven;

    text_base64(&text, answer.p, answer.n);
    proven = http_kerberos_proven(ticket->kerberos, (struct view){text.p, text.len});
    buf_free(&text);
    if (!proven)
        return err_set(err, CAUSE_AUTH_FAILED, "the device does not hold the key of %s",
                       http_kerberos_service(ticket->kerberos));
    return 0;
}

void ticket_free(struct ticket *ticket)
{
    if (!ticket)
        return;
    http_kerberos_free(ticket->kerberos);
    free(ticket);
}
