#include "tests/amtsim/scenario.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "tests/amtsim/cable.h"
#include "tests/amtsim/defense.h"
#include "tests/amtsim/machine_kinds.h"
#include "tests/amtsim/power.h"
#include "tests/amtsim/selection.h"
#include "tests/amtsim/yaml_check.h"

/* --- what libcyaml loads --- */

struct yaml_fault {
    uint32_t fault;
    uint32_t *at, *how;
    uint32_t *first, *after, *ms, *bytes, *value;
    char *on;
};

struct yaml_defense {
    uint32_t *policies, *filters, *precedence;
    char *enabled;
};

struct yaml_entry {
    char *select;
    char *generation, *tls, *machine, *power, *control_mode, *ports, *cable, *uuid;
    struct yaml_defense *defense;
    bool *standby, *agent, *os_hangs;
    bool *listener, *clear_text, *digest, *holds_power, *bios_speaks;
    char *redirection;
    uint32_t *consent;
    int64_t *clock_offset;
    uint32_t *uuid_of;
    struct yaml_fault *faults;
    unsigned faults_count;
};

struct yaml_file {
    struct yaml_entry *devices;
    unsigned devices_count;
};

#define NAME(i, s)                                                                                           \
    {                                                                                                        \
        s, i                                                                                                 \
    }

static const cyaml_strval_t fault_names[] = {
    NAME(FAULT_UNREACHABLE, "unreachable"),
    NAME(FAULT_REFUSED, "refused"),
    NAME(FAULT_SILENT, "silent"),
    NAME(FAULT_SLOW, "slow"),
    NAME(FAULT_TRICKLE, "trickle"),
    NAME(FAULT_DROP, "drop"),
    NAME(FAULT_WRONG_REALM, "wrong-realm"),
    NAME(FAULT_WRONG_PASSWORD, "wrong-password"),
    NAME(FAULT_LOCKED, "locked"),
    NAME(FAULT_OLD_TLS, "old-tls-only"),
    NAME(FAULT_EXPIRED_CERT, "expired-certificate"),
    NAME(FAULT_CHANGED_CERT, "changed-certificate"),
    NAME(FAULT_NOT_PROVISIONED, "not-provisioned"),
    NAME(FAULT_NOT_AMT, "not-amt"),
    NAME(FAULT_BUSY, "busy"),
    NAME(FAULT_REFUSE, "refuse-transition"),
    NAME(FAULT_IGNORE, "ignore"),
    NAME(FAULT_MALFORMED_XML, "malformed-xml"),
    NAME(FAULT_HUGE, "huge"),
    NAME(FAULT_ENDLESS, "endless"),
    NAME(FAULT_XML_BOMB, "xml-bomb"),
    NAME(FAULT_GARBAGE, "garbage"),
    NAME(FAULT_ACCESS_DENIED, "access-denied"),
    NAME(FAULT_NO_KVM, "no-kvm"),
    NAME(FAULT_REFUSE_ACTIVATION, "refuse-activation"),
    NAME(FAULT_IGNORE_ACTIVATION, "ignore-activation"),
    NAME(FAULT_FLASH_WORN, "flash-worn"),
    NAME(FAULT_LOST_PONG, "lost-pong"),
    NAME(FAULT_REDIR_STALL, "redirection-stall"),
    NAME(FAULT_REDIR_HALF_OPEN, "redirection-half-open"),
    NAME(FAULT_REDIR_DEAF, "redirection-deaf"),
    NAME(FAULT_REDIR_DROP, "redirection-drop"),
    NAME(FAULT_REDIR_GARBAGE, "redirection-garbage"),
    NAME(FAULT_REDIR_FALSE_LENGTH, "redirection-false-length"),
    NAME(FAULT_REDIR_RENEGOTIATE, "redirection-renegotiate"),
    NAME(FAULT_REDIR_STATUS, "redirection-status"),
    NAME(FAULT_REDIR_NO_HEARTBEAT, "redirection-no-heartbeat"),
};

static const cyaml_strval_t point_names[] = {
    NAME(FAULT_AT_ACCEPT, "after-accept"), NAME(FAULT_AT_REQUEST, "after-request"),
    NAME(FAULT_AT_HEADER, "mid-header"),   NAME(FAULT_AT_BODY, "mid-body"),
    NAME(FAULT_AT_CHANGE, "after-change"), NAME(FAULT_AT_START, "start"),
    NAME(FAULT_AT_LOGIN, "login"),         NAME(FAULT_AT_OPEN, "open"),
    NAME(FAULT_AT_SESSION, "session"),     NAME(FAULT_AT_END, "end"),
};

