#include "wsman/eoi/eoi.h"

#include <eoiH.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/answer.h"
#include "wsman/eoi/eoi_internal.h"
#include "wsman/names.h"

#define ITEMS_MAX (512 * 1024)

static const struct eoi_row *const tables[] = {eoi_account_rows,  eoi_control_rows,     eoi_settings_rows,
                                               eoi_hardware_rows, eoi_event_rows,       eoi_alert_rows,
                                               eoi_breaker_rows,  eoi_breaker_port_rows};

struct eoi *eoi_new(void)
{
    struct eoi *eoi = xcalloc(1, sizeof(*eoi));

    eoi->body = buf_init_secret(EOI_MESSAGE_MAX);
    eoi->items = buf_init(ITEMS_MAX);
    return eoi;
}

static void drop_arena(struct eoi *eoi)
{
    while (eoi->arena) {
        struct eoi_arena *next = eoi->arena->next;

        secret_wipe(eoi->arena + 1, eoi->arena->size);
        free(eoi->arena);
        eoi->arena = next;
    }
}

void eoi_free(struct eoi *eoi)
{
    if (!eoi)
        return;
    drop_arena(eoi);
    buf_free(&eoi->body);
    buf_free(&eoi->items);
    free(eoi);
}

const struct buf *eoi_body(const struct eoi *eoi)
{
    return &eoi->body;
}

static const struct eoi_step *step_of(const struct eoi *eoi)
{
    return &eoi->row->steps[eoi->at];
}

const char *eoi_path(const struct eoi *eoi)
{
    return eoi_op_path(step_of(eoi)->op);
}

const struct wsman_request *eoi_request(const struct eoi *eoi)
{
    return wsman_call_request(eoi->call);
}

/* --- parts of requests --- */

void *eoi_alloc(struct eoi *eoi, size_t size)
{
    struct eoi_arena *block = xcalloc(1, sizeof(*block) + size);

    block->next = eoi->arena;
    block->size = size;
    eoi->arena = block;
    return block + 1;
}

unsigned *eoi_number(struct eoi *eoi, uint32_t value)
{
    unsigned *p = eoi_alloc(eoi, sizeof(*p));

    *p = value;
    return p;
}

void *eoi_flag(struct eoi *eoi, bool value)
{
    enum xsd__boolean *p = eoi_alloc(eoi, sizeof(*p));

    *p = value ? true_ : false_;
    return p;
}

char *eoi_text(struct eoi *eoi, const char *text)
{
    size_t n = strlen(text) + 1;

    return memcpy(eoi_alloc(eoi, n), text, n);
}

/* --- instances --- */

void eoi_show(struct eoi *eoi, const char *class_name)
{
    buf_printf(&eoi->items, "<%s>", class_name);
}

void eoi_shown(struct eoi *eoi, const char *class_name)
{
    buf_printf(&eoi->items, "</%s>", class_name);
}

void eoi_show_text(struct eoi *eoi, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(&eoi->items, "<%s>", name);
    xml_escape(&eoi->items, value);
    buf_printf(&eoi->items, "</%s>", name);
}

void eoi_show_number(struct eoi *eoi, const char *name, uint32_t value)
{
    buf_printf(&eoi->items, "<%s>%u</%s>", name, value, name);
}

void eoi_show_maybe(struct eoi *eoi, const char *name, const unsigned *value)
{
    if (value)
        eoi_show_number(eoi, name, *value);
}

void eoi_show_flag(struct eoi *eoi, const char *name, bool value)
{
    buf_printf(&eoi->items, "<%s>%s</%s>", name, value ? "true" : "false", name);
}

void eoi_show_ipv4(struct eoi *eoi, const char *name, const unsigned *number)
{
    if (number)
        buf_printf(&eoi->items, "<%s>%u.%u.%u.%u</%s>", name, *number >> 24, *number >> 16 & 255,
                   *number >> 8 & 255, *number & 255, name);
}

void eoi_show_reference(struct eoi *eoi, const char *name, const char *class_name,
                        const struct wsman_selector *selectors)
{
    buf_printf(&eoi->items,
               "<%s><a:Address>" URI_ANONYMOUS "</a:Address><a:ReferenceParameters><w:ResourceURI>", name);
    wsman_class_ns(class_name, &eoi->items);
    buf_puts(&eoi->items, "</w:ResourceURI><w:SelectorSet>");
    for (; selectors->name; selectors++) {
        buf_printf(&eoi->items, "<w:Selector Name=\"%s\">", selectors->name);
        xml_escape(&eoi->items, selectors->value);
        buf_puts(&eoi->items, "</w:Selector>");
    }
    buf_printf(&eoi->items, "</w:SelectorSet></a:ReferenceParameters></%s>", name);
}

