#include "amtd/fleet/filter_source.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "filters/check.h"
#include "filters/compile.h"
#include "filters/file.h"
#include "filters/names.h"
#include "filters/needs.h"

/* Where the version is not known yet: the limits that count are the device's own. */
#define VERSION_UNKNOWN 11

#define DISCARD_PORT 9 /* of a socket that sends nothing */

#define RULES_TEXT_MAX 1024
#define KEY_MAX        65536
#define MADE_MAX       8

/* What was compiled for hosts that are alike in all that counts. */
struct made {
    char *key; /* NULL: empty */
    struct filter_set *set;
    struct ruleset *rules;
    char *host; /* what @host stands for, or NULL */
};

struct filter_source {
    struct filter_file *file;
    struct filter_file *needs;  /* further ones, or NULL */
    struct host_names *names;   /* looked up here */
    struct made made[MADE_MAX]; /* compiled lately */
    size_t made_next;
    char *name;
    char *hash;
};

/* --- reading --- */

static char *hash_of(const void *p, size_t n)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct buf text = buf_init(2 * sizeof(digest) + 1);

    EVP_Digest(p, n, digest, &len, EVP_sha256(), NULL);
    text_hex(&text, digest, len, false);
    return buf_take(&text);
}

/* The caller sends one document; what it names besides stays where it is. */
static int read_nothing(void *arg, const char *path, struct buf *out, struct err *err)
{
    (void)arg;
    (void)out;
    return err_set(err, CAUSE_INVALID_ARGUMENT, "%s: files are to be included before they are sent", path);
}

struct filter_source *filter_source_read(const char *name, const char *text, size_t n, struct err *err)
{
    struct findings findings = {0};
    struct filter_file *file = filter_file_parse(name, text, n, read_nothing, NULL, &findings);
    struct filter_source *source;

    if (!file) {
        findings_err(&findings, err);
        findings_clear(&findings);
        return NULL;
    }
    findings_clear(&findings);
    source = xcalloc(1, sizeof(*source));
    source->file = file;
    source->name = xstrdup(name);
    source->hash = hash_of(text, n);
    source->names = host_names_new();
    return source;
}

static void made_clear(struct made *made)
{
    filter_set_free(made->set);
    ruleset_free(made->rules);
    free(made->host);
    free(made->key);
    memset(made, 0, sizeof(*made));
}

void filter_source_free(struct filter_source *source)
{
    if (!source)
        return;
    filter_file_free(source->file);
    filter_file_free(source->needs);
    host_names_free(source->names);
    for (size_t i = 0; i < MADE_MAX; i++)
        made_clear(&source->made[i]);
    free(source->name);
    free(source->hash);
    free(source);
}

static struct filter_file *read_need_rows(const json_t *needs, struct findings *findings)
{
    struct need_row rows[NEED_ROWS_MAX];
    size_t count = 0, i;
    json_t *row;

    json_array_foreach((json_t *)needs, i, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        const char *protocol = json_string_value(json_object_get(row, "protocol"));
        json_int_t port = json_integer_value(json_object_get(row, "port"));
        json_int_t local = json_integer_value(json_object_get(row, "local_port"));

        if (!name || !protocol || port < 0 || port > UINT16_MAX || local < 0 || local > UINT16_MAX ||
            count == NEED_ROWS_MAX) {
            findings_add(findings, FINDING_ERROR, (struct place){NULL, 0}, NULL,
                         "'needs': expected at most %d objects of 'name', 'protocol', 'remote', 'port', "
                         "'local_port', 'ip'",
                         NEED_ROWS_MAX);
            return NULL;
        }
        rows[count++] = (struct need_row){
            name,           protocol,        json_string_value(json_object_get(row, "remote")),
            (uint16_t)port, (uint16_t)local, (unsigned)json_integer_value(json_object_get(row, "ip"))};
    }
    return needs_file(rows, count, findings);
}

