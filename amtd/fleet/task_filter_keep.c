/* filter, in the store: who is at a host, what is active there, what is needed to finish or undo it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/filter_names.h"
#include "amtd/fleet/task_filter.h"
#include "amtd/store/filters.h"
#include "base/xalloc.h"

#define BEFORE_DEEP   8 /* rows within rows: quarantine for a while, on top of something for a while ... */
#define UNDO_AGAIN_MS 60000 /* until what could not be undone is tried again */

/* --- rows as JSON --- */

static json_t *moment_json(const struct moment *m)
{
    return json_pack("[I, I, s, I]", (json_int_t)m->wall_ms, (json_int_t)m->up_ms, m->boot,
                     (json_int_t)m->span_ms);
}

static struct moment read_moment(const json_t *json)
{
    const char *boot = json_string_value(json_array_get(json, 2));
    struct moment m = {.wall_ms = json_integer_value(json_array_get(json, 0)),
                       .up_ms = json_integer_value(json_array_get(json, 1)),
                       .span_ms = json_integer_value(json_array_get(json, 3))};

    if (boot && strlen(boot) < sizeof(m.boot))
        memcpy(m.boot, boot, strlen(boot));
    return m;
}

static json_t *parse(const char *text)
{
    json_t *json = text ? json_loads(text, 0, NULL) : NULL;

    return json ? json : json_null();
}

static json_t *row_json(const struct filter_row *row)
{
    return json_pack("{s:o, s:o, s:s, s:I, s:I, s:o, s:o}", "set", parse(row->set), "before",
                     parse(row->before), "who", row->who ? row->who : "", "since", (json_int_t)row->since_ms,
                     "run", (json_int_t)row->run, "confirm", moment_json(&row->confirm), "until",
                     moment_json(&row->until));
}

static char *dump(const json_t *json)
{
    return json_is_object(json) ? json_dumps(json, JSON_COMPACT) : NULL;
}

/* Takes the innermost away where there are too many. */
static void limit_depth(json_t *row)
{
    for (int depth = 0; json_is_object(row); depth++) {
        if (depth == BEFORE_DEEP)
            json_object_set_new(row, "before", json_null());
        row = json_object_get(row, "before");
    }
}

/* --- the beginning --- */

static uint32_t generation_of(const struct host *host)
{
    const char *version = pairs_get(&host->facts, "amt.version");

    return version ? (uint32_t)strtoul(version, NULL, 10) : 0;
}

static int admit_run(struct tx *tx, const void *args, const struct hosts *hosts, struct err *err)
{
    const struct filter_args *fa = args;

    if (fa->action != FILTER_DO_APPLY || fa->untested || hosts->count <= FILTER_UNTESTED_ABOVE)
        return 0;
    for (size_t i = 0; i < hosts->count; i++) {
        uint32_t generation = generation_of(&hosts->items[i]);
        char name[24] = "an unknown version";
        bool tried = false;

        if (tx_filter_tried(tx, filter_source_hash(fa->source), generation, &tried, err) != 0)
            return -1;
        if (tried)
            continue;
        if (generation > 0)
            snprintf(name, sizeof(name), "AMT %u", generation);
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'%s' as it is now was never applied to %s (%s): try it on at most %d hosts first, or "
                       "say that it "
                       "is untested",
                       filter_source_name(fa->source), name, hosts->items[i].name, FILTER_UNTESTED_ABOVE);
    }
    return 0;
}

static int claim_host(struct tx *tx, const struct filter_args *fa, const struct run *run,
                      const struct host *host, char **journal, struct err *err)
{
    bool anyway = fa->action == FILTER_DO_REPAIR || fa->action == FILTER_DO_REMOVE;
    struct filter_claim claim = {
        .host_id = host->id,
        .run = run->id,
        .who = run->who,
        .what = filter_what(fa),
        .since_ms = run->began_ms,
    };
    int status = tx_filter_claim(tx, &claim, anyway, journal, err);

    free(claim.what);
    return status;
}

