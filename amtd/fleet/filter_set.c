#include "amtd/fleet/filter_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"

const char *const filter_when_names[] = {"now", "agent", "worm", NULL};
const enum sd_owner filter_when_owners[FILTER_WHENS] = {SD_CONSOLE, SD_AGENT, SD_HEURISTICS};

const char *filter_when_name(enum sd_owner owner)
{
    for (size_t i = 0; i < FILTER_WHENS; i++)
        if (filter_when_owners[i] == owner)
            return filter_when_names[i];
    return NULL;
}

struct filter_set *filter_set_hold(struct filter_set *set)
{
    set->more++;
    return set;
}

void filter_set_free(struct filter_set *set)
{
    if (!set || set->more-- > 0)
        return;
    free(set->text);
    json_decref(set->warnings);
    for (size_t i = 0; set->rules && i < set->count; i++)
        free(set->rules[i]);
    free(set->rules);
    free(set->filters);
    free(set->name);
    free(set->file);
    free(set->hash);
    free(set);
}

struct filter_goal filter_set_goal(const struct filter_set *set)
{
    return (struct filter_goal){
        .owner = set->owner,
        .policy = set->policy,
        .filters = set->filters,
        .count = set->count,
        .minutes = set->minutes,
    };
}

const char *filter_set_rules(const struct filter_set *set, const struct sd_filter *filter)
{
    for (size_t i = 0; i < set->count; i++)
        if (sd_filter_same(&set->filters[i], filter))
            return set->rules[i];
    return NULL;
}

/* --- writing --- */

static void set_hex(json_t *json, const char *name, const uint8_t *p, size_t n)
{
    struct buf text = buf_init(64);

    text_hex(&text, p, n, false);
    json_object_set_new(json, name, json_string(buf_str(&text)));
    buf_free(&text);
}

static void set_address(json_t *json, const char *name, const struct sd_address *a, size_t n)
{
    json_t *value;

    if (!a->given)
        return;
    value = json_object();
    set_hex(value, "address", a->address, n);
    set_hex(value, "mask", a->mask, n);
    json_object_set_new(json, name, value);
}

static void set_ports(json_t *json, const char *name, const struct sd_ports *p)
{
    if (p->given)
        json_object_set_new(json, name, json_pack("[i, i]", (int)p->start, (int)p->end));
}

static json_t *filter_json(const struct sd_filter *f, const char *rules)
{
    size_t n = f->ip_version == 6 ? 16 : 4;
    json_t *json = json_pack("{s:s, s:s, s:i, s:i, s:b, s:I}", "name", f->name, "rules", rules, "profile",
                             (int)f->profile, "direction", (int)f->direction, "event", f->event, "rate",
                             (json_int_t)f->rate);

    if (f->kind == SD_ETHERNET) {
        json_object_set_new(json, "ethertype", json_integer(f->ethertype));
        return json;
    }
    json_object_set_new(json, "ip", json_integer(f->ip_version));
    if (f->protocol_given)
        json_object_set_new(json, "protocol", json_integer(f->protocol));
    set_address(json, "source", &f->source, n);
    set_address(json, "destination", &f->destination, n);
    set_ports(json, "source_ports", &f->source_ports);
    set_ports(json, "destination_ports", &f->destination_ports);
    if (f->tcp_on || f->tcp_off)
        json_object_set_new(json, "tcp", json_pack("[i, i]", (int)f->tcp_on, (int)f->tcp_off));
    return json;
}

static json_t *default_json(const struct sd_default *d)
{
    return json_pack("[b, b, b]", d->drop, d->event, d->count);
}

static json_t *make_json(const struct filter_set *set)
{
    json_t *filters = json_array();
    const struct sd_policy *p = &set->policy;

    for (size_t i = 0; i < set->count; i++)
        json_array_append_new(filters, filter_json(&set->filters[i], set->rules[i]));
    return json_pack("{s:s, s:s, s:I, s:s, s:s, s:I, s:I, s:o, s:o, s:I, s:o, s:i}", "name", set->name,
                     "file", set->file, "version", (json_int_t)set->version, "hash", set->hash, "policy",
                     p->name, "precedence", (json_int_t)p->precedence, "anti_spoof",
                     (json_int_t)p->anti_spoof, "tx", default_json(&p->tx), "rx", default_json(&p->rx),
                     "minutes", (json_int_t)set->minutes, "filters", filters, "owner", (int)set->owner);
}

const char *filter_set_text(struct filter_set *set)
{
    json_t *json;

    if (!set->text) {
        json = make_json(set);
        set->text = json_dumps(json, JSON_COMPACT);
        json_decref(json);
    }
    return set->text;
}

/* --- reading --- */

static bool get_number(const json_t *json, int64_t max, int64_t *out)
{
    if (!json_is_integer(json) || json_integer_value(json) < 0 || json_integer_value(json) > max)
        return false;
    *out = json_integer_value(json);
    return true;
}

static bool get_hex(const json_t *json, size_t n, uint8_t *out)
{
    const char *text = json_string_value(json);

    if (!text || json_string_length(json) != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned value;

        if (sscanf(text + 2 * i, "%2x", &value) != 1)
            return false;
        out[i] = (uint8_t)value;
    }
    return true;
}

static bool get_address(const json_t *json, size_t n, struct sd_address *a)
{
    a->given = json != NULL;
    return !json || (get_hex(json_object_get(json, "address"), n, a->address) &&
                     get_hex(json_object_get(json, "mask"), n, a->mask));
}

