/* filter: System Defense on hosts. */
#include "amtd/fleet/task_filter.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/interface.h"

#define READ_BUDGET_MS   60000
#define CHANGE_BUDGET_MS 240000
#define TIME_MOST_MS     ((int64_t)366 * 86400000)
#define WORM_VERSION_MAX 11
#define FILE_BYTES_MAX   (1024 * 1024) /* of a file that was sent; what devices hold is a few kilobytes */

const char *const filter_action_names[] = {"apply", "remove", "undo", "repair", "drift", "stats", NULL};

static const struct task_arg args_table[] = {
    {"when", TASK_ARG_NAME, offsetof(struct filter_args, when), .names = filter_when_names},
    {"action", TASK_ARG_NAME, offsetof(struct filter_args, action), true, .names = filter_action_names},
    {"anti_spoof", TASK_ARG_BOOL, offsetof(struct filter_args, anti_spoof)},
    {"widen", TASK_ARG_BOOL, offsetof(struct filter_args, widen)},
    {"force", TASK_ARG_BOOL, offsetof(struct filter_args, force)},
    {"untested", TASK_ARG_BOOL, offsetof(struct filter_args, untested)},
    {"all", TASK_ARG_BOOL, offsetof(struct filter_args, all)},
    {"now", TASK_ARG_BOOL, offsetof(struct filter_args, now)},
    {"for_ms", TASK_ARG_MS, offsetof(struct filter_args, for_ms), .min = 1000, .max = TIME_MOST_MS},
    {"confirm_within_ms", TASK_ARG_MS, offsetof(struct filter_args, confirm_ms), .min = 1000,
     .max = TIME_MOST_MS},
    {NULL},
};

/* --- arguments --- */

static int read_source(struct filter_args *fa, const json_t *file, struct err *err)
{
    const json_t *name = json_object_get(file, "name"), *text = json_object_get(file, "text");

    if (!json_is_string(name) || !json_is_string(text) || json_string_length(text) > FILE_BYTES_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'file' must be an object of 'name' and 'text', the text at most %d bytes",
                       FILE_BYTES_MAX);
    fa->source =
        filter_source_read(json_string_value(name), json_string_value(text), json_string_length(text), err);
    return fa->source ? 0 : -1;
}

static int read_texts(const json_t *json, const char *name, json_t **out, struct err *err)
{
    json_t *object = json_object_get(json, name), *value;
    const char *key;

    if (!object)
        return 0;
    json_object_foreach(object, key, value)
    {
        if (!json_is_string(value))
            return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': '%s' must be a text", name, key);
    }
    if (!json_is_object(object))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' must be an object of texts", name);
    *out = json_incref(object);
    return 0;
}

static int check_args(const struct filter_args *fa, const json_t *file, struct err *err)
{
    bool applies = fa->action == FILTER_DO_APPLY;

    if (applies && !file)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'file' is missing");
    if (!applies &&
        (file || fa->for_ms || fa->confirm_ms || fa->force || fa->untested || fa->anti_spoof || fa->widen))
        return err_set(
            err, CAUSE_INVALID_ARGUMENT,
            "'file', 'for_ms', 'confirm_within_ms', 'force', 'untested', 'anti_spoof' and 'widen' go with "
            "apply only");
    if (fa->when && (fa->all || !filter_changes(fa) || fa->action == FILTER_DO_REPAIR))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'when' goes with apply, remove and undo, without 'all'");
    if (fa->now && fa->action != FILTER_DO_UNDO)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'now' goes with undo only");
    if (fa->all && fa->action != FILTER_DO_REMOVE)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'all' goes with remove only");
    if (fa->force && !fa->confirm_ms)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'force' needs 'confirm_within_ms': what may cut off the way back must undo itself");
    return 0;
}

static int filter_parse(void *args, const json_t *json, struct err *err)
{
    struct filter_args *fa = args;
    const json_t *file = json_object_get(json, "file"), *needs = json_object_get(json, "needs");
    json_t *plain = json_is_object(json) ? json_copy((json_t *)json) : json_object();
    int status;

    json_object_del(plain, "file");
    json_object_del(plain, "set");
    json_object_del(plain, "addresses");
    json_object_del(plain, "needs");
    status = task_args_read(args_table, plain, args, err);
    json_decref(plain);
    if (status == 0 && needs && !file)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'needs' goes with apply only");
    if (status != 0 || check_args(fa, file, err) != 0 || read_texts(json, "set", &fa->set, err) != 0 ||
        read_texts(json, "addresses", &fa->addresses, err) != 0)
        return -1;
    if (file && read_source(fa, file, err) != 0)
        return -1;
    return needs ? filter_source_add_needs(fa->source, needs, err) : 0;
}

