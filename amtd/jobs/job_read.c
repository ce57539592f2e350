/* Reading a job file. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/config_reader.h"
#include "amtd/jobs/job.h"
#include "amtd/jobs/job_file.h"
#include "base/text.h"
#include "base/xalloc.h"

#define DAY_MS 86400000

static const char *const on_failure_names[] = {"stop", "continue", "undo", NULL};

struct reading {
    struct config_reader reader; /* first: the tables' functions get it */
    struct job *job;
    struct job_reading *out;
    const json_t *files;
};

static void read_retry(struct config_reader *r, const yaml_node_t *node, void *base);
static void read_rollout(struct config_reader *r, const yaml_node_t *node, void *base);
static void read_tasks(struct config_reader *r, const yaml_node_t *node, void *base);

const struct option job_options[] = {
    {"name", OPTION_TEXT, offsetof(struct job, name)},
    {"description", OPTION_TEXT, offsetof(struct job, text)},
    {"rollout", OPTION_OTHER, 0, .read = read_rollout},
    {"timeout", OPTION_DURATION, offsetof(struct job, timeout_ms), 1000, 30 * (int64_t)DAY_MS},
    {"tasks", OPTION_OTHER, 0, .read = read_tasks},
    {NULL},
};

const struct option job_rollout_options[] = {
    {"concurrency", OPTION_NUMBER, offsetof(struct job_rollout, parallel), 1, 4096},
    {"per-subnet", OPTION_NUMBER, offsetof(struct job_rollout, per_subnet), 0, 4096},
    {"canary", OPTION_NUMBER, offsetof(struct job_rollout, canary), 0, 1000000},
    {"batch", OPTION_NUMBER, offsetof(struct job_rollout, batch), 0, 1000000},
    {"pause", OPTION_DURATION, offsetof(struct job_rollout, pause_ms), 0, DAY_MS},
    {"max-failures", OPTION_NUMBER, offsetof(struct job_rollout, max_failures), 0, 1000000},
    {NULL},
};

const struct option job_task_options[] = {
    {"name", OPTION_TEXT, offsetof(struct job_task, name)},
    {"timeout", OPTION_DURATION, offsetof(struct job_task, timeout_ms), 100, 7 * (int64_t)DAY_MS},
    {"retry", OPTION_OTHER, 0, .read = read_retry},
    {"on-failure", OPTION_CHOICE, offsetof(struct job_task, on_failure), .choices = on_failure_names},
    {"when", OPTION_TEXT, offsetof(struct job_task, when)},
    {NULL},
};

struct retry {
    int64_t count, pause_ms;
};

const struct option job_retry_options[] = {
    {"count", OPTION_NUMBER, offsetof(struct retry, count), 0, JOB_RETRIES_MAX},
    {"pause", OPTION_DURATION, offsetof(struct retry, pause_ms), 0, DAY_MS},
    {NULL},
};

static size_t options_count(const struct option *table)
{
    size_t n = 0;

    while (table[n].name)
        n++;
    return n;
}

/* --- parameters of a task --- */

static const char *shown(const yaml_node_t *node)
{
    const char *text = config_scalar(node);

    if (text || node->type == YAML_MAPPING_NODE)
        return text ? text : "a mapping";
    return node->data.sequence.items.top == node->data.sequence.items.start ? "an empty list" : "a list";
}

static json_t *refuse(struct config_reader *r, const struct job_param *p, const yaml_node_t *at,
                      const char *expected)
{
    const char *text = config_scalar(at);

    config_complain(r, at, text ? "'%s': expected %s, not '%.60s'" : "'%s': expected %s, not %.60s", p->name,
                    expected, shown(at));
    return NULL;
}

static json_t *param_text(struct config_reader *r, const struct job_param *p, const yaml_node_t *node)
{
    const char *text = config_scalar(node);
    size_t n = text ? strlen(text) : 0;
    char expected[80];

    if (n > 0 && n <= (size_t)p->max && n == node->data.scalar.length && text_is_utf8(text, n))
        return json_string(text);
    snprintf(expected, sizeof(expected), "text of at most %lld bytes", (long long)p->max);
    return refuse(r, p, node, expected);
}

