/* config: the settings of devices, shown, compared with a declared configuration, and corrected. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/arrival.h"
#include "amtd/fleet/declaration.h"
#include "amtd/fleet/declaration_conflict.h"
#include "amtd/fleet/link.h"
#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "amtd/store/declarations.h"
#include "base/text.h"
#include "base/xalloc.h"

#define READ_BUDGET_MS   60000
#define CHANGE_BUDGET_MS 180000
#define ARRIVAL_MS       60000

enum config_action { CONFIG_SHOW, CONFIG_DIFF, CONFIG_APPLY };

static const char *const action_names[] = {"show", "diff", "apply", NULL};

struct config_args {
    int action; /* enum config_action */
    bool force;
    int64_t arrival_ms;              /* 0: ARRIVAL_MS */
    char expect[INET_ADDRSTRLEN];    /* where a device comes that gets its address by DHCP; "": not known */
    char collection[65];             /* whose declared configuration; "": the file's */
    struct declaration *declaration; /* of a file; NULL: none was given */
};

static const struct task_arg args_table[] = {
    {"action", TASK_ARG_NAME, offsetof(struct config_args, action), true, .names = action_names},
    {"force", TASK_ARG_BOOL, offsetof(struct config_args, force)},
    {"arrival_ms", TASK_ARG_MS, offsetof(struct config_args, arrival_ms), .min = 1000, .max = 600000},
    {"expect", TASK_ARG_TEXT, offsetof(struct config_args, expect), .size = INET_ADDRSTRLEN},
    {"collection", TASK_ARG_TEXT, offsetof(struct config_args, collection), .size = 65},
    {NULL},
};

struct config_work {
    struct settings_seq seq; /* first */
    const struct config_args *args;
    const struct host *host;
    struct declaration *declared; /* of the collection; owned */
    int64_t version;              /* of that; 0: of a file */
    char name[64];                /* what "own" stands for */
    char here[INET6_ADDRSTRLEN], there[INET6_ADDRSTRLEN];
    uint16_t port;
    struct task_pause pause;
    struct arrival *arrival;
};

/* --- arguments --- */

static bool is_ipv4(const char *text)
{
    struct in_addr address;

    return text && inet_pton(AF_INET, text, &address) == 1;
}

static bool is_ipv6(const char *text)
{
    struct in6_addr address;

    return text && inet_pton(AF_INET6, text, &address) == 1;
}

static int read_file(struct config_args *ca, const json_t *file, struct err *err)
{
    const json_t *text = json_object_get(file, "text");
    const char *name = json_string_value(json_object_get(file, "name"));
    json_t *mistakes;

    if (!json_is_string(text) || !name)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'file' is {name, text}");
    ca->declaration = declaration_read(name, json_string_value(text), json_string_length(text), &mistakes);
    if (!ca->declaration)
        declaration_complain(name, mistakes, err);
    json_decref(mistakes);
    return ca->declaration ? 0 : -1;
}

static int config_parse(void *args, const json_t *json, struct err *err)
{
    struct config_args *ca = args;
    const json_t *file = json_object_get(json, "file");
    json_t *rest = json_is_object(json) ? json_copy((json_t *)json) : NULL;
    int status;

    json_object_del(rest, "file");
    status = task_args_read(args_table, rest, ca, err);
    json_decref(rest);
    if (status == 0 && (ca->action == CONFIG_SHOW ? file || ca->collection[0] : !file == !ca->collection[0]))
        status = err_set(err, CAUSE_INVALID_ARGUMENT, "%s",
                         ca->action == CONFIG_SHOW ? "'show' goes without a configuration"
                                                   : "one of 'file' and 'collection' says what is wanted");
    if (status == 0 && (ca->force || ca->arrival_ms > 0) && ca->action != CONFIG_APPLY)
        status = err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' goes with 'apply'",
                         ca->force ? "force" : "arrival_ms");
    if (status == 0 && ca->expect[0] && (ca->action != CONFIG_APPLY || !is_ipv4(ca->expect)))
        status = err_set(err, CAUSE_INVALID_ARGUMENT, "'expect' is an IPv4 address, and goes with 'apply'");
    return status == 0 && file ? read_file(ca, file, err) : status;
}

