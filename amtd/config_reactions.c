/* What the configuration says of mail, of reactions, and of what patterns do (docs/amtd.yaml.5). */
#include "amtd/config_reactions.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/task.h"
#include "amtd/reactions/mail_text.h"
#include "base/text.h"
#include "base/xalloc.h"

#define DEPTH_MAX 8

/* --- values as JSON --- */

static json_t *scalar_json(const yaml_node_t *node)
{
    const char *text = config_scalar(node);
    bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    int64_t number;

    if (plain && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
        return json_boolean(text[0] == 't');
    if (plain && text_i64(text, INT64_MIN, INT64_MAX, &number))
        return json_integer(number);
    return json_string(text);
}

/* NULL after a mistake was told. */
static json_t *node_json(struct config_reader *r, const yaml_node_t *node, int depth)
{
    json_t *out, *item = NULL;

    if (depth > DEPTH_MAX) {
        config_complain(r, node, "too deep");
        return NULL;
    }
    if (node->type == YAML_SCALAR_NODE)
        return scalar_json(node);
    out = node->type == YAML_SEQUENCE_NODE ? json_array() : json_object();
    if (node->type == YAML_SEQUENCE_NODE)
        for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
            if ((item = node_json(r, yaml_document_get_node(r->doc, *i), depth + 1)))
                json_array_append_new(out, item);
        }
    else
        for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
            const char *name = config_scalar(yaml_document_get_node(r->doc, p->key));

            if (name && (item = node_json(r, yaml_document_get_node(r->doc, p->value), depth + 1)))
                json_object_set_new(out, name, item);
        }
    return out;
}

/* A list of texts, or one text, as an array. NULL after a mistake was told. */
static json_t *read_texts(struct config_reader *r, const yaml_node_t *node, const char *what)
{
    json_t *out = json_array();

    if (node->type == YAML_SCALAR_NODE) {
        json_array_append_new(out, json_string(config_scalar(node)));
        return out;
    }
    for (yaml_node_item_t *i = node->type == YAML_SEQUENCE_NODE ? node->data.sequence.items.start : NULL;
         i && i < node->data.sequence.items.top; i++) {
        const char *text = config_scalar(yaml_document_get_node(r->doc, *i));

        if (text && json_array_append_new(out, json_string(text)) == 0)
            continue;
        json_decref(out);
        out = NULL;
        break;
    }
    if (out && json_array_size(out) > 0)
        return out;
    config_complain(r, node, "expected %s, or a list of them", what);
    json_decref(out);
    return NULL;
}

/* --- actions --- */

void config_read_mail_to(struct config_reader *r, const yaml_node_t *node, void *base)
{
    json_t *to = read_texts(r, node, "an address");
    const json_t *address;
    size_t i;

    json_array_foreach(to, i, address)
    {
        if (!mail_address_ok(json_string_value(address)))
            config_complain(r, node, "'%s' is no mail address", json_string_value(address));
    }
    json_decref(*(json_t **)base);
    *(json_t **)base = to;
}

void config_read_webhook(struct config_reader *r, const yaml_node_t *node, void *base)
{
    const char *url = config_scalar(node);

    if (url && (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0) && strlen(url) > 8)
        xreplace(base, url);
    else
        config_complain(r, node, "'webhook': expected a URL such as https://chat.example.com/hooks/amtd");
}

struct run_action {
    char *task;
    json_t *args;
    char *host;
};

static void read_args(struct config_reader *r, const yaml_node_t *node, void *base)
{
    if (node->type == YAML_MAPPING_NODE)
        *(json_t **)base = node_json(r, node, 0);
    else
        config_complain(r, node, "'args': expected names with values");
}

static const struct option run_options[] = {
    {"task", OPTION_TEXT, offsetof(struct run_action, task)},
    {"args", OPTION_OTHER, offsetof(struct run_action, args), .read = read_args},
    {"host", OPTION_TEXT, offsetof(struct run_action, host)},
};

static void check_run(struct config_reader *r, const yaml_node_t *node, const struct run_action *run)
{
    const struct task *task = run->task ? task_by_name(run->task) : NULL;
    json_t *none = json_object();
    struct err err = ERR_INIT;
    void *args;

    if (!run->task) {
        config_complain(
            r, node, "'run': expected the name of a task, such as { task: power, args: { action: cycle } }");
    } else if (!task) {
        config_complain(r, node, "'run': there is no task '%s'", run->task);
    } else {
        args = xcalloc(1, task->args_size + 1);
        if (task->parse(args, run->args ? run->args : none, &err) != 0)
            config_complain(r, node, "'run': %s", err.text);
        if (task->forget)
            task->forget(args);
        free(args);
    }
    json_decref(none);
}

void config_read_run(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct reaction_action *action = base;
    struct run_action run = {0};

    config_read_map(r, node, run_options, sizeof(run_options) / sizeof(run_options[0]), &run, 0);
    if (node->type == YAML_MAPPING_NODE) /* else it has been told */
        check_run(r, node, &run);
    free(action->task);
    free(action->host);
    json_decref(action->args);
    action->task = run.task;
    action->host = run.host;
    action->args = run.args;
}

static const struct option job_options[] = {
    {"file", OPTION_TEXT, offsetof(struct reaction_job, file)},
    {"schedule", OPTION_TEXT, offsetof(struct reaction_job, schedule)},
    {"target", OPTION_TEXT, offsetof(struct reaction_job, target)},
};

