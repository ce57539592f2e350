#include "wsman/http_kerberos.h"

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"

#define TOKEN_MAX     65536 /* bytes; with many groups a ticket of Active Directory has some ten thousand */
#define ERROR_MAX     200
#define CONTEXT_FLAGS (GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG)

static gss_OID_desc spnego = {6, (void *)"\x2b\x06\x01\x05\x05\x02"};

/* One token in the making. Belongs to the working thread until done. */
struct job {
    struct http_kerberos *kerberos; /* NULL: abandoned */
    http_kerberos_done *done;
    void *arg;
    char *ccache;
    char *services[2]; /* names to try in turn; services[1] NULL: only one */
    size_t used;       /* the one that was known */
    struct buf input;  /* the device's answer; empty at first */
    /* the outcome */
    gss_ctx_id_t context;
    struct buf token;
    struct err err;
};

struct http_kerberos {
    char *host;
    uint16_t port;
    char *ccache;
    char *service; /* what the context is for; NULL: no ticket yet */
    struct job *job;
    gss_ctx_id_t context; /* between two tokens, GSS_C_NO_CONTEXT else */
    struct buf header;    /* "Negotiate ..." */
};

/* --- on the working thread --- */

/* The mechanism's own words; SPNEGO keeps nothing else of what went wrong beneath it. */
static void put_status(struct buf *out, OM_uint32 code, int type)
{
    OM_uint32 minor, more = 0;
    gss_buffer_desc text;

    if (GSS_ERROR(gss_display_status(&minor, code, type, GSS_C_NO_OID, &more, &text)))
        return;
    text_printable(out, text.value, text.length);
    gss_release_buffer(&minor, &text);
}

static int no_ticket(struct job *job, const char *service, OM_uint32 major, OM_uint32 minor)
{
    struct buf text = buf_init(ERROR_MAX);

    if (GSS_ROUTINE_ERROR(major) == GSS_S_NO_CRED) {
        buf_free(&text);
        return err_set(&job->err, CAUSE_NO_TICKET, "there is no valid Kerberos ticket to begin with%s%s",
                       job->ccache ? " in " : "", job->ccache ? job->ccache : "");
    }
    put_status(&text, minor ? minor : major, minor ? GSS_C_MECH_CODE : GSS_C_GSS_CODE);
    err_set(&job->err, CAUSE_NO_TICKET, "no Kerberos ticket for %s: %s", service, buf_str(&text));
    buf_free(&text);
    return -1;
}

static OM_uint32 open_ccache(const char *ccache, gss_cred_id_t *credential, OM_uint32 *minor)
{
    gss_key_value_element_desc element = {"ccache", ccache};
    gss_key_value_set_desc store = {1, &element};
    gss_OID_set_desc mechs = {1, &spnego};

    return gss_acquire_cred_from(minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechs, GSS_C_INITIATE, &store,
                                 credential, NULL, NULL);
}

/* The empty realm behind the '@' lets the KDC of our own realm refer us to the device's. */
static OM_uint32 import_service(const char *service, gss_name_t *name, OM_uint32 *minor)
{
    char *principal = xasprintf("%s@", service);
    gss_buffer_desc text = {strlen(principal), principal};
    OM_uint32 major = gss_import_name(minor, &text, (gss_OID)GSS_KRB5_NT_PRINCIPAL_NAME, name);

    free(principal);
    return major;
}

static int make_token(struct job *job, gss_cred_id_t credential, const char *service)
{
    gss_buffer_desc input = {job->input.len, job->input.p};
    gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
    gss_name_t name = GSS_C_NO_NAME;
    OM_uint32 minor, ignored;
    OM_uint32 major = import_service(service, &name, &minor);

    if (!GSS_ERROR(major))
        major = gss_init_sec_context(&minor, credential, &job->context, name, &spnego, CONTEXT_FLAGS,
                                     GSS_C_INDEFINITE, GSS_C_NO_CHANNEL_BINDINGS,
                                     input.length ? &input : GSS_C_NO_BUFFER, NULL, &output, NULL, NULL);
    gss_release_name(&ignored, &name);
    buf_add(&job->token, output.value, output.length);
    gss_release_buffer(&ignored, &output);
    if (!GSS_ERROR(major) && job->token.len && buf_ok(&job->token))
        return 0;
    if (!GSS_ERROR(major))
        err_set(&job->err, CAUSE_NO_TICKET, "no Kerberos token for %s of a size that HTTP can carry",
                service);
    else
        no_ticket(job, service, major, minor);
    gss_delete_sec_context(&ignored, &job->context, GSS_C_NO_BUFFER);
    buf_reset(&job->token);
    return -1;
}

static void work(void *data)
{
    struct job *job = data;
    gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
    struct err first;
    OM_uint32 minor;

    if (job->ccache) {
        OM_uint32 major = open_ccache(job->ccache, &credential, &minor);
        if (GSS_ERROR(major)) {
            no_ticket(job, job->services[0], major, minor);
            return;
        }
    }
    if (make_token(job, credential, job->services[0]) < 0 && job->services[1]) {
        first = job->err;
        err_clear(&job->err);
        job->used = 1;
        if (make_token(job, credential, job->services[1]) < 0)
            job->err = first; /* the name that AMT's own tools register */
    }
    gss_release_cred(&minor, &credential);
}

/* --- on the loop's --- */