static const cyaml_strval_t how_names[] = {NAME(FAULT_BY_503, "503"), NAME(FAULT_BY_QUOTA, "quota"),
                                           NAME(FAULT_BY_RETURN, "return"), NAME(FAULT_BY_PAGE, "page")};

#define OPTIONAL_PTR (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

static const cyaml_schema_field_t fault_fields[] = {
    CYAML_FIELD_ENUM("fault", CYAML_FLAG_STRICT, struct yaml_fault, fault, fault_names,
                     CYAML_ARRAY_LEN(fault_names)),
    CYAML_FIELD_ENUM_PTR("at", OPTIONAL_PTR | CYAML_FLAG_STRICT, struct yaml_fault, at, point_names,
                         CYAML_ARRAY_LEN(point_names)),
    CYAML_FIELD_ENUM_PTR("how", OPTIONAL_PTR | CYAML_FLAG_STRICT, struct yaml_fault, how, how_names,
                         CYAML_ARRAY_LEN(how_names)),
    CYAML_FIELD_UINT_PTR("first", OPTIONAL_PTR, struct yaml_fault, first),
    CYAML_FIELD_UINT_PTR("after", OPTIONAL_PTR, struct yaml_fault, after),
    CYAML_FIELD_UINT_PTR("ms", OPTIONAL_PTR, struct yaml_fault, ms),
    CYAML_FIELD_UINT_PTR("bytes", OPTIONAL_PTR, struct yaml_fault, bytes),
    CYAML_FIELD_UINT_PTR("value", OPTIONAL_PTR, struct yaml_fault, value),
    CYAML_FIELD_STRING_PTR("on", OPTIONAL_PTR, struct yaml_fault, on, 1, 64),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t fault_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_fault, fault_fields)};

static const cyaml_schema_field_t defense_fields[] = {
    CYAML_FIELD_UINT_PTR("policies", OPTIONAL_PTR, struct yaml_defense, policies),
    CYAML_FIELD_UINT_PTR("filters", OPTIONAL_PTR, struct yaml_defense, filters),
    CYAML_FIELD_UINT_PTR("precedence", OPTIONAL_PTR, struct yaml_defense, precedence),
    CYAML_FIELD_STRING_PTR("enabled", OPTIONAL_PTR, struct yaml_defense, enabled, 1, 16),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t entry_fields[] = {
    CYAML_FIELD_STRING_PTR("select", CYAML_FLAG_POINTER, struct yaml_entry, select, 1, 4096),
    CYAML_FIELD_STRING_PTR("generation", OPTIONAL_PTR, struct yaml_entry, generation, 1, 4),
    CYAML_FIELD_STRING_PTR("tls", OPTIONAL_PTR, struct yaml_entry, tls, 1, 16),
    CYAML_FIELD_STRING_PTR("machine", OPTIONAL_PTR, struct yaml_entry, machine, 1, 16),
    CYAML_FIELD_STRING_PTR("power", OPTIONAL_PTR, struct yaml_entry, power, 1, 16),
    CYAML_FIELD_STRING_PTR("control-mode", OPTIONAL_PTR, struct yaml_entry, control_mode, 1, 16),
    CYAML_FIELD_STRING_PTR("cable", OPTIONAL_PTR, struct yaml_entry, cable, 1, CABLE_TAP_MAX),
    CYAML_FIELD_STRING_PTR("ports", OPTIONAL_PTR, struct yaml_entry, ports, 1, 16),
    CYAML_FIELD_STRING_PTR("uuid", OPTIONAL_PTR, struct yaml_entry, uuid, 1, 16),
    CYAML_FIELD_MAPPING_PTR("defense", OPTIONAL_PTR, struct yaml_entry, defense, defense_fields),
    CYAML_FIELD_BOOL_PTR("standby", OPTIONAL_PTR, struct yaml_entry, standby),
    CYAML_FIELD_BOOL_PTR("agent", OPTIONAL_PTR, struct yaml_entry, agent),
    CYAML_FIELD_BOOL_PTR("os-hangs", OPTIONAL_PTR, struct yaml_entry, os_hangs),
    CYAML_FIELD_STRING_PTR("redirection", OPTIONAL_PTR, struct yaml_entry, redirection, 1, 16),
    CYAML_FIELD_BOOL_PTR("listener", OPTIONAL_PTR, struct yaml_entry, listener),
    CYAML_FIELD_BOOL_PTR("clear-text", OPTIONAL_PTR, struct yaml_entry, clear_text),
    CYAML_FIELD_BOOL_PTR("digest", OPTIONAL_PTR, struct yaml_entry, digest),
    CYAML_FIELD_BOOL_PTR("session-holds-power", OPTIONAL_PTR, struct yaml_entry, holds_power),
    CYAML_FIELD_BOOL_PTR("bios-redirects", OPTIONAL_PTR, struct yaml_entry, bios_speaks),
    CYAML_FIELD_UINT_PTR("consent", OPTIONAL_PTR, struct yaml_entry, consent),
    CYAML_FIELD_INT_PTR("clock-offset", OPTIONAL_PTR, struct yaml_entry, clock_offset),
    CYAML_FIELD_UINT_PTR("uuid-of", OPTIONAL_PTR, struct yaml_entry, uuid_of),
    CYAML_FIELD_SEQUENCE("faults", OPTIONAL_PTR, struct yaml_entry, faults, &fault_schema, 0, FAULTS_MAX),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t entry_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_entry, entry_fields)};