static json_t *param_choice(struct config_reader *r, const struct job_param *p, const yaml_node_t *node)
{
    const char *text = config_scalar(node);
    struct buf expected = buf_init(400);

    buf_puts(&expected, "one of ");
    for (size_t i = 0; p->choices[i]; i++) {
        if (text && strcmp(p->choices[i], text) == 0) {
            buf_free(&expected);
            return json_string(text);
        }
        buf_printf(&expected, "%s%s", i > 0 ? ", " : "", p->choices[i]);
    }
    refuse(r, p, node, buf_str(&expected));
    buf_free(&expected);
    return NULL;
}

static json_t *param_number(struct config_reader *r, const struct job_param *p, const yaml_node_t *node)
{
    char expected[80];
    int64_t value;

    if (config_scalar(node) && text_i64(config_scalar(node), p->min, p->max, &value))
        return json_integer(value);
    snprintf(expected, sizeof(expected), "a whole number from %lld to %lld", (long long)p->min,
             (long long)p->max);
    return refuse(r, p, node, expected);
}

static json_t *param_duration(struct config_reader *r, const struct job_param *p, const yaml_node_t *node)
{
    struct buf expected = buf_init(200);
    json_t *json;
    int64_t value;

    if (config_scalar(node) && text_duration_ms(config_scalar(node), p->min, p->max, &value))
        return json_integer(value);
    config_expect_duration(&expected, p->min, p->max);
    json = refuse(r, p, node, buf_str(&expected));
    buf_free(&expected);
    return json;
}

static json_t *param_bool(struct config_reader *r, const struct job_param *p, const yaml_node_t *node)
{
    bool value = false;
    const struct option option = {p->name, OPTION_BOOLEAN, 0};
    size_t before = r->count;

    config_set(r, &option, node, &value);
    return r->count == before ? json_boolean(value) : NULL;
}

static json_t *param_words(struct config_reader *r, const struct job_param *p, const yaml_node_t *node)
{
    struct job_param one = {.name = p->name, .max = 4096};
    json_t *words = json_array();

    if (node->type == YAML_SCALAR_NODE) {
        json_array_append_new(words, param_text(r, &one, node));
        return words;
    }
    if (node->type != YAML_SEQUENCE_NODE ||
        node->data.sequence.items.top - node->data.sequence.items.start > p->max) {
        json_decref(words);
        return refuse(r, p, node, "a list of texts");
    }
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++)
        json_array_append_new(words, param_text(r, &one, yaml_document_get_node(r->doc, *i)));
    if (json_array_size(words) > 0)
        return words;
    json_decref(words);
    return refuse(r, p, node, "a list of at least one text");
}

static json_t *param_pairs(struct config_reader *r, const struct job_param *p, const yaml_node_t *node)
{
    struct job_param one = {.name = p->name, .max = 4096};
    json_t *pairs;

    if (node->type != YAML_MAPPING_NODE ||
        node->data.mapping.pairs.top - node->data.mapping.pairs.start > p->max)
        return refuse(r, p, node, "names with values, 'name: value'");
    pairs = json_object();
    for (yaml_node_pair_t *i = node->data.mapping.pairs.start; i < node->data.mapping.pairs.top; i++) {
        const yaml_node_t *key = yaml_document_get_node(r->doc, i->key);
        json_t *name = param_text(r, &one, key);
        json_t *value = param_text(r, &one, yaml_document_get_node(r->doc, i->value));

        if (name && json_object_get(pairs, json_string_value(name)))
            config_complain(r, key, "'%s' is given twice", json_string_value(name));
        else if (name && value)
            json_object_set(pairs, json_string_value(name), value);
        json_decref(name);
        json_decref(value);
    }
    return pairs;
}

static json_t *read_params(struct config_reader *r, const struct job_param *params, const char *what,
                           const yaml_node_t *node);