static void filter_forget(void *args)
{
    struct filter_args *fa = args;

    filter_source_free(fa->source);
    json_decref(fa->set);
    json_decref(fa->addresses);
}

bool filter_changes(const void *args)
{
    return ((const struct filter_args *)args)->action < FILTER_DO_DRIFT;
}

static bool filter_careful(const void *args)
{
    return ((const struct filter_args *)args)->action == FILTER_DO_APPLY;
}

static int64_t filter_budget(const void *args)
{
    return filter_changes(args) ? CHANGE_BUDGET_MS : READ_BUDGET_MS;
}

char *filter_describe(const void *args)
{
    const struct filter_args *fa = args;
    json_t *json = json_pack("{s:s}", "action", filter_action_names[fa->action]);
    char *text;

    if (fa->source) {
        json_object_set_new(json, "policy", json_string(filter_source_name(fa->source)));
        json_object_set_new(json, "hash", json_string(filter_source_hash(fa->source)));
    }
    if (fa->when)
        json_object_set_new(json, "when", json_string(filter_when_names[fa->when]));
    if (fa->set)
        json_object_set(json, "set", fa->set);
    if (fa->for_ms)
        json_object_set_new(json, "for_ms", json_integer(fa->for_ms));
    if (fa->confirm_ms)
        json_object_set_new(json, "confirm_within_ms", json_integer(fa->confirm_ms));
    for (const struct task_arg *arg = args_table; arg->name; arg++)
        if (arg->type == TASK_ARG_BOOL && *((const bool *)((const char *)args + arg->offset)))
            json_object_set_new(json, arg->name, json_true());
    text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(json);
    return text;
}

char *filter_what(const struct filter_args *fa)
{
    return xasprintf("filter %s%s%s", filter_action_names[fa->action], fa->source ? " " : "",
                     fa->source ? filter_source_name(fa->source) : "");
}

/* --- what is wanted --- */

/* A port cannot tell false source addresses of IPv6. */
static bool spoofs_ipv6(const struct sd_state *state)
{
    for (size_t i = 0; i < state->port_count; i++)
        if (state->ports[i].has_limits && !state->ports[i].limits.ipv6_anti_spoof)
            return true;
    return false;
}

/* What the generation is known to lack is refused before anything is made for it: flash wears. */
static int check_when(const struct filter_host_work *w, unsigned version, struct err *err)
{
    const struct pairs *facts = &w->host->facts;
    enum interface interface = interface_by_name(pairs_get(facts, "interface"));
    enum sd_owner owner = filter_when_owners[w->args->when];

    if (interface == INTERFACE_UNKNOWN)
        interface = interface_of_version(pairs_get(facts, "amt.version"));
    if (owner != SD_CONSOLE && interface == INTERFACE_EOI)
        return err_set(err, CAUSE_UNSUPPORTED, "the interface of this generation has no %s",
                       sd_owner_name(owner));
    if (owner == SD_HEURISTICS && version > WORM_VERSION_MAX)
        return err_set(err, CAUSE_UNSUPPORTED, "it has no worm detection: AMT 3 to %d have",
                       WORM_VERSION_MAX);
    return 0;
}

