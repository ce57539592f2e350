/* Accounts besides the administrator, and the administrator's own name and password when they were changed.
 * (reference wsman.md, 3.9) */
#ifndef AMTSIM_USERS_H
#define AMTSIM_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/amtsim/device.h"

/* What an account may do. The administrator may do everything. */
enum realm {
    REALM_REDIRECTION = 2,
    REALM_ADMINISTRATOR = 3, /* everything but, on newer firmware, the audit log */
    REALM_HARDWARE = 4,
    REALM_REMOTE_CONTROL = 5,
    REALM_EVENT_MANAGER = 7,
    REALM_AGENT_LOCAL = 9,
    REALM_AGENT_REMOTE = 10,
    REALM_CIRCUIT_BREAKER = 11,
    REALM_TIME = 12,
    REALM_GENERAL = 13,
    REALM_EVENT_READER = 19,
    REALM_AUDIT = 20,
    REALM_USER_ACCESS = 21,
};
#define REALM_BIT(realm) (UINT32_C(1) << (realm))
#define REALMS_ALL       UINT32_MAX

#define USERS_NAME_MAX 16
#define USERS_SID_MAX  28
#define USERS_MAX      16

/* An account besides the administrator's. */
struct user_entry {
    char name[USERS_NAME_MAX + 1]; /* "" for Kerberos accounts */
    uint8_t ha1[16];
    uint8_t sid[USERS_SID_MAX];
    uint8_t sid_len;
    uint8_t access;  /* 0 local, 1 network, 2 any */
    uint32_t realms; /* bit per realm number */
};

/* All return PT_STATUS as a ReturnValue (return_value.h). */
uint32_t users_add(struct device *device, const struct user_entry *entry, uint32_t *handle);
uint32_t users_update(struct device *device, uint32_t handle, const struct user_entry *entry);
uint32_t users_remove(struct device *device, uint32_t handle);
/* The administrator's name and HA1. */
uint32_t users_set_admin(struct device *device, const char *name, const uint8_t ha1[16]);
const struct user_entry *users_entry(const struct device *device, uint32_t handle); /* NULL: none */
size_t users_handles(const struct device *device, uint32_t out[USERS_MAX]);
bool users_name_ok(const char *name);

struct users;
void users_free(struct users *users); /* NULL is fine */

const char *users_admin_name(const struct device *device);
/* HA1 of an enabled digest account that may log in from the network. */
bool users_ha1(const struct device *device, const char *name, uint8_t out[16]);
/* A bit for every realm of a digest account; REALMS_ALL for the administrator. */
uint32_t users_realms(const struct device *device, const char *name);
/* An enabled account with this SID that may log in from the network: *realms is what it may do. */
bool users_by_sid(const struct device *device, const uint8_t *sid, size_t n, uint32_t *realms);
/* True when the account may use redirection: the administrator, or one with that realm. */
bool users_may_redirect(const struct device *device, const char *name);

#endif