int filter_source_add_needs(struct filter_source *source, const json_t *needs, struct err *err)
{
    const char *name = json_string_value(json_object_get(needs, "name"));
    const json_t *text = json_object_get(needs, "text");
    struct findings findings = {0};

    filter_file_free(source->needs);
    source->needs = NULL;
    if (json_is_array(needs))
        source->needs = read_need_rows(needs, &findings);
    else if (name && json_is_string(text))
        source->needs = filter_file_parse(name, json_string_value(text), json_string_length(text),
                                          read_nothing, NULL, &findings);
    else
        err_set(err, CAUSE_INVALID_ARGUMENT,
                "'needs' must be a list of needs, or an object of 'name' and 'text'");
    if (findings.errors > 0)
        findings_err(&findings, err);
    findings_clear(&findings);
    return source->needs ? 0 : -1;
}

const char *filter_source_name(const struct filter_source *source)
{
    return source->file->name;
}

bool filter_source_has_name(const struct filter_source *source, const char *name)
{
    return filter_file_has_name(source->file, name) ||
           (source->needs && filter_file_has_name(source->needs, name));
}

const char *filter_source_hash(const struct filter_source *source)
{
    return source->hash;
}

/* --- names --- */

struct host_names *filter_source_names(struct filter_source *source)
{
    return source->names;
}

struct resolving {
    const json_t *given;
    struct host_names *names;
};

static int resolve(void *arg, const char *host, struct buf *addresses, struct err *err)
{
    const struct resolving *resolving = arg;
    const char *text = json_string_value(json_object_get(resolving->given, host));

    if (!text)
        text = host_names_get(resolving->names, host, err);
    if (!text)
        return -1;
    buf_puts(addresses, text);
    return 0;
}

static int bind_state(struct names *names, const struct filter_binding *binding, const struct sd_state *state,
                      struct err *err)
{
    const struct {
        const char *name, *value;
    } known[] = {{"management", binding->management}, {"dns", state->dns}, {"gateway", state->gateway}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].value && known[i].value[0] && names_set(names, known[i].name, known[i].value, err) != 0)
            return -1;
    return 0;
}

/* The last one to bind a name counts: what the device says, what is set for the host, the caller. */
static struct names *bind_names(const struct filter_binding *binding, const struct sd_state *state,
                                struct resolving *resolving, struct err *err)
{
    struct names *names = names_new();
    const json_t *const sets[] = {binding->names, binding->set};
    int status = bind_state(names, binding, state, err);
    const char *name;
    json_t *value;

    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        json_object_foreach((json_t *)sets[i], name, value)
        {
            if (status == 0)
                status = names_set(names, name, json_string_value(value), err);
        }
    }
    names_set_resolver(names, resolve, resolving);
    if (status == 0)
        return names;
    names_free(names);
    return NULL;
}

/* --- making the set --- */

static char *join_rules(const struct compiled_filter *filter, const struct ruleset *rules)
{
    struct buf text = buf_init(RULES_TEXT_MAX);

    for (size_t i = 0; i < filter->rule_count; i++)
        buf_printf(&text, "%s%s", i > 0 ? ", " : "", rules->rules[filter->rules[i]].name);
    return buf_take(&text);
}

static struct filter_set *make_set(const struct filter_source *source, const struct filter_binding *binding,
                                   const struct compiled *compiled, const struct ruleset *rules)
{
    struct filter_set *set = xcalloc(1, sizeof(*set));

    set->name = xstrdup(source->file->name);
    set->file = xstrdup(source->name);
    set->version = source->file->version;
    set->hash = xstrdup(source->hash);
    set->policy = compiled->policy;
    set->minutes = compiled->timeout_minutes;
    set->owner = binding->owner;
    set->filters = xcalloc(compiled->count + 1, sizeof(*set->filters));
    set->rules = xcalloc(compiled->count + 1, sizeof(*set->rules));
    for (; set->count < compiled->count; set->count++) {
        set->filters[set->count] = compiled->filters[set->count].filter;
        set->rules[set->count] = join_rules(&compiled->filters[set->count], rules);
    }
    return set;
}

static struct compiled *compile(struct ruleset *rules, const struct filter_binding *binding,
                                const struct sd_state *state, bool *no_room, struct findings *findings)
{
    struct sd_port_limits ports[SD_PORTS_MAX];
    struct compile_options options = {
        .device = &state->limits,
        .ports = ports,
        .prefix = FILTER_OURS,
        .widen = binding->widen,
        .no_room = no_room,
    };

    for (size_t i = 0; i < state->port_count; i++)
        if (state->ports[i].has_limits)
            ports[options.port_count++] = state->ports[i].limits;
    if (binding->anti_spoof)
        rules->policy.anti_spoof = SD_ANTI_SPOOF_EVENT | SD_ANTI_SPOOF_COUNT;
    return filter_compile(rules, &options, findings);
}