static json_t *param_steps(struct config_reader *r, const struct job_param *p, const yaml_node_t *node)
{
    json_t *steps;

    if (node->type != YAML_SEQUENCE_NODE ||
        node->data.sequence.items.top - node->data.sequence.items.start > p->max ||
        node->data.sequence.items.top == node->data.sequence.items.start)
        return refuse(r, p, node, "a list of steps");
    steps = json_array();
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++)
        json_array_append_new(steps, read_params(r, p->steps, p->name, yaml_document_get_node(r->doc, *i)));
    return steps;
}

static void want_file(struct reading *rd, const char *name)
{
    struct job_reading *out = rd->out;

    for (size_t i = 0; i < out->file_count; i++)
        if (strcmp(out->files[i].name, name) == 0)
            return;
    out->files = xreallocarray(out->files, out->file_count + 1, sizeof(*out->files));
    out->files[out->file_count++] = (struct job_file){.name = xstrdup(name)};
}

static json_t *param_file(struct config_reader *r, const struct job_param *p, const yaml_node_t *node)
{
    struct reading *rd = (struct reading *)r;
    struct job_param one = {.name = p->name, .max = 4096};
    json_t *name = param_text(r, &one, node), *file;

    if (!name)
        return NULL;
    want_file(rd, json_string_value(name));
    file = json_object_get(rd->files, json_string_value(name));
    if (rd->files && !file)
        config_complain(r, node, "'%s': the file '%s' was not sent along", p->name, json_string_value(name));
    file =
        file ? json_deep_copy(file) : json_pack("{s:O, s:s}", "name", name, "text", ""); /* not known yet */
    json_decref(name);
    return file;
}

static json_t *(*const param_readers[])(struct config_reader *r, const struct job_param *p,
                                        const yaml_node_t *node) = {
    [JOB_PARAM_TEXT] = param_text,     [JOB_PARAM_CHOICE] = param_choice,
    [JOB_PARAM_NUMBER] = param_number, [JOB_PARAM_DURATION] = param_duration,
    [JOB_PARAM_BOOL] = param_bool,     [JOB_PARAM_WORDS] = param_words,
    [JOB_PARAM_PAIRS] = param_pairs,   [JOB_PARAM_STEPS] = param_steps,
    [JOB_PARAM_FILE] = param_file,
};

static void set_param(struct config_reader *r, const struct job_param *p, const yaml_node_t *node,
                      json_t *args)
{
    const char *field = p->field ? p->field : p->name;
    json_t *value = param_readers[p->type](r, p, node);

    if (value)
        json_object_set_new(args, field, value);
}

static void set_named(struct config_reader *r, const struct job_param *params, const char *what,
                      const yaml_node_t *map, const yaml_node_pair_t *pair, json_t *args)
{
    const yaml_node_t *key = yaml_document_get_node(r->doc, pair->key);
    const yaml_node_t *value = yaml_document_get_node(r->doc, pair->value);
    const char *name = config_scalar(key);
    const struct job_param *p = name ? job_param_find(params, name) : NULL;
    struct buf known = buf_init(1000);

    if (p && config_find(r, map, name) != value) {
        config_complain(r, key, "'%s' is given twice", name);
    } else if (p) {
        set_param(r, p, value, args);
    } else {
        for (const struct job_param *k = params; k->name; k++)
            buf_printf(&known, "%s%s", k == params ? "" : ", ", k->name);
        config_complain(r, key, "there is no '%.60s' in '%s': expected %s", name ? name : "?", what,
                        known.len > 0 ? buf_str(&known) : "nothing");
    }
    buf_free(&known);
}

/* A mapping of parameters; a single value is the main one, and nothing is none at all. */
static json_t *read_params(struct config_reader *r, const struct job_param *params, const char *what,
                           const yaml_node_t *node)
{
    const struct job_param *main_param = job_param_find(params, NULL);
    const char *text = config_scalar(node);
    json_t *args = json_object();

    if (node->type == YAML_MAPPING_NODE) {
        for (yaml_node_pair_t *i = node->data.mapping.pairs.start; i < node->data.mapping.pairs.top; i++)
            set_named(r, params, what, node, i, args);
    } else if (main_param && !(text && !text[0])) {
        set_param(r, main_param, node, args);
        return args;
    } else if (!text || text[0]) {
        config_complain(r, node, "'%s': expected names with values, 'name: value'", what);
        return args;
    }
    for (const struct job_param *p = params; p->name; p++)
        if (p->required && !(node->type == YAML_MAPPING_NODE && config_find(r, node, p->name)))
            config_complain(r, node, "'%s': '%s' is missing: %s", what, p->name, p->text);
    return args;
}

