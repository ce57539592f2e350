/* A WS-Management request to AMT, before it is text. (reference wsman.md, section 2)
 *
 * Built up by the functions below, then given to a call (call.h), which turns it into messages. Class names
 * are those of the schema ("AMT_GeneralSettings"); the namespace follows from the prefix AMT_, IPS_ or CIM_.
 */
#ifndef WSMAN_REQUEST_H
#define WSMAN_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/xml.h"

enum wsman_verb {
    WSMAN_IDENTIFY,
    WSMAN_GET,
    WSMAN_PUT,
    WSMAN_CREATE,
    WSMAN_DELETE,
    WSMAN_ENUMERATE, /* with all its Pulls; Release when it is given up early */
    WSMAN_INVOKE,
    WSMAN_SUBSCRIBE,
    WSMAN_UNSUBSCRIBE,
};

struct wsman_request; /* opaque */

/* One selector or EPR selector list: name/value pairs, ended by {NULL}. */
struct wsman_selector {
    const char *name;
    const char *value;
};

/* class_name is ignored for WSMAN_IDENTIFY, method is for WSMAN_INVOKE only. Strings are copied. */
struct wsman_request *wsman_request_new(enum wsman_verb verb, const char *class_name, const char *method);
void wsman_request_free(struct wsman_request *rq); /* NULL is fine; wipes secret values */

enum wsman_verb wsman_request_verb(const struct wsman_request *rq);
const char *wsman_request_class(const struct wsman_request *rq);
const char *wsman_request_method(const struct wsman_request *rq); /* "" when none */
/* "Get AMT_GeneralSettings", "CIM_PowerManagementService.RequestPowerStateChange": for logs and errors.
 * Borrowed. */
const char *wsman_request_name(const struct wsman_request *rq);

/* Selectors of the header. All copy. */
void wsman_select(struct wsman_request *rq, const char *name, const char *value);
void wsman_select_epr(struct wsman_request *rq, const char *name, const char *class_name,
                      const struct wsman_selector *selectors);

/* Properties of the body (Put, Create) or parameters of a method (Invoke), in the order given. All copy.
 * A name given several times is an array. */
void wsman_add_str(struct wsman_request *rq, const char *name, const char *value);
void wsman_add_u32(struct wsman_request *rq, const char *name, uint32_t value);
void wsman_add_bool(struct wsman_request *rq, const char *name, bool value);
void wsman_add_base64(struct wsman_request *rq, const char *name, const void *p, size_t n);
/* A datetime, wrapped as AMT wants it (common namespace). value is RFC 3339 text. */
void wsman_add_datetime(struct wsman_request *rq, const char *name, const char *value);
/* An endpoint reference to the instance with these selectors. */
void wsman_add_epr(struct wsman_request *rq, const char *name, const char *class_name,
                   const struct wsman_selector *selectors);
/* A secret string: wiped with the request and with every message made of it. */
void wsman_add_secret(struct wsman_request *rq, const char *name, const char *value);

/* For read-modify-write: takes over all properties of an instance that was read (EPRs, embedded datetimes and
 * arrays as they are), leaving out the names of `drop` (ended by NULL; may be NULL). */
void wsman_add_instance(struct wsman_request *rq, struct xml_doc *doc, struct xml_el instance,
                        const char *const drop[]);
/* Replaces the value(s) of a property that is there; false (nothing done) when it is not: AMT versions lack
 * some. */
bool wsman_replace_str(struct wsman_request *rq, const char *name, const char *value);
bool wsman_replace_bool(struct wsman_request *rq, const char *name, bool value);
bool wsman_replace_u32(struct wsman_request *rq, const char *name, uint32_t value);
bool wsman_has(const struct wsman_request *rq, const char *name);

/* What was given, for those that put a request in other words (eoi/). Borrowed; NULL or false: not there, or
 * not of that form. The i-th of a name that was given several times. */
const char *wsman_request_text(const struct wsman_request *rq, const char *name, size_t i);
bool wsman_request_u32(const struct wsman_request *rq, const char *name, uint32_t *out);
bool wsman_request_bool(const struct wsman_request *rq, const char *name, bool *out);
/* A selector of the header, of a reference in the body, of a reference among the selectors. */
const char *wsman_request_selector(const struct wsman_request *rq, const char *name);
const char *wsman_request_reference(const struct wsman_request *rq, const char *name, const char *selector);
const char *wsman_request_selected(const struct wsman_request *rq, const char *name, const char *selector);

/* Subscribe: where events go and how. `arg` comes back with every event, NULL for none. user/password are for
 * a sink that asks for digest, or NULL. (section 3.7) */
struct wsman_delivery {
    bool ack; /* PushWithAck, else Push */
    const char *url;
    const char *arg;
    const char *user;
    const char *password;
};
void wsman_set_delivery(struct wsman_request *rq, const struct wsman_delivery *delivery);

/* --- text --- */

#define WSMAN_ENVELOPE_MAX 50000 /* bytes; AMT's own limit both ways (section 2.2) */

/* Appends the whole message with this MessageID. `op` is the request's own verb; for the messages that follow
 * an Enumerate see wsman_write_pull and _release. -1 (limit-exceeded) beyond WSMAN_ENVELOPE_MAX. */
int wsman_write(const struct wsman_request *rq, uint32_t message_id, struct buf *out, struct err *err);
int wsman_write_pull(const struct wsman_request *rq, uint32_t message_id, const char *context,
                     struct buf *out, struct err *err);
int wsman_write_release(const struct wsman_request *rq, uint32_t message_id, const char *context,
                        struct buf *out, struct err *err);

/* The namespace of a class by its prefix: appended. False for a name without a known prefix. */
bool wsman_class_ns(const char *class_name, struct buf *out);

#endif