/* What rules were made to do besides what they say. */
static json_t *warnings_of(const struct findings *findings)
{
    json_t *warnings = NULL;

    for (size_t i = 0; i < findings->count; i++) {
        struct buf text = buf_init(RULES_TEXT_MAX);

        if (findings->items[i].level == FINDING_WARNING) {
            finding_text(&findings->items[i], &text);
            warnings = warnings ? warnings : json_array();
            json_array_append_new(warnings, json_string(buf_str(&text)));
        }
        buf_free(&text);
    }
    return warnings;
}

/* Where no port can tell a false source address, saying so is better than a policy that seems to. */
static int check_anti_spoof(const struct ruleset *rules, const struct sd_state *state, struct err *err)
{
    for (size_t i = 0; rules->policy.anti_spoof && i < state->port_count; i++)
        if (state->ports[i].has_limits && !state->ports[i].limits.ipv4_anti_spoof)
            return err_set(err, CAUSE_UNSUPPORTED,
                           "port %u of the device cannot check source addresses (anti-spoof)",
                           state->ports[i].number);
    return 0;
}

/* What the file says must work, and what amtd itself depends on, must work with it. */
static int check_ways(const struct filter_source *source, const struct ruleset *rules, struct names *names,
                      const struct filter_binding *binding, struct err *err)
{
    unsigned version = binding->version > 0 ? binding->version : VERSION_UNKNOWN;
    struct check_options options = {
        .versions = &version, .version_count = 1, .needs = source->needs, .widen = binding->widen};
    struct check_report report;
    struct findings findings = {0};
    const struct way *cut = NULL;
    int status = 0;
    size_t own = 0;

    if (binding->force)
        return 0;
    filter_check(rules, names, &options, &report, &findings);
    for (size_t i = 0; i < report.way_count; i++) {
        own += report.ways[i].origin == WAY_OWN;
        if (!report.ways[i].passes && !cut)
            cut = &report.ways[i];
    }
    if (cut)
        status =
            err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' cuts off '%s' (%s): %s%s%s", source->file->name,
                    cut->name, cut->what, cut->why, report.cut > 1 ? ", and more" : "",
                    binding->owner == SD_CONSOLE ? "; with --force and --confirm-within it is applied" : "");
    else if (own == 0) /* without the server's address nobody can tell */
        status = findings_err(&findings, err);
    findings_clear(&findings);
    check_report_clear(&report);
    return status;
}

/* --- what can be tried from here --- */

/* This server's address on the way to a host: what the kernel would put into a packet. Nothing is sent. */
static bool own_address(const char *host, uint8_t *version, net_number *address)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(DISCARD_PORT)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(DISCARD_PORT)};
    bool is4 = inet_pton(AF_INET, host, &v4.sin_addr) == 1,
         is6 = inet_pton(AF_INET6, host, &v6.sin6_addr) == 1;
    struct sockaddr *to = is4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t len = is4 ? sizeof(v4) : sizeof(v6);
    int fd = is4 || is6 ? socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    bool good = fd >= 0 && connect(fd, to, len) == 0 && getsockname(fd, to, &len) == 0;

    *version = is4 ? 4 : 6;
    *address = net_from_bytes(is4 ? (const uint8_t *)&v4.sin_addr : v6.sin6_addr.s6_addr, *version);
    if (fd >= 0)
        close(fd);
    return good;
}

static void find_ways(const struct made *made, const struct filter_binding *binding, struct reach_try *reach)
{
    const char *host = made->host ? made->host : binding->there ? binding->there : "";
    uint8_t version;
    net_number address;

    /* of several addresses of a host the first */
    snprintf(reach->address, sizeof(reach->address), "%.*s", (int)strcspn(host, " ,\t\n"), host);
    if (own_address(reach->address, &version, &address))
        reach->count = reach_ways(made->rules, version, address, reach->ways);
}

/* --- what was made lately --- */

static void add_room(const struct sd_room *room, struct buf *key)
{
    buf_printf(key, "%u/%u ", room->filters, room->counters);
}

