#include "tests/amtsim/wsman.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tests/amtsim/class.h"
#include "tests/amtsim/context.h"
#include "tests/amtsim/envelope.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/record.h"
#include "tests/amtsim/setup.h"

#define NS_COMMON      "http://schemas.dmtf.org/wbem/wscim/1/common"
#define NS_ENUMERATION "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
#define NS_EVENTING    "http://schemas.xmlsoap.org/ws/2004/08/eventing"
#define NS_TRANSFER    "http://schemas.xmlsoap.org/ws/2004/09/transfer"
#define NS_URI_MAX     160
#define ANSWER_MAX     (MESSAGE_MAX - 2048) /* bytes of items, so that the envelope stays below the limit */

/* One request under way. */
struct job {
    struct device *device;
    struct message *m;
    const struct class_row *row;
    uint32_t realms; /* of the account that asks */
    struct buf *out;
    struct buf *part; /* what is written before it is known what comes in front of it */
    struct wsman_result *result;
};

/* Begins the answer: prefix g for extra, the next one for the namespace of the row's elements. */
static void begin(struct job *job, const char *extra, const struct class_row *row)
{
    char uri[NS_URI_MAX];
    const char *namespaces[4];
    size_t n = 0;
    if (extra != NULL)
        namespaces[n++] = extra;
    if (row != NULL) {
        snprintf(uri, sizeof(uri), "%s%s", epr_namespace(row->name), row->name);
        namespaces[n++] = uri;
    }
    if (row != NULL && row->datetime)
        namespaces[n++] = NS_COMMON;
    namespaces[n] = NULL;
    envelope_begin(job->out, job->device, job->m, namespaces);
}

static void write_instance(struct job *job, struct buf *b, const struct class_row *row, unsigned i,
                           char prefix)
{
    struct out o = out_xml(b, prefix);
    buf_printf(b, "<%c:%s>", prefix, row->name);
    class_write(row, job->device, i, &o);
    buf_printf(b, "</%c:%s>", prefix, row->name);
}

/* --- transfer --- */

static enum soap_fault answer_get(struct job *job)
{
    unsigned i;
    enum soap_fault fault =
        class_select(job->row, job->device, job->m->selectors, job->m->selector_count, &i);
    if (fault != SOAP_OK)
        return fault;
    begin(job, NULL, job->row);
    write_instance(job, job->out, job->row, i, 'g');
    envelope_end(job->out);
    return SOAP_OK;
}

/* The instance in a Put or Create must be of the class and hold what the schema requires. */
static enum soap_fault check_instance(const struct job *job)
{
    char name[64];
    if (!xml_is(job->m->body, job->m->uri, job->row->name))
        return SOAP_SCHEMA;
    const char *p = job->row->required;
    while (p != NULL && *p != '\0') {
        size_t n = strcspn(p, " ");
        snprintf(name, sizeof(name), "%.*s", (int)n, p);
        if (xml_child(job->m->body, NULL, name).node == NULL)
            return SOAP_MISSING_VALUES;
        p += n + (p[n] == ' ');
    }
    return SOAP_OK;
}

static struct call call_new(struct job *job, struct out *out)
{
    return (struct call){
        .device = job->device, .message = job->m, .row = job->row, .in = job->m->body, .out = out};
}

static enum soap_fault select_instance(struct job *job, struct call *call)
{
    return class_select(job->row, job->device, job->m->selectors, job->m->selector_count, &call->instance);
}

static enum soap_fault answer_put(struct job *job)
{
    enum soap_fault fault;
    struct call call = call_new(job, NULL);
    if (job->row->put == NULL)
        return SOAP_ACTION_NOT_SUPPORTED;
    if ((fault = select_instance(job, &call)) != SOAP_OK || (fault = check_instance(job)) != SOAP_OK)
        return fault;
    job->row->put(&call);
    if (call.fault != SOAP_OK)
        return call.fault;
    job->result->acted = true;
    record_change(job->device, job->row->name);
    begin(job, NULL, job->row);
    write_instance(job, job->out, job->row, call.instance, 'g');
    envelope_end(job->out);
    return SOAP_OK;
}

static enum soap_fault answer_create(struct job *job)
{
    struct epr epr = {0};
    struct call call = call_new(job, NULL);
    if (job->row->create == NULL)
        return SOAP_ACTION_NOT_SUPPORTED;
    enum soap_fault fault = check_instance(job);
    if (fault != SOAP_OK)
        return fault;
    job->row->create(&call, &epr);
    if (call.fault != SOAP_OK)
        return call.fault;
    job->result->acted = true;
    record_change(job->device, job->row->name);
    begin(job, NS_TRANSFER, job->row);
    struct out o = out_xml(job->out, 'g');
    out_epr(&o, "ResourceCreated", &epr);
    envelope_end(job->out);
    return SOAP_OK;
}