/* Somebody may have confirmed, or another run finished it, since this one was ordered. */
static int check_due(const struct filter_args *fa, const struct filter_row *row, bool found,
                     const char *journal, struct err *err)
{
    struct moment now = moment_now();
    bool due = found && (fa->now || moment_left_ms(&row->confirm, &now) == 0 ||
                         moment_left_ms(&row->until, &now) == 0);

    if (fa->action == FILTER_DO_UNDO && !due)
        return err_set(err, CAUSE_CANCELLED, "there is nothing to undo any more");
    if (fa->action == FILTER_DO_REPAIR && !journal)
        return err_set(err, CAUSE_CANCELLED, "there is nothing to repair any more");
    return 0;
}

/* What is kept of the host, by when it acts. *out is the caller's, also after a failure. */
static int rows_json(struct tx *tx, int64_t host_id, json_t **out, struct err *err)
{
    *out = json_object();
    for (size_t i = 0; i < FILTER_WHENS; i++) {
        struct filter_row row;
        bool found;

        if (tx_filter_get(tx, host_id, filter_when_owners[i], &row, &found, err) != 0)
            return -1;
        if (found)
            json_object_set_new(*out, filter_when_names[i], row_json(&row));
        filter_row_clear(&row);
    }
    return 0;
}

/* What is set for the host's collections and the host. Where collections differ about a name that the file
 * needs, nothing is guessed. *out is the caller's, also after a failure. */
static int names_json(struct tx *tx, const struct filter_args *fa, const struct host *host, json_t **out,
                      struct err *err)
{
    json_t *found = NULL, *value;
    const char *name;
    int status = filter_names_of(tx, host, &found, err);

    *out = json_incref(json_object_get(found, "names"));
    json_object_foreach(json_object_get(found, "differ"), name, value)
    {
        if (status == 0 && !json_object_get(fa->set, name) && filter_source_has_name(fa->source, name))
            status = err_set(err, CAUSE_INVALID_ARGUMENT,
                             "%s set @%s differently: expected one value, by --set, or the host's tag %s%s",
                             json_string_value(value), name, FILTER_TAG_PREFIX, name);
    }
    json_decref(found);
    return status;
}

static int admit(struct tx *tx, const void *args, const struct run *run, const struct host *host,
                 char **known, struct err *err)
{
    const struct filter_args *fa = args;
    struct filter_row row = {0};
    char *journal = NULL;
    bool found = false;
    json_t *json, *noted, *rows = NULL, *names = NULL;
    int status = filter_changes(args) ? claim_host(tx, fa, run, host, &journal, err) : 0;

    if (status == 0)
        status = tx_filter_get(tx, host->id, filter_when_owners[fa->when], &row, &found, err);
    if (status == 0 && check_due(fa, &row, found, journal, err) != 0) {
        status = -1;
        if (!journal)
            tx_filter_release(tx, host->id, run->id, NULL);
    }
    filter_row_clear(&row);
    if (status == 0 && fa->source && names_json(tx, fa, host, &names, err) != 0) {
        status = -1;
        tx_filter_release(tx, host->id, run->id, NULL);
    }
    if (status == 0)
        status = rows_json(tx, host->id, &rows, err);
    if (status == 0) {
        noted = filter_note_whole(journal);
        json = json_pack("{s:O, s:o, s:s, s:I, s:I}", "rows", rows, "journal", noted ? noted : json_null(),
                         "who", run->who, "run", (json_int_t)run->id, "since", (json_int_t)run->began_ms);
        if (names)
            json_object_set(json, "names", names);
        *known = json_dumps(json, JSON_COMPACT);
        json_decref(json);
    }
    json_decref(rows);
    json_decref(names);
    free(journal);
    return status;
}

static int note(struct tx *tx, const struct operation *operation, const void *journal, struct err *err)
{
    return tx_filter_note(tx, operation->host_id, operation->run_id, journal, err);
}

