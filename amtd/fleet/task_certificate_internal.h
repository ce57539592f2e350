/* What the files of the task `certificate` share: its arguments, and its work on one host.
 * (task_certificate.c: the task and what it keeps in the store; _known.c: what the store knows; _judge.c:
 * whose is what a device has; _errand.c: what the sequence holds on for; _find.c: what came of it.) For
 * task_certificate*.c only; loop's thread only. */
#ifndef AMTD_FLEET_TASK_CERTIFICATE_INTERNAL_H
#define AMTD_FLEET_TASK_CERTIFICATE_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/fleet/task.h"
#include "wsman/device_certificate.h"

#define DAY_MS                ((int64_t)24 * 3600 * 1000)
#define CERTIFICATE_DAYS      365
#define CERTIFICATE_WITHIN_MS (30 * DAY_MS)
#define AUTHORITIES_MAX       8 /* those renewed last */
#define FORMER_MAX            8
#define NAMES_MAX             4

enum certificate_do {
    CERTIFICATE_DO_ISSUE,
    CERTIFICATE_DO_RENEW,
    CERTIFICATE_DO_CHECK,
    CERTIFICATE_DO_REMOVE,
};

struct certificate_args {
    int action;        /* enum certificate_do */
    int mutual, plain; /* enum certificate_switch */
    bool push_key, force;
    uint32_t days;     /* 0: CERTIFICATE_DAYS */
    int64_t within_ms; /* 0: CERTIFICATE_WITHIN_MS */
};

struct certificate_errand;
struct certificate_proof;

struct certificate_work {
    struct certificate_seq seq; /* first */
    const struct certificate_args *args;
    const struct host *host;
    const char *names[NAMES_MAX + 1];
    struct buf authorities[AUTHORITIES_MAX];                /* newest first: the first one signs */
    enum certificate_root_kind root_kinds[AUTHORITIES_MAX]; /* of theirs, in a device */
    size_t authority_count;
    struct certificate_root roots[AUTHORITIES_MAX];
    size_t root_count;
    struct buf former[FORMER_MAX]; /* keys of certificates given up */
    size_t former_count;
    char *proven, *next; /* pins; NULL none */
    json_t *before;      /* of an attempt that was broken off; NULL none */
    char *replaces;      /* pin of the certificate that TLS had at first; NULL none */
    bool known, secured_alerts;
    /* while the sequence holds on */
    struct task_pause pause;
    struct certificate_proof *proof;
    struct certificate_errand *errand;
};

/* --- what amtd knows (task_certificate_known.c) --- */

/* known: JSON of the store (tx_certificate_known), NULL: nothing. Once, after init. */
void certificate_work_know(void *work, const char *known);

/* --- whose it is (task_certificate_judge.c) --- */

/* The fingerprint of a certificate, the caller's; NULL: it is none. */
char *certificate_pin(const void *der, size_t n);
/* Of two fingerprints or hashes, which may be NULL: nothing is like NULL or "". */
bool certificate_same(const char *a, const char *b);
/* Given by amtd's CA, or by one of before that does not sign any more: *which is its place in w->authorities.
 */
bool certificate_is_ours(const struct certificate_work *w, const void *der, size_t n, size_t *which);
/* What the sequence is to do: less than the order says where there is nothing to renew. */
enum certificate_action certificate_work_action(const struct certificate_work *w);
/* The same with all that the sequence wants to know. It borrows w. */
struct certificate_request certificate_work_request(struct certificate_work *w);
/* Which keys were there, what TLS had, and whether it is to be mutual: who finishes a broken-off attempt
 * tells by it what is its own. JSON, the caller's; NULL: nothing is going to be installed. */
void *certificate_work_journal(const void *work);

/* --- what the sequence holds on for (task_certificate_errand.c) --- */

/* Begins what the sequence wants: a key, a certificate, or the proof that the device shows it. */
void certificate_work_pause(void *work, const struct task_pause *pause);
/* Ends that without going on; nothing under way is fine. */
void certificate_work_let_go(struct certificate_work *w);

/* --- what came of it (task_certificate_find.c) --- */

void certificate_work_find(const void *work, const struct err *failure, struct finding *finding);

#endif
