#include "tests/amtsim/eoi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/amtsim/defense.h"
#include "tests/amtsim/eoi_internal.h"
#include "tests/amtsim/record.h"
#include "tests/amtsim/setup.h"
#include "tests/amtsim/users.h"
#include <simH.h>

#define BODY_MAX   50000 /* as over WS-Management */
#define DEPTH_MAX  32
#define STRING_MAX 4096
#define ITEMS_MAX  512

/* gSOAP asks for this table by name. */
struct Namespace namespaces[] = {
    {"SOAP-ENV", "http://schemas.xmlsoap.org/soap/envelope/", NULL, NULL},
    {"SOAP-ENC", "http://schemas.xmlsoap.org/soap/encoding/", NULL, NULL},
    {"xsi", "http://www.w3.org/2001/XMLSchema-instance", NULL, NULL},
    {"xsd", "http://www.w3.org/2001/XMLSchema", NULL, NULL},
    {"rci", "http://schemas.intel.com/platform/client/RemoteControl/2004/01", NULL, NULL},
    {"sai", "http://schemas.intel.com/platform/client/SecurityAdministration/2004/01", NULL, NULL},
    {"net", "http://schemas.intel.com/platform/client/NetworkAdministration/2004/01", NULL, NULL},
    {"hwa", "http://schemas.intel.com/platform/client/HardwareAsset/2004/01", NULL, NULL},
    {"emi", "http://schemas.intel.com/platform/client/EventManager/2004/01", NULL, NULL},
    {"cb", "http://schemas.intel.com/2004/12/management/PC/CircuitBreaker", NULL, NULL},
    {"idr", "http://schemas.intel.com/platform/client/Redirection/2004/01", NULL, NULL},
    {"tim", "http://schemas.intel.com/platform/client/NetworkTime/2004/01", NULL, NULL},
    {NULL, NULL, NULL, NULL},
};

static const struct service {
    const char *path;
    const char *prefix; /* of its operations in the table of namespaces */
    uint32_t realms;    /* bits of those that open it */
} services[] = {
    {"/RemoteControlService", "rci:", REALM_BIT(REALM_REMOTE_CONTROL)},
    {"/SecurityAdministrationService", "sai:", REALM_BIT(REALM_GENERAL) | REALM_BIT(REALM_ADMINISTRATOR)},
    {"/NetworkAdministrationService", "net:", REALM_BIT(REALM_GENERAL)},
    {"/HardwareAssetService", "hwa:", REALM_BIT(REALM_HARDWARE)},
    {"/EventManagerService", "emi:", REALM_BIT(REALM_EVENT_MANAGER)},
    {"/CircuitBreakerService", "cb:", REALM_BIT(REALM_CIRCUIT_BREAKER)},
    {"/RedirectionService", "idr:", REALM_BIT(REALM_REDIRECTION)},
    {"/NetworkTimeService", "tim:", REALM_BIT(REALM_TIME)},
};

/* One request under way. */
struct exchange {
    struct device *device;
    const struct service *service;
    struct view left; /* of the request, to be read */
    struct buf *out;
    struct wsman_result result;
};

static const struct service *find_service(struct view path)
{
    if (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        if (view_eq(path, services[i].path))
            return &services[i];
    }
    return NULL;
}

bool eoi_serves(const struct device *device, struct view path)
{
    return device->generation->eoi && find_service(path) != NULL;
}

/* --- gSOAP's input and output --- */

static size_t take(struct soap *soap, char *to, size_t n)
{
    struct exchange *x = soap->user;
    if (n > x->left.n)
        n = x->left.n;
    memcpy(to, x->left.p, n);
    x->left = (struct view){x->left.p + n, x->left.n - n};
    return n;
}

static int give(struct soap *soap, const char *p, size_t n)
{
    struct exchange *x = soap->user;
    buf_add(x->out, p, n);
    return buf_ok(x->out) ? SOAP_OK : SOAP_EOM;
}

/* One for all requests: it is large, and there is one thread. */
static struct soap *parser(void)
{
    static struct soap *soap;
    if (soap != NULL)
        return soap;
    soap = soap_new2(SOAP_ENC_PLAIN | SOAP_XML_TREE | SOAP_C_UTFSTRING,
                     SOAP_ENC_PLAIN | SOAP_XML_TREE | SOAP_C_UTFSTRING);
    if (soap == NULL)
        abort();
    soap->frecv = take;
    soap->fsend = give;
    soap->maxlevel = DEPTH_MAX;
    soap->maxlength = STRING_MAX;
    soap->maxoccurs = ITEMS_MAX;
    return soap;
}