/* All that compiling looks at and that differs from host to host. */
static char *key_of(const struct filter_binding *binding, const struct sd_state *state)
{
    struct buf key = buf_init(KEY_MAX);
    const char *name;
    json_t *value;

    buf_printf(&key, "%u|%s|%s|%s|%u %u", binding->version, binding->management ? binding->management : "",
               state->dns, state->gateway, state->limits.policies, state->limits.filters);
    for (size_t i = 0; i < state->port_count; i++) {
        const struct sd_port_limits *l = &state->ports[i].limits;

        buf_printf(&key, "|%u %d %u %d %d ", state->ports[i].number, state->ports[i].has_limits,
                   l->ipv6_ratio, l->ipv4_anti_spoof, l->ipv6_anti_spoof);
        add_room(&l->ipv4_tx, &key);
        add_room(&l->ipv4_rx, &key);
        add_room(&l->ipv6_tx, &key);
        add_room(&l->ipv6_rx, &key);
    }
    json_object_foreach((json_t *)binding->names, name, value)
        buf_printf(&key, "|%s=%s", name, json_string_value(value));
    if (buf_ok(&key))
        return buf_take(&key);
    buf_free(&key);
    return NULL; /* names beyond all measure: it is compiled anew */
}

static const struct made *find_made(const struct filter_source *source, const char *key)
{
    for (size_t i = 0; key && i < MADE_MAX; i++)
        if (source->made[i].key && strcmp(source->made[i].key, key) == 0)
            return &source->made[i];
    return NULL;
}

/* What the further needs name must be known, too. */
static bool bind_needs(const struct filter_source *source, struct names *names, struct findings *findings)
{
    struct ruleset *needs = source->needs ? filter_bind(source->needs, names, findings) : NULL;
    bool known = needs || !source->needs;

    ruleset_free(needs);
    return known;
}

static void tell_no_room(const struct filter_binding *binding, struct err *err)
{
    const struct err why = *err;

    err_set(err, CAUSE_LIMIT_EXCEEDED, "%s%s", why.text,
            binding->widen ? "" : "; 'filter check' says what --widen would do");
}

static int make(const struct filter_source *source, const struct filter_binding *binding,
                const struct sd_state *state, struct made *made, struct err *err)
{
    struct resolving resolving = {binding->addresses, source->names};
    struct names *names = bind_names(binding, state, &resolving, err);
    struct findings findings = {0};
    struct ruleset *rules = names ? filter_bind(source->file, names, &findings) : NULL;
    bool whole = rules && bind_needs(source, names, &findings);
    bool no_room = false;
    struct compiled *compiled = whole ? compile(rules, binding, state, &no_room, &findings) : NULL;

    memset(made, 0, sizeof(*made));
    if (compiled && check_anti_spoof(rules, state, err) == 0 &&
        check_ways(source, rules, names, binding, err) == 0) {
        made->set = make_set(source, binding, compiled, rules);
        made->set->warnings = binding->widen ? warnings_of(&findings) : NULL;
        made->host = xstrdup(names_get(names, "host"));
        made->rules = rules;
        rules = NULL;
    } else if (names && !compiled) {
        findings_err(&findings, err);
        if (no_room) /* no mistake of the file */
            tell_no_room(binding, err);
    }
    compiled_free(compiled);
    ruleset_free(rules);
    names_free(names);
    findings_clear(&findings);
    return made->set ? 0 : -1;
}

/* The last of those made lately, with what was made now. */
static const struct made *keep_made(struct filter_source *source, const struct made *fresh)
{
    struct made *made = &source->made[source->made_next];

    made_clear(made);
    *made = *fresh;
    source->made_next = (source->made_next + 1) % MADE_MAX;
    return made;
}

struct filter_set *filter_source_compile(struct filter_source *source, const struct filter_binding *binding,
                                         const struct sd_state *state, struct reach_try *reach,
                                         struct err *err)
{
    char *key = key_of(binding, state);
    const struct made *found = find_made(source, key);
    struct made fresh;

    if (found) {
        free(key);
    } else if (make(source, binding, state, &fresh, err) != 0) {
        free(key);
        return NULL;
    } else {
        fresh.key = key;
        found = keep_made(source, &fresh);
    }
    if (!binding->force) /* what is forced undoes itself */
        find_ways(found, binding, reach);
    return filter_set_hold(found->set);
}
