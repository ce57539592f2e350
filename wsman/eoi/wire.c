#include "wsman/eoi/wire.h"

#include <eoiH.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/answer.h"

#define DEPTH_MAX  32
#define STRING_MAX 16384
#define ITEMS_MAX  1024
#define REASON_MAX 800 /* of a fault, each byte up to four when it cannot be printed */
#define CODE_MAX   160
#define MODE       (SOAP_ENC_PLAIN | SOAP_XML_TREE | SOAP_C_UTFSTRING)

/* --- the tables --- */

#define SOAP_NAMES                                                                                           \
    {"SOAP-ENV", "http://schemas.xmlsoap.org/soap/envelope/", NULL, NULL},                                   \
        {"SOAP-ENC", "http://schemas.xmlsoap.org/soap/encoding/", NULL, NULL},                               \
        {"xsi", "http://www.w3.org/2001/XMLSchema-instance", NULL, NULL},                                    \
    {                                                                                                        \
        "xsd", "http://www.w3.org/2001/XMLSchema", NULL, NULL                                                \
    }

/* gSOAP asks for a table by this name; each service has its own, since the oldest firmware takes no long
 * envelopes. */
struct Namespace namespaces[] = {SOAP_NAMES, {NULL, NULL, NULL, NULL}};

#define EOI_SERVICE(prefix, path, uri)                                                                       \
    static struct Namespace prefix##_names[] = {                                                             \
        SOAP_NAMES, {#prefix, uri, NULL, NULL}, {NULL, NULL, NULL, NULL}};                                   \
    static const char prefix##_path[] = path;
#define EOI_OP(prefix, name)                                                                                 \
    static int send_##name(struct soap *soap, const void *in)                                                \
    {                                                                                                        \
        return soap_send___##prefix##__##name(soap, "", NULL, (struct _##prefix##__##name *)in);             \
    }                                                                                                        \
    static int recv_##name(struct soap *soap, void *out)                                                     \
    {                                                                                                        \
        return soap_recv___##prefix##__##name(soap, out);                                                    \
    }
#include "wsman/eoi/ops.def"
#undef EOI_SERVICE
#undef EOI_OP

static const struct operation {
    const char *name;
    const char *path;
    struct Namespace *names;
    size_t in_size, out_size;
    int (*send)(struct soap *soap, const void *in);
    int (*recv)(struct soap *soap, void *out);
} operations[EOI_OPS] = {
#define EOI_SERVICE(prefix, path, uri)
#define EOI_OP(prefix, name)                                                                                 \
    [EOI_##name] = {#name,                                                                                   \
                    prefix##_path,                                                                           \
                    prefix##_names,                                                                          \
                    sizeof(struct _##prefix##__##name),                                                      \
                    sizeof(struct _##prefix##__##name##Response),                                            \
                    send_##name,                                                                             \
                    recv_##name},
#include "wsman/eoi/ops.def"
#undef EOI_SERVICE
#undef EOI_OP
};

const char *eoi_op_name(enum eoi_op op)
{
    return operations[op].name;
}

const char *eoi_op_path(enum eoi_op op)
{
    return operations[op].path;
}

const char *eoi_op_service(enum eoi_op op)
{
    return operations[op].path + 1;
}

size_t eoi_in_size(enum eoi_op op)
{
    return operations[op].in_size;
}

/* --- gSOAP over memory --- */

struct memory {
    struct buf *out;
    struct rd in;
    size_t passed; /* bytes, either way: so much of gSOAP's buffer has been written to */
};

static int connect_nowhere(struct soap *soap, const char *endpoint, const char *host, int port)
{
    (void)soap;
    (void)endpoint;
    (void)host;
    (void)port;
    return SOAP_OK;
}

static int close_nothing(struct soap *soap)
{
    (void)soap;
    return SOAP_OK;
}

static int give(struct soap *soap, const char *p, size_t n)
{
    struct memory *memory = soap->user;

    memory->passed += n;
    buf_add(memory->out, p, n);
    return buf_ok(memory->out) ? SOAP_OK : SOAP_EOM;
}

static size_t take(struct soap *soap, char *to, size_t n)
{
    struct memory *memory = soap->user;
    struct view view = rd_bytes(&memory->in, n < memory->in.n ? n : memory->in.n);

    if (view.n > 0)
        memcpy(to, view.p, view.n);
    memory->passed += view.n;
    return view.n;
}

/* gSOAP's context is large, and its tables of thousands of rows are cleared whenever one is made, ended or
 * freed: that takes longer than a message. So each thread keeps the one that it used last, and what a message
 * left in the tables is cleared by the next, which gSOAP begins with that anyway. */
static pthread_once_t spare_once = PTHREAD_ONCE_INIT;
static pthread_key_t spare_key;

static void free_context(void *soap)
{
    soap_free(soap);
}

static void make_spare_key(void)
{
    if (pthread_key_create(&spare_key, free_context) != 0)
        abort();
}

static struct soap *new_context(void)
{
    struct soap *soap = soap_new2(MODE, MODE);

    if (!soap)
        abort();
    soap->fconnect = connect_nowhere;
    soap->fclose = close_nothing;
    soap->fsend = give;
    soap->frecv = take;
    soap->maxlevel = DEPTH_MAX;
    soap->maxlength = STRING_MAX;
    soap->maxoccurs = ITEMS_MAX;
    return soap;
}

static struct soap *open_memory(enum eoi_op op, struct memory *memory)
{
    struct soap *soap;

    pthread_once(&spare_once, make_spare_key);
    soap = pthread_getspecific(spare_key);
    pthread_setspecific(spare_key, NULL);
    if (!soap)
        soap = new_context();
    soap_set_namespaces(soap, operations[op].names);
    soap->user = memory;
    return soap;
}

/* gSOAP's buffers may hold passwords' hashes. */
static void close_memory(struct soap *soap)
{
    const struct memory *memory = soap->user;

    secret_wipe(soap->buf, memory->passed < sizeof(soap->buf) ? memory->passed : sizeof(soap->buf));
    secret_wipe(soap->tmpbuf, sizeof(soap->tmpbuf));
    if (soap->labbuf)
        secret_wipe(soap->labbuf, soap->lablen);
    soap_destroy(soap);
    soap_dealloc(soap, NULL);
    soap->user = NULL;
    if (pthread_getspecific(spare_key)) /* there were two at a time */
        free_context(soap);
    else
        pthread_setspecific(spare_key, soap);
}

int eoi_write(enum eoi_op op, const void *in, struct buf *out, struct err *err)
{
    struct memory memory = {.out = out};
    struct soap *soap = open_memory(op, &memory);
    int rc = operations[op].send(soap, in);

    close_memory(soap);
    if (rc != SOAP_OK || !buf_ok(out))
        return err_set(err, CAUSE_LIMIT_EXCEEDED, "%s: the request would be too long", operations[op].name);
    return 0;
}

/* --- reading --- */

struct eoi_reading {
    struct soap *soap; /* keeps what out refers to */
    void *out;
    struct memory memory;
};

void eoi_reading_free(struct eoi_reading *r)
{
    if (!r)
        return;
    close_memory(r->soap);
    free(r->out);
    free(r);
}

const void *eoi_reading_out(const struct eoi_reading *r)
{
    return r->out;
}

/* Every answer's structure begins with it. */
static const unsigned *status_of(const struct eoi_reading *r)
{
    return *(unsigned *const *)r->out;
}

uint32_t eoi_reading_status(const struct eoi_reading *r)
{
    return *status_of(r);
}

/* NULL, or why it is not given to gSOAP, which would take attachments (MIME, DIME) for messages and pass over
 * a DTD. */
static const char *no_message(const void *p, size_t n)
{
    struct rd in = rd_init(p, n);

    if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) /* the mark that some write before UTF-8 */
        rd_skip(&in, 3);
    while (in.n > 0 && (*in.p == ' ' || *in.p == '\t' || *in.p == '\r' || *in.p == '\n'))
        rd_skip(&in, 1);
    if (in.n == 0 || *in.p != '<')
        return "the answer is no XML";
    if (memmem(p, n, "<!DOCTYPE", 9) || memmem(p, n, "<!ENTITY", 8))
        return "the answer has a DTD, which no device sends";
    return NULL;
}

/* The device's own fault, or why its answer could not be read. Either may have the device's bytes in it. */
static void explain(struct soap *soap, enum eoi_op op, struct err *err)
{
    bool large = soap->error == SOAP_LEVEL || soap->error == SOAP_LENGTH || soap->error == SOAP_OCCURS;
    bool fault = soap->error == SOAP_FAULT || soap->error == SOAP_CLI_FAULT || soap->error == SOAP_SVR_FAULT;
    struct buf why = buf_init(REASON_MAX), code = buf_init(CODE_MAX);
    const char *text;

    soap_set_fault(soap);
    if ((text = *soap_faultstring(soap)) != NULL)
        text_printable(&why, text, strnlen(text, REASON_MAX / 4));
    if ((text = *soap_faultcode(soap)) != NULL)
        text_printable(&code, text, strnlen(text, CODE_MAX / 4));
    err_set(err,
            fault   ? CAUSE_FAULT
            : large ? CAUSE_TOO_LARGE
                    : CAUSE_BAD_ANSWER,
            "%s.%s: %s%s", eoi_op_service(op), eoi_op_name(op),
            fault ? "" : "no such answer: ", why.len > 0 ? buf_str(&why) : "no reason is given");
    if (fault)
        err_code(err, "%s", buf_str(&code));
    buf_free(&why);
    buf_free(&code);
}

static bool read_into(struct eoi_reading *r, enum eoi_op op, int http_status, struct err *err)
{
    int rc = operations[op].recv(r->soap, r->out);
    char what[96];

    snprintf(what, sizeof(what), "%s.%s", eoi_op_service(op), eoi_op_name(op));
    if (rc == SOAP_OK && http_status == 200 && status_of(r))
        return true;
    if (rc == SOAP_OK && http_status == 200)
        err_set(err, CAUSE_BAD_ANSWER, "%s: the answer has no Status", what);
    else if (r->soap->error == SOAP_FAULT || wsman_fault_to_err(NULL, http_status, what, err) == 0)
        explain(r->soap, op, err);
    return false;
}

struct eoi_reading *eoi_read(enum eoi_op op, int http_status, const void *p, size_t n, struct err *err)
{
    const char *why = no_message(p, n);
    struct eoi_reading *r;

    if (why) {
        if (wsman_fault_to_err(NULL, http_status, eoi_op_name(op), err) == 0)
            err_set(err, CAUSE_BAD_ANSWER, "%s.%s: %s", eoi_op_service(op), eoi_op_name(op), why);
        return NULL;
    }
    r = xcalloc(1, sizeof(*r));
    r->memory.in = rd_init(p, n);
    r->soap = open_memory(op, &r->memory);
    r->out = xcalloc(1, operations[op].out_size);
    if (!read_into(r, op, http_status, err)) {
        eoi_reading_free(r);
        return NULL;
    }
    return r;
}