static enum soap_fault answer_delete(struct job *job)
{
    struct call call = call_new(job, NULL);
    if (job->row->remove == NULL)
        return SOAP_ACTION_NOT_SUPPORTED;
    if (job->m->selector_count == 0)
        return SOAP_INVALID_SELECTORS;
    enum soap_fault fault = select_instance(job, &call);
    if (fault != SOAP_OK)
        return fault;
    job->row->remove(&call);
    if (call.fault != SOAP_OK)
        return call.fault;
    job->result->acted = true;
    record_change(job->device, job->row->name);
    begin(job, NULL, NULL);
    envelope_end(job->out);
    return SOAP_OK;
}

/* --- enumeration --- */

/* True when row is the enumerated class or descends from it. */
static bool yields(const struct job *job, const struct class_row *row)
{
    while (row != NULL && row != job->row)
        row = row->parent != NULL ? class_find(job->device, row->parent) : NULL;
    return row != NULL;
}

/* The class and instance at a position of the enumeration's sequence; NULL behind the end. */
static const struct class_row *item_at(const struct job *job, unsigned position, unsigned *instance)
{
    unsigned n = class_instances(job->row, job->device);
    if (position < n) {
        *instance = position;
        return job->row;
    }
    position -= n;
    for (unsigned c = 0; c < class_count(); c++) {
        const struct class_row *row = class_at(c);
        if (row == job->row || row->parent == NULL || !class_known(job->device, row) || !yields(job, row))
            continue;
        n = class_instances(row, job->device);
        if (position < n) {
            *instance = position;
            return row;
        }
        position -= n;
    }
    return NULL;
}

static enum soap_fault answer_enumerate(struct job *job)
{
    char text[CONTEXT_TEXT_MAX];
    if (job->m->selector_count > 0)
        return SOAP_INVALID_SELECTORS;
    if (xml_child(job->m->body, NULL, "Filter").node != NULL)
        return SOAP_UNSUPPORTED;
    struct device_context *context = context_open(job->device, (uint16_t)class_index(job->row));
    begin(job, NS_ENUMERATION, NULL);
    buf_printf(job->out,
               "<g:EnumerateResponse><g:EnumerationContext>%s</g:EnumerationContext></g:EnumerateResponse>",
               context_text(context, text));
    envelope_end(job->out);
    return SOAP_OK;
}

static enum soap_fault find_context(struct job *job, struct device_context **context)
{
    struct xml_el el = xml_child(job->m->body, NS_ENUMERATION, "EnumerationContext");
    if (el.node == NULL)
        return SOAP_SCHEMA;
    *context = context_find(job->device, xml_text(job->m->doc, el), (uint16_t)class_index(job->row));
    return *context != NULL ? SOAP_OK : SOAP_INVALID_CONTEXT;
}

/* A limit of the request, or its default. */
static bool limit(struct job *job, const char *name, uint64_t *value)
{
    struct xml_el el = xml_child(job->m->body, NS_ENUMERATION, name);
    return el.node == NULL || text_u64(xml_text(job->m->doc, el), 1, UINT32_MAX, value);
}

/* Writes items of one class into job->part until a limit is reached; returns that class, NULL for no items.
 * A sequence that goes on with another class goes on in the next answer: prefixes are declared at the root.
 */
static const struct class_row *write_items(struct job *job, struct device_context *context, uint64_t elements,
                                           uint64_t characters)
{
    unsigned instance;
    const struct class_row *row = item_at(job, context->next, &instance), *first = row;
    buf_reset(job->part);
    for (uint64_t n = 0; row != NULL && row == first && n < elements; n++) {
        size_t before = job->part->len;
        write_instance(job, job->part, row, instance, 'h');
        if (n > 0 && (job->part->len > characters || job->part->len > ANSWER_MAX)) {
            job->part->len = before;
            break;
        }
        context->next++;
        row = item_at(job, context->next, &instance);
    }
    return first;
}