static int compile(struct filter_host_work *w, struct err *err)
{
    const char *version = pairs_get(&w->host->facts, "amt.version");
    struct filter_binding binding = {
        .names = json_object_get(w->known, "names"),
        .set = w->args->set,
        .addresses = w->args->addresses,
        .management = w->management,
        .there = w->there,
        .version = version ? (unsigned)strtoul(version, NULL, 10) : 0,
        .anti_spoof = w->args->anti_spoof,
        .widen = w->args->widen,
        .force = w->args->force,
        .owner = filter_when_owners[w->args->when],
    };

    if (w->work.sd.state.absent)
        return err_set(err, CAUSE_UNSUPPORTED,
                       "the device offers no System Defense: it has none, or is in client control mode");
    if (check_when(w, binding.version, err) != 0)
        return -1;
    w->set = filter_source_compile(w->args->source, &binding, &w->work.sd.state, &w->reach, err);
    w->work.tries_ways = w->reach.count > 0 && !w->args->when;
    if (w->set && w->set->policy.anti_spoof && spoofs_ipv6(&w->work.sd.state))
        w->work.remark = "the device checks source addresses of IPv4 only";
    if (w->set && w->set->warnings)
        w->work.remark = "some rules let pass more than they say: 'filter check --widen' shows what";
    return w->set ? 0 : -1;
}

/* Whose policy it is about; of a repair, what was noted. */
static enum sd_owner owner_of(const struct filter_host_work *w)
{
    const json_t *journal = json_object_get(w->known, "journal");
    json_int_t owner = json_integer_value(json_object_get(journal, "owner"));

    if (w->args->action != FILTER_DO_REPAIR)
        return filter_when_owners[w->args->when];
    return owner >= 0 && owner < SD_OWNERS ? (enum sd_owner)owner : SD_CONSOLE;
}

/* Everything is to go, also what others made; of a repair, as was noted. */
static bool takes_all(const struct filter_host_work *w)
{
    const json_t *journal = json_object_get(w->known, "journal");

    return w->args->action == FILTER_DO_REPAIR ? json_is_true(json_object_get(journal, "all")) : w->args->all;
}

static struct filter_goal goal_of(const struct filter_set *set, enum sd_owner owner)
{
    struct filter_goal goal = {.nothing = true};

    if (set)
        goal = filter_set_goal(set);
    goal.owner = owner;
    return goal;
}

static int prepare(struct filter_work *work, struct err *err)
{
    struct filter_host_work *w = (struct filter_host_work *)work;

    if (w->args->action == FILTER_DO_APPLY && compile(w, err) != 0)
        return host_names_lack(filter_source_names(w->args->source)) ? SD_HOLD : -1;
    work->goal = goal_of(w->set, owner_of(w));
    work->goal.again = w->args->action == FILTER_DO_APPLY && work->goal.minutes > 0;
    work->goal.everything = takes_all(w);
    work->goal.unknown = json_object_size(json_object_get(w->known, "rows")) == 0;
    for (size_t i = 0; i < FILTER_WHENS; i++)
        w->goals[i] = goal_of(w->kept[i], filter_when_owners[i]);
    work->others = &w->goals[1]; /* the first is the work's own */
    work->other_count = FILTER_WHENS - 1;
    return 0;
}

static void filter_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    static const enum filter_mode modes[] = {
        [FILTER_DO_APPLY] = FILTER_APPLY, [FILTER_DO_REMOVE] = FILTER_REMOVE,
        [FILTER_DO_UNDO] = FILTER_APPLY,  [FILTER_DO_REPAIR] = FILTER_REPAIR,
        [FILTER_DO_DRIFT] = FILTER_LOOK,  [FILTER_DO_STATS] = FILTER_COUNT,
    };
    struct filter_host_work *w = work;

    (void)quirks;
    w->args = args;
    w->host = host;
    filter_work_init(&w->work, modes[w->args->action]);
    w->work.prepare = prepare;
}

/* --- the way there, from this end --- */

static void filter_way(void *work, const struct task_way *way)
{
    struct filter_host_work *w = work;

    xreplace(&w->management, way->management ? way->management : way->here[0] ? way->here : NULL);
    snprintf(w->there, sizeof(w->there), "%s", way->there);
}

static void ways_tried(void *arg)
{
    struct filter_host_work *w = arg;
    const struct reach_way *lost = reach_try_lost(&w->reach);
    char *port = lost && lost->port > 0 ? xasprintf("TCP port %u of ", lost->port) : NULL;

    if (lost)
        err_set(&w->work.cut, CAUSE_NOT_REACHED,
                "need '%s' is cut off: %s%s answered this server before, and does not any more", lost->need,
                port ? port : "a ping to ", w->reach.address);
    free(port);
    w->pause.go_on(w->pause.arg);
}