void eoi_take_handles(struct eoi *eoi, const unsigned *handles, int count)
{
    for (int i = 0; i < count && eoi->handle_count < EOI_HANDLES_MAX; i++)
        eoi->handles[eoi->handle_count++] = handles[i];
}

/* Such structures have the same members under other names; gSOAP keeps the order of the descriptions. */
int eoi_take_listed(struct eoi *eoi, const void *out, struct err *err)
{
    struct {
        unsigned *status;
        int count;
        unsigned *handles;
    } answer;

    _Static_assert(sizeof(answer) == sizeof(struct _cb__CbFilterEnumerateResponse), "a list of handles");
    (void)err;
    memcpy(&answer, out, sizeof(answer));
    eoi_take_handles(eoi, answer.handles, answer.count);
    return EOI_NEXT;
}

int eoi_fill_handle(struct eoi *eoi, void *in, struct err *err)
{
    (void)err;
    if (eoi->handle_at == eoi->handle_count)
        return EOI_PASS;
    *(unsigned **)in = eoi_number(eoi, eoi->handles[eoi->handle_at]);
    return EOI_ASK;
}

int eoi_fill_selected(struct eoi *eoi, void *in, struct err *err)
{
    const struct wsman_request *rq = eoi_request(eoi);
    const char *id = wsman_request_selector(rq, "InstanceID");
    uint64_t handle = 0;

    (void)err;
    text_u64(id ? id : wsman_request_selector(rq, "Name"), 0, UINT32_MAX, &handle);
    *(unsigned **)in = eoi_number(eoi, (uint32_t)handle);
    return EOI_ASK;
}

int eoi_missing(struct eoi *eoi, const char *name, struct err *err)
{
    const struct eoi_step *step = step_of(eoi);

    return err_set(err, CAUSE_BAD_ANSWER, "%s.%s: the answer has no %s", eoi_op_service(step->op),
                   eoi_op_name(step->op), name);
}

/* --- one call --- */

/* What there is once may be enumerated as well. */
static bool is_for(const struct eoi_row *row, const struct wsman_request *rq)
{
    enum wsman_verb verb = wsman_request_verb(rq);
    bool verbs = row->verb == verb || (row->verb == WSMAN_GET && verb == WSMAN_ENUMERATE);

    return verbs && strcmp(row->class_name, wsman_request_class(rq)) == 0 &&
           (!row->method || strcmp(row->method, wsman_request_method(rq)) == 0);
}

static const struct eoi_row *find_row(const struct wsman_request *rq)
{
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
        for (const struct eoi_row *row = tables[t]; row->class_name; row++)
            if (is_for(row, rq))
                return row;
    return NULL;
}

/* Everything was asked: what was found becomes the call's result. */
static enum eoi_progress finish(struct eoi *eoi, struct err *err)
{
    static const char head[] =
        "<i xmlns=\"" NS_INSTANCE "\" xmlns:a=\"" NS_ADDRESSING "\" xmlns:w=\"" NS_WSMAN "\">";
    struct buf text = buf_init(ITEMS_MAX + sizeof(head) + 8);
    struct xml_doc *doc;
    int rc = -1;

    if (!eoi->call)
        return EOI_FINISHED;
    buf_puts(&text, head);
    buf_add(&text, eoi->items.p, eoi->items.len);
    buf_puts(&text, "</i>");
    if (!buf_ok(&eoi->items) || !buf_ok(&text)) {
        err_set(err, CAUSE_TOO_LARGE, "%s: the device has more than %d bytes to tell",
                wsman_request_name(eoi_request(eoi)), ITEMS_MAX);
    } else {
        doc = xml_parse(text.p, text.len, text.len, "instances", err);
        rc = doc ? wsman_call_give(eoi->call, doc, eoi->result, err) : -1;
    }
    buf_free(&text);
    return rc == 0 ? EOI_FINISHED : EOI_FAILED;
}

