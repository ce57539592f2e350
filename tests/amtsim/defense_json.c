/* System Defense seen and changed through the control socket and scenarios. */
#include <stdio.h>

#include "tests/amtsim/cable.h"
#include "tests/amtsim/defense_internal.h"
#include "tests/amtsim/fault.h"

/* --- showing --- */

static json_t *hex(const uint8_t *p, size_t n)
{
    char text[33];
    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", p[i]);
    return json_string(text);
}

static void add_address(json_t *o, const char *name, const struct defense_address *a, size_t n)
{
    if (a->given)
        json_object_set_new(o, name,
                            json_pack("{s:o, s:o}", "address", hex(a->address, n), "mask", hex(a->mask, n)));
}

static void add_range(json_t *o, const char *name, const struct defense_range *r)
{
    if (r->given)
        json_object_set_new(o, name, json_pack("[i, i]", (int)r->start, (int)r->end));
}

static json_t *filter_json(const struct defense_filter *f)
{
    size_t n = f->version == 6 ? 16 : 4;
    json_t *o =
        json_pack("{s:I, s:s, s:i, s:s, s:b}", "handle", (json_int_t)f->handle, "name", f->name, "profile",
                  (int)f->profile, "direction", f->direction == DEFENSE_TX ? "tx" : "rx", "event", f->event);
    if (f->profile == DEFENSE_LIMIT)
        json_object_set_new(o, "limit", json_integer(f->limit));
    if (!f->ip) {
        json_object_set_new(o, "ethertype", json_integer(f->ethertype));
        return o;
    }
    json_object_set_new(o, "ip", json_integer(f->version));
    if (f->has_protocol)
        json_object_set_new(o, "protocol", json_integer(f->protocol));
    add_address(o, "source", &f->source, n);
    add_address(o, "destination", &f->destination, n);
    add_range(o, "source-ports", &f->source_ports);
    add_range(o, "destination-ports", &f->destination_ports);
    if (f->flags_on != 0 || f->flags_off != 0)
        json_object_set_new(o, "flags", json_pack("[i, i]", (int)f->flags_on, (int)f->flags_off));
    return o;
}

static json_t *rest_json(const struct defense_rest *r)
{
    return json_pack("{s:b, s:b, s:b}", "drop", r->drop, "event", r->event, "count", r->count);
}

static json_t *policy_json(const struct defense_policy *p)
{
    json_t *handles = json_array();
    for (size_t i = 0; i < p->count; i++)
        json_array_append_new(handles, json_integer(p->handles[i]));
    return json_pack("{s:I, s:s, s:I, s:i, s:o, s:o, s:I, s:o}", "handle", (json_int_t)p->handle, "name",
                     p->name, "precedence", (json_int_t)p->precedence, "anti-spoof", (int)p->anti_spoof, "tx",
                     rest_json(&p->rest[DEFENSE_TX]), "rx", rest_json(&p->rest[DEFENSE_RX]), "minutes",
                     (json_int_t)p->minutes, "filters", handles);
}

static const char *policy_name(const struct device *d, uint32_t handle)
{
    const struct defense_policy *p = defense_policy(d, handle);
    return p != NULL ? p->name : NULL;
}

static json_t *port_json(struct device *d, unsigned port)
{
    json_t *enabled = json_object(), *counted = json_array();
    const struct defense_live *live = defense_live(d, port);
    const char *active = policy_name(d, live->policy);
    for (unsigned owner = 0; owner < DEFENSE_OWNERS; owner++) {
        const char *name = policy_name(d, defense_bound(d, (enum defense_owner)owner, port));
        if (name != NULL)
            json_object_set_new(enabled, defense_owner_names[owner], json_string(name));
    }
    for (size_t i = 0; i < live->count; i++) {
        if (live->rows[i].matched || live->rows[i].packets > 0)
            json_array_append_new(counted, json_pack("{s:I, s:I}", "of", (json_int_t)live->rows[i].of,
                                                     "packets", (json_int_t)live->rows[i].packets));
    }
    return json_pack("{s:i, s:o, s:o, s:o}", "port", (int)port, "active",
                     active != NULL ? json_string(active) : json_null(), "enabled", enabled, "counted",
                     counted);
}

json_t *defense_json(struct device *d)
{
    json_t *filters = json_array(), *policies = json_array(), *ports = json_array();
    for (size_t i = 0; d->defense != NULL && i < d->defense->filter_count; i++)
        json_array_append_new(filters, filter_json(&d->defense->filters[i]));
    for (size_t i = 0; i < defense_policy_count(d); i++)
        json_array_append_new(policies, policy_json(defense_policy_at(d, i)));
    for (unsigned port = 0; port < DEFENSE_PORTS; port++) {
        if (defense_has_port(d, port))
            json_array_append_new(ports, port_json(d, port));
    }
    json_t *o = json_pack("{s:i, s:o, s:o, s:o}", "device", (int)d->index + 1, "filters", filters, "policies",
                          policies, "ports", ports);
    if (d->cable != NULL) {
        uint64_t passed, dropped;
        cable_counts(d->cable, &passed, &dropped);
        json_object_set_new(
            o, "cable",
            json_pack("{s:I, s:I}", "passed", (json_int_t)passed, "dropped", (json_int_t)dropped));
    }
    return o;
}