static const cyaml_schema_field_t file_fields[] = {
    CYAML_FIELD_SEQUENCE("devices", CYAML_FLAG_POINTER, struct yaml_file, devices, &entry_schema, 0, 10000),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t file_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct yaml_file, file_fields)};

/* --- what the schema cannot say --- */

static const char *check_select(void *fleet, const char *value, char *text)
{
    struct selection s;
    struct err err = ERR_INIT;
    int r = selection_parse(&s, fleet, value, &err);
    selection_clear(&s);
    snprintf(text, 160, "devices of the fleet: %.120s", err.text);
    return r == 0 ? NULL : text;
}

static const char *check_generation(void *fleet, const char *value, char *text)
{
    uint64_t n;
    (void)fleet;
    (void)text;
    return text_u64(value, 0, 255, &n) && generation_by_number((unsigned)n) != NULL
               ? NULL
               : "2, 5, 6, 9, 11, 16 or 21";
}

static const char *check_tls(void *fleet, const char *value, char *text)
{
    (void)fleet;
    (void)text;
    return fault_name_find(device_tls_names, value) >= 0 ? NULL : "none, server or mutual";
}

static const char *check_machine(void *fleet, const char *value, char *text)
{
    (void)fleet;
    (void)text;
    return machine_kind_known(value) ? NULL : machine_kind_list();
}

static const char *check_power(void *fleet, const char *value, char *text)
{
    (void)fleet;
    (void)text;
    return power_state_by_word(value) >= 0 ? NULL : "off, on, sleep or hibernate";
}

static const char *check_redirection(void *fleet, const char *value, char *text)
{
    (void)fleet;
    (void)text;
    return fault_name_find(device_redirection_names, value) >= 0 ? NULL : "none, ider, sol or both";
}

static const char *check_mode(void *fleet, const char *value, char *text)
{
    (void)fleet;
    (void)text;
    return strcmp(value, "client") == 0 || strcmp(value, "admin") == 0 ? NULL : "client or admin";
}

static const char *check_ports(void *fleet, const char *value, char *text)
{
    (void)fleet;
    (void)text;
    return fault_name_find(device_ports_names, value) > 0 ? NULL : "wired, wireless or both";
}

static const char *check_uuid(void *fleet, const char *value, char *text)
{
    (void)fleet;
    (void)text;
    return fault_name_find(device_blank_uuids, value) > 0 ? NULL : "zeros, ones or sample";
}

static const char *check_owner(void *fleet, const char *value, char *text)
{
    (void)fleet;
    (void)text;
    return fault_name_find(defense_owner_names, value) >= 0
               ? NULL
               : "console, agent, environment, heuristics or default";
}

static const char *check_policies(void *fleet, const char *value, char *text)
{
    uint64_t n;
    (void)fleet;
    (void)text;
    return text_u64(value, 1, DEFENSE_POLICIES_MAX, &n) ? NULL : "policies from 1 to 8";
}