/* --- the end --- */

/* What `kept` says; its set stands in its row, or beside it. */
struct end_note {
    json_t *json;
    const char *set; /* text, or NULL */
};

/* Of the wanted set's file; NULL: there is none. */
static const char *hash_of(const struct end_note *kept)
{
    const json_t *row = json_object_get(kept->json, "row");

    return json_string_value(json_object_get(kept->set ? kept->json : json_object_get(row, "set"), "hash"));
}

static bool same_set(const struct filter_row *row, const char *hash)
{
    json_t *set = parse(row->set);
    const char *is = json_string_value(json_object_get(set, "hash"));
    bool same = is && hash ? strcmp(is, hash) == 0 : !is && !hash;

    json_decref(set);
    return same;
}

/* set: text of what is not in `wanted` itself; NULL: it is there. */
static int put_row(struct tx *tx, int64_t host_id, enum sd_owner owner, json_t *wanted, const char *set,
                   struct err *err)
{
    const char *who = json_string_value(json_object_get(wanted, "who"));
    struct filter_row row = {
        .host_id = host_id,
        .owner = owner,
        .set = set ? xstrdup(set) : dump(json_object_get(wanted, "set")),
        .who = xstrdup(who ? who : ""),
        .since_ms = json_integer_value(json_object_get(wanted, "since")),
        .run = json_integer_value(json_object_get(wanted, "run")),
        .confirm = read_moment(json_object_get(wanted, "confirm")),
        .until = read_moment(json_object_get(wanted, "until")),
    };
    int status;

    limit_depth(wanted);
    row.before = dump(json_object_get(wanted, "before"));
    status = row.set ? tx_filter_put(tx, &row, err) : 0;
    filter_row_clear(&row);
    return status;
}

/* What was applied: its times begin now, and what it replaces comes back when they are over. */
static int put_applied(struct tx *tx, int64_t host_id, enum sd_owner owner, const struct end_note *kept,
                       bool unchanged, struct err *err)
{
    json_t *wanted = json_deep_copy(json_object_get(kept->json, "row"));
    json_int_t for_ms = json_integer_value(json_object_get(kept->json, "for_ms"));
    json_int_t confirm_ms = json_integer_value(json_object_get(kept->json, "confirm_ms"));
    struct moment now = moment_now(), until = moment_in(&now, for_ms), confirm = moment_in(&now, confirm_ms);
    struct filter_row old;
    bool found, timed = for_ms > 0 || confirm_ms > 0;
    int status = tx_filter_get(tx, host_id, owner, &old, &found, err);

    json_object_set_new(wanted, "until", moment_json(&until));
    json_object_set_new(wanted, "confirm", moment_json(&confirm));
    if (found && timed)
        json_object_set_new(wanted, "before", row_json(&old));
    if (status == 0 && !(unchanged && found && !timed && same_set(&old, hash_of(kept))))
        status = put_row(tx, host_id, owner, wanted, kept->set, err);
    filter_row_clear(&old);
    json_decref(wanted);
    return status;
}

static int remember_tried(struct tx *tx, int64_t host_id, const char *hash, struct err *err)
{
    uint32_t generation;

    if (!hash || tx_filter_generation(tx, host_id, &generation, err) != 0)
        return hash ? -1 : 0;
    return tx_filter_tried_add(tx, hash, generation, err);
}

/* The device is as wanted. */
static int settle_reached(struct tx *tx, int64_t host_id, const struct end_note *kept, bool unchanged,
                          struct err *err)
{
    const char *action = json_string_value(json_object_get(kept->json, "action"));
    enum sd_owner owner = (enum sd_owner)json_integer_value(json_object_get(kept->json, "owner"));
    json_t *row = json_object_get(kept->json, "row");

