#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/users.h"

#define ADMIN       REALM_BIT(REALM_ADMINISTRATOR)
#define AGENT       (REALM_BIT(REALM_AGENT_LOCAL) | REALM_BIT(REALM_AGENT_REMOTE))
#define CONTROL     REALM_BIT(REALM_REMOTE_CONTROL)
#define DEFENSE     REALM_BIT(REALM_CIRCUIT_BREAKER)
#define EVENTS      REALM_BIT(REALM_EVENT_MANAGER)
#define GENERAL     REALM_BIT(REALM_GENERAL)
#define REDIRECTION REALM_BIT(REALM_REDIRECTION)

#define AUDIT_ALONE_SINCE 9 /* firmware whose administrators' realm does not hold the audit log */

/* The realms that open a table's classes: to look at them, and to change something. */
static const struct table {
    const struct class_row *rows;
    uint32_t look, change;
} tables[] = {
    {class_agent_rows, AGENT, AGENT},
    {class_alarm_rows, CONTROL, CONTROL},
    {class_audit_rows, REALM_BIT(REALM_AUDIT), REALM_BIT(REALM_AUDIT)},
    {class_boot_rows, CONTROL, CONTROL},
    {class_certificate_rows, ADMIN, ADMIN},
    {class_consent_rows, CONTROL | REDIRECTION, CONTROL | REDIRECTION},
    {class_defense_rows, DEFENSE, DEFENSE},
    {class_filter_rows, DEFENSE, DEFENSE},
    {class_heuristics_rows, DEFENSE, DEFENSE},
    {class_event_rows, EVENTS | REALM_BIT(REALM_EVENT_READER), EVENTS},
    {class_eventing_rows, EVENTS, EVENTS},
    {class_hardware_rows, REALM_BIT(REALM_HARDWARE), ADMIN},
    {class_identity_rows, GENERAL, ADMIN},
    {class_network_rows, GENERAL, ADMIN},
    {class_port_rows, GENERAL, ADMIN},
    {class_power_rows, CONTROL, CONTROL},
    {class_redirection_rows, REDIRECTION, REDIRECTION},
    {class_settings_rows, GENERAL, ADMIN},
    {class_system_rows, REALMS_ALL, ADMIN},
    {class_user_rows, REALM_BIT(REALM_USER_ACCESS), REALM_BIT(REALM_USER_ACCESS)},
};

#define ROWS_MAX 256

static const struct class_row *sorted[ROWS_MAX];
static const struct table *table_of[ROWS_MAX]; /* the same order */
static unsigned sorted_count;

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct class_row *const *)a)->name, (*(const struct class_row *const *)b)->name);
}

static void find_tables(void);

static void sort_once(void)
{
    if (sorted_count > 0)
        return;
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (const struct class_row *row = tables[t].rows; row->name != NULL && sorted_count < ROWS_MAX;
             row++)
            sorted[sorted_count++] = row;
    }
    qsort(sorted, sorted_count, sizeof(sorted[0]), by_name);
    find_tables();
}

static void find_tables(void)
{
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (const struct class_row *row = tables[t].rows; row->name != NULL; row++)
            table_of[class_index(row)] = &tables[t];
    }
}

unsigned class_count(void)
{
    sort_once();
    return sorted_count;
}

const struct class_row *class_at(unsigned index)
{
    return index < class_count() ? sorted[index] : NULL;
}

static int name_to_row(const void *name, const void *row)
{
    return strcmp(name, (*(const struct class_row *const *)row)->name);
}

static const struct class_row *const *search(const char *name)
{
    return bsearch(name, sorted, class_count(), sizeof(sorted[0]), name_to_row);
}

unsigned class_index(const struct class_row *row)
{
    return (unsigned)(search(row->name) - sorted);
}

bool class_known(const struct device *device, const struct class_row *row)
{
    unsigned number = device->generation->number;
    return number >= row->since && (row->until == 0 || number <= row->until) &&
           !(row->kvm && fault_pending(device, FAULT_NO_KVM) != NULL) && !(row->admin && device->client_mode);
}

bool class_open_to(const struct class_row *row, const struct device *device, uint32_t realms, bool change)
{
    const struct table *table = table_of[class_index(row)];
    uint32_t needed = row->realms != 0 ? row->realms : change ? table->change : table->look;
    bool audit = needed == REALM_BIT(REALM_AUDIT) && device->generation->number >= AUDIT_ALONE_SINCE;
    if ((realms & ADMIN) != 0 && !audit)
        return true;
    return (realms & needed) != 0;
}

const struct class_row *class_find(const struct device *device, const char *name)
{
    const struct class_row *const *row = search(name);
    return row != NULL && class_known(device, *row) ? *row : NULL;
}

unsigned class_instances(const struct class_row *row, const struct device *device)
{
    if (row->abstract_only)
        return 0;
    return row->count != NULL ? row->count(device) : 1;
}

void class_write(const struct class_row *row, struct device *device, unsigned i, struct out *out)
{
    if (row->fixed != NULL)
        out_fixed(out, row->fixed);
    else
        row->instance(device, i, out);
}

/* Firmware takes a part of the keys, as long as it means one instance. */
static enum soap_fault select_one(const struct class_row *row, struct device *device,
                                  const struct selector *want, size_t count, unsigned *found)
{
    unsigned instances = class_instances(row, device), matches = 0;
    uint32_t all = count < 32 ? (1u << count) - 1 : UINT32_MAX;
    for (unsigned i = 0; i < instances; i++) {
        struct out o = out_match(want, count);
        class_write(row, device, i, &o);
        if (o.known == all && !o.differs && matches++ == 0)
            *found = i;
    }
    return matches == 1 ? SOAP_OK : SOAP_INVALID_SELECTORS;
}

enum soap_fault class_select(const struct class_row *row, struct device *device, const struct selector *want,
                             size_t count, unsigned *i)
{
    if (row->exact && count > 0)
        return select_one(row, device, want, count, i);
    unsigned instances = class_instances(row, device);
    uint32_t all = count < 32 ? (1u << count) - 1 : UINT32_MAX;
    for (*i = 0; *i < instances; (*i)++) {
        struct out o = out_match(want, count);
        class_write(row, device, *i, &o);
        if (o.known != all)
            return SOAP_INVALID_SELECTORS;
        if (!o.differs)
            return SOAP_OK;
    }
    return SOAP_DESTINATION_UNREACHABLE;
}

/* --- parameters of a call --- */

static struct xml_el parameter(struct call *call, const char *name)
{
    return xml_child(call->in, NULL, name);
}

const char *call_text(struct call *call, const char *name)
{
    struct xml_el el = parameter(call, name);
    return el.node != NULL ? xml_text(call->message->doc, el) : NULL;
}

bool call_has(struct call *call, const char *name)
{
    return parameter(call, name).node != NULL;
}

bool call_num(struct call *call, const char *name, uint64_t max, uint64_t *out)
{
    const char *text = call_text(call, name);
    if (text == NULL)
        return false;
    if (text_u64(text, 0, max, out))
        return true;
    call->fault = SOAP_INVALID_VALUES;
    return false;
}

bool call_bool(struct call *call, const char *name, bool *out)
{
    const char *text = call_text(call, name);
    if (text == NULL)
        return false;
    bool truth = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    if (!truth && strcmp(text, "false") != 0 && strcmp(text, "0") != 0) {
        call->fault = SOAP_INVALID_VALUES;
        return false;
    }
    *out = truth;
    return true;
}

bool call_epr(struct call *call, const char *name, struct epr *out)
{
    struct xml_el el = parameter(call, name);
    return el.node != NULL && message_epr(call->message, el, out);
}
