/* The API: one table of calls, served by every transport. Names and JSON shapes: docs/api.md. */
#ifndef AMTD_API_API_H
#define AMTD_API_API_H

#include <jansson.h>
#include <stdbool.h>

#include "amtd/store/rights.h"
#include "amtd/store/store.h"
#include "base/err.h"

struct daemon;      /* amtd/daemon.h: the parts a handler may reach */
struct api_request; /* one call under way */
struct api_list;

/* On what the role of a call is needed. */
enum api_scope {
    API_ALL,     /* every host, those to come included: for what belongs to no host or to all */
    API_ANY,     /* any host; the answer tells nothing that is for others */
    API_TARGET,  /* the hosts of the target, in the transaction that looks it up: tx_target, run_order.user */
    API_HOST,    /* the parameter `host` */
    API_RUN,     /* the hosts of the parameter `run` */
    API_CONSOLE, /* the console `name`: operate and above are the right to write, else the right to watch */
    API_CONSOLES, /* the consoles `names`, by the handler: console_require leaves out the others */
};

enum api_type { API_STRING, API_INTEGER, API_BOOLEAN, API_OBJECT, API_ARRAY };
/* What the activity log says of a parameter. */
enum api_told {
    API_TOLD,    /* its value */
    API_SECRET,  /* that there was one */
    API_CONTENT, /* nothing: what somebody typed or wrote, whole files, how the answer is wanted */
};
struct api_param {
    const char *name; /* NULL ends the list */
    enum api_type type;
    bool required;
    const char *text; /* for documentation and errors */
    enum api_told told;
};

/* Exactly one of work, start and list is set. */
struct api_call {
    const char *name; /* "host.add" */
    enum api_role role;
    const struct api_param
        *params; /* an unknown or missing one is invalid-argument, all mistakes in one message */
    bool quiet;  /* reads only: not written to the activity log */
    /* Runs on the store's thread, in a transaction; *reply is taken over. With a failure it becomes the
     * failure's `details`: what a program needs to show where the mistakes are. */
    int (*work)(struct tx *tx, const json_t *params, json_t **reply, struct err *err);
    /* Runs on the loop's thread and ends with api_reply or api_fail, now or later. */
    void (*start)(struct api_request *rq);
    const char *summary;
    enum api_scope scope;
    const struct api_list *list; /* answers with rows, as many as there are (listing.h) */
};

extern const struct api_call api_calls[]; /* ended by name NULL */

/* --- for start handlers, loop's thread --- */
struct daemon *api_daemon(const struct api_request *rq);
const json_t *api_params(const struct api_request *rq);
const char *api_who(const struct api_request *rq); /* "uid 1000 (anna)" */
/* The caller's account on this machine; -1: he has none here. */
int64_t api_uid(const struct api_request *rq);
const struct user *api_user(const struct api_request *rq);
const struct reach *api_reach(const struct api_request *rq); /* of the caller, when the call began */
/* For works of a call that are handed to the store by it; borrows from rq. */
struct actor api_actor(const struct api_request *rq);
/* 0, or -1 and err (denied) when the caller does not have the role on every host: for calls whose role
 * depends on what is asked. */
int api_require(const struct api_request *rq, enum api_role role, struct err *err);
/* On one host: also not-found, when he may not even watch it. */
int api_require_on(const struct api_request *rq, const char *host, enum api_role role, struct err *err);
/* Objects among the parameters that have some of their own: all mistakes in one message; nulls are taken
 * away.
 */
int api_check(const struct api_param *params, json_t *object, struct err *err);
/* Sends an event to the caller; takes the reference. Dropped silently when the caller is gone. */
void api_event(struct api_request *rq, json_t *event);
/* Sends an event that is what became of a host: a row. It is written between these two: begin gives where.
 */
struct rows *api_row_begin(struct api_request *rq);
void api_row_end(struct api_request *rq);
/* Writes down that it has begun with these hosts, before its end is known: for calls that take long. state
 * has `run` and `hosts` where it is a run; borrowed. */
void api_begun(struct api_request *rq, const json_t *state, const struct hosts *hosts);
/* Ends the call; rq must not be used after. Takes the reference. */
void api_reply(struct api_request *rq, json_t *reply);
void api_fail(struct api_request *rq, const struct err *err);
/* Writes down that a part of it was denied; the call goes on. */
void api_denied(struct api_request *rq, const struct err *err);
/* With details (may be NULL), whose reference it takes. */
void api_fail_with(struct api_request *rq, const struct err *err, json_t *details);
/* How many bytes of events the caller has not taken yet: producers of much should wait above API_HIGH_WATER
 * until the `drained` function is called. */
#define API_HIGH_WATER (1024 * 1024)
size_t api_backlog(const struct api_request *rq);
void api_on_drained(struct api_request *rq, void (*drained)(struct api_request *rq, void *arg), void *arg);
/* Called when the caller hung up; the request stays valid until api_reply or api_fail. */
void api_on_gone(struct api_request *rq, void (*gone)(struct api_request *rq, void *arg), void *arg);

#endif