/* --- changing --- */

static int expected(struct err *err, const char *name, const char *what)
{
    return err_set(err, CAUSE_INVALID_ARGUMENT, "defense: %s: expected %s", name, what);
}

static int number(const json_t *o, const char *name, uint32_t max, uint32_t *out, struct err *err)
{
    char what[40];
    const json_t *v = json_object_get(o, name);
    if (v == NULL)
        return 0;
    snprintf(what, sizeof(what), "a number from 0 to %u", max);
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > max)
        return expected(err, name, what);
    *out = (uint32_t)json_integer_value(v);
    return 0;
}

static int truth(const json_t *o, const char *name, bool *out, struct err *err)
{
    const json_t *v = json_object_get(o, name);
    if (v != NULL && !json_is_boolean(v))
        return expected(err, name, "true or false");
    if (v != NULL)
        *out = json_is_true(v);
    return 0;
}

/* Objects as another product would have made them: the first policy names all filters. */
static uint32_t add_foreign(struct device *d, uint32_t policies, uint32_t filters, uint32_t precedence)
{
    struct defense_policy p = {.precedence = precedence};
    uint32_t first = 0;
    for (uint32_t i = 0; i < filters; i++) {
        struct defense_filter f = {.ip = true, .version = 4, .has_protocol = true, .protocol = 6};
        snprintf(f.name, sizeof(f.name), "isv-%u", i % 1000);
        f.profile = DEFENSE_PASS;
        f.direction = i % 2;
        f.destination_ports = (struct defense_range){true, (uint16_t)(1000 + i), (uint16_t)(1000 + i)};
        uint32_t handle = defense_filter_add(d, &f);
        if (handle != 0 && p.count < 60)
            p.handles[p.count++] = handle;
    }
    for (uint32_t i = 0; i < policies; i++) {
        snprintf(p.name, sizeof(p.name), "isv-policy-%u", i % 1000);
        uint32_t handle = defense_policy_add(d, &p);
        first = first != 0 ? first : handle;
        p.count = 0;
    }
    return first;
}

static int set_foreign(struct device *d, const json_t *o, struct err *err)
{
    uint32_t policies = 0, filters = 0, precedence = 0;
    const json_t *enabled = json_object_get(o, "enabled");
    if (number(o, "policies", DEFENSE_POLICIES_MAX, &policies, err) != 0 ||
        number(o, "filters", DEFENSE_FILTERS_MAX, &filters, err) != 0 ||
        number(o, "precedence", UINT32_MAX, &precedence, err) != 0)
        return -1;
    int owner =
        json_is_string(enabled) ? fault_name_find(defense_owner_names, json_string_value(enabled)) : -1;
    if (enabled != NULL && (owner < 0 || policies == 0))
        return expected(err, "enabled", "console, agent, environment, heuristics or default; and policies");
    uint32_t first = add_foreign(d, policies, filters, precedence);
    for (unsigned port = 0; first != 0 && enabled != NULL && port < DEFENSE_PORTS; port++) {
        if (defense_has_port(d, port))
            defense_bind(d, (enum defense_owner)owner, port, first);
    }
    return 0;
}

static int set_breach(struct device *d, const json_t *o, struct err *err)
{
    static const char *const reasons[] = {"none", "slow", "fast", "factory", NULL};
    const json_t *breach = json_object_get(o, "breach");
    int reason = json_is_string(breach) ? fault_name_find(reasons, json_string_value(breach)) : -1;
    if (breach == NULL)
        return 0;
    if (reason < 0)
        return expected(err, "breach", "none, slow, fast or factory");
    defense_heuristics(d)->reason = (uint8_t)reason;
    defense_heuristics(d)->breach_ms = device_wall_ms(d);
    return 0;
}

int defense_set(struct device *d, const json_t *o, struct err *err)
{
    static const char *const names[] = {"policies", "filters", "precedence", "enabled", "agent",
                                        "outside",  "breach",  "minutes",    NULL};
    const char *key;
    json_t *value;
    uint32_t minutes = 0;
    json_object_foreach((json_t *)o, key, value)
    {
        if (fault_name_find(names, key) < 0)
            return err_set(err, CAUSE_INVALID_ARGUMENT, "defense: '%s' cannot be set", key);
    }
    (void)defense_heuristics(d); /* makes the state */
    if (!json_is_object(o))
        return expected(err, "value", "an object");
    if (truth(o, "agent", &d->defense->agent, err) != 0 ||
        truth(o, "outside", &d->defense->outside, err) != 0 ||
        number(o, "minutes", DEFENSE_MINUTES_MAX, &minutes, err) != 0 || set_breach(d, o, err) != 0)
        return -1;
    d->defense->skipped_ms += (int64_t)minutes * 60000;
    return set_foreign(d, o, err);
}