static void config_forget(void *args)
{
    struct config_args *ca = args;

    declaration_free(ca->declaration);
    ca->declaration = NULL;
}

static char *config_describe(const void *args)
{
    const struct config_args *ca = args;
    json_t *json = json_pack("{s:s}", "action", action_names[ca->action]);
    char *text;

    if (ca->collection[0])
        json_object_set_new(json, "collection", json_string(ca->collection));
    if (ca->declaration) {
        json_object_set_new(json, "configuration", json_string(ca->declaration->name));
        json_object_set_new(json, "hash", json_string(ca->declaration->hash));
    }
    if (ca->force)
        json_object_set_new(json, "force", json_true());
    if (ca->arrival_ms > 0)
        json_object_set_new(json, "arrival_ms", json_integer(ca->arrival_ms));
    text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(json);
    return text;
}

static bool config_changes(const void *args)
{
    return ((const struct config_args *)args)->action == CONFIG_APPLY;
}

/* How long a device that moves is waited for. */
static int64_t arrival_of(const struct config_args *ca)
{
    return ca->arrival_ms > 0 ? ca->arrival_ms : ARRIVAL_MS;
}

static int64_t config_budget(const void *args)
{
    return config_changes(args) ? CHANGE_BUDGET_MS + 2 * arrival_of(args) : READ_BUDGET_MS;
}

/* --- on one host --- */

static void config_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    struct config_work *w = work;

    (void)quirks;
    w->args = args;
    w->host = host;
    snprintf(w->name, sizeof(w->name), "%.*s", (int)strcspn(host->name, "."), host->name);
}

static void config_know(void *work, const char *known)
{
    struct config_work *w = work;
    json_t *json = known ? json_loads(known, 0, NULL) : NULL, *mistakes = NULL;
    const json_t *text = json_object_get(json, "text");

    if (text)
        w->declared = declaration_read(json_string_value(json_object_get(json, "name")),
                                       json_string_value(text), json_string_length(text), &mistakes);
    w->version = json_integer_value(json_object_get(json, "version"));
    json_decref(mistakes);
    json_decref(json);
}

static void config_way(void *work, const struct task_way *way)
{
    struct config_work *w = work;

    snprintf(w->here, sizeof(w->here), "%s", way->here);
    snprintf(w->there, sizeof(w->there), "%s", way->there);
}

static const struct declaration *wanted_of(const struct config_work *w)
{
    return w->args->declaration ? w->args->declaration : w->declared;
}

/* What stands for "own": NULL and err, when amtd does not know it. */
static const char *own_value(const struct config_work *w, int id, struct err *err)
{
    bool (*is_family)(const char *text) = id == SETTING_IPV6_ADDRESS ? is_ipv6 : is_ipv4;

    if (id == SETTING_HOST_NAME)
        return w->name;
    if (is_family(w->host->address))
        return w->host->address;
    if (is_family(w->there))
        return w->there;
    err_set(err, CAUSE_INVALID_ARGUMENT, "the host's own %s address is not known: give it one, or name it",
            is_family == is_ipv6 ? "IPv6" : "IPv4");
    return NULL;
}

/* NULL: amtd reaches it by a numeric address. */
static const char *dns_name(const struct host *host)
{
    const char *name = host->address ? host->address : host->name;

    return is_ipv4(name) || is_ipv6(name) ? NULL : name;
}

static int config_login(void *work, const struct login *login, struct err *err)
{
    struct config_work *w = work;
    const struct declaration *d = wanted_of(w);
    struct settings_request request = {
        .apply = w->args->action == CONFIG_APPLY,
        .force = w->args->force,
        .here = w->here,
        .there = w->there[0] ? w->there : w->host->address,
        .known_as = dns_name(w->host),
        .expected = w->args->expect[0] ? w->args->expect : NULL,
        .clock = clock_system(),
    };

    if (w->args->action != CONFIG_SHOW && !d)
        return err_set(err, CAUSE_NOT_FOUND, "no configuration is declared for '@%s'", w->args->collection);
    for (int i = 0; d && i < SETTINGS; i++) {
        bool own = d->values[i] && settings[i].own && strcmp(d->values[i], "own") == 0;

        request.wanted[i] = own ? own_value(w, i, err) : d->values[i];
        if (own && !request.wanted[i])
            return -1;
    }
    w->port = link_settings(w->host, login).port;
    settings_seq_init(&w->seq, &request);
    return 0;
}