/* A relative path is beside the configuration. */
static char *job_path(const struct config_reader *r, const char *file)
{
    const char *slash = r->path ? strrchr(r->path, '/') : NULL;

    return file[0] == '/' || !slash ? xstrdup(file)
                                    : xasprintf("%.*s/%s", (int)(slash - r->path), r->path, file);
}

static void read_job_file(struct config_reader *r, const yaml_node_t *node, struct reaction_job *job)
{
    char *path = job_path(r, job->file);
    json_t *mistakes = NULL, *one;
    struct err err = ERR_INIT;
    size_t i;

    if (job_source_read(path, &job->source, &mistakes, &err) != 0 && !mistakes)
        config_complain(r, node, "'job': %s", err.text);
    json_array_foreach(mistakes, i, one) config_complain(
        r, node, "'job': %s:%lld:%lld: %s", path, (long long)json_integer_value(json_object_get(one, "line")),
        (long long)json_integer_value(json_object_get(one, "column")),
        json_string_value(json_object_get(one, "text")));
    json_decref(mistakes);
    free(path);
}

void config_read_job(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct reaction_job *job = base;

    reaction_job_clear(job);
    config_read_map(r, node, job_options, sizeof(job_options) / sizeof(job_options[0]), job, 0);
    if (!job->file == !job->schedule)
        config_complain(r, node, "'job': expected one of 'file' and 'schedule'");
    else if (job->file)
        read_job_file(r, node, job);
}

bool config_action_any(const struct reaction_action *a)
{
    return a->capture_lines > 0 || a->mail || a->webhook || a->command || a->task || a->job.file ||
           a->job.schedule;
}

struct reaction_rule *config_add_reaction(struct config *config)
{
    struct reaction_rule *rule;

    config->reactions =
        xreallocarray(config->reactions, config->reaction_count + 1, sizeof(*config->reactions));
    rule = &config->reactions[config->reaction_count++];
    reaction_rule_init(rule);
    return rule;
}

/* --- reactions --- */

static void read_kinds(struct config_reader *r, const yaml_node_t *node, void *base)
{
    json_t *kinds = read_texts(r, node, "a kind of event");
    const json_t *kind;
    size_t i;

    json_array_foreach(kinds, i, kind)
    {
        const char *const *known = event_kind_names;

        while (*known && strcmp(*known, json_string_value(kind)) != 0)
            known++;
        if (!*known)
            config_complain(r, node, "there is no kind of event '%s'", json_string_value(kind));
    }
    json_decref(*(json_t **)base);
    *(json_t **)base = kinds;
}

static void read_names(struct config_reader *r, const yaml_node_t *node, void *base)
{
    json_decref(*(json_t **)base);
    *(json_t **)base = read_texts(r, node, "a name");
}

#define R(member) offsetof(struct reaction_rule, member)

static const struct option reaction_options[] = {
    {"name", OPTION_TEXT, R(name)},
    {"kinds", OPTION_OTHER, R(filter.kinds), .read = read_kinds},
    {"severity", OPTION_CHOICE, R(filter.severity), .choices = severity_names},
    {"hosts", OPTION_OTHER, R(filter.hosts), .read = read_names},
    {"consoles", OPTION_OTHER, R(filter.consoles), .read = read_names},
    {"pattern", OPTION_TEXT, R(pattern)},
    CONFIG_ACTION_OPTIONS(R(action)),
};

static void check_name(struct config_reader *r, const yaml_node_t *node, const struct reaction_rule *rule)
{
    const struct config *config = r->config;

    if (!rule->name) {
        config_complain(r, node, "a reaction needs a 'name'");
        return;
    }
    for (size_t i = 0; i + 1 < config->reaction_count; i++)
        if (config->reactions[i].name && strcmp(config->reactions[i].name, rule->name) == 0)
            config_complain(r, node, "there is a reaction or a pattern '%s' already", rule->name);
}

void config_read_reactions(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct config *config = base;

    if (node->type != YAML_SEQUENCE_NODE) {
        config_complain(r, node,
                        "'reactions': expected a list such as - { name: all, mail: ops@example.com }");
        return;
    }
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(r->doc, *i);
        struct reaction_rule *rule = config_add_reaction(config);

        config_read_map(r, item, reaction_options, sizeof(reaction_options) / sizeof(reaction_options[0]),
                        rule, 0);
        check_name(r, item, rule);
        if (!config_action_any(&rule->action))
            config_complain(r, item,
                            "a reaction needs 'mail', 'webhook', 'command', 'run', 'job' or 'capture'");
    }
}

/* --- mail --- */

static const char *const tls_words[] = {"starttls", "tls", "none", NULL}; /* enum mail_tls */

#define M(member) offsetof(struct mail_settings, member)

static const struct option mail_options[] = {
    {"server", OPTION_TEXT, M(server)},
    {"port", OPTION_NUMBER, M(port), 1, 65535},
    {"tls", OPTION_CHOICE, M(tls), .choices = tls_words},
    {"ca-file", OPTION_TEXT, M(ca_file)},
    {"from", OPTION_TEXT, M(from)},
};

void config_read_mail(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct mail_settings *mail = base;

    config_read_map(r, node, mail_options, sizeof(mail_options) / sizeof(mail_options[0]), mail, 0);
    if (!mail->server || !mail->from)
        config_complain(r, node, "'mail' needs a 'server' and 'from'");
    else if (!mail_address_ok(mail->from))
        config_complain(r, node, "'from': '%s' is no mail address", mail->from);
    if (mail->server &&
        strspn(mail->server, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") !=
            strlen(mail->server))
        config_complain(r, node, "'server': expected a name or an address");
}