/* --- a task --- */

static void read_retry(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct job_task *task = base;
    struct retry retry = {.pause_ms = 10000};

    if (config_scalar(node)) /* `retry: 3` */
        config_set(r, &job_retry_options[0], node, &retry.count);
    else
        config_read_map(r, node, job_retry_options, options_count(job_retry_options), &retry, 0);
    task->retries = (uint32_t)retry.count;
    task->pause_ms = retry.pause_ms;
}

/* What the task itself says of its arguments, which no table can. */
static void check_args(struct config_reader *r, const struct job_task *task, const yaml_node_t *node)
{
    struct err err = ERR_INIT;
    void *args = job_task_parse(task, &err);

    if (err.cause != CAUSE_NONE)
        config_complain(r, node, "'%s': %s", task->kind->name, err.text);
    job_task_drop(task, args);
}

static void choose_engine(struct job_task *task)
{
    const struct job_kind *kind = task->kind;

    if (!kind->task || (kind->acts && kind->acts(task->args)))
        return;
    task->engine = task_by_name(kind->task);
    task->task_args = kind->task_args ? kind->task_args(task->args) : json_incref(task->args);
}

static bool all_files_known(const struct reading *rd, const struct job_kind *kind)
{
    for (const struct job_param *p = kind->params; p->name; p++)
        if (p->type == JOB_PARAM_FILE)
            return rd->files != NULL;
    return true;
}

static void read_kind(struct reading *rd, struct job_task *task, const yaml_node_t *node)
{
    struct config_reader *r = &rd->reader;
    size_t before = r->count, files = rd->out->file_count;
    struct err err = ERR_INIT;

    task->args = read_params(r, task->kind->params, task->kind->name, node);
    for (; files < rd->out->file_count; files++) {
        rd->out->files[files].kind = task->kind->name;
        rd->out->files[files].set = json_incref(json_object_get(task->args, "set"));
    }
    if (r->count > before)
        return;
    if (task->kind->shape && task->kind->shape(&task->args, &err) != 0) {
        config_complain(r, node, "'%s': %s", task->kind->name, err.text);
        return;
    }
    choose_engine(task);
    if (all_files_known(rd, task->kind))
        check_args(r, task, node);
}

