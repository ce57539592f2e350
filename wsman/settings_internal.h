/* How settings are read and changed, for settings.c. A part is what one request reads; a change is one
 * request that corrects some settings. */
#ifndef WSMAN_SETTINGS_INTERNAL_H
#define WSMAN_SETTINGS_INTERNAL_H

#include "wsman/settings.h"

#define SETTING_BIT(id) (UINT64_C(1) << (id))

/* In the order they are read; the clock last, as its answer ages. */
enum settings_part {
    PART_TIME,
    PART_SCHEMES,
    PART_IN_FORCE,
    PART_CONSENT,
    PART_KVM_DATA,
    PART_KVM,
    PART_REDIRECTION,
    PART_WIFI_SERVICE,
    PART_WIFI,
    PART_GENERAL,
    PART_IPV6,
    PART_PORTS,
    PART_CLOCK,
    SETTINGS_PARTS,
};
/* Which instance is kept for a Put: that of the part; of the ports the wireless one has its own place. */
#define PUT_WIRELESS SETTINGS_PARTS

struct settings_part_row {
    const char *name;  /* what is read, for people */
    uint64_t settings; /* that it tells, bits */
    uint64_t besides;  /* that cannot be judged without it */
    struct wsman_request *(*ask)(const struct settings_seq *ss);
    /* Sets rows[].is; what is not there stays NULL. */
    void (*take)(struct settings_seq *ss, const struct wsman_call *call);
};
extern const struct settings_part_row settings_parts[SETTINGS_PARTS];

struct settings_change_row {
    const char *name;
    uint64_t settings;
    bool path;             /* may move the device to another address */
    enum setting_id moves; /* which it is to be found at then; SETTINGS: none */
    /* One of the settings differs. NULL without err: nothing to send. */
    struct wsman_request *(*ask)(struct settings_seq *ss, struct err *err);
};
extern const struct settings_change_row settings_changes[];
extern const size_t settings_change_count;

/* It is reached by that static IPv6 address which it is to have no more. */
bool settings_leave_ipv6(const struct settings_seq *ss);
/* Differs, and is to be corrected. */
bool settings_wrong(const struct settings_seq *ss, enum setting_id id);
/* Sets rows[].is; NULL: not told. */
void settings_tell(struct settings_seq *ss, enum setting_id id, const char *text);
/* The instance of a part as it was read, with all that is wrong of it put right; NULL: it was not read.
 * Caller's. */
struct wsman_request *settings_put(struct settings_seq *ss, enum settings_part part);

#endif
