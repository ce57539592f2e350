#include "wsman/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/names.h"

/* What the next body is. Every operation starts with its request; an Enumerate goes on with Pulls. */
enum stage { STAGE_REQUEST, STAGE_PULL, STAGE_OVER };

struct wsman_call {
    struct wsman_request *rq;
    enum stage stage;
    uint32_t message_id; /* of the body sent last */
    char *context;       /* of the enumeration */
    uint32_t pulls;
    struct wsman_answer *answers; /* all that hold results; owned */
    size_t answer_count;
    struct wsman_obj *objs;
    size_t count;
    uint32_t return_value;
};

struct wsman_call *wsman_call_new(struct wsman_request *rq)
{
    struct wsman_call *call = xcalloc(1, sizeof(*call));

    call->rq = rq;
    return call;
}

void wsman_call_free(struct wsman_call *call)
{
    if (!call)
        return;
    for (size_t i = 0; i < call->answer_count; i++)
        wsman_answer_clear(&call->answers[i]);
    free(call->answers);
    free(call->objs);
    free(call->context);
    wsman_request_free(call->rq);
    free(call);
}

const struct wsman_request *wsman_call_request(const struct wsman_call *call)
{
    return call->rq;
}

int wsman_call_body(struct wsman_call *call, uint32_t message_id, struct buf *out, struct err *err)
{
    call->message_id = message_id;
    if (call->stage == STAGE_PULL)
        return wsman_write_pull(call->rq, message_id, call->context, out, err);
    return wsman_write(call->rq, message_id, out, err);
}

static int keep_obj(struct wsman_call *call, struct xml_doc *doc, struct xml_el el, struct err *err)
{
    if (call->count == WSMAN_ITEMS_MAX)
        return err_set(err, CAUSE_TOO_LARGE, "%s: more than %d instances", wsman_request_name(call->rq),
                       WSMAN_ITEMS_MAX);
    /* Capacity grows by powers of two: the array is full exactly when count is one. */
    if ((call->count & (call->count - 1)) == 0)
        call->objs = xreallocarray(call->objs, call->count > 0 ? call->count * 2 : 1, sizeof(*call->objs));
    call->objs[call->count].doc = doc;
    call->objs[call->count++].el = el;
    return 0;
}

/* Takes the answer's document over: results are views on it. */
static void keep_answer(struct wsman_call *call, struct wsman_answer *answer)
{
    call->answers = xreallocarray(call->answers, call->answer_count + 1, sizeof(*call->answers));
    call->answers[call->answer_count++] = *answer;
    memset(answer, 0, sizeof(*answer));
}

static enum wsman_progress next_pull(struct wsman_call *call, const char *context, struct err *err)
{
    if (call->pulls++ == WSMAN_PULLS_MAX) {
        err_set(err, CAUSE_TOO_LARGE, "%s: not at its end after %d Pulls", wsman_request_name(call->rq),
                WSMAN_PULLS_MAX);
        return WSMAN_FAILED;
    }
    xreplace(&call->context, context);
    call->stage = STAGE_PULL;
    return WSMAN_AGAIN;
}

static enum wsman_progress pulled(struct wsman_call *call, struct wsman_answer *answer, struct err *err)
{
    struct xml_el item = xml_child(answer->items, NULL, NULL);
    char *context = xstrdup(answer->context);
    enum wsman_progress progress = WSMAN_FINISHED;

    /* Anything else would pass for the end of the list, and what is missing for absent. */
    if (!xml_is(answer->body, NS_ENUM, "PullResponse")) {
        free(context);
        err_set(err, CAUSE_BAD_ANSWER, "%s: a Pull was answered with something else",
                wsman_request_name(call->rq));
        return WSMAN_FAILED;
    }
    for (; item.node && progress == WSMAN_FINISHED; item = xml_next(item, NULL, NULL))
        if (keep_obj(call, answer->doc, item, err) != 0)
            progress = WSMAN_FAILED;
    keep_answer(call, answer);
    if (progress == WSMAN_FINISHED && context)
        progress = next_pull(call, context, err);
    free(context);
    return progress;
}

/* A method answers with METHOD_OUTPUT and its ReturnValue; without them nothing is known to have been done.
 */
static int read_output(struct wsman_call *call, struct wsman_obj obj, struct err *err)
{
    const char *method = wsman_request_method(call->rq);
    size_t n = strlen(method);
    const char *name = wsman_obj_class(obj);

    if (strncmp(name, method, n) == 0 && strcmp(name + n, "_OUTPUT") == 0 &&
        wsman_u32(obj, "ReturnValue", &call->return_value))
        return 0;
    return err_set(err, CAUSE_BAD_ANSWER, "%s: answered without a ReturnValue", wsman_request_name(call->rq));
}

