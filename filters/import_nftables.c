/* nftables' JSON (nft -j list ruleset; libnftables-json(5)): the part of it that hardware can say.
 *
 * Base chains of hook input become rules with direction in, of hook output with direction out; their policies
 * become the defaults. nftables knows connections and takes the first rule that fits; here there are no
 * connections, all rules are looked at, and drop wins. What depends on a connection is left out, and then
 * rules that accept work both ways, so that answers pass. */
#include <jansson.h>
#include <string.h>

#include "base/xalloc.h"
#include "filters/import_row.h"

/* One rule being read. */
struct nft_rule {
    struct import *import;
    struct import_row row;
    const char *hook; /* of its chain: "input", "output" */
    json_int_t handle;
    bool left_out; /* it was said why */
};

struct nft {
    struct import *import;
    json_t *objects;
    bool connections; /* some rule lets answers pass */
    bool accepted[2]; /* an accepting rule came before, by hook */
    bool told_order;
};

static void leave_out(struct nft_rule *rule, const char *what)
{
    if (!rule->left_out)
        import_warn(rule->import, 0, "rule with handle %lld is not carried over: %s", (long long)rule->handle,
                    what);
    rule->left_out = true;
}

/* --- values --- */

static void add_scalar(struct nft_rule *rule, const json_t *value, struct buf *out)
{
    if (json_is_string(value) && json_string_value(value)[0] != '@')
        buf_puts(out, json_string_value(value));
    else if (json_is_integer(value))
        buf_printf(out, "%lld", (long long)json_integer_value(value));
    else
        leave_out(rule, "a value that is neither text, number, prefix, range nor a plain set");
}

/* One element of a list of ours. */
static void add_element(struct nft_rule *rule, const json_t *value, struct buf *out)
{
    const json_t *prefix = json_object_get(value, "prefix"), *range = json_object_get(value, "range");

    if (out->len > 0)
        buf_putc(out, ',');
    if (prefix) {
        add_scalar(rule, json_object_get(prefix, "addr"), out);
        buf_putc(out, '/');
        add_scalar(rule, json_object_get(prefix, "len"), out);
    } else if (json_array_size(range) == 2) {
        add_scalar(rule, json_array_get(range, 0), out);
        buf_putc(out, '-');
        add_scalar(rule, json_array_get(range, 1), out);
    } else {
        add_scalar(rule, value, out);
    }
}

static void add_value(struct nft_rule *rule, const json_t *value, struct buf *out)
{
    const json_t *set = json_object_get(value, "set"), *item;
    size_t i;

    if (!json_is_array(set)) {
        add_element(rule, value, out);
        return;
    }
    json_array_foreach(set, i, item) add_element(rule, item, out);
}

static void set_value(struct nft_rule *rule, enum import_field field, const json_t *value)
{
    struct buf text = buf_init(65536);

    add_value(rule, value, &text);
    if (rule->row.values[field])
        leave_out(rule, "two matches on one thing");
    else if (!rule->left_out)
        import_row_set(&rule->row, field, buf_str(&text));
    buf_free(&text);
}

/* --- matches --- */

static const struct {
    const char *protocol, *field;
    enum import_field target;
    const char *sets_protocol, *sets_ip;
} payloads[] = {
    {"ip", "saddr", FIELD_OF(SIDE_SOURCE, PROPERTY_ADDRESS), NULL, NULL},
    {"ip", "daddr", FIELD_OF(SIDE_DESTINATION, PROPERTY_ADDRESS), NULL, NULL},
    {"ip", "protocol", FIELD_PROTOCOL, NULL, "4"},
    {"ip6", "saddr", FIELD_OF(SIDE_SOURCE, PROPERTY_ADDRESS), NULL, NULL},
    {"ip6", "daddr", FIELD_OF(SIDE_DESTINATION, PROPERTY_ADDRESS), NULL, NULL},
    {"ip6", "nexthdr", FIELD_PROTOCOL, NULL, "6"},
    {"tcp", "sport", FIELD_OF(SIDE_SOURCE, PROPERTY_PORT), "tcp", NULL},
    {"tcp", "dport", FIELD_OF(SIDE_DESTINATION, PROPERTY_PORT), "tcp", NULL},
    {"udp", "sport", FIELD_OF(SIDE_SOURCE, PROPERTY_PORT), "udp", NULL},
    {"udp", "dport", FIELD_OF(SIDE_DESTINATION, PROPERTY_PORT), "udp", NULL},
    {"th", "sport", FIELD_OF(SIDE_SOURCE, PROPERTY_PORT), NULL, NULL},
    {"th", "dport", FIELD_OF(SIDE_DESTINATION, PROPERTY_PORT), NULL, NULL},
    {"ether", "type", FIELD_ETHERTYPE, NULL, NULL},
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void match_payload(struct nft_rule *rule, const json_t *payload, const json_t *value)
{
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        if (strcmp(text_of(payload, "protocol"), payloads[i].protocol) != 0 ||
            strcmp(text_of(payload, "field"), payloads[i].field) != 0)
            continue;
        set_value(rule, payloads[i].target, value);
        if (payloads[i].sets_protocol)
            import_row_set(&rule->row, FIELD_PROTOCOL, payloads[i].sets_protocol);
        if (payloads[i].sets_ip)
            import_row_set(&rule->row, FIELD_IP, payloads[i].sets_ip);
        return;
    }
    leave_out(rule, "a match on something the hardware does not look at");
}