static const struct option *task_option(const char *name)
{
    for (const struct option *o = job_task_options; o->name; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

static void complain_kind(struct config_reader *r, const yaml_node_t *at, const char *name)
{
    struct buf known = buf_init(1000);

    for (size_t i = 0; job_kind_at(i); i++)
        buf_printf(&known, "%s%s", i > 0 ? ", " : "", job_kind_at(i)->name);
    for (const struct option *o = job_task_options; o->name; o++)
        buf_printf(&known, ", %s", o->name);
    if (name)
        config_complain(r, at, "there is no task '%.60s': expected one of %s", name, buf_str(&known));
    else
        config_complain(r, at, "a task without what to do: expected one of %s", buf_str(&known));
    buf_free(&known);
}

static void read_task_key(struct reading *rd, struct job_task *task, const yaml_node_t *map,
                          const yaml_node_pair_t *pair)
{
    struct config_reader *r = &rd->reader;
    const yaml_node_t *key = yaml_document_get_node(r->doc, pair->key);
    const yaml_node_t *value = yaml_document_get_node(r->doc, pair->value);
    const char *name = config_scalar(key);
    const struct option *option = name ? task_option(name) : NULL;
    const struct job_kind *kind = name ? job_kind_by_name(name) : NULL;

    if ((option || kind) && config_find(r, map, name) != value) {
        config_complain(r, key, "'%s' is given twice", name);
    } else if (option) {
        config_set(r, option, value, (char *)task + option->offset);
    } else if (kind && task->kind) {
        config_complain(r, key, "one thing a task: '%s' is another one than '%s'", name, task->kind->name);
    } else if (kind) {
        task->kind = kind;
        read_kind(rd, task, value);
    } else {
        complain_kind(r, key, name ? name : "?");
    }
}

static bool is_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= JOB_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == n;
}

/* One that the file does not name is called as what it does, with a number from the second on. */
static void name_task(struct job *job, struct job_task *task)
{
    size_t n = 1;
    char *name = xstrdup(task->kind->name);

    while (job_find(job, name, strlen(name)) < job->count) {
        free(name);
        name = xasprintf("%s-%zu", task->kind->name, ++n);
    }
    task->name = name;
}

/* Fields of a query that speak of tasks of this job must name an earlier one. */
static void check_fields(struct config_reader *r, const yaml_node_t *at, const struct job *job,
                         const struct job_task *task, const struct query_node *node)
{
    static const char *const prefixes[] = {"result.", "cause."};

    if (node->a)
        check_fields(r, at, job, task, node->a);
    if (node->b)
        check_fields(r, at, job, task, node->b);
    for (size_t i = 0; node->field && i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        size_t n = strlen(prefixes[i]);
        const char *name = node->field + n;

        if (strncmp(node->field, prefixes[i], n) == 0 &&
            &job->tasks[job_find(job, name, strlen(name))] >= task)
            config_complain(r, at, "'when': there is no task '%s' before this one", name);
    }
}

static void check_when(struct config_reader *r, const yaml_node_t *map, const struct job *job,
                       const struct job_task *task)
{
    const yaml_node_t *at = config_find(r, map, "when");
    struct err err = ERR_INIT;
    struct query *query;

    if (!task->when || !at)
        return;
    query = query_parse(task->when, &err);
    if (query)
        check_fields(r, at, job, task, query_root(query));
    else
        config_complain(r, at, "'when': %s", err.text);
    query_free(query);
}

static void read_task(struct reading *rd, const yaml_node_t *node)
{
    struct config_reader *r = &rd->reader;
    struct job *job = rd->job;
    struct job_task *task = &job->tasks[job->count];

    memset(task, 0, sizeof(*task));
    task->line = node->start_mark.line + 1;
    if (node->type != YAML_MAPPING_NODE) {
        config_complain(r, node, "expected a task such as 'power: on' or 'info:' with its colon, not %.60s",
                        shown(node));
        return;
    }
    for (yaml_node_pair_t *i = node->data.mapping.pairs.start; i < node->data.mapping.pairs.top; i++)
        read_task_key(rd, task, node, i);
    if (!task->kind && node->data.mapping.pairs.top == node->data.mapping.pairs.start)
        complain_kind(r, node, NULL);
    else if (!task->kind && r->count == 0)
        complain_kind(r, node, NULL);
    if (task->name && !is_name(task->name))
        config_complain(r, config_find(r, node, "name"),
                        "'name': expected letters, digits, '-' and '_', at most %d", JOB_NAME_MAX);
    else if (task->name && job_find(job, task->name, strlen(task->name)) < job->count)
        config_complain(r, config_find(r, node, "name"), "there are two tasks '%s'", task->name);
    else if (!task->name && task->kind)
        name_task(job, task);
    check_when(r, node, job, task);
    job->count++;
}

static void read_tasks(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct job *job = base;
    ptrdiff_t count;

    if (node->type != YAML_SEQUENCE_NODE) {
        config_complain(r, node, "'tasks': expected a list such as '- power: on'");
        return;
    }
    count = node->data.sequence.items.top - node->data.sequence.items.start;
    if (count < 1 || count > JOB_TASKS_MAX) {
        config_complain(r, node, "'tasks': expected from 1 to %d of them", JOB_TASKS_MAX);
        return;
    }
    job->tasks = xcalloc((size_t)count + 1, sizeof(*job->tasks));
    for (ptrdiff_t i = 0; i < count; i++)
        read_task((struct reading *)r, yaml_document_get_node(r->doc, node->data.sequence.items.start[i]));
}

static void read_rollout(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct job *job = base;

    config_read_map(r, node, job_rollout_options, options_count(job_rollout_options), &job->rollout, 0);
}

/* --- the whole --- */

static bool is_behind(const json_t *mistake, size_t line, size_t column)
{
    size_t other = (size_t)json_integer_value(json_object_get(mistake, "line"));

    return other > line ||
           (other == line && (size_t)json_integer_value(json_object_get(mistake, "column")) > column);
}

/* In the order of the file, in whatever order they are found. */
static void add_mistake(void *arg, size_t line, size_t column, const char *text)
{
    struct job_reading *out = arg;
    struct buf printable = buf_init(8192);
    size_t at = json_array_size(out->mistakes);

    while (at > 0 && is_behind(json_array_get(out->mistakes, at - 1), line, column))
        at--;
    text_printable(&printable, text, strlen(text)); /* it may quote half a character */
    json_array_insert_new(out->mistakes, at,
                          json_pack("{s:I, s:I, s:s}", "line", (json_int_t)line, "column", (json_int_t)column,
                                    "text", buf_str(&printable)));
    buf_free(&printable);
}

static void read_root(void *arg)
{
    struct reading *rd = arg;
    struct config_reader *r = &rd->reader;
    const yaml_node_t *root = yaml_document_get_root_node(r->doc);

    if (!root) {
        add_mistake(rd->out, 0, 0, "the file is empty");
        r->count++;
        return;
    }
    config_read_map(r, root, job_options, options_count(job_options), rd->job, 0);
    if (root->type == YAML_MAPPING_NODE && !config_find(r, root, "tasks"))
        config_complain(r, root, "'tasks' is missing: what is to be done");
    if (rd->job->name && !is_name(rd->job->name))
        config_complain(r, config_find(r, root, "name"),
                        "'name': expected letters, digits, '-' and '_', at most %d", JOB_NAME_MAX);
}

/* The text and what it takes of other files: another hash is another version of the job. */
static char *hash_of(const void *text, size_t n, const json_t *files)
{
    char *others = files ? json_dumps(files, JSON_COMPACT | JSON_SORT_KEYS) : xstrdup("");
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct buf hex = buf_init(2 * sizeof(digest) + 1);
    unsigned size = 0;

    if (!md || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1 || EVP_DigestUpdate(md, text, n) != 1 ||
        EVP_DigestUpdate(md, others, strlen(others)) != 1 || EVP_DigestFinal_ex(md, digest, &size) != 1)
        size = 0;
    EVP_MD_CTX_free(md);
    free(others);
    text_hex(&hex, digest, size, false);
    return buf_take(&hex);
}

struct job *job_read(const char *fallback, const void *text, size_t n, const json_t *files,
                     struct job_reading *out)
{
    struct buf unused = buf_init(1);
    struct reading rd = {
        .reader = {.path = fallback, .mistakes = &unused, .tell = add_mistake, .tell_arg = out},
        .job = xcalloc(1, sizeof(*rd.job)),
        .out = out,
        .files = files};

    memset(out, 0, sizeof(*out));
    out->mistakes = json_array();
    rd.job->rollout = (struct job_rollout){-1, -1, -1, -1, -1, -1};
    if (n > JOB_BYTES_MAX) {
        add_mistake(out, 0, 0, "a job file is at most 1 MiB large");
        rd.reader.count++;
    } else {
        config_load_text(&rd.reader, text, n, read_root, &rd);
    }
    buf_free(&unused);
    if (rd.reader.count > 0) {
        job_free(rd.job);
        return NULL;
    }
    if (!rd.job->name)
        rd.job->name = xstrdup(fallback);
    rd.job->hash = hash_of(text, n, files);
    job_share_needs(rd.job);
    return rd.job;
}

void job_reading_clear(struct job_reading *reading)
{
    json_decref(reading->mistakes);
    for (size_t i = 0; i < reading->file_count; i++) {
        free(reading->files[i].name);
        json_decref(reading->files[i].set);
    }
    free(reading->files);
    memset(reading, 0, sizeof(*reading));
}
