/* One WS-Management operation as a machine without I/O: it yields bodies to POST and is fed answers, until it
 * has a result. Most operations take one exchange; an Enumerate takes one more for every Pull. */
#ifndef WSMAN_CALL_H
#define WSMAN_CALL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "wsman/answer.h"
#include "wsman/request.h"
#include "wsman/value.h"

#define WSMAN_PULLS_MAX 64   /* Pulls of one Enumerate */
#define WSMAN_ITEMS_MAX 4096 /* instances of one Enumerate */

struct wsman_call;

/* Takes the request over. */
struct wsman_call *wsman_call_new(struct wsman_request *rq);
void wsman_call_free(struct wsman_call *call); /* NULL is fine */
const struct wsman_request *wsman_call_request(const struct wsman_call *call);

/* Appends the next body to POST to /wsman. message_id is unique within the session. 0, or -1 with err. */
int wsman_call_body(struct wsman_call *call, uint32_t message_id, struct buf *out, struct err *err);

enum wsman_progress {
    WSMAN_FAILED = -1, /* err says why */
    WSMAN_FINISHED = 0,
    WSMAN_AGAIN = 1, /* POST wsman_call_body once more */
};
/* The device's answer to that body. An answer whose RelatesTo does not belong to it is bad-answer. */
enum wsman_progress wsman_call_answer(struct wsman_call *call, int http_status, const void *p, size_t n,
                                      struct err *err);
/* The same for one that was read elsewhere, by wsman_answer_parse: unread is that one's failure, or NULL. The
 * answer is taken over, and cleared. */
enum wsman_progress wsman_call_heard(struct wsman_call *call, int http_status, struct wsman_answer *answer,
                                     const struct err *unread, struct err *err);

/* The result from elsewhere than WS-Management (eoi/): the children of doc's root are the instances. Takes
 * doc over, also when it fails (too many). */
int wsman_call_give(struct wsman_call *call, struct xml_doc *doc, uint32_t return_value, struct err *err);

/* --- the result, after WSMAN_FINISHED; borrowed from the call --- */

/* Number of instances: of an Enumerate any number, else 1 (0 when Body was empty). */
size_t wsman_call_count(const struct wsman_call *call);
struct wsman_obj wsman_call_obj(const struct wsman_call *call, size_t i);
/* First instance whose property has this value, or none. */
struct wsman_obj wsman_call_find(const struct wsman_call *call, const char *name, const char *value);
/* ReturnValue of a method (an answer without one is bad-answer). A non-zero value is still WSMAN_FINISHED:
 * services decide. */
uint32_t wsman_call_return_value(const struct wsman_call *call);

#endif