static void names_known(void *arg)
{
    struct filter_host_work *w = arg;

    w->pause.go_on(w->pause.arg);
}

static void filter_pause(void *work, const struct task_pause *pause)
{
    struct filter_host_work *w = work;

    w->pause = *pause;
    if (w->args->source && host_names_lack(filter_source_names(w->args->source))) {
        w->wait = (struct host_names_wait){.done = names_known, .arg = w};
        host_names_look(filter_source_names(w->args->source), pause->loop, &w->wait);
        return;
    }
    reach_try_look(&w->reach, pause->loop, pause->dialer, ways_tried, w);
}

static void filter_drop(void *work)
{
    struct filter_host_work *w = work;

    reach_try_cancel(&w->reach);
    if (w->args && w->args->source)
        host_names_leave(filter_source_names(w->args->source), &w->wait);
    free(w->management);
    filter_work_clear(&w->work);
    filter_set_free(w->set);
    for (size_t i = 0; i < FILTER_WHENS; i++)
        filter_set_free(w->kept[i]);
    json_decref(w->known);
}

/* --- what was found --- */

static json_t *ports_json(const struct sd_state *state)
{
    json_t *ports = json_array();

    for (size_t i = 0; i < state->port_count; i++) {
        const struct sd_enabled *active = sd_state_active(state, state->ports[i].number);
        const struct sd_policy *policy = active ? sd_state_policy(state, active->policy) : NULL;
        json_t *port = json_pack("{s:i, s:o}", "port", (int)state->ports[i].number, "active",
                                 policy ? json_string(policy->name) : json_null());

        if (active)
            json_object_set_new(port, "by", json_string(sd_owner_name(active->owner)));
        json_array_append_new(ports, port);
    }
    return ports;
}

/* By the first of the sets that has such a filter. */
static const char *rules_of(const struct filter_host_work *w, const struct sd_filter *filter)
{
    const char *rules = NULL;

    for (size_t i = 0; filter && !rules && i < FILTER_WHENS; i++)
        rules = w->kept[i] ? filter_set_rules(w->kept[i], filter) : NULL;
    return rules;
}

static json_t *counts_json(const struct filter_host_work *w)
{
    const struct sd_seq *sd = &w->work.sd;
    json_t *counts = json_array();

    for (size_t i = 0; i < sd->count_count; i++) {
        const struct sd_count *c = &sd->counts[i];
        const struct sd_filter *filter = sd_state_filter(&sd->state, c->handle);
        const char *rules = rules_of(w, filter);

        json_array_append_new(counts, json_pack("{s:i, s:s, s:o, s:I, s:b}", "port", (int)c->port, "filter",
                                                c->name, "rules", rules ? json_string(rules) : json_null(),
                                                "packets", (json_int_t)c->packets, "matched", c->matched));
    }
    return counts;
}

/* What is kept besides: ["agent: quarantine"]. */
static json_t *waiting_json(const struct filter_host_work *w)
{
    json_t *waiting = json_array();

    for (size_t i = 1; i < FILTER_WHENS; i++)
        if (w->kept[i])
            json_array_append_new(
                waiting, json_pack("{s:s, s:s}", "when", filter_when_names[i], "policy", w->kept[i]->name));
    return waiting;
}

/* What host names came to: as the caller says, else as looked up here. */
static json_t *addresses_json(const struct filter_args *fa)
{
    json_t *addresses = host_names_json(filter_source_names(fa->source));

    json_object_update(addresses, fa->addresses);
    return addresses;
}

static json_t *shown(const struct filter_host_work *w, enum filter_outcome outcome)
{
    const struct filter_work *work = &w->work;
    json_t *json =
        json_pack("{s:o, s:i, s:s}", "policy", w->set ? json_string(w->set->name) : json_null(), "filters",
                  w->set ? (int)w->set->count : 0, "state", filter_outcome_name(outcome));

    if (work->sd.reads > 0)
        json_object_set_new(json, "ports", ports_json(&work->sd.state));
    if (work->goal.owner != SD_CONSOLE && outcome == FILTER_ACTIVE) /* there, and asleep */
        json_object_set_new(json, "state", json_string("ready"));
    if (w->reach.looks > 0)
        json_object_set_new(json, "ways", reach_try_json(&w->reach));
    if (w->set && w->set->warnings)
        json_object_set(json, "warnings", w->set->warnings);
    if (w->args->source)
        json_object_set_new(json, "addresses", addresses_json(w->args));
    if (work->mode == FILTER_LOOK) {
        json_object_set_new(json, "state", json_string(work->differs ? "drifted" : "as-kept"));
        json_object_set_new(json, "waiting", waiting_json(w));
        if (work->differs)
            json_object_set_new(json, "difference", json_string(work->why.text));
    }
    if (work->mode == FILTER_COUNT) {
        json_object_del(json, "state");
        json_object_set_new(json, "counts", counts_json(w));
    }
    return json;
}

