/* The nouns of the fleet as plain data. Strings are owned by the struct; _clear frees them. */
#ifndef AMTD_STORE_MODEL_H
#define AMTD_STORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"

/* A named text: tag or fact. */
struct pair {
    char *name;
    char *value;
};
struct pairs { /* sorted by name; names are unique */
    struct pair *items;
    size_t count;
};
const char *pairs_get(const struct pairs *pairs, const char *name);       /* NULL when absent; borrowed */
void pairs_set(struct pairs *pairs, const char *name, const char *value); /* value NULL removes */
void pairs_clear(struct pairs *pairs);

/* A password that a host has for one account alone, in place of its profile's. */
struct own_password {
    char *user;
    struct secret *proven; /* the device took it; NULL: still the profile's */
    struct secret *next;   /* on its way to the device: whether it arrived, the next login shows; NULL none */
    bool seal_broken;      /* there is one, but the key in use does not open it */
};
struct own_passwords {
    struct own_password *items;
    size_t count;
};
const struct own_password *own_password(const struct own_passwords *own,
                                        const char *user); /* NULL: none; borrowed */
void own_passwords_clear(struct own_passwords *own);

/* A managed machine. Facts are what was learned of it:
 *   amt.version, amt.uuid, amt.state (pre, in, post), amt.mode (client, admin), amt.realm, amt.features,
 * amt.name, interface ("wsman", "eoi"), power ("on", "standby", "sleep", "hibernate", "off", "unknown"),
 * power.at (RFC 3339), clock.off (seconds that the device is ahead), tls.pin, tls.pin.next (of a certificate
 * on its way to the device), tls.not-after, tls.old-roots (how many of renewed CAs of amtd it keeps), reach
 * ("ok" or a cause), reach.at, profile (the runtime profile: the one that worked), config ("as-declared",
 * "drifted"), unprovisioned ("partial", "full": by this amtd), unprovisioned.at. */
struct host {
    int64_t id;    /* 0: not stored yet */
    char *name;    /* unique */
    char *address; /* numeric address or DNS name; NULL: the name itself */
    char *profile; /* the profile to use alone, or NULL: try the profiles in their order */
    struct pairs tags;
    struct pairs facts;
    struct own_passwords passwords;
};
void host_clear(struct host *host);
/* Its UUID (fact amt.uuid) is known to be another machine's, too, or is one of those that board makers leave
 * in by mistake: it proves nothing. */
bool host_uuid_is_shared(const struct host *host);

struct hosts { /* owned array */
    struct host *items;
    size_t count;
};
void hosts_clear(struct hosts *hosts);
/* Whether one of the hosts, which are in natural order of names, has that name; for names that come in that
 * order, too: *at is 0 at first, and how far the hosts were gone through. */
bool hosts_reach(const struct hosts *hosts, size_t *at, const char *name);

/* Either a static list or a saved query; exactly one of the two is set. */
struct collection {
    int64_t id;
    char *name;
    char *list;  /* host list text */
    char *where; /* query text (query.h) */
};
void collection_clear(struct collection *collection);

enum profile_auth { PROFILE_AUTH_DIGEST, PROFILE_AUTH_KERBEROS };
enum profile_tls {
    PROFILE_TLS_NONE,
    PROFILE_TLS_CA,
    PROFILE_TLS_PIN,
    PROFILE_TLS_OWN, /* the CAs of this amtd, as they are at the time */
};

/* Credentials and connection settings. */
struct profile {
    int64_t id;
    char *name;
    int position; /* profiles are tried in ascending order of position, then name */
    enum profile_auth auth;
    char *user;
    struct secret *password; /* sealed at rest; NULL none */
    bool seal_broken;        /* there is one, but the key in use does not open it */
    char *ccache;            /* Kerberos credential cache, or NULL: that of amtd */
    enum profile_tls tls;
    char *ca_file; /* of PROFILE_TLS_OWN: the one that amtd keeps */
    char *client_cert_file;
    char *client_key_file;
    bool old_tls;       /* only with PROFILE_TLS_PIN */
    bool clear_text;    /* redirection may log in with user and password in clear text */
    uint16_t port;      /* 0: the standard one */
    int64_t connect_ms; /* 0: default */
    int64_t request_ms;
};
void profile_clear(struct profile *profile);

struct profiles {
    struct profile *items; /* in the order they are tried */
    size_t count;
};
void profiles_clear(struct profiles *profiles);

/* One execution of a task on a target. */
struct run {
    int64_t id;
    char *task;       /* "power" */
    char *args;       /* JSON object as text, without secrets */
    char *target;     /* as given */
    char *who;        /* "uid 1000 (anna)" */
    int64_t began_ms; /* wall clock */
    int64_t ended_ms; /* 0: not yet */
    uint32_t hosts, ok, failed;
};
void run_clear(struct run *run);

enum operation_state {
    OPERATION_WAITING, /* nothing was sent */
    OPERATION_STARTED, /* a request that changes the device has been or is being sent */
    OPERATION_OK,
    OPERATION_FAILED,
};

/* One action on one host. */
struct operation {
    int64_t id;
    int64_t run_id;
    int64_t host_id;
    char *host; /* its name, kept when the host is removed */
    enum operation_state state;
    int64_t began_ms, ended_ms; /* wall clock; 0 unknown */
    char *from, *to;            /* power states, or NULL */
    uint32_t tries;
    char *cause, *code, *message; /* when failed; else NULL ("message" may carry a remark when ok) */
    char *detail;                 /* JSON: what the task found (info, doctor, steps), or NULL */
};
void operation_clear(struct operation *operation);

#define ACTIVITY_HASH      32
#define ACTIVITY_SIGNATURE 64

/* One line of the activity log. */
struct activity {
    int64_t id;
    int64_t at_ms;
    char *who;
    char *by;     /* means: "socket", "cli" */
    char *what;   /* the API call: "run.start power cycle" */
    char *target; /* as given, or NULL */
    char *hosts;  /* what it came to, folded, or NULL */
    char *result; /* "ok", "begun", or a cause */
    char *detail; /* one line, or NULL */
    int64_t run;  /* the run it began, or 0 */
    /* where it stands in the chain (activity_chain.h) */
    bool sealed; /* the rest means something */
    char *key;   /* id of the key that signed it */
    uint8_t previous[ACTIVITY_HASH], hash[ACTIVITY_HASH];
    uint8_t signature[ACTIVITY_SIGNATURE];
};
void activity_clear(struct activity *activity);

#endif