static const char *check_filters(void *fleet, const char *value, char *text)
{
    uint64_t n;
    (void)fleet;
    (void)text;
    return text_u64(value, 0, DEFENSE_FILTERS_MAX, &n) ? NULL : "filters from 0 to 80";
}

static const char *check_offset(void *fleet, const char *value, char *text)
{
    int64_t n;
    (void)fleet;
    (void)text;
    return text_i64(value, -1000000000, 1000000000, &n) ? NULL : "seconds from -1000000000 to 1000000000";
}

static const char *check_device(void *fleet, const char *value, char *text)
{
    uint64_t n;
    (void)text;
    return text_u64(value, 1, UINT32_MAX, &n) && fleet_number(fleet, n) != NULL ? NULL
                                                                                : "the number of a device";
}

static const char *check_ms(void *fleet, const char *value, char *text)
{
    uint64_t n;
    (void)fleet;
    (void)text;
    return text_u64(value, 1, 3600000, &n) ? NULL : "milliseconds from 1 to 3600000";
}

static const char *check_bytes(void *fleet, const char *value, char *text)
{
    uint64_t n;
    (void)fleet;
    (void)text;
    return text_u64(value, 1, 64u << 20, &n) ? NULL : "bytes from 1 to 67108864";
}

static const struct yaml_rule rules[] = {
    {"select", check_select},
    {"generation", check_generation},
    {"tls", check_tls},
    {"machine", check_machine},
    {"power", check_power},
    {"control-mode", check_mode},
    {"ports", check_ports},
    {"enabled", check_owner},
    {"policies", check_policies},
    {"filters", check_filters},
    {"redirection", check_redirection},
    {"ms", check_ms},
    {"bytes", check_bytes},
    {"clock-offset", check_offset},
    {"uuid-of", check_device},
    {"uuid", check_uuid},
    {NULL, NULL},
};

/* --- applying --- */

static uint32_t or_zero(const uint32_t *p)
{
    return p != NULL ? *p : 0;
}

static struct plan *plan_of(const struct yaml_entry *e)
{
    struct plan *plan = plan_new();
    for (unsigned i = 0; i < e->faults_count; i++) {
        const struct yaml_fault *f = &e->faults[i];
        plan->faults[plan->count++] = (struct fault){
            .kind = (enum fault_kind)f->fault,
            .at = f->at != NULL ? (enum fault_point) * f->at : fault_point_default((enum fault_kind)f->fault),
            .how = (enum fault_how)or_zero(f->how),
            .first = or_zero(f->first),
            .after = or_zero(f->after),
            .ms = f->ms != NULL ? *f->ms : fault_ms_default((enum fault_kind)f->fault),
            .bytes = or_zero(f->bytes),
            .value = or_zero(f->value),
            .on = xstrdup(f->on),
        };
    }
    return plan;
}

/* Another product's objects. Its policy is there when it is to be enabled. */
static void apply_defense(struct device *d, const struct yaml_defense *y)
{
    uint32_t policies = or_zero(y->policies);
    json_t *o = json_pack("{s:I, s:I, s:I}", "policies",
                          (json_int_t)(policies == 0 && y->enabled != NULL ? 1 : policies), "filters",
                          (json_int_t)or_zero(y->filters), "precedence", (json_int_t)or_zero(y->precedence));
    if (y->enabled != NULL)
        json_object_set_new(o, "enabled", json_string(y->enabled));
    defense_set(d, o, NULL);
    json_decref(o);
}

static void apply_redirection(struct device_redirection *r, const struct yaml_entry *e)
{
    if (e->redirection != NULL)
        r->enabled_state =
            (uint16_t)(DEVICE_REDIRECTION_NONE + fault_name_find(device_redirection_names, e->redirection));
    if (e->listener != NULL)
        r->listener = *e->listener;
    if (e->clear_text != NULL)
        r->no_clear_text = !*e->clear_text;
    if (e->digest != NULL)
        r->no_digest = !*e->digest;
    if (e->holds_power != NULL)
        r->holds_power = *e->holds_power;
    if (e->bios_speaks != NULL)
        r->bios_speaks = *e->bios_speaks;
}