static void arrived(void *arg, bool there)
{
    struct config_work *w = arg;

    w->arrival = NULL;
    w->seq.seen = there;
    w->pause.go_on(w->pause.arg);
}

static void config_pause(void *work, const struct task_pause *pause)
{
    struct config_work *w = work;
    const char *address = w->seq.moved_to[0] ? w->seq.moved_to : w->there;

    w->pause = *pause;
    if (w->seq.put_back)
        address = w->there;
    if (address[0])
        w->arrival = arrival_start(pause->loop, pause->dialer, address, w->port,
                                   w->seq.moving ? arrival_of(w->args) : 0, arrived, w);
    else
        pause->go_on(pause->arg);
}

/* --- what was found --- */

static json_t *describe_row(const struct config_work *w, int id)
{
    const struct settings_row *row = &w->seq.rows[id];
    const char *should = w->seq.request.wanted[id];
    char name[64];
    json_t *json;

    snprintf(name, sizeof(name), "%s.%s", settings[id].section, settings[id].name);
    json = json_pack("{s:s, s:s?}", "setting", name, "is", row->is);
    if (row->was && row->is && strcmp(row->was, row->is) != 0)
        json_object_set_new(json, "was", json_string(row->was));
    if (should)
        json_object_set_new(json, "should", json_string(should));
    json_object_set_new(json, "state", json_string(setting_state_names[row->state]));
    if (row->why)
        json_object_set_new(json, "why", json_string(row->why));
    return json;
}

static json_t *describe(const struct config_work *w, size_t *unsupported)
{
    bool show = w->args->action == CONFIG_SHOW;
    json_t *rows = json_array();

    *unsupported = 0;
    for (int i = 0; i < SETTINGS; i++) {
        bool of_interest = w->seq.request.wanted[i] || (show && w->seq.rows[i].is);

        if (of_interest)
            json_array_append_new(rows, describe_row(w, i));
        *unsupported += w->seq.request.wanted[i] && w->seq.rows[i].state == SETTING_UNSUPPORTED;
    }
    return rows;
}

/* It was told to go, and was seen nowhere since. */
static bool is_lost(const struct config_work *w)
{
    uint64_t addresses = UINT64_C(1) << SETTING_ADDRESS | UINT64_C(1) << SETTING_IPV6_ADDRESS;

    return w->seq.moved_to[0] && (w->seq.sent & addresses) != 0 && !w->seq.seen;
}

/* Where the host is now, for the store; "": where it was. NULL: nobody knows, or it was not to be changed. */
static char *kept_of(const struct config_work *w)
{
    bool moved = w->seq.moving && w->seq.moved_to[0] && w->seq.seen && !w->seq.put_back;

    if (w->args->action != CONFIG_APPLY || is_lost(w))
        return NULL;
    return xstrdup(moved ? w->seq.moved_to : "");
}

/* What differs and could not be put right: it is told, and another one than is declared. */
static size_t left_wrong(const struct config_work *w)
{
    size_t n = 0;

    for (int i = 0; i < SETTINGS; i++)
        n += w->seq.request.wanted[i] &&
             (w->seq.rows[i].state == SETTING_DIFFERS || w->seq.rows[i].state == SETTING_REFUSED ||
              (w->seq.rows[i].is && w->seq.rows[i].state == SETTING_UNSUPPORTED));
    return n;
}

static const char *remark_of(bool applied, size_t differ, size_t wrong, size_t unsupported)
{
    if (differ == 0)
        return unsupported > 0 ? "as declared, but for what it does not have" : "as declared";
    if (!applied)
        return "not as declared";
    return wrong > 0 ? "corrected, but for what it does not let be changed" : "corrected";
}

