/* The settings of a device as a whole: read, compared with what they should be, and corrected. (reference
 * wsman.md, sections 3.1, 3.2, 3.4, 3.5, 3.10, 3.11)
 *
 * Only what is wanted is read, and only what differs is changed, in an order that keeps the way to the device
 * open as long as possible: the clock first, addresses last. What a firmware does not have is unsupported for
 * that setting alone. What was changed is read back. */
#ifndef WSMAN_SETTINGS_H
#define WSMAN_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "wsman/seq.h"

enum setting_id {
    SETTING_HOST_NAME,
    SETTING_DOMAIN,
    SETTING_PING,
    SETTING_RMCP_PING,
    SETTING_WEB,
    SETTING_IPV4,
    SETTING_ADDRESS,
    SETTING_MASK,
    SETTING_GATEWAY,
    SETTING_DNS,
    SETTING_DNS_2,
    SETTING_IPV6,
    SETTING_IPV6_ADDRESS,
    SETTING_IPV6_ROUTER,
    SETTING_IPV6_DNS,
    SETTING_IPV6_DNS_2,
    SETTING_VLAN,
    SETTING_WIRELESS,
    SETTING_LINK_POLICY,
    SETTING_PROFILE_SYNC,
    SETTING_SOL,
    SETTING_IDER,
    SETTING_LISTENER,
    SETTING_KVM,
    SETTING_KVM_PORT,
    SETTING_KVM_SESSION,
    SETTING_CONSENT,
    SETTING_CODE_TIMEOUT,
    SETTING_SCREEN_TIMEOUT,
    SETTING_SLEEP,
    SETTING_IDLE_WAKE,
    SETTING_LOCAL_SYNC,
    SETTING_CLOCK,
    SETTINGS,
};

/* Values are texts of one spelling each: "on", "10.0.0.7", "300s", "s0-ac,sx-ac". */
enum setting_type {
    SETTING_IS_CHOICE,
    SETTING_IS_NAME, /* of a host or domain; max: bytes */
    SETTING_IS_IPV4,
    SETTING_IS_IPV6, /* or "none" */
    SETTING_IS_VLAN, /* a number, min to max, or "off" */
    SETTING_IS_TIME, /* whole units, min to max */
    SETTING_IS_SET,  /* of choices, in their order, joined by "," */
};

struct setting {
    const char *section, *name; /* "network", "host-name" */
    enum setting_type type;
    const char *const *choices; /* ended by NULL */
    int64_t min, max;           /* TIME: in its unit; VLAN */
    const char *unit;           /* TIME: "s" or "m" */
    const char *text;           /* one line for people */
    bool own;                   /* "own" stands for what amtd knows of the host: its name, its address */
};

extern const struct setting settings[SETTINGS];
/* -1: there is none of that name. */
int setting_find(const char *section, const char *name);

enum setting_state {
    SETTING_SAME,
    SETTING_DIFFERS,
    SETTING_CHANGED,     /* was wrong, is right now */
    SETTING_UNSUPPORTED, /* this device does not have it */
    SETTING_REFUSED, /* the device did not take it, took it and says otherwise, or does not let it be read */
};
extern const char *const setting_state_names[];

/* Borrowed for the time of the sequence. */
struct settings_request {
    const char
        *wanted[SETTINGS]; /* NULL: not of interest; "own" was replaced. All NULL: everything is read */
    bool apply;
    bool force;                /* also what cuts off the way to the device */
    const char *here;          /* our end of the way there, numeric IPv4; NULL or other: not known */
    const char *there;         /* the device's, numeric, of either family */
    const char *known_as;      /* the DNS name that it is reached by; NULL: by its address */
    const char *expected;      /* numeric IPv4 that it is to get by DHCP; NULL: not known */
    const struct clock *clock; /* ours */
};

struct settings_row {
    char *was, *is; /* NULL: not told. was: before a change */
    enum setting_state state;
    char *why; /* REFUSED: in one line; else NULL */
};

#define SETTINGS_SCHEMES_MAX 8

struct settings_seq {
    struct seq seq; /* first */
    struct settings_request request;
    struct settings_row rows[SETTINGS];
    /* While the sequence holds on (seq_hold) a connection is to be tried, and `seen` then says whether it was
     * made. Not moving yet: once, to moved_to, where nobody should be. Moving: until the device is there, at
     * moved_to, or where it was ("": it stays). */
    bool moving;
    char moved_to[46];
    bool seen;
    bool compared; /* what the rows tell is so */
    bool put_back; /* the device did not come to moved_to, and has been given again what it had before */
    /* private */
    size_t part;           /* being read */
    size_t change;         /* being made */
    bool again;            /* reading back */
    bool path;             /* the way to the device was changed */
    uint64_t denied;       /* settings that the account may not read; bits */
    uint64_t sent, judged; /* settings that a change was sent for, and that were read back; bits */
    struct err refused;
    const char *meant[SETTINGS];    /* while what was before is put back: what was wanted */
    struct wsman_request *puts[16]; /* instances as they were read */
    struct {
        char id[64], guid[64];
        bool wakes;
    } schemes[SETTINGS_SCHEMES_MAX];
    size_t scheme_count;
    uint32_t redirection;
    bool listener, may_consent;
    bool shared; /* the wired port has the machine's own static address */
    int64_t clock_s, heard_s;
};

/* Causes of its own: invalid-argument (it would cut off the way to the device, or is no network at all),
 * not-reached (it does not answer since its addresses were changed, or answers where it was and was put
 * back), and those of the first setting that was refused. */
/* ss is zeroed, or was readied before. */
void settings_seq_init(struct settings_seq *ss, const struct settings_request *request);
void settings_seq_clear(struct settings_seq *ss);
/* What differs, or did before it was corrected. */
size_t settings_differ(const struct settings_seq *ss);

/* Once it was compared: the address that the device is to be found at when all that differs is changed. NULL:
 * it stays, or that is not known. Borrowed. */
const char *settings_destination(const struct settings_seq *ss);
/* Why applying these would cut off the way to a device at that address, appended; false: it would not, as far
 * as can be told before it is asked. */
bool settings_cut(const struct settings_seq *ss, struct buf *why);

#endif