    if (action && strcmp(action, FILTER_ACTION_CLEAN) == 0)
        return 0; /* it was settled before */
    if (json_is_true(json_object_get(kept->json, "all")))
        return tx_filter_drop_all(tx, host_id, err);
    if (!json_is_object(row))
        return tx_filter_drop(tx, host_id, owner, err);
    if (action && strcmp(action, filter_action_names[FILTER_DO_APPLY]) != 0)
        return put_row(tx, host_id, owner, row, kept->set, err);
    if (put_applied(tx, host_id, owner, kept, unchanged, err) != 0)
        return -1;
    /* what waits was not seen to act */
    return owner == SD_CONSOLE ? remember_tried(tx, host_id, hash_of(kept), err) : 0;
}

/* An undoing that failed is due again in a while. */
static int postpone(struct tx *tx, int64_t host_id, enum sd_owner owner, const struct moment *now,
                    struct err *err)
{
    struct filter_row row;
    bool found;
    int status = tx_filter_get(tx, host_id, owner, &row, &found, err);

    if (status == 0 && found) {
        row.confirm = (struct moment){0};
        row.until = moment_in(now, UNDO_AGAIN_MS);
        status = tx_filter_put(tx, &row, err);
    }
    filter_row_clear(&row);
    return status;
}

static bool is_state(const struct end_note *kept, enum filter_outcome outcome)
{
    const char *state = json_string_value(json_object_get(kept->json, "state"));

    return state && strcmp(state, filter_outcome_name(outcome)) == 0;
}

/* The host stays ours until what is not needed any more is gone, too. */
static int leave_unclean(struct tx *tx, const struct operation *op, const struct end_note *kept,
                         const struct moment *now, struct err *err)
{
    json_t *journal = json_copy(kept->json);
    char *text;
    bool half_done;
    int status;

    json_object_set_new(journal, "action", json_string(FILTER_ACTION_CLEAN));
    text = filter_note_text(journal, kept->set);
    status = tx_filter_note(tx, op->host_id, op->run_id, text, err);
    if (status == 0)
        status = tx_filter_leave(tx, op->host_id, op->run_id, now, &half_done, err);
    free(text);
    json_decref(journal);
    return status;
}

static int settle_kept(struct tx *tx, const struct filter_args *fa, const struct operation *op,
                       const struct end_note *kept, struct err *err)
{
    struct moment now = moment_now();
    bool ok = op->state == OPERATION_OK, unchanged = is_state(kept, FILTER_UNCHANGED), half_done = false;
    bool reached = is_state(kept, FILTER_ACTIVE) || is_state(kept, FILTER_REMOVED) || (ok && unchanged);
    int status = 0;

    if (reached)
        status = settle_reached(tx, op->host_id, kept, unchanged, err);
    else if (!is_state(kept, FILTER_ROLLED_BACK))
        status = tx_filter_leave(tx, op->host_id, op->run_id, &now, &half_done, err);
    if (status == 0 && reached && json_is_true(json_object_get(kept->json, "unclean")))
        return leave_unclean(tx, op, kept, &now, err);
    if (status == 0 && fa->action == FILTER_DO_UNDO && !reached && !half_done)
        status = postpone(tx, op->host_id, filter_when_owners[fa->when], &now, err);
    if (status != 0 || half_done)
        return status;
    return tx_filter_release(tx, op->host_id, op->run_id, err);
}

static int settle(struct tx *tx, const void *args, const struct run *run, const struct operation *operation,
                  const char *kept, struct err *err)
{
    struct end_note note;
    int status;

    (void)run;
    if (!filter_changes(args))
        return 0;
    note.json = filter_note_read(kept, &note.set);
    status = settle_kept(tx, args, operation, &note, err);
    json_decref(note.json);
    return status;
}

const struct task_keeping filter_keeping = {
    .admit_run = admit_run,
    .admit = admit,
    .know = filter_know,
    .journal = filter_journal,
    .note = note,
    .forget = free,
    .settle = settle,
};