static bool get_ports(const json_t *json, struct sd_ports *p)
{
    int64_t start = 0, end = 0;

    p->given = json != NULL;
    if (json && (!get_number(json_array_get(json, 0), UINT16_MAX, &start) ||
                 !get_number(json_array_get(json, 1), UINT16_MAX, &end)))
        return false;
    p->start = (uint16_t)start;
    p->end = (uint16_t)end;
    return true;
}

static bool get_ip(const json_t *json, struct sd_filter *f)
{
    const json_t *protocol = json_object_get(json, "protocol"), *tcp = json_object_get(json, "tcp");
    int64_t version, number = 0, on = 0, off = 0;
    size_t n;

    if (!get_number(json_object_get(json, "ip"), 6, &version) ||
        (protocol && !get_number(protocol, UINT8_MAX, &number)) ||
        (tcp &&
         (!get_number(json_array_get(tcp, 0), 63, &on) || !get_number(json_array_get(tcp, 1), 63, &off))))
        return false;
    f->kind = SD_IP;
    f->ip_version = (uint8_t)version;
    f->protocol_given = protocol != NULL;
    f->protocol = (uint8_t)number;
    f->tcp_on = (uint8_t)on;
    f->tcp_off = (uint8_t)off;
    n = version == 6 ? 16 : 4;
    return get_address(json_object_get(json, "source"), n, &f->source) &&
           get_address(json_object_get(json, "destination"), n, &f->destination) &&
           get_ports(json_object_get(json, "source_ports"), &f->source_ports) &&
           get_ports(json_object_get(json, "destination_ports"), &f->destination_ports);
}

static bool get_name(const json_t *json, char out[SD_NAME_MAX + 1])
{
    if (!json_is_string(json) || json_string_length(json) > SD_NAME_MAX)
        return false;
    snprintf(out, SD_NAME_MAX + 1, "%s", json_string_value(json));
    return true;
}

static bool get_filter(const json_t *json, struct sd_filter *f)
{
    const json_t *ethertype = json_object_get(json, "ethertype");
    int64_t profile, direction, rate, type = 0;

    if (!get_name(json_object_get(json, "name"), f->name) ||
        !get_number(json_object_get(json, "profile"), SD_DROP, &profile) ||
        !get_number(json_object_get(json, "direction"), SD_RX, &direction) ||
        !get_number(json_object_get(json, "rate"), UINT32_MAX, &rate) ||
        (ethertype && !get_number(ethertype, UINT16_MAX, &type)))
        return false;
    f->profile = (enum sd_profile)profile;
    f->direction = (enum sd_direction)direction;
    f->event = json_is_true(json_object_get(json, "event"));
    f->rate = (uint32_t)rate;
    f->ethertype = (uint16_t)type;
    return ethertype ? true : get_ip(json, f);
}

static bool get_default(const json_t *json, struct sd_default *d)
{
    d->drop = json_is_true(json_array_get(json, 0));
    d->event = json_is_true(json_array_get(json, 1));
    d->count = json_is_true(json_array_get(json, 2));
    return json_array_size(json) == 3;
}

static bool get_filters(const json_t *json, struct filter_set *set)
{
    size_t i;
    json_t *value;

    if (json_array_size(json) > SD_HANDLES_MAX)
        return false;
    set->filters = xcalloc(json_array_size(json) + 1, sizeof(*set->filters));
    set->rules = xcalloc(json_array_size(json) + 1, sizeof(*set->rules));
    json_array_foreach(json, i, value)
    {
        const char *rules = json_string_value(json_object_get(value, "rules"));

        set->rules[set->count] = xstrdup(rules ? rules : "");
        if (!get_filter(value, &set->filters[set->count++]))
            return false;
    }
    return json_is_array(json);
}

static char *get_text(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    return xstrdup(text ? text : "");
}

struct filter_set *filter_set_read(const json_t *json, struct err *err)
{
    struct filter_set *set = xcalloc(1, sizeof(*set));
    /* sets of old have neither */
    const json_t *owner_json = json_object_get(json, "owner"),
                 *version_json = json_object_get(json, "version");
    int64_t precedence = 0, anti_spoof = 0, minutes = 0, owner = SD_CONSOLE, version = 0;

    set->name = get_text(json, "name");
    set->file = get_text(json, "file");
    set->hash = get_text(json, "hash");
    if (!get_filters(json_object_get(json, "filters"), set) ||
        !get_name(json_object_get(json, "policy"), set->policy.name) ||
        !get_number(json_object_get(json, "precedence"), UINT32_MAX, &precedence) ||
        !get_number(json_object_get(json, "anti_spoof"), 3, &anti_spoof) ||
        !get_number(json_object_get(json, "minutes"), SD_TIMEOUT_MAX, &minutes) ||
        (owner_json && !get_number(owner_json, SD_OWNERS - 1, &owner)) ||
        (version_json && !get_number(version_json, UINT32_MAX, &version)) ||
        !get_default(json_object_get(json, "tx"), &set->policy.tx) ||
        !get_default(json_object_get(json, "rx"), &set->policy.rx)) {
        filter_set_free(set);
        err_set(err, CAUSE_STORE_FAILED, "the filters kept for a host cannot be read");
        return NULL;
    }
    set->policy.precedence = (uint32_t)precedence;
    set->policy.anti_spoof = (uint32_t)anti_spoof;
    set->minutes = (uint32_t)minutes;
    set->owner = (enum sd_owner)owner;
    set->version = (unsigned)version;
    return set;
}