static enum soap_fault answer_pull(struct job *job)
{
    struct device_context *context;
    uint64_t elements = 1, characters = ANSWER_MAX;
    char text[CONTEXT_TEXT_MAX];
    unsigned instance;
    enum soap_fault fault = find_context(job, &context);
    if (fault != SOAP_OK)
        return fault;
    if (!limit(job, "MaxElements", &elements) || !limit(job, "MaxCharacters", &characters))
        return SOAP_SCHEMA;
    const struct class_row *row = write_items(job, context, elements, characters);
    bool more = item_at(job, context->next, &instance) != NULL;
    begin(job, NS_ENUMERATION, row != NULL ? row : job->row);
    buf_puts(job->out, "<g:PullResponse>");
    if (more) {
        buf_printf(job->out, "<g:EnumerationContext>%s</g:EnumerationContext>", context_text(context, text));
    }
    buf_puts(job->out, "<g:Items>");
    buf_add(job->out, job->part->p, job->part->len);
    buf_puts(job->out, more ? "</g:Items></g:PullResponse>"
                            : "</g:Items><g:EndOfSequence></g:EndOfSequence></g:PullResponse>");
    envelope_end(job->out);
    if (!more)
        context_close(context);
    return SOAP_OK;
}

static enum soap_fault answer_release(struct job *job)
{
    struct device_context *context;
    enum soap_fault fault = find_context(job, &context);
    if (fault != SOAP_OK)
        return fault;
    context_close(context);
    begin(job, NULL, NULL);
    envelope_end(job->out);
    return SOAP_OK;
}

/* --- methods --- */

static const struct class_method *find_method(const struct class_row *row, const char *name)
{
    const struct class_method *method = row->methods;
    while (method != NULL && method->name != NULL) {
        if (strcmp(method->name, name) == 0)
            return method;
        method++;
    }
    return NULL;
}

static enum soap_fault run_method(struct job *job, const struct class_method *method, uint32_t *value)
{
    struct out out = out_xml(job->part, 'g');
    struct call call = call_new(job, &out);
    const struct fault *busy = fault_pending(job->device, FAULT_BUSY);
    if (busy != NULL && busy->how == FAULT_BY_RETURN &&
        fault_strike(job->device, FAULT_BUSY, job->row->name, method->name) != NULL) {
        *value = busy->value != 0 ? busy->value : RET_BUSY;
        return SOAP_OK;
    }
    enum soap_fault fault = select_instance(job, &call);
    if (fault != SOAP_OK)
        return fault;
    *value = method->run(&call);
    return call.fault;
}

static enum soap_fault answer_invoke(struct job *job)
{
    char input[96];
    uint32_t value = 0;
    const struct class_method *method = find_method(job->row, job->m->method);
    if (method == NULL)
        return SOAP_ACTION_NOT_SUPPORTED;
    job->result->method = method->name;
    snprintf(input, sizeof(input), "%s_INPUT", method->name);
    if (job->m->body.node != NULL && !xml_is(job->m->body, job->m->uri, input))
        return SOAP_SCHEMA;
    buf_reset(job->part);
    enum soap_fault fault = run_method(job, method, &value);
    if (fault != SOAP_OK)
        return fault;
    job->result->acted = true;
    begin(job, NULL, job->row);
    buf_printf(job->out, "<g:%s_OUTPUT>", method->name);
    buf_add(job->out, job->part->p, job->part->len);
    buf_printf(job->out, "<g:ReturnValue>%u</g:ReturnValue></g:%s_OUTPUT>", value, method->name);
    envelope_end(job->out);
    return SOAP_OK;
}

/* --- events --- */

static enum soap_fault answer_subscribe(struct job *job)
{
    struct epr epr = {0};
    struct call call = call_new(job, NULL);
    if (job->row->subscribe == NULL)
        return SOAP_ACTION_NOT_SUPPORTED;
    enum soap_fault fault = select_instance(job, &call);
    if (fault != SOAP_OK)
        return fault;
    job->row->subscribe(&call, &epr);
    if (call.fault != SOAP_OK)
        return call.fault;
    job->result->acted = true;
    record_change(job->device, job->row->name);
    begin(job, NS_EVENTING, NULL);
    struct out o = out_xml(job->out, 'g');
    buf_puts(job->out, "<g:SubscribeResponse>");
    out_epr(&o, "SubscriptionManager", &epr);
    buf_puts(job->out, "<g:Expires>PT0S</g:Expires></g:SubscribeResponse>"); /* they last */
    envelope_end(job->out);
    return SOAP_OK;
}

static enum soap_fault answer_unsubscribe(struct job *job)
{
    struct call call = call_new(job, NULL);
    if (job->row->unsubscribe == NULL)
        return SOAP_ACTION_NOT_SUPPORTED;
    if (job->m->selector_count == 0)
        return SOAP_INVALID_SELECTORS;
    enum soap_fault fault = select_instance(job, &call);
    if (fault != SOAP_OK)
        return fault;
    job->row->unsubscribe(&call);
    job->result->acted = true;
    record_change(job->device, job->row->name);
    begin(job, NULL, NULL);
    envelope_end(job->out);
    return SOAP_OK;
}