static void job_free(struct job *job)
{
    OM_uint32 minor;

    gss_delete_sec_context(&minor, &job->context, GSS_C_NO_BUFFER);
    buf_free(&job->input);
    buf_free(&job->token);
    free(job->services[0]);
    free(job->services[1]);
    free(job->ccache);
    free(job);
}

static void drop_context(struct http_kerberos *kerberos)
{
    OM_uint32 minor;

    gss_delete_sec_context(&minor, &kerberos->context, GSS_C_NO_BUFFER);
}

static void finished(void *data)
{
    struct job *job = data;
    struct http_kerberos *kerberos = job->kerberos;

    if (!kerberos) {
        job_free(job);
        return;
    }
    http_kerberos_done *done = job->done;
    void *arg = job->arg;
    struct err err = job->err;
    kerberos->job = NULL;
    if (!err.cause) {
        kerberos->context = job->context;
        job->context = GSS_C_NO_CONTEXT;
        xreplace(&kerberos->service, job->services[job->used]);
        buf_reset(&kerberos->header);
        buf_puts(&kerberos->header, "Negotiate ");
        text_base64(&kerberos->header, job->token.p, job->token.len);
    }
    job_free(job);
    done(arg, err.cause ? &err : NULL);
}

static struct job *job_new(struct http_kerberos *kerberos, http_kerberos_done *done, void *arg)
{
    struct job *job = xcalloc(1, sizeof(*job));

    job->kerberos = kerberos;
    job->done = done;
    job->arg = arg;
    job->ccache = xstrdup(kerberos->ccache);
    job->context = GSS_C_NO_CONTEXT;
    job->input = buf_init_secret(TOKEN_MAX);
    job->token = buf_init_secret(TOKEN_MAX);
    kerberos->job = job;
    return job;
}

void http_kerberos_start(struct http_kerberos *kerberos, const struct http_owner *owner,
                         http_kerberos_done *done, void *arg)
{
    struct job *job = job_new(kerberos, done, arg);

    drop_context(kerberos);
    job->services[0] = xasprintf("HTTP/%s:%u", kerberos->host, kerberos->port);
    job->services[1] = xasprintf("HTTP/%s", kerberos->host);
    owner->offload(owner->arg, work, finished, job);
}

bool http_kerberos_go_on(struct http_kerberos *kerberos, const struct http_owner *owner, struct view answer,
                         http_kerberos_done *done, void *arg)
{
    struct buf input = buf_init_secret(TOKEN_MAX);

    if (kerberos->context == GSS_C_NO_CONTEXT ||
        !text_base64_decode(&input, (const char *)answer.p, answer.n) || !input.len) {
        buf_free(&input);
        return false;
    }
    struct job *job = job_new(kerberos, done, arg);
    buf_free(&job->input);
    job->input = input;
    job->services[0] = xstrdup(kerberos->service);
    job->context = kerberos->context;
    kerberos->context = GSS_C_NO_CONTEXT;
    owner->offload(owner->arg, work, finished, job);
    return true;
}

void http_kerberos_abandon(struct http_kerberos *kerberos)
{
    if (kerberos->job)
        kerberos->job->kerberos = NULL;
    kerberos->job = NULL;
}

struct http_kerberos *http_kerberos_new(const char *host, uint16_t port, const char *ccache)
{
    struct http_kerberos *kerberos = xcalloc(1, sizeof(*kerberos));

    kerberos->host = xstrdup(host);
    kerberos->port = port;
    kerberos->ccache = xstrdup(ccache);
    kerberos->context = GSS_C_NO_CONTEXT;
    kerberos->header = buf_init_secret(2 * TOKEN_MAX);
    return kerberos;
}

void http_kerberos_free(struct http_kerberos *kerberos)
{
    if (!kerberos)
        return;
    http_kerberos_abandon(kerberos);
    drop_context(kerberos);
    buf_free(&kerberos->header);
    free(kerberos->host);
    free(kerberos->ccache);
    free(kerberos->service);
    free(kerberos);
}

const char *http_kerberos_token(const struct http_kerberos *kerberos)
{
    return buf_str(&kerberos->header);
}

void http_kerberos_forget(struct http_kerberos *kerberos)
{
    buf_free(&kerberos->header);
}

/* The ticket is there: this only checks, and asks nobody. */
static bool check_proof(struct http_kerberos *kerberos, const struct buf *proof)
{
    gss_buffer_desc input = {proof->len, proof->p};
    gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
    gss_name_t name = GSS_C_NO_NAME;
    OM_uint32 minor, ignored;
    OM_uint32 major = import_service(kerberos->service, &name, &minor);

    if (!GSS_ERROR(major))
        major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &kerberos->context, name, &spnego,
                                     CONTEXT_FLAGS, GSS_C_INDEFINITE, GSS_C_NO_CHANNEL_BINDINGS, &input, NULL,
                                     &output, NULL, NULL);
    gss_release_buffer(&ignored, &output);
    gss_release_name(&ignored, &name);
    return major == GSS_S_COMPLETE;
}

bool http_kerberos_proven(struct http_kerberos *kerberos, struct view answer)
{
    struct buf proof = buf_init_secret(TOKEN_MAX);
    bool well = true;

    if (answer.n && kerberos->context != GSS_C_NO_CONTEXT)
        well = text_base64_decode(&proof, (const char *)answer.p, answer.n) && check_proof(kerberos, &proof);
    buf_free(&proof);
    drop_context(kerberos);
    return well;
}

const char *http_kerberos_service(const struct http_kerberos *kerberos)
{
    return kerberos->service ? kerberos->service : "";
}