/* What is kept for filter_when_names[when]; NULL: nothing. Borrowed. */
static json_t *row_known(const struct filter_host_work *w, size_t when)
{
    return json_object_get(json_object_get(w->known, "rows"), filter_when_names[when]);
}

/* *set: what belongs into it as "set", as text (borrowed); NULL: nothing more. */
static json_t *row_wanted(const struct filter_host_work *w, const char **set)
{
    json_t *row = row_known(w, (size_t)w->args->when), *journal = json_object_get(w->known, "journal"), *out;

    *set = NULL;
    switch ((enum filter_action)w->args->action) {
    case FILTER_DO_UNDO:
        return json_incref(json_object_get(row, "before") ? json_object_get(row, "before") : json_null());
    case FILTER_DO_REPAIR:
        return json_incref(json_object_get(journal, "row") ? json_object_get(journal, "row") : json_null());
    default:
        if (!w->set)
            return json_null();
        *set = filter_set_text(w->set);
        out = w->known ? json_copy(w->known) : json_object();
        json_object_del(out, "rows");
        json_object_del(out, "names");
        json_object_del(out, "journal");
        return out;
    }
}

char *filter_note_text(const json_t *note, const char *set)
{
    char *text = json_dumps(note, JSON_COMPACT), *both;

    if (!set)
        return text;
    both = xasprintf("%s\n%s", text, set);
    free(text);
    return both;
}

json_t *filter_note_read(const char *text, const char **set)
{
    const char *end = text ? strchr(text, '\n') : NULL;

    *set = end ? end + 1 : NULL;
    if (!text)
        return NULL;
    return json_loadb(text, end ? (size_t)(end - text) : strlen(text), 0, NULL);
}

json_t *filter_note_whole(const char *text)
{
    const char *set;
    json_t *note = filter_note_read(text, &set), *row = json_object_get(note, "row");

    if (set && json_is_object(row))
        json_object_set_new(row, "set", json_loads(set, 0, NULL));
    return note;
}

static json_t *noted(const struct filter_host_work *w, const char **set)
{
    const json_t *journal = json_object_get(w->known, "journal");
    bool repair = w->args->action == FILTER_DO_REPAIR;
    json_int_t for_ms = repair ? json_integer_value(json_object_get(journal, "for_ms")) : w->args->for_ms;
    json_int_t confirm_ms =
        repair ? json_integer_value(json_object_get(journal, "confirm_ms")) : w->args->confirm_ms;
    const char *action = repair ? json_string_value(json_object_get(journal, "action")) : NULL;
    json_t *row = row_wanted(w, set);

    return json_pack("{s:s, s:o, s:I, s:I, s:i, s:b, s:s*}", "action",
                     action ? action : filter_action_names[w->args->action], "row", row, "for_ms", for_ms,
                     "confirm_ms", confirm_ms, "owner", (int)owner_of(w), "all", (int)takes_all(w), "hash",
                     *set ? w->set->hash : NULL);
}

static char *kept_text(const struct filter_host_work *w, enum filter_outcome outcome)
{
    const char *set;
    json_t *kept = noted(w, &set);
    char *text;

    json_object_set_new(kept, "state", json_string(filter_outcome_name(outcome)));
    json_object_set_new(kept, "unclean", json_boolean(w->work.unclean));
    text = filter_note_text(kept, set);
    json_decref(kept);
    return text;
}