static void match_meta(struct nft_rule *rule, const json_t *meta, const json_t *value)
{
    const char *key = text_of(meta, "key"), *text = json_string_value(value);

    if (strcmp(key, "l4proto") == 0)
        set_value(rule, FIELD_PROTOCOL, value);
    else if ((strcmp(key, "nfproto") == 0 || strcmp(key, "protocol") == 0) && text &&
             (strcmp(text, "ipv4") == 0 || strcmp(text, "ip") == 0))
        import_row_set(&rule->row, FIELD_IP, "4");
    else if ((strcmp(key, "nfproto") == 0 || strcmp(key, "protocol") == 0) && text &&
             (strcmp(text, "ipv6") == 0 || strcmp(text, "ip6") == 0))
        import_row_set(&rule->row, FIELD_IP, "6");
    else
        leave_out(rule, "a match on an interface, mark or user");
}

static void read_match(struct nft_rule *rule, const json_t *match)
{
    const json_t *left = json_object_get(match, "left"), *value = json_object_get(match, "right");
    const char *op = text_of(match, "op");

    if (strcmp(op, "==") != 0 && strcmp(op, "in") != 0)
        leave_out(rule, "a comparison other than 'is'");
    else if (json_object_get(left, "ct"))
        leave_out(rule, "hardware knows no connections");
    else if (json_object_get(left, "payload"))
        match_payload(rule, json_object_get(left, "payload"), value);
    else if (json_object_get(left, "meta"))
        match_meta(rule, json_object_get(left, "meta"), value);
    else
        leave_out(rule, "a match on something the hardware does not look at");
}

static void read_limit(struct nft_rule *rule, const json_t *limit)
{
    struct buf rate = buf_init(32);

    if (strcmp(text_of(limit, "per"), "second") != 0 || json_is_true(json_object_get(limit, "inv")) ||
        strcmp(text_of(limit, "rate_unit"), "") != 0) {
        leave_out(rule, "a limit that is not of packets each second");
    } else {
        buf_printf(&rate, "%lld", (long long)json_integer_value(json_object_get(limit, "rate")));
        import_row_set(&rule->row, FIELD_RATE, buf_str(&rate));
    }
    buf_free(&rate);
}

/* One statement of a rule, by the only key of its object. */
static void read_statement(struct nft_rule *rule, const char *key, const json_t *value)
{
    if (strcmp(key, "match") == 0)
        read_match(rule, value);
    else if (strcmp(key, "limit") == 0)
        read_limit(rule, value);
    else if (strcmp(key, "counter") == 0)
        import_row_set(&rule->row, FIELD_COUNT, "yes");
    else if (strcmp(key, "log") == 0)
        import_row_set(&rule->row, FIELD_EVENT, "yes");
    else if (strcmp(key, "accept") == 0)
        import_row_set(&rule->row, FIELD_ACTION, rule->row.values[FIELD_RATE] ? "limit" : "pass");
    else if (strcmp(key, "drop") == 0 || strcmp(key, "reject") == 0)
        import_row_set(&rule->row, FIELD_ACTION, "drop");
    else
        leave_out(rule, key);
}

/* --- rules --- */

static bool looks_at_connections(const json_t *expressions)
{
    const json_t *statement;
    size_t i;

    json_array_foreach(expressions, i, statement)
    {
        if (json_object_get(json_object_get(json_object_get(statement, "match"), "left"), "ct"))
            return true;
    }
    return false;
}

/* The hook of a rule's chain, and the chain; NULL when it is no base chain of input or output. */
static const char *hook_of(const struct nft *nft, const json_t *rule)
{
    const json_t *object;
    size_t i;

    json_array_foreach(nft->objects, i, object)
    {
        const json_t *chain = json_object_get(object, "chain");
        const char *hook = text_of(chain, "hook");

        if (chain && strcmp(text_of(chain, "name"), text_of(rule, "chain")) == 0 &&
            strcmp(text_of(chain, "table"), text_of(rule, "table")) == 0 &&
            strcmp(text_of(chain, "family"), text_of(rule, "family")) == 0)
            return strcmp(hook, "input") == 0 || strcmp(hook, "output") == 0 ? hook : NULL;
    }
    return NULL;
}

