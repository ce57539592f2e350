/* Faults: what a scenario makes a device do wrong, and how often it still does.
 *
 * A plan is shared by all devices of a scenario entry; how often a fault has struck is counted per device. */
#ifndef AMTSIM_FAULT_H
#define AMTSIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAULTS_MAX 8 /* of one device */

enum fault_kind {
    FAULT_UNREACHABLE,    /* SYN is dropped */
    FAULT_REFUSED,        /* the port is closed */
    FAULT_SILENT,         /* accepts, never answers */
    FAULT_SLOW,           /* `ms` before an answer */
    FAULT_TRICKLE,        /* the answer in pieces of 16 bytes, `ms` between */
    FAULT_DROP,           /* closes, see `at` */
    FAULT_WRONG_REALM,    /* another digest realm than before */
    FAULT_WRONG_PASSWORD, /* another password than the fleet's */
    FAULT_LOCKED,         /* every login is refused */
    FAULT_OLD_TLS,        /* TLS 1.0 with AES-CBC only */
    FAULT_EXPIRED_CERT,
    FAULT_CHANGED_CERT, /* another key and certificate than before */
    FAULT_NOT_PROVISIONED,
    FAULT_NOT_AMT, /* some other web server */
    FAULT_BUSY,    /* see `how` */
    FAULT_REFUSE,  /* power requests are answered with ReturnValue `value` */
    FAULT_IGNORE,  /* power requests are accepted, nothing happens */
    FAULT_MALFORMED_XML,
    FAULT_HUGE,     /* an answer of `bytes` */
    FAULT_ENDLESS,  /* an answer without end */
    FAULT_XML_BOMB, /* nested entities */
    FAULT_GARBAGE,  /* bytes that are no HTTP */
    FAULT_ACCESS_DENIED,
    FAULT_NO_KVM,             /* KVM classes fault */
    FAULT_REFUSE_ACTIVATION,  /* enabling a policy on a port faults */
    FAULT_IGNORE_ACTIVATION,  /* a policy is enabled and never becomes active */
    FAULT_FLASH_WORN,         /* creating filters and policies faults */
    FAULT_LOST_PONG,          /* answers to presence pings get lost */
    FAULT_REDIR_STALL,        /* redirection: from `at` on reads, and says nothing any more */
    FAULT_REDIR_HALF_OPEN,    /* neither reads nor speaks, nor closes */
    FAULT_REDIR_DEAF,         /* does not read for `ms`, but speaks */
    FAULT_REDIR_DROP,         /* resets the connection */
    FAULT_REDIR_GARBAGE,      /* bytes that are no message, in place of the answer */
    FAULT_REDIR_FALSE_LENGTH, /* an answer whose length is a lie */
    FAULT_REDIR_RENEGOTIATE,  /* asks for new TLS keys */
    FAULT_REDIR_STATUS,       /* refuses with status `value` */
    FAULT_REDIR_NO_HEARTBEAT, /* neither heartbeats nor pings */
    FAULT_KIND_COUNT
};

enum fault_point { /* where FAULT_DROP closes */
                   FAULT_AT_ACCEPT,
                   FAULT_AT_REQUEST, /* request read, nothing answered */
                   FAULT_AT_HEADER,  /* in the middle of the answer's header */
                   FAULT_AT_BODY,    /* in the middle of the answer's body */
                   FAULT_AT_CHANGE,  /* like request, but the request is carried out before */
                   /* of the redirection faults: in place of, or at, which answer */
                   FAULT_AT_START,   /* 0x11 */
                   FAULT_AT_LOGIN,   /* 0x14 */
                   FAULT_AT_OPEN,    /* 0x21, 0x41 */
                   FAULT_AT_SESSION, /* the session is open, and `bytes` of its data have passed */
                   FAULT_AT_END,     /* 0x23, 0x43 */
                   FAULT_POINT_COUNT
};

enum fault_how { /* how FAULT_BUSY, or FAULT_LOCKED, shows */
                 FAULT_BY_503,
                 FAULT_BY_QUOTA,  /* SOAP fault e:QuotaLimit */
                 FAULT_BY_RETURN, /* methods: ReturnValue `value`, 4099 if 0 */
                 FAULT_BY_PAGE,   /* the page of a 401 says so, and nothing else */
                 FAULT_HOW_COUNT
};

struct fault {
    enum fault_kind kind;
    enum fault_point at;
    enum fault_how how;
    uint32_t first; /* strikes this often only; 0: always */
    uint32_t after; /* lets so many requests pass first */
    uint32_t ms;
    uint32_t bytes;
    uint32_t value;
    char *on; /* class or method it is limited to; NULL: any. Owned by the plan */
};

struct plan {
    unsigned refs;
    size_t count;
    struct fault faults[FAULTS_MAX];
};

/* A plan without faults, one reference. */
struct plan *plan_new(void);
struct plan *plan_ref(struct plan *plan);
void plan_unref(struct plan *plan); /* NULL is fine */

/* Names as in scenarios ("slow", "mid-body", "quota"), NULL-terminated, in the order of the enums. */
extern const char *const fault_kind_names[FAULT_KIND_COUNT + 1];
extern const char *const fault_point_names[FAULT_POINT_COUNT + 1];
extern const char *const fault_how_names[FAULT_HOW_COUNT + 1];

/* What a fault without `at` or `ms` means. */
enum fault_point fault_point_default(enum fault_kind kind);
uint32_t fault_ms_default(enum fault_kind kind);

/* The position of name in such a list, -1 when it is not there. */
int fault_name_find(const char *const *names, const char *name);

struct device;
/* The same as fault_strike for redirection: the fault of that kind at that point, for the session type `on`
 * ("sol", "ider"), when at least `bytes` have passed. */
const struct fault *fault_strike_at(struct device *device, enum fault_kind kind, enum fault_point at,
                                    const char *on, uint64_t bytes);
/* The device's fault of that kind if it still strikes now, counting it; NULL when there is none. class_name
 * and method are those of the request (NULL: not known yet, a fault limited to some does not strike). */
const struct fault *fault_strike(struct device *device, enum fault_kind kind, const char *class_name,
                                 const char *method);
/* The same without counting. */
const struct fault *fault_pending(const struct device *device, enum fault_kind kind);
/* Replaces the device's plan (takes the reference) and forgets how often its faults struck. */
void fault_plan_set(struct device *device, struct plan *plan);

#endif