static void config_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct config_work *w = work;
    const struct declaration *d = wanted_of(w);
    size_t differ = settings_differ(&w->seq), wrong = left_wrong(w), unsupported;
    json_t *rows;

    if (!w->seq.compared)
        return;
    rows = describe(w, &unsupported);
    finding->detail = json_pack("{s:o}", "settings", rows);
    finding->kept = kept_of(w);
    if (!d)
        return;
    json_object_set_new(finding->detail, "configuration", json_string(d->name));
    json_object_set_new(finding->detail, "hash", json_string(d->hash));
    if (w->version > 0)
        json_object_set_new(finding->detail, "version", json_integer(w->version));
    json_object_set_new(finding->detail, "differ", json_integer((json_int_t)differ));
    json_object_set_new(finding->detail, "unsupported", json_integer((json_int_t)unsupported));
    json_object_set_new(finding->detail, "state",
                        json_string(wrong > 0    ? "drifted"
                                    : differ > 0 ? "corrected"
                                                 : "as-declared"));
    pairs_set(&finding->facts, "config", wrong > 0 ? "drifted" : "as-declared");
    if (!failure)
        finding->remark = remark_of(w->args->action == CONFIG_APPLY, differ, wrong, unsupported);
}

static void config_drop(void *work)
{
    struct config_work *w = work;

    arrival_cancel(w->arrival);
    w->arrival = NULL;
    settings_seq_clear(&w->seq);
    declaration_free(w->declared);
    w->declared = NULL;
}

static void config_would(const void *args, const struct host *host, struct buf *out)
{
    const struct config_args *ca = args;
    size_t count = 0;

    (void)host;
    for (size_t i = 0; ca->declaration && i < SETTINGS; i++)
        count += ca->declaration->values[i] != NULL;
    if (ca->action == CONFIG_SHOW)
        buf_puts(out, "would read its settings");
    else if (ca->collection[0])
        buf_printf(out, "would %s its settings %s what is declared for @%s",
                   ca->action == CONFIG_APPLY ? "correct" : "compare",
                   ca->action == CONFIG_APPLY ? "by" : "with", ca->collection);
    else
        buf_printf(out, "would %s %zu %s %s '%s'", ca->action == CONFIG_APPLY ? "correct" : "compare", count,
                   text_plural(count, "setting", "settings"), ca->action == CONFIG_APPLY ? "by" : "with",
                   ca->declaration->name);
}

/* --- in the store --- */

/* One address or one name for several machines is a mistake, whatever else is. */
static int check_single(const struct declaration *d, const struct hosts *hosts, struct err *err)
{
    static const int single[] = {SETTING_HOST_NAME, SETTING_ADDRESS, SETTING_IPV6_ADDRESS};

    for (size_t i = 0; hosts->count > 1 && i < sizeof(single) / sizeof(single[0]); i++) {
        const char *value = d->values[single[i]];

        if (value && strcmp(value, "own") != 0 && strcmp(value, "none") != 0)
            return err_set(err, CAUSE_INVALID_ARGUMENT,
                           "'%s: %s' would be the same for %zu hosts: say 'own', or name one host",
                           settings[single[i]].name, value, hosts->count);
    }
    return 0;
}

/* Two machines at one address: neither would be managed. */
static int check_address_of(struct tx *tx, const struct declaration *d, enum setting_id id,
                            const struct host *host, struct err *err)
{
    const char *value = d->values[id];
    const char *address = value && strcmp(value, "own") == 0 ? host->address : value;
    char *other;

    if (!address || strcmp(address, "none") == 0)
        return 0;
    if (tx_host_at(tx, address, host->id, &other, err) != 0)
        return -1;
    if (other)
        err_set(err, CAUSE_EXISTS, "nothing was changed: %s is the address of host '%s'", address, other);
    free(other);
    return other ? -1 : 0;
}

static int check_address(struct tx *tx, const struct declaration *d, const struct host *host, struct err *err)
{
    return check_address_of(tx, d, SETTING_ADDRESS, host, err) != 0
               ? -1
               : check_address_of(tx, d, SETTING_IPV6_ADDRESS, host, err);
}

/* Whoever corrects one of two collections that are at odds spoils the other. */
static int check_conflicts(struct tx *tx, const struct config_args *ca, const struct declaration *d,
                           const struct hosts *hosts, struct err *err)
{
    json_t *conflicts = NULL;
    int status = tx_declaration_conflicts(tx, ca->collection, d, hosts, &conflicts, err);

    if (status == 0)
        status = declaration_conflict_refuse(ca->collection, conflicts, err);
    json_decref(conflicts);
    return status;
}