/* The order in which rules stand means something there and nothing here. */
static void check_order(struct nft *nft, const struct nft_rule *rule)
{
    bool in = strcmp(rule->hook, "input") == 0;
    bool drops = strcmp(rule->row.values[FIELD_ACTION], "drop") == 0;

    if (drops && nft->accepted[in] && !nft->told_order) {
        nft->told_order = true;
        import_warn(nft->import, 0,
                    "rule with handle %lld drops after others that accept: there the first that fits counts, "
                    "here drop "
                    "always wins; amtcli filter check shows what contradicts",
                    (long long)rule->handle);
    }
    nft->accepted[in] |= !drops;
}

static void finish_rule(struct nft *nft, struct nft_rule *rule, const json_t *object)
{
    struct filter_file *file = nft->import->file;
    const char *family = text_of(object, "family");
    struct buf name = buf_init(40);
    size_t before = file->count;
    bool in = strcmp(rule->hook, "input") == 0;

    buf_printf(&name, "%s-%lld", in ? "in" : "out", (long long)rule->handle);
    import_row_set(&rule->row, FIELD_NAME, buf_str(&name));
    import_row_set(&rule->row, FIELD_COMMENT, text_of(object, "comment"));
    if (strcmp(family, "ip") == 0 || strcmp(family, "ip6") == 0)
        import_row_set(&rule->row, FIELD_IP, strcmp(family, "ip") == 0 ? "4" : "6");
    import_row_set(&rule->row, FIELD_DIRECTION, in ? "in" : "out");
    check_order(nft, rule);
    /* a direction also says which side is local: both ways come after the sides are known */
    import_row_add(nft->import, &rule->row);
    for (size_t i = before; i < file->count; i++)
        if (nft->connections && strcmp(rule->row.values[FIELD_ACTION], "pass") == 0)
            xreplace(&file->items[i].values[ATTRIBUTE_DIRECTION], NULL);
    buf_free(&name);
}

static void read_rule(struct nft *nft, const json_t *object)
{
    struct nft_rule rule = {.import = nft->import,
                            .handle = json_integer_value(json_object_get(object, "handle"))};
    const json_t *expressions = json_object_get(object, "expr"), *statement;
    size_t i;

    rule.hook = hook_of(nft, object);
    if (!rule.hook)
        leave_out(&rule, "its chain is not one of the hooks input and output");
    json_array_foreach(expressions, i, statement)
    {
        const char *key = json_object_iter_key(json_object_iter((json_t *)statement));

        if (key && !rule.left_out)
            read_statement(&rule, key, json_object_get(statement, key));
    }
    if (!rule.left_out && !rule.row.values[FIELD_ACTION])
        leave_out(&rule, "it neither accepts nor drops");
    if (!rule.left_out)
        finish_rule(nft, &rule, object);
    import_row_clear(&rule.row);
}

/* --- the whole --- */

static void read_policies(struct nft *nft)
{
    struct rules_policy *policy = &nft->import->file->policy;
    const json_t *object;
    size_t i;

    policy->out.drop = policy->in.drop = false; /* without a chain everything passes */
    json_array_foreach(nft->objects, i, object)
    {
        const json_t *chain = json_object_get(object, "chain");
        bool drops = strcmp(text_of(chain, "policy"), "drop") == 0;

        if (strcmp(text_of(chain, "hook"), "input") == 0)
            policy->in.drop |= drops;
        else if (strcmp(text_of(chain, "hook"), "output") == 0)
            policy->out.drop |= drops;
        nft->connections |= looks_at_connections(json_object_get(json_object_get(object, "rule"), "expr"));
    }
    if (nft->connections)
        import_note(nft->import, 0,
                    "rules look at connections, which hardware does not know: all that accept work both ways "
                    "instead");
}

int import_nftables(struct import *import, const void *text, size_t n)
{
    struct nft nft = {.import = import};
    json_error_t error;
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    const json_t *object;
    size_t i;

    nft.objects = json_object_get(root, "nftables");
    if (!json_is_array(nft.objects)) {
        findings_add(import->findings, FINDING_ERROR,
                     (struct place){import->file->path, root ? 1 : error.line}, NULL, "%s",
                     root ? "expected {\"nftables\": [...]}, as nft -j list ruleset writes it" : error.text);
        json_decref(root);
        return -1;
    }
    read_policies(&nft);
    json_array_foreach(nft.objects, i, object)
    {
        if (json_object_get(object, "rule"))
            read_rule(&nft, json_object_get(object, "rule"));
        else if (json_object_get(object, "set") || json_object_get(object, "map"))
            import_warn(import, 0, "a named %s is not carried over",
                        json_object_get(object, "set") ? "set" : "map");
    }
    json_decref(root);
    return 0;
}