static enum wsman_progress answered(struct wsman_call *call, struct wsman_answer *answer, struct err *err)
{
    struct wsman_obj obj = {answer->doc, answer->body};

    if (call->stage == STAGE_PULL)
        return pulled(call, answer, err);
    if (wsman_request_verb(call->rq) == WSMAN_ENUMERATE) {
        if (answer->context)
            return next_pull(call, answer->context, err);
        err_set(err, CAUSE_BAD_ANSWER, "%s: answered without a context", wsman_request_name(call->rq));
        return WSMAN_FAILED;
    }
    if (wsman_request_verb(call->rq) == WSMAN_INVOKE && read_output(call, obj, err) != 0)
        return WSMAN_FAILED;
    if (answer->body.node && keep_obj(call, answer->doc, answer->body, err) != 0)
        return WSMAN_FAILED;
    keep_answer(call, answer);
    return WSMAN_FINISHED;
}

/* Identify has no MessageID to relate to; some firmware leaves RelatesTo out of faults. */
static int check_relates(const struct wsman_call *call, const struct wsman_answer *answer, struct err *err)
{
    uint64_t id;

    if (wsman_request_verb(call->rq) == WSMAN_IDENTIFY || answer->relates[0] == '\0')
        return 0;
    if (text_u64(answer->relates, 0, UINT32_MAX, &id) && id == call->message_id)
        return 0;
    return err_set(err, CAUSE_BAD_ANSWER, "%s: the answer belongs to another request (%.40s)",
                   wsman_request_name(call->rq), answer->relates);
}

/* What only reads meets no limit of objects: the fault then means what its text says, that the service is
 * busy.
 */
static void judge_quota(const struct wsman_call *call, struct err *err)
{
    enum wsman_verb verb = wsman_request_verb(call->rq);

    if (err->cause == CAUSE_LIMIT_EXCEEDED && strcmp(err->code, "e:QuotaLimit") == 0 &&
        (verb == WSMAN_GET || verb == WSMAN_ENUMERATE))
        err->cause = CAUSE_BUSY;
}

enum wsman_progress wsman_call_heard(struct wsman_call *call, int http_status, struct wsman_answer *answer,
                                     const struct err *unread, struct err *err)
{
    const char *what = wsman_request_name(call->rq);
    enum wsman_progress progress = WSMAN_FAILED;

    if (unread) {
        /* A status that speaks for itself says more than that its page is no XML. */
        if (wsman_fault_to_err(NULL, http_status, what, err) == 0) {
            *err = *unread;
            err_context(err, "%s", what);
        }
    } else if (wsman_fault_to_err(answer, http_status, what, err) == 0 &&
               check_relates(call, answer, err) == 0) {
        progress = answered(call, answer, err);
    } else {
        judge_quota(call, err);
    }
    wsman_answer_clear(answer);
    if (progress == WSMAN_FINISHED)
        call->stage = STAGE_OVER;
    return progress;
}

enum wsman_progress wsman_call_answer(struct wsman_call *call, int http_status, const void *p, size_t n,
                                      struct err *err)
{
    struct wsman_answer answer;
    struct err unread = ERR_INIT;
    bool is_read = wsman_answer_parse(&answer, p, n, &unread) == 0;

    return wsman_call_heard(call, http_status, &answer, is_read ? NULL : &unread, err);
}

int wsman_call_give(struct wsman_call *call, struct xml_doc *doc, uint32_t return_value, struct err *err)
{
    struct wsman_answer answer = {.doc = doc};
    struct xml_el item = xml_child(xml_root(doc), NULL, NULL);
    int rc = 0;

    for (; item.node && rc == 0; item = xml_next(item, NULL, NULL))
        rc = keep_obj(call, doc, item, err);
    keep_answer(call, &answer);
    call->return_value = return_value;
    call->stage = STAGE_OVER;
    return rc;
}

size_t wsman_call_count(const struct wsman_call *call)
{
    return call->count;
}

struct wsman_obj wsman_call_obj(const struct wsman_call *call, size_t i)
{
    struct wsman_obj none = {NULL, {NULL}};

    return i < call->count ? call->objs[i] : none;
}

struct wsman_obj wsman_call_find(const struct wsman_call *call, const char *name, const char *value)
{
    struct wsman_obj none = {NULL, {NULL}};

    for (size_t i = 0; i < call->count; i++) {
        const char *text = wsman_str(call->objs[i], name);

        if (text && strcmp(text, value) == 0)
            return call->objs[i];
    }
    return none;
}

uint32_t wsman_call_return_value(const struct wsman_call *call)
{
    return call->return_value;
}
