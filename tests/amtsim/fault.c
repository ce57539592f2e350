#include "tests/amtsim/fault.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tests/amtsim/device.h"

#define SLOW_MS 3000
#define DEAF_MS 60000

const char *const fault_kind_names[FAULT_KIND_COUNT + 1] = {
    [FAULT_UNREACHABLE] = "unreachable",
    [FAULT_REFUSED] = "refused",
    [FAULT_SILENT] = "silent",
    [FAULT_SLOW] = "slow",
    [FAULT_TRICKLE] = "trickle",
    [FAULT_DROP] = "drop",
    [FAULT_WRONG_REALM] = "wrong-realm",
    [FAULT_WRONG_PASSWORD] = "wrong-password",
    [FAULT_LOCKED] = "locked",
    [FAULT_OLD_TLS] = "old-tls-only",
    [FAULT_EXPIRED_CERT] = "expired-certificate",
    [FAULT_CHANGED_CERT] = "changed-certificate",
    [FAULT_NOT_PROVISIONED] = "not-provisioned",
    [FAULT_NOT_AMT] = "not-amt",
    [FAULT_BUSY] = "busy",
    [FAULT_REFUSE] = "refuse-transition",
    [FAULT_IGNORE] = "ignore",
    [FAULT_MALFORMED_XML] = "malformed-xml",
    [FAULT_HUGE] = "huge",
    [FAULT_ENDLESS] = "endless",
    [FAULT_XML_BOMB] = "xml-bomb",
    [FAULT_GARBAGE] = "garbage",
    [FAULT_ACCESS_DENIED] = "access-denied",
    [FAULT_NO_KVM] = "no-kvm",
    [FAULT_REFUSE_ACTIVATION] = "refuse-activation",
    [FAULT_IGNORE_ACTIVATION] = "ignore-activation",
    [FAULT_FLASH_WORN] = "flash-worn",
    [FAULT_LOST_PONG] = "lost-pong",
    [FAULT_REDIR_STALL] = "redirection-stall",
    [FAULT_REDIR_HALF_OPEN] = "redirection-half-open",
    [FAULT_REDIR_DEAF] = "redirection-deaf",
    [FAULT_REDIR_DROP] = "redirection-drop",
    [FAULT_REDIR_GARBAGE] = "redirection-garbage",
    [FAULT_REDIR_FALSE_LENGTH] = "redirection-false-length",
    [FAULT_REDIR_RENEGOTIATE] = "redirection-renegotiate",
    [FAULT_REDIR_STATUS] = "redirection-status",
    [FAULT_REDIR_NO_HEARTBEAT] = "redirection-no-heartbeat",
};

const char *const fault_point_names[FAULT_POINT_COUNT + 1] = {
    [FAULT_AT_ACCEPT] = "after-accept", [FAULT_AT_REQUEST] = "after-request",
    [FAULT_AT_HEADER] = "mid-header",   [FAULT_AT_BODY] = "mid-body",
    [FAULT_AT_CHANGE] = "after-change", [FAULT_AT_START] = "start",
    [FAULT_AT_LOGIN] = "login",         [FAULT_AT_OPEN] = "open",
    [FAULT_AT_SESSION] = "session",     [FAULT_AT_END] = "end",
};

const char *const fault_how_names[FAULT_HOW_COUNT + 1] = {
    [FAULT_BY_503] = "503",
    [FAULT_BY_QUOTA] = "quota",
    [FAULT_BY_RETURN] = "return",
    [FAULT_BY_PAGE] = "page",
};

int fault_name_find(const char *const *names, const char *name)
{
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

enum fault_point fault_point_default(enum fault_kind kind)
{
    return kind >= FAULT_REDIR_STALL ? FAULT_AT_SESSION : FAULT_AT_BODY;
}

uint32_t fault_ms_default(enum fault_kind kind)
{
    return kind == FAULT_REDIR_DEAF ? DEAF_MS : SLOW_MS;
}

struct plan *plan_new(void)
{
    struct plan *plan = xcalloc(1, sizeof(*plan));
    plan->refs = 1;
    return plan;
}

struct plan *plan_ref(struct plan *plan)
{
    if (plan != NULL)
        plan->refs++;
    return plan;
}

void plan_unref(struct plan *plan)
{
    if (plan == NULL || --plan->refs > 0)
        return;
    for (size_t i = 0; i < plan->count; i++)
        free(plan->faults[i].on);
    free(plan);
}

static bool strikes(const struct device *device, size_t i)
{
    const struct fault *fault = &device->plan->faults[i];
    return fault->first == 0 || device->strikes[i] < fault->first;
}

static bool is_on(const struct fault *fault, const char *class_name, const char *method)
{
    if (fault->on == NULL)
        return true;
    return (class_name != NULL && strcmp(fault->on, class_name) == 0) ||
           (method != NULL && strcmp(fault->on, method) == 0);
}

/* Counts an opportunity of a fault that strikes; false: it is one of those spared. */
static bool counts(struct device *device, size_t i)
{
    if (device->spared[i] < device->plan->faults[i].after) {
        device->spared[i]++;
        return false;
    }
    device->strikes[i]++;
    return true;
}

const struct fault *fault_strike(struct device *device, enum fault_kind kind, const char *class_name,
                                 const char *method)
{
    for (size_t i = 0; device->plan != NULL && i < device->plan->count; i++) {
        const struct fault *fault = &device->plan->faults[i];
        if (fault->kind == kind && strikes(device, i) && is_on(fault, class_name, method) &&
            counts(device, i))
            return fault;
    }
    return NULL;
}

const struct fault *fault_strike_at(struct device *device, enum fault_kind kind, enum fault_point at,
                                    const char *on, uint64_t bytes)
{
    for (size_t i = 0; device->plan != NULL && i < device->plan->count; i++) {
        const struct fault *fault = &device->plan->faults[i];
        if (fault->kind == kind && fault->at == at && bytes >= fault->bytes && strikes(device, i) &&
            is_on(fault, on, NULL) && counts(device, i))
            return fault;
    }
    return NULL;
}

const struct fault *fault_pending(const struct device *device, enum fault_kind kind)
{
    if (device->plan == NULL)
        return NULL;
    for (size_t i = 0; i < device->plan->count; i++) {
        if (device->plan->faults[i].kind == kind && strikes(device, i))
            return &device->plan->faults[i];
    }
    return NULL;
}

void fault_plan_set(struct device *device, struct plan *plan)
{
    plan_unref(device->plan);
    device->plan = plan;
    memset(device->strikes, 0, sizeof(device->strikes));
    memset(device->spared, 0, sizeof(device->spared));
}