/* A document with a DTD is none of SOAP's, and what is no XML might be an attachment to gSOAP. */
static bool is_document(struct view body)
{
    while (body.n > 0 && strchr(" \t\r\n", *body.p) != NULL && *body.p != '\0')
        body = (struct view){body.p + 1, body.n - 1};
    return body.n > 0 && *body.p == '<' && memmem(body.p, body.n, "<!DOCTYPE", 9) == NULL &&
           memmem(body.p, body.n, "<!ENTITY", 8) == NULL;
}

/* The operation's element must be of the service whose path was posted to. */
static bool is_of_service(struct soap *soap, const struct service *service)
{
    char tag[SOAP_TAGLEN];
    const char *colon = strchr(soap->tag, ':');
    snprintf(tag, sizeof(tag), "%s%s", service->prefix, colon != NULL ? colon + 1 : soap->tag);
    return soap_match_tag(soap, soap->tag, tag) == SOAP_OK;
}

static int serve(struct soap *soap, struct exchange *x)
{
    if (x->left.n > BODY_MAX || !is_document(x->left))
        return soap->error = SOAP_SYNTAX_ERROR;
    if (soap_begin_recv(soap) || soap_envelope_begin_in(soap) || soap_recv_header(soap) ||
        soap_body_begin_in(soap))
        return soap->error;
    if (soap_peek_element(soap) != SOAP_OK || !is_of_service(soap, x->service))
        return soap->error = SOAP_NO_METHOD;
    return soap_serve_request(soap);
}

struct wsman_result eoi_answer(struct device *d, struct view path, struct view body, uint32_t realms,
                               struct buf *out)
{
    struct exchange x = {
        .device = d, .service = find_service(path), .left = body, .out = out, .result = {.status = 200}};
    struct soap *soap = parser();
    x.result.class_name = x.service->path + 1;
    if ((realms & (x.service->realms | REALM_BIT(REALM_ADMINISTRATOR))) == 0) {
        x.result.status = 401;
        return x.result;
    }
    soap->user = &x;
    soap_begin(soap);
    size_t before = out->len;
    if (serve(soap, &x) != SOAP_OK) {
        out->len = before;
        x.result.status = 500;
        record_count(d, RECORD_SOAP_FAULTS);
        soap_sender_fault(soap, "The request is no message of this service", NULL); /* echoes nothing of it */
        soap_send_fault(soap);
    }
    soap_destroy(soap);
    soap_dealloc(soap, NULL); /* its tables are cleared by the next soap_begin */
    soap->user = NULL;
    return x.result;
}

/* --- operations --- */

static unsigned struck(struct exchange *x, const char *operation)
{
    struct device *d = x->device;
    const char *service = x->service->path + 1;
    if (!setup_done(d))
        return PT_NOT_PERMITTED;
    if (d->plan == NULL)
        return PT_SUCCESS;
    if (fault_strike(d, FAULT_ACCESS_DENIED, service, operation) != NULL)
        return PT_NOT_PERMITTED;
    const struct fault *busy = fault_pending(d, FAULT_BUSY);
    if (busy == NULL || busy->how == FAULT_BY_503 || fault_strike(d, FAULT_BUSY, service, operation) == NULL)
        return PT_SUCCESS;
    return busy->how == FAULT_BY_RETURN && busy->value != 0 ? busy->value : PT_NOT_READY;
}

struct device *eoi_enter(struct soap *soap, const char *operation, bool changes, unsigned **status)
{
    struct exchange *x = soap->user;
    x->result.method = operation;
    unsigned value = struck(x, operation);
    x->result.acted = changes && value == PT_SUCCESS;
    *status = eoi_number(soap, value);
    return value == PT_SUCCESS ? x->device : NULL;
}

int eoi_leave(struct soap *soap, unsigned **status, unsigned value)
{
    struct exchange *x = soap->user;
    *status = eoi_number(soap, value);
    if (value != PT_SUCCESS)
        x->result.acted = false;
    return SOAP_OK;
}

unsigned eoi_check_interface(const struct device *d, const unsigned *interface)
{
    if (interface == NULL)
        return PT_INVALID_PARAMETER;
    return defense_has_port(d, *interface) ? PT_SUCCESS : PT_INVALID_HANDLE;
}

unsigned eoi_value(const unsigned *number)
{
    return number != NULL ? *number : 0;
}

unsigned *eoi_number(struct soap *soap, unsigned value)
{
    unsigned *p = soap_malloc(soap, sizeof(*p));
    if (p == NULL)
        abort();
    *p = value;
    return p;
}

char *eoi_text(struct soap *soap, const char *text)
{
    return soap_strdup(soap, text);
}

void *eoi_flag(struct soap *soap, bool value)
{
    enum xsd__boolean *p = soap_malloc(soap, sizeof(*p));
    if (p == NULL)
        abort();
    *p = value ? true_ : false_;
    return p;
}