static void filter_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct filter_host_work *w = work;
    enum filter_outcome outcome = filter_work_outcome(&w->work, failure != NULL);

    finding->remark = w->work.remark;
    finding->detail = json_pack("{s:o}", "filter", shown(w, outcome));
    finding->kept = filter_changes(w->args) ? kept_text(w, outcome) : NULL;
    if (owner_of(w) != SD_CONSOLE)
        return;
    if (outcome == FILTER_ACTIVE || (outcome == FILTER_UNCHANGED && !failure && filter_changes(w->args)))
        pairs_set(&finding->facts, "filter", w->set ? w->set->name : "none");
    else if (outcome == FILTER_REMOVED)
        pairs_set(&finding->facts, "filter", "none");
}

/* --- what the store knows, and needs to know --- */

void filter_know(void *work, const char *known)
{
    struct filter_host_work *w = work;
    const json_t *journal, *set;
    const char *action;
    struct err ignored = ERR_INIT;

    w->known = known ? json_loads(known, 0, NULL) : NULL;
    journal = json_object_get(w->known, "journal");
    action = json_string_value(json_object_get(journal, "action"));
    if (w->args->action == FILTER_DO_UNDO) {
        set = json_object_get(json_object_get(row_known(w, (size_t)w->args->when), "before"), "set");
        w->work.mode = set ? FILTER_APPLY : FILTER_REMOVE;
        w->set = set ? filter_set_read(set, &ignored) : NULL;
    } else if (w->args->action == FILTER_DO_REPAIR) {
        set = json_object_get(json_object_get(journal, "row"), "set");
        w->set = set ? filter_set_read(set, &ignored) : NULL;
        if (action && strcmp(action, FILTER_ACTION_CLEAN) == 0) {
            w->work.mode = FILTER_CLEAN;
            return;
        }
        filter_before_read(json_object_get(journal, "before"), &w->work.before);
        reach_try_read(json_object_get(journal, "ways"), &w->reach);
        w->work.holds = 1; /* whoever began has looked before */
        w->work.tries_ways = w->reach.count > 0;
    } else if (!filter_changes(w->args)) {
        for (size_t i = 0; i < FILTER_WHENS; i++)
            if ((set = json_object_get(row_known(w, i), "set")) != NULL)
                w->kept[i] = filter_set_read(set, &ignored);
        w->set = w->kept[0] ? filter_set_hold(w->kept[0]) : NULL;
    }
}

void *filter_journal(const void *work)
{
    const struct filter_host_work *w = work;
    const char *set;
    json_t *json = noted(w, &set);
    char *text;

    json_object_set_new(json, "before", filter_before_json(&w->work.before));
    if (w->reach.looks > 0)
        json_object_set_new(json, "ways", reach_try_note(&w->reach));
    text = filter_note_text(json, set);
    json_decref(json);
    return text;
}

static json_t *filter_unbegun(void)
{
    return json_pack("{s:{s:n, s:i, s:s}}", "filter", "policy", "filters", 0, "state",
                     filter_outcome_name(FILTER_UNCHANGED));
}

/* --- dry runs --- */

static void filter_would(const void *args, const struct host *host, struct buf *out)
{
    const struct filter_args *fa = args;
    const char *now = pairs_get(&host->facts, "filter");

    switch ((enum filter_action)fa->action) {
    case FILTER_DO_APPLY:
        buf_printf(out, "would apply %s%s%s", filter_source_name(fa->source), fa->when ? " for " : "",
                   fa->when ? filter_when_names[fa->when] : "");
        break;
    case FILTER_DO_REMOVE:
        buf_puts(out, fa->all ? "would remove all filters, also those of other products"
                              : "would remove our filters");
        break;
    default:
        buf_printf(out, "would %s filters", filter_action_names[fa->action]);
    }
    buf_printf(out, " (last known: %s)", now ? now : "nothing");
}

const struct task task_filter = {
    .name = "filter",
    .args_size = sizeof(struct filter_args),
    .work_size = sizeof(struct filter_host_work),
    .parse = filter_parse,
    .changes = filter_changes,
    .careful = filter_careful,
    .budget_ms = filter_budget,
    .init = filter_init,
    .way = filter_way,
    .pause = filter_pause,
    .find = filter_find,
    .drop = filter_drop,
    .would = filter_would,
    .quarantines = true,
    .forget = filter_forget,
    .describe = filter_describe,
    .keeping = &filter_keeping,
    .unbegun = filter_unbegun,
};