/* Goes through the steps until one has something to send. */
static enum eoi_progress advance(struct eoi *eoi, struct err *err)
{
    for (; eoi->at < eoi->row->count; eoi->at++) {
        const struct eoi_step *step = step_of(eoi);
        void *in = eoi_alloc(eoi, step->op == EOI_LOCAL ? 1 : eoi_in_size(step->op) + 1);
        int rc = step->fill ? step->fill(eoi, in, err) : EOI_ASK;

        if (rc == EOI_FAIL)
            return EOI_FAILED;
        if (rc == EOI_PASS)
            continue;
        buf_reset(&eoi->body);
        rc = eoi_write(step->op, in, &eoi->body, err);
        drop_arena(eoi);
        return rc == 0 ? EOI_SEND : EOI_FAILED;
    }
    drop_arena(eoi);
    return finish(eoi, err);
}

static enum eoi_progress start(struct eoi *eoi, struct wsman_call *call, const struct eoi_row *row,
                               struct err *err)
{
    eoi->call = call;
    eoi->row = row;
    eoi->at = 0;
    eoi->result = 0;
    eoi->handle_count = eoi->handle_at = 0;
    buf_reset(&eoi->items);
    return advance(eoi, err);
}

enum eoi_progress eoi_begin(struct eoi *eoi, struct wsman_call *call, struct err *err)
{
    const struct wsman_request *rq = wsman_call_request(call);
    const struct eoi_row *row = find_row(rq);

    if (!row) {
        err_set(err, CAUSE_UNSUPPORTED, "%s: the interface of this generation has nothing like it",
                wsman_request_name(rq));
        err_code(err, WSMAN_CODE_ABSENT);
        return EOI_FAILED;
    }
    return start(eoi, call, row, err);
}

enum eoi_progress eoi_end(struct eoi *eoi, struct err *err)
{
    return start(eoi, NULL, &eoi_boot_row, err);
}

/* --- answers --- */

/* A method's status is its ReturnValue; elsewhere it is why there is no answer. CIM's methods have numbers of
 * their own for the few that mean something else there. */
static int refused(struct eoi *eoi, uint32_t status, struct err *err)
{
    enum eoi_op op = step_of(eoi)->op;

    if (eoi->call && wsman_request_verb(eoi_request(eoi)) == WSMAN_INVOKE) {
        bool cim = strncmp(eoi->row->class_name, "CIM_", 4) == 0;

        eoi->result = cim && status == 1 ? 4 : cim && status == 2 ? 4099 : status;
        return 0;
    }
    wsman_return_value_to_err(eoi_op_service(op), eoi_op_name(op), status, err);
    err_code(err, "PT_STATUS 0x%x", status);
    return -1;
}

static enum eoi_progress taken(struct eoi *eoi, int where, struct err *err)
{
    if (where == EOI_FAIL)
        return EOI_FAILED;
    if (where != EOI_AGAIN)
        eoi->at++;
    return advance(eoi, err);
}

static enum eoi_progress failed(struct eoi *eoi, int http_status, struct err *err)
{
    const struct eoi_step *step = step_of(eoi);

    if (http_status == 404) { /* a service that this generation does not have */
        err_set(err, CAUSE_UNSUPPORTED, "the device has no %s", eoi_op_service(step->op));
        err_code(err, WSMAN_CODE_ABSENT);
    }
    if (!step->may_fail || (err->cause != CAUSE_FAULT && err->cause != CAUSE_UNSUPPORTED))
        return EOI_FAILED;
    err_clear(err);
    return taken(eoi, step->take ? step->take(eoi, NULL, err) : EOI_NEXT, err);
}

enum eoi_progress eoi_answer(struct eoi *eoi, int http_status, const void *p, size_t n, struct err *err)
{
    const struct eoi_step *step = step_of(eoi);
    struct eoi_reading *reading = eoi_read(step->op, http_status, p, n, err);
    uint32_t status;
    int where = EOI_NEXT;

    if (!reading)
        return failed(eoi, http_status, err);
    status = eoi_reading_status(reading);
    if (status == 0 && step->take)
        where = step->take(eoi, eoi_reading_out(reading), err);
    eoi_reading_free(reading);
    if (status == 0)
        return taken(eoi, where, err);
    if (refused(eoi, status, err) < 0)
        return failed(eoi, http_status, err);
    return finish(eoi, err);
}