static int admit_run(struct tx *tx, const void *args, const struct hosts *hosts, struct err *err)
{
    const struct config_args *ca = args;
    struct declared declared;
    struct declaration *d;
    json_t *mistakes;
    int status;

    if (!ca->collection[0])
        return ca->declaration ? check_single(ca->declaration, hosts, err) : 0;
    if (tx_declared(tx, ca->collection, &declared, err) != 0)
        return -1;
    d = declaration_read(declared.name, declared.text, strlen(declared.text), &mistakes);
    if (!d)
        declaration_complain(declared.name, mistakes, err);
    status = d ? check_single(d, hosts, err) : -1;
    if (status == 0 && ca->action == CONFIG_APPLY)
        status = check_conflicts(tx, ca, d, hosts, err);
    json_decref(mistakes);
    declaration_free(d);
    declared_clear(&declared);
    return status;
}

static int admit(struct tx *tx, const void *args, const struct run *run, const struct host *host,
                 char **known, struct err *err)
{
    const struct config_args *ca = args;
    struct declared declared;
    json_t *json, *mistakes;
    struct declaration *d;
    int status = 0;

    (void)run;
    if (!ca->collection[0])
        return ca->declaration && ca->action == CONFIG_APPLY ? check_address(tx, ca->declaration, host, err)
                                                             : 0;
    if (tx_declared(tx, ca->collection, &declared, err) != 0)
        return -1;
    d = declaration_read(declared.name, declared.text, strlen(declared.text), &mistakes);
    if (d && ca->action == CONFIG_APPLY)
        status = check_address(tx, d, host, err);
    declaration_free(d);
    json_decref(mistakes);
    json = json_pack("{s:s, s:s, s:I}", "name", declared.name, "text", declared.text, "version",
                     (json_int_t)declared.version);
    *known = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    declared_clear(&declared);
    return status;
}

/* to "": it is nowhere else. */
static int put_moving(struct tx *tx, int64_t host_id, const char *to, struct err *err)
{
    struct pairs facts = {0};
    int status;

    pairs_set(&facts, MOVING_FACT, to);
    status = tx_host_facts(tx, host_id, &facts, err);
    pairs_clear(&facts);
    return status;
}

/* A host that is found by its address has another one now. */
static int settle(struct tx *tx, const void *args, const struct run *run, const struct operation *operation,
                  const char *kept, struct err *err)
{
    struct host host;
    int status = 0;

    (void)args;
    (void)run;
    if (!kept)
        return 0;
    if (put_moving(tx, operation->host_id, "", err) != 0)
        return -1;
    if (!kept[0])
        return 0;
    if (tx_host_get(tx, operation->host, &host, err) != 0) { /* removed meanwhile */
        err_clear(err);
        return 0;
    }
    if ((is_ipv4(host.address) && is_ipv4(kept)) || (is_ipv6(host.address) && is_ipv6(kept))) {
        xreplace(&host.address, kept);
        status = tx_host_update(tx, &host, err);
    }
    host_clear(&host);
    return status;
}

/* Where the device is to go: if amtd dies before it sees it there, that is known. */
static void *config_journal(const void *work)
{
    const struct config_work *w = work;
    const char *to = settings_destination(&w->seq);

    return to ? xstrdup(to) : NULL;
}

static int note(struct tx *tx, const struct operation *operation, const void *journal, struct err *err)
{
    return put_moving(tx, operation->host_id, journal, err);
}

static const struct task_keeping config_keeping = {
    .admit_run = admit_run,
    .admit = admit,
    .know = config_know,
    .journal = config_journal,
    .note = note,
    .forget = free,
    .settle = settle,
};

const struct task task_config = {
    .name = "config",
    .args_size = sizeof(struct config_args),
    .work_size = sizeof(struct config_work),
    .parse = config_parse,
    .changes = config_changes,
    .careful = config_changes,
    .budget_ms = config_budget,
    .init = config_init,
    .login = config_login,
    .way = config_way,
    .pause = config_pause,
    .find = config_find,
    .drop = config_drop,
    .would = config_would,
    .administers = true,
    .forget = config_forget,
    .describe = config_describe,
    .keeping = &config_keeping,
};