static void apply_entry(struct device *d, const struct yaml_entry *e)
{
    uint64_t number;
    if (e->generation != NULL && text_u64(e->generation, 0, 255, &number)) {
        d->generation = generation_by_number((unsigned)number);
        d->boot.service_state = number >= 16 ? 32769 : 2;
        d->redirection.holds_power = d->generation->holds_power;
    }
    if (e->tls != NULL)
        d->tls = (enum device_tls)fault_name_find(device_tls_names, e->tls);
    if (e->machine != NULL)
        d->machine_kind = machine_kind_name(e->machine);
    if (e->power != NULL)
        d->initial_state = (uint8_t)power_state_by_word(e->power);
    if (e->ports != NULL)
        d->ports = (uint8_t)fault_name_find(device_ports_names, e->ports);
    if (e->uuid != NULL)
        d->blank_uuid = (uint8_t)fault_name_find(device_blank_uuids, e->uuid);
    if (e->cable != NULL) {
        free(d->tap);
        d->tap = xstrdup(e->cable);
    }
    if (e->defense != NULL)
        apply_defense(d, e->defense);
    if (e->control_mode != NULL)
        d->client_mode = strcmp(e->control_mode, "client") == 0;
    if (e->standby != NULL)
        d->standby = *e->standby;
    if (e->agent != NULL)
        d->agent = *e->agent;
    if (e->os_hangs != NULL)
        d->os_hangs = *e->os_hangs;
    if (e->consent != NULL)
        d->consent.required = *e->consent;
    if (e->uuid_of != NULL)
        d->twin = *e->uuid_of;
    if (e->clock_offset != NULL)
        d->clock_offset_ms = *e->clock_offset * 1000;
    apply_redirection(&d->redirection, e);
}

static void apply(struct fleet *fleet, const struct yaml_file *file)
{
    for (unsigned i = 0; i < file->devices_count; i++) {
        struct selection s;
        const struct yaml_entry *e = &file->devices[i];
        struct plan *plan = e->faults_count > 0 ? plan_of(e) : NULL;
        selection_parse(&s, fleet, e->select, NULL);
        for (size_t k = 0; k < s.count; k++) {
            apply_entry(s.devices[k], e);
            if (plan != NULL)
                fault_plan_set(s.devices[k], plan_ref(plan));
        }
        selection_clear(&s);
        plan_unref(plan);
    }
}

int scenario_apply_text(struct fleet *fleet, const void *p, size_t n, const char *name, struct buf *report,
                        struct err *err)
{
    const cyaml_config_t config = {
        .log_level = CYAML_LOG_ERROR, .mem_fn = cyaml_mem, .flags = CYAML_CFG_NO_ALIAS};
    struct yaml_file *file = NULL;
    unsigned mistakes = yaml_check(p, n, name, &file_schema, rules, fleet, report);
    if (mistakes > 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "%s: %u mistake%s", name, mistakes,
                       mistakes > 1 ? "s" : "");
    cyaml_err_t e = cyaml_load_data(p, n, &config, &file_schema, (cyaml_data_t **)&file, NULL);
    if (e != CYAML_OK) {
        buf_printf(report, "%s:1:1: %s\n", name, cyaml_strerror(e));
        return err_set(err, CAUSE_INVALID_ARGUMENT, "%s: %s", name, cyaml_strerror(e));
    }
    apply(fleet, file);
    cyaml_free(&config, &file_schema, file, 0);
    return 0;
}

int scenario_apply(struct fleet *fleet, const char *path, struct buf *report, struct err *err)
{
    struct buf text = buf_init(SCENARIO_MAX);
    ssize_t n = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && n > 0 && buf_ok(&text)) {
        uint8_t *room = buf_room(&text, 65536);
        n = room != NULL ? read(fd, room, 65536) : 0;
        buf_added(&text, n > 0 ? (size_t)n : 0);
    }
    int r;
    if (fd < 0 || n < 0)
        r = err_set_errno(err, CAUSE_INVALID_ARGUMENT, errno, "scenario %s", path);
    else if (!buf_ok(&text))
        r = err_set(err, CAUSE_INVALID_ARGUMENT, "scenario %s: more than %u bytes", path, SCENARIO_MAX);
    else
        r = scenario_apply_text(fleet, text.p, text.len, path, report, err);
    if (fd >= 0)
        close(fd);
    buf_free(&text);
    return r;
}