static enum soap_fault (*const answers[])(struct job *job) = {
    [MESSAGE_GET] = answer_get,
    [MESSAGE_PUT] = answer_put,
    [MESSAGE_CREATE] = answer_create,
    [MESSAGE_DELETE] = answer_delete,
    [MESSAGE_ENUMERATE] = answer_enumerate,
    [MESSAGE_PULL] = answer_pull,
    [MESSAGE_RELEASE] = answer_release,
    [MESSAGE_SUBSCRIBE] = answer_subscribe,
    [MESSAGE_UNSUBSCRIBE] = answer_unsubscribe,
    [MESSAGE_INVOKE] = answer_invoke,
};

/* A device that is being set up lets nobody do more than look and configure. */
static bool open_before_setup(const char *class_name)
{
    static const char *const open[] = {"AMT_SetupAndConfigurationService", "AMT_GeneralSettings",
                                       "CIM_SoftwareIdentity", "IPS_HostBasedSetupService",
                                       "AMT_TimeSynchronizationService"};
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        if (strcmp(open[i], class_name) == 0)
            return true;
    }
    return false;
}

/* A fault of the scenario that is answered as a SOAP fault. */
static enum soap_fault struck(struct job *job)
{
    struct device *d = job->device;
    const char *name = job->row->name, *method = job->m->method;
    if (!setup_done(d) && !open_before_setup(name))
        return SOAP_ACCESS_DENIED;
    if (d->plan == NULL)
        return SOAP_OK;
    if (fault_strike(d, FAULT_ACCESS_DENIED, name, method) != NULL)
        return SOAP_ACCESS_DENIED;
    const struct fault *busy = fault_pending(d, FAULT_BUSY);
    if (busy != NULL && busy->how == FAULT_BY_QUOTA && fault_strike(d, FAULT_BUSY, name, method) != NULL)
        return SOAP_QUOTA_LIMIT;
    const struct fault *drop = fault_pending(d, FAULT_DROP);
    if (drop != NULL && drop->at == FAULT_AT_REQUEST &&
        drop->on != NULL && /* else web_fault.c has counted it */
        fault_strike(d, FAULT_DROP, name, method) != NULL) {
        job->result->lost = true;
        return SOAP_INTERNAL;
    }
    return SOAP_OK;
}

/* Methods that only look are named so. */
static bool changes_something(const struct message *m)
{
    static const char *const looking[] = {"Get", "Enumerate", "PositionTo", "Read"};
    if (m->op != MESSAGE_INVOKE)
        return m->op != MESSAGE_GET && m->op != MESSAGE_ENUMERATE && m->op != MESSAGE_PULL &&
               m->op != MESSAGE_RELEASE;
    for (size_t i = 0; i < sizeof(looking) / sizeof(looking[0]); i++) {
        if (strncmp(m->method, looking[i], strlen(looking[i])) == 0)
            return false;
    }
    return true;
}

static enum soap_fault answer(struct job *job, struct view body, bool tls)
{
    enum soap_fault fault = message_parse(job->m, body.p, body.n);
    if (fault != SOAP_OK)
        return fault;
    if (job->m->op == MESSAGE_IDENTIFY) {
        envelope_identify(job->out, job->device, tls);
        return SOAP_OK;
    }
    job->row = class_find(job->device, job->m->class_name);
    if (job->row == NULL)
        return SOAP_DESTINATION_UNREACHABLE;
    job->result->class_name = job->row->name;
    record_class(job->device, class_index(job->row));
    if (!class_open_to(job->row, job->device, job->realms, changes_something(job->m)))
        return SOAP_ACCESS_DENIED;
    fault = struck(job);
    return fault != SOAP_OK ? fault : answers[job->m->op](job);
}

struct wsman_result wsman_answer(struct device *device, struct view body, bool tls, uint32_t realms,
                                 struct buf *out)
{
    struct message m;
    struct wsman_result result = {.status = 200};
    struct job job = {.device = device,
                      .m = &m,
                      .realms = realms,
                      .out = out,
                      .part = &device->fleet->part,
                      .result = &result};
    enum soap_fault fault = answer(&job, body, tls);
    if (fault != SOAP_OK) {
        record_count(device, RECORD_SOAP_FAULTS);
        envelope_fault(out, device, &m, fault);
        result.status = soap_fault_text(fault)->status;
    }
    message_clear(&m);
    return result;
}
