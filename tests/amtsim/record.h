/* What happened to a device: for tests, which compare it with what the other side believes.
 *
 * Counters, and a list of events with times. Memory is taken when the first thing happens. */
#ifndef AMTSIM_RECORD_H
#define AMTSIM_RECORD_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_EVENTS_MAX 4096 /* then the oldest half is dropped and counted */

enum record_kind {
    RECORD_POWER,   /* RequestPowerStateChange: value = PowerState, result = ReturnValue */
    RECORD_STATE,   /* the machine's state: value = new machine_state */
    RECORD_BOOT,    /* value = boot count, flags = boot flags, result = boot source */
    RECORD_WAKE,    /* RequestOSPowerSavingStateChange: value, result */
    RECORD_LOGIN,   /* a new login: result 0 good, 1 wrong, 2 locked */
    RECORD_LOCK,    /* the account was locked */
    RECORD_CHANGE,  /* a setting was written: what */
    RECORD_DEFENSE, /* System Defense: value = record_defense_event, result = handle, flags = port */
    RECORD_SESSION, /* redirection: value = enum redir_kind, what happened */
    RECORD_KIND_COUNT
};

enum record_defense_event {
    RECORD_FILTER_ADDED,
    RECORD_FILTER_REMOVED,
    RECORD_POLICY_ADDED,
    RECORD_POLICY_REMOVED,
    RECORD_DEFAULT_SET,
    RECORD_DEFAULT_CLEARED,
    RECORD_POLICY_ENABLED, /* on a port */
    RECORD_POLICY_DISABLED,
    RECORD_FILTER_EVENT, /* a filter that tells was hit */
};

enum record_counter {
    RECORD_CONNECTIONS,
    RECORD_CONNECTIONS_REFUSED, /* beyond the limit, or by a fault */
    RECORD_REQUESTS,            /* answered, with or without success */
    RECORD_UNAUTHORIZED,        /* 401 answers */
    RECORD_LOGINS_OK,           /* requests whose Authorization was right */
    RECORD_LOGINS_WRONG,        /* user or password wrong */
    RECORD_LOGINS_LOCKED,       /* refused because of the lock */
    RECORD_NONCES_STALE,
    RECORD_NC_REUSED, /* nonce count did not rise */
    RECORD_SOAP_FAULTS,
    RECORD_BAD_REQUESTS, /* not HTTP, not XML, too long */
    RECORD_HANDSHAKES,   /* TLS, completed */
    RECORD_HANDSHAKES_FAILED,
    RECORD_SESSIONS,         /* redirection, logged in */
    RECORD_SESSIONS_REFUSED, /* redirection: busy, switched off, without consent */
    RECORD_ALERTS_SENT,      /* delivered to a subscriber */
    RECORD_ALERTS_LOST,      /* given up */
    RECORD_IDER_COMMANDS,    /* ATAPI commands given to clients */
    RECORD_COUNTER_COUNT
};

enum record_amount { /* bytes */
                     RECORD_SOL_FROM_HOST,
                     RECORD_SOL_TO_HOST,
                     RECORD_IDER_BYTES, /* delivered by clients */
                     RECORD_AMOUNT_COUNT
};

struct record_event {
    int64_t at_ms; /* wall clock */
    enum record_kind kind;
    uint32_t value;
    uint32_t result;
    uint32_t flags;
    const char *what; /* static, or NULL */
};

struct record; /* opaque */
struct device;

/* what is static: "opened", "closed by the client", ... */
void record_session(struct device *device, unsigned kind, const char *what);
void record_passed(struct device *device, enum record_amount amount, size_t n);
uint64_t record_passed_get(const struct device *device, enum record_amount amount);
void record_count(struct device *device, enum record_counter counter);
/* A request for the class (class_index of class.h). */
void record_class(struct device *device, unsigned class_index);
void record_event(struct device *device, enum record_kind kind, uint32_t value, uint32_t result);
void record_boot(struct device *device, uint32_t count, uint32_t flags, uint32_t source);
void record_change(struct device *device, const char *what); /* what is static */
void record_defense(struct device *device, enum record_defense_event event, uint32_t handle, uint32_t port);

/* The i-th event of that kind counted from the newest (0), or NULL. Borrowed. */
const struct record_event *record_newest(const struct device *device, size_t i);
size_t record_event_count(const struct device *device);
uint32_t record_counter_get(const struct device *device, enum record_counter counter);

/* The record as JSON for the control socket. Caller's. */
json_t *record_json(const struct device *device);
/* Forgets everything so far. */
void record_clear(struct device *device);

#endif
