#include "amtcli/result_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/cmd.h"
#include "amtcli/fold.h"
#include "amtcli/forms.h"
#include "amtcli/output.h"
#include "amtcli/wrap.h"
#include "base/cause.h"
#include "base/xalloc.h"

#define FOLD_ABOVE 50 /* hosts on a terminal: equal results share a line */
#define TEXT_MAX   65536
#define CHECK_AT   25 /* where the findings of the doctor begin */

enum result_shape result_shape(const char *task)
{
    static const struct {
        const char *task;
        enum result_shape shape;
    } shapes[] = {
        {"power", RESULT_POWER},         {"boot", RESULT_POWER},
        {"info", RESULT_INFO},           {"doctor", RESULT_CHECKS},
        {"consent", RESULT_CONSENT},     {"redirection", RESULT_REDIRECTION},
        {"clock", RESULT_CLOCK},         {"alert", RESULT_ALERT},
        {"user", RESULT_USER},           {"filter", RESULT_FILTER},
        {"agent", RESULT_AGENTS},        {"worm", RESULT_WORM},
        {"inventory", RESULT_INVENTORY}, {"eventlog", RESULT_DEVICE_LOG},
        {"auditlog", RESULT_DEVICE_LOG}, {"job", RESULT_JOB},
        {"config", RESULT_CONFIG},       {"certificate", RESULT_CERTIFICATE},
    };

    for (size_t i = 0; task && i < sizeof(shapes) / sizeof(shapes[0]); i++)
        if (strcmp(shapes[i].task, task) == 0)
            return shapes[i].shape;
    return RESULT_PLAIN;
}

static const char *text_of(const json_t *row, const char *field)
{
    const char *text = json_string_value(json_object_get(row, field));

    return text ? text : "";
}

/* --- the table --- */

#define OWN_MAX 5

/* The columns that a shape has of its own. */
static const struct column own_columns[][OWN_MAX] = {
    [RESULT_POWER] = {{"POWER", "states"}},
    [RESULT_JOB] = {{"POWER", "states"}, {"TASKS", "task_counts"}},
    [RESULT_TASK] = {{"TASK", "task"}, {"POWER", "states"}},
    [RESULT_REDIRECTION] = {{"SOL", "detail.sol"},
                            {"IDE-R", "detail.ider"},
                            {"KVM", "detail.kvm"},
                            {"LISTENER", "detail.listener"}},
    [RESULT_CONSENT] = {{"ASKED FOR", "detail.policy"}, {"CONSENT", "detail.state"}},
    [RESULT_CLOCK] = {{"OFF BY", "detail.off_s", form_seconds}},
    [RESULT_ALERT] = {{"HEARD", "detail.heard"}, {"OTHERS", "detail.others"}},
    [RESULT_USER] = {{"ADMINISTRATOR", "detail.administrator"},
                     {"ACCOUNTS", "detail.names"},
                     {"DIFFER", "detail.differ"}},
    [RESULT_INVENTORY] = {{"MODEL", "detail.model"},
                          {"BIOS", "detail.bios"},
                          {"MEMORY", "detail.memory_bytes", form_bytes},
                          {"AMT", "detail.amt"}},
    [RESULT_DEVICE_LOG] = {{"NEW", "detail.new"}},
    [RESULT_CERTIFICATE] = {{"CERTIFICATE", "detail.state"},
                            {"UNTIL", "detail.until"},
                            {"ISSUER", "detail.issuer"}},
    [RESULT_FILTER] = {{"STATE", "state"}, {"POLICY", "policy"}, {"FILTERS", "filters"}},
};

/* "off -> on"; when nothing changed, the state alone. */
static void add_states(json_t *row)
{
    const char *from = text_of(row, "from"), *to = text_of(row, "to");

    if (from[0] && to[0] && strcmp(from, to) != 0)
        json_object_set_new(row, "states", json_sprintf("%s -> %s", from, to));
    else
        json_object_set_new(row, "states", json_string(to[0] ? to : from));
}

/* "4 ok, 1 skipped". */
void result_count_tasks(json_t *row)
{
    static const char *const results[] = {"ok", "skipped", "failed"};
    struct buf text = buf_init(200);
    json_t *task;
    size_t k;

    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        size_t count = 0;

        json_array_foreach(json_object_get(row, "tasks"), k, task)
        {
            count += strcmp(text_of(task, "result"), results[i]) == 0;
        }
        if (count > 0)
            buf_printf(&text, "%s%zu %s", text.len > 0 ? ", " : "", count, results[i]);
    }
    json_object_set_new(row, "task_counts", json_string(buf_str(&text)));
    json_object_del(row, "tasks");
    buf_free(&text);
}

/* What there is to say: the cause with what exactly happened, or a remark. */
static void add_text(json_t *row)
{
    const char *cause = text_of(row, "cause"), *message = text_of(row, "message"),
               *code = text_of(row, "code");
    const char *sentence = cause_sentence(cause_by_name(cause));
    const char *said = text_of(row, "would")[0] ? text_of(row, "would") : text_of(row, "remark");
    size_t n = strlen(sentence);

    if (!cause[0]) {
        said = said[0] ? said : text_of(row, "difference");
        json_object_set_new(
            row, "text",
            json_string(said[0] || json_object_get(row, "policy") ? said : text_of(row, "state")));
        return;
    }
    if (strncmp(message, sentence, n) == 0 && message[n]) /* the cause's name says the sentence already */
        message += n + strspn(message + n, ": ");
    json_object_set_new(row, "text",
                        json_sprintf("%s%s%s%s%s%s", cause, message[0] ? ": " : "", message,
                                     code[0] ? " [" : "", code, code[0] ? "]" : ""));
}

/* Of a dry run: not all begin at once. */
static bool in_stages(const json_t *rows)
{
    json_t *row;
    size_t i;

    json_array_foreach((json_t *)rows, i, row)
    {
        if (json_integer_value(json_object_get(row, "stage")) > 1)
            return true;
    }
    return false;
}

static void print_table(const json_t *rows, bool fold, enum result_shape shape)
{
    static const struct column count = {"COUNT", "count"}, result = {"RESULT", "result"},
                               seconds = {"SECONDS", "seconds"}, host = {"HOST", "host"},
                               hosts = {"HOSTS", "host"}, text = {"", "text"};
    static const struct column stages[] = {{"STAGE", "stage"}, {NULL}}, none[] = {{NULL}};
    bool ran = json_array_size(rows) > 0 && !json_object_get(json_array_get(rows, 0), "would");
    const struct column *own = ran ? own_columns[shape] : in_stages(rows) ? stages : none;
    struct column columns[OWN_MAX + 6] = {{NULL}};
    json_t *all, *shown, *row;
    size_t i, n = 0;

    if (json_array_size(rows) == 0)
        return;
    all = json_array();
    json_array_foreach((json_t *)rows, i, row)
    {
        json_t *copy = json_copy(row); /* only members of its own are added */

        if (shape == RESULT_JOB && json_object_get(copy, "tasks"))
            result_count_tasks(copy);
        json_array_append_new(all, copy);
    }
    shown = fold ? fold_results(all, own) : json_incref(all);
    json_array_foreach(shown, i, row)
    {
        add_states(row);
        add_text(row);
    }
    columns[n++] = fold ? count : host;
    if (ran)
        columns[n++] = result;
    for (; own->title; own++)
        columns[n++] = *own;
    if (ran)
        columns[n++] = seconds;
    if (fold)
        columns[n++] = hosts;
    columns[n++] = text;
    output_rows(FORMAT_TABLE, shown, columns);
    json_decref(all);
    json_decref(shown);
}

/* --- info --- */

struct group {
    const char *title;
    struct column fields[8];
};

static const struct group groups[] = {
    {"AMT",
     {{"version", "version"},
      {"build", "build"},
      {"product", "product"},
      {"provisioning", "provisioning"},
      {"control mode", "control_mode"},
      {"user consent", "consent"}}},
    {"machine", {{"power", "power"}, {"uuid", "uuid"}}},
    {"network", {{"name", "host_name"}, {"domain", "domain"}, {"address", "address"}, {"mac", "mac"}}},
    {"redirection", {{"enabled", "redirection"}, {"listener", "listener"}, {"kvm", "kvm"}}},
    {"clock", {{"time", "clock"}, {"off by", "clock_off_s", form_seconds}}},
};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static bool print_field(const json_t *info, const char *title, const char *field, value_form *form)
{
    struct buf text = buf_init(TEXT_MAX), name = buf_init(TEXT_MAX);
    json_t *holder = json_pack("{s:s}", "name", title);
    bool said;

    if (form && cell_value(info, field))
        form(cell_value(info, field), &text);
    else
        cell_text(info, field, &text);
    cell_text(holder, "name", &name); /* of an amtd that knows more fields than this amtcli */
    said = text.len > 0;
    if (said)
        printf("    %-14s %s\n", buf_str(&name), buf_str(&text));
    json_decref(holder);
    buf_free(&text);
    buf_free(&name);
    return said;
}

static void print_group(const struct group *group, const json_t *info, json_t *rest)
{
    bool any = false;

    for (const struct column *c = group->fields; c->title; c++)
        any |= json_object_get(info, c->field) != NULL;
    if (any)
        printf("  %s\n", group->title);
    for (const struct column *c = group->fields; c->title; c++) {
        print_field(info, c->title, c->field, c->form);
        json_object_del(rest, c->field);
    }
}

static void print_name(const json_t *row, bool first)
{
    struct buf host = buf_init(TEXT_MAX);

    cell_text(row, "host", &host);
    printf("%s%s\n", first ? "" : "\n", buf_str(&host));
    buf_free(&host);
}

static void print_info(const json_t *rows)
{
    json_t *row, *rest, *value;
    const char *name;
    size_t i;

    json_array_foreach((json_t *)rows, i, row)
    {
        const json_t *info = json_object_get(json_object_get(row, "detail"), "info");

        print_name(row, i == 0);
        rest = json_copy((json_t *)info);
        for (size_t g = 0; g < GROUPS; g++)
            print_group(&groups[g], info, rest);
        if (json_object_size(rest) > 0)
            puts("  other");
        json_object_foreach(rest, name, value) print_field(rest, name, name, NULL);
        json_decref(rest);
    }
}

static void print_info_csv(const json_t *rows)
{
    static const struct column columns[] = {{"HOST", "host"},       {"RESULT", "result"}, {"CAUSE", "cause"},
                                            {"MESSAGE", "message"}, {"INFO", "info.*"},   {NULL}};
    json_t *flat = json_array(), *row;
    size_t i;

    json_array_foreach((json_t *)rows, i, row)
    {
        json_t *copy = json_copy(row);

        json_object_set(copy, "info", json_object_get(json_object_get(row, "detail"), "info"));
        json_array_append_new(flat, copy);
    }
    output_rows(FORMAT_CSV, flat, columns);
    json_decref(flat);
}

/* --- doctor --- */

static void print_check(const json_t *check)
{
    static const char *const marks[][2] = {
        {"ok", "ok  "}, {"warn", "WARN"}, {"fail", "FAIL"}, {"skip", "-   "}};
    struct buf text = buf_init(TEXT_MAX), hint = buf_init(TEXT_MAX), name = buf_init(TEXT_MAX);
    size_t columns = wrap_columns(stdout, WRAP_ANY);
    const char *mark = "?   ";

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (strcmp(text_of(check, "result"), marks[i][0]) == 0)
            mark = marks[i][1];
    cell_text(check, "check", &name);
    cell_text(check, "finding", &text);
    cell_text(check, "hint", &hint);
    printf("  %s  %-16s ", mark, buf_str(&name));
    wrap_print(stdout, buf_str(&text), CHECK_AT, columns);
    if (hint.len > 0) {
        printf("%*s-> ", CHECK_AT, "");
        wrap_print(stdout, buf_str(&hint), CHECK_AT + 3, columns);
    }
    buf_free(&text);
    buf_free(&hint);
    buf_free(&name);
}

static void print_checks(const json_t *rows)
{
    json_t *row, *check;
    size_t i, k;

    json_array_foreach((json_t *)rows, i, row)
    {
        print_name(row, i == 0);
        json_array_foreach(json_object_get(json_object_get(row, "detail"), "checks"), k, check)
            print_check(check);
    }
}

/* A row for each step. */
static void print_checks_csv(const json_t *rows)
{
    static const struct column columns[] = {{"HOST", "host"},       {"CHECK", "check"}, {"RESULT", "result"},
                                            {"FINDING", "finding"}, {"HINT", "hint"},   {NULL}};
    json_t *flat = json_array(), *row, *check;
    size_t i, k;

    json_array_foreach((json_t *)rows, i, row)
    {
        json_array_foreach(json_object_get(json_object_get(row, "detail"), "checks"), k, check)
        {
            json_t *copy = json_copy(check);

            json_object_set(copy, "host", json_object_get(row, "host"));
            json_array_append_new(flat, copy);
        }
    }
    output_rows(FORMAT_CSV, flat, columns);
    json_decref(flat);
}

/* --- jobs: a row for each task of each host --- */

/* The tasks of all hosts, each with its host. */
static json_t *tasks_of(const json_t *rows)
{
    json_t *flat = json_array(), *row, *task;
    size_t i, k;

    json_array_foreach((json_t *)rows, i, row)
    {
        json_array_foreach(json_object_get(row, "tasks"), k, task)
        {
            json_t *copy = json_copy(task);

            json_object_set(copy, "host", json_object_get(row, "host"));
            json_array_append_new(flat, copy);
        }
    }
    return flat;
}

const struct column result_task_columns[] = {{"HOST", "host"},
                                             {"TASK", "task"},
                                             {"RESULT", "result"},
                                             {"FROM", "from"},
                                             {"TO", "to"},
                                             {"SECONDS", "seconds"},
                                             {"TRIES", "tries"},
                                             {"CAUSE", "cause"},
                                             {"CODE", "code"},
                                             {"MESSAGE", "message"},
                                             {NULL}};

static void print_tasks_csv(const json_t *rows)
{
    json_t *flat = tasks_of(rows);

    output_rows(FORMAT_CSV, flat, result_task_columns);
    json_decref(flat);
}

/* --- lists within a result: what filters counted, programs that are watched over --- */

#define LIST_COLUMNS_MAX 12

static const struct column count_columns[] = {{"PORT", "port"},       {"RULES", "rules"},
                                              {"FILTER", "filter"},   {"PACKETS", "packets"},
                                              {"MATCHED", "matched"}, {NULL}};
static const struct column agent_columns[] = {{"NAME", "name"},
                                              {"STATE", "state"},
                                              {"GUID", "guid"},
                                              {"STARTUP", "startup_s", form_seconds},
                                              {"SILENCE", "timeout_s", form_seconds},
                                              {"ACTIVATES ON", "activate_on"},
                                              {"DEACTIVATES ON", "deactivate_on"},
                                              {NULL}};

/* What it was before stands in tables only where something was changed. */
static const struct column setting_columns[] = {
    {"SETTING", "setting"}, {"WAS", "was"}, {"IS", "is"}, {"SHOULD BE", "should"},
    {"STATE", "state"},     {"WHY", "why"}, {NULL}};

static const struct column is_columns[] = {{"SETTING", "setting"}, {"IS", "is"}, {NULL}};

/* Of a shape whose hosts have one; NULL: none. */
static json_t *list_of(const json_t *row, enum result_shape shape)
{
    const json_t *detail = json_object_get(row, "detail");

    if (shape == RESULT_SETTINGS)
        return json_object_get(detail, "settings");
    if (shape == RESULT_CONFIG)
        return strcmp(text_of(detail, "state"), "as-declared") == 0 ? NULL
                                                                    : json_object_get(detail, "settings");
    if (shape == RESULT_AGENTS)
        return json_object_get(json_object_get(row, "detail"), "agents");
    return shape == RESULT_FILTER ? json_object_get(row, "counts") : NULL;
}

/* A setting that is as it was declared: what is not stands between many of them. */
static bool is_idle(const json_t *entry, enum result_shape shape)
{
    return shape == RESULT_CONFIG && json_object_get(entry, "should") &&
           strcmp(text_of(entry, "state"), "same") == 0;
}

static void add_entry(json_t *flat, const json_t *row, const json_t *entry)
{
    static const char *const of_host[] = {"host", "result", "cause", "message"};
    json_t *copy = entry ? json_copy((json_t *)entry) : json_object();

    for (size_t i = 0; i < sizeof(of_host) / sizeof(of_host[0]); i++)
        json_object_set(copy, of_host[i], json_object_get(row, of_host[i]));
    json_array_append_new(flat, copy);
}

static const struct column *columns_of(enum result_shape shape)
{
    if (shape == RESULT_FILTER)
        return count_columns;
    if (shape == RESULT_SETTINGS)
        return is_columns;
    return shape == RESULT_CONFIG ? setting_columns : agent_columns;
}

static bool any_was(const json_t *rows, enum result_shape shape)
{
    json_t *row, *entry;
    size_t i, k;

    json_array_foreach((json_t *)rows, i, row)
    {
        json_array_foreach(list_of(row, shape), k, entry) if (json_object_get(entry, "was")) return true;
    }
    return false;
}

/* A row for each entry of the hosts' lists; as CSV also one for each host without any. */
static void print_lists(const json_t *rows, enum result_shape shape, enum format format)
{
    const struct column *own = columns_of(shape);
    struct column columns[LIST_COLUMNS_MAX] = {{"HOST", "host"}};
    json_t *flat = json_array(), *row, *entry;
    size_t i, k, n = 1;
    bool was = format == FORMAT_CSV || any_was(rows, shape);

    for (; own->title; own++)
        if (was || strcmp(own->field, "was") != 0)
            columns[n++] = *own;
    if (format == FORMAT_CSV) {
        columns[n++] = (struct column){"RESULT", "result"};
        columns[n++] = (struct column){"CAUSE", "cause"};
        columns[n++] = (struct column){"MESSAGE", "message"};
    }
    json_array_foreach((json_t *)rows, i, row)
    {
        json_array_foreach(list_of(row, shape), k, entry) if (!is_idle(entry, shape))
            add_entry(flat, row, entry);
        if (format == FORMAT_CSV && json_array_size(list_of(row, shape)) == 0)
            add_entry(flat, row, NULL);
    }
    if (json_array_size(flat) > 0)
        output_rows(format, flat, columns);
    json_decref(flat);
}

static bool any_list(const json_t *rows, enum result_shape shape)
{
    json_t *row;
    size_t i;

    json_array_foreach((json_t *)rows, i, row)
    {
        if (list_of(row, shape))
            return true;
    }
    return false;
}

/* --- all together --- */

static void print_csv(const json_t *rows, enum result_shape shape)
{
    static const struct column columns[] = {{"HOST", "host"},
                                            {"RESULT", "result"},
                                            {"FROM", "from"},
                                            {"TO", "to"},
                                            {"SECONDS", "seconds"},
                                            {"TRIES", "tries"},
                                            {"CAUSE", "cause"},
                                            {"CODE", "code"},
                                            {"MESSAGE", "message"},
                                            {"HINT", "hint"},
                                            {"REMARK", "remark"},
                                            {"DETAIL", "detail.*"},
                                            {NULL}};
    static const struct column filter[] = {{"HOST", "host"},
                                           {"RESULT", "result"},
                                           {"STATE", "state"},
                                           {"POLICY", "policy"},
                                           {"FILTERS", "filters"},
                                           {"SECONDS", "seconds"},
                                           {"CAUSE", "cause"},
                                           {"CODE", "code"},
                                           {"MESSAGE", "message"},
                                           {"HINT", "hint"},
                                           {"REMARK", "remark"},
                                           {"DIFFERENCE", "difference"},
                                           {NULL}};
    static const struct column would[] = {{"HOST", "host"}, {"WOULD", "would"}, {NULL}};

    if (json_object_get(json_array_get(rows, 0), "would"))
        output_rows(FORMAT_CSV, rows, would);
    else if (shape == RESULT_INFO)
        print_info_csv(rows);
    else if (shape == RESULT_CHECKS)
        print_checks_csv(rows);
    else if (any_list(rows, shape))
        print_lists(rows, shape, FORMAT_CSV);
    else if (shape == RESULT_JOB)
        print_tasks_csv(rows);
    else
        output_rows(FORMAT_CSV, rows, shape == RESULT_FILTER ? filter : columns);
}

static bool wants_folding(const struct args *args, const json_t *rows)
{
    return args_has(args, "fold") || (isatty(STDOUT_FILENO) && json_array_size(rows) > FOLD_ABOVE);
}

/* Hosts that have the detail of the shape are shown with it, the others in a table. */
static void print_for_people(const struct args *args, const json_t *rows, enum result_shape shape)
{
    const char *wanted = shape == RESULT_INFO ? "info" : shape == RESULT_CHECKS ? "checks" : "";
    json_t *detailed = json_array(), *plain = json_array(), *row;
    bool fold = wants_folding(args, rows);
    size_t i;

    json_array_foreach((json_t *)rows, i, row)
    {
        bool has = json_object_get(json_object_get(row, "detail"), wanted) ||
                   json_array_size(list_of(row, shape)) > 0;

        json_array_append(has ? detailed : plain, row);
        if (has && shape == RESULT_CONFIG && strcmp(text_of(row, "result"), "failed") == 0)
            json_array_append(plain, row); /* with the reason, which is none of a setting */
    }
    if (shape == RESULT_INFO)
        print_info(detailed);
    else if (shape == RESULT_CHECKS)
        print_checks(detailed);
    else
        print_lists(detailed, shape, FORMAT_TABLE);
    if (json_array_size(detailed) > 0 && json_array_size(plain) > 0)
        putchar('\n');
    print_table(plain, fold, shape);
    json_decref(detailed);
    json_decref(plain);
}

/* Why hosts failed, a cause at a time, and what to do next. */
static void print_causes(const json_t *rows)
{
    json_t *causes = fold_causes(rows), *cause;
    size_t i;

    json_array_foreach(causes, i, cause)
    {
        struct buf name = buf_init(TEXT_MAX), hint = buf_init(TEXT_MAX);

        cell_text(cause, "cause", &name);
        cell_text(cause, "hint", &hint);
        buf_printf(&name, " (%lld): %s", (long long)json_integer_value(json_object_get(cause, "count")),
                   text_of(cause, "hosts"));
        wrap_print(stderr, buf_str(&name), 2, wrap_columns(stderr, WRAP_ANY));
        if (hint.len > 0) {
            fputs("  ", stderr);
            wrap_print(stderr, buf_str(&hint), 2, wrap_columns(stderr, WRAP_ANY));
        }
        buf_free(&name);
        buf_free(&hint);
    }
    json_decref(causes);
}

int show_tasks(const struct args *args, struct result_rows *r)
{
    json_t *flat;

    result_rows_sort(r);
    flat = tasks_of(r->rows);
    print_table(flat, wants_folding(args, flat), RESULT_TASK);
    fflush(stdout);
    print_causes(flat);
    json_decref(flat);
    return r->failed > 0 ? EXIT_SOME_FAILED : EXIT_ALL;
}

static int code_of(const struct result_rows *r)
{
    return r->failed > 0 || r->drifted > 0 ? EXIT_SOME_FAILED : EXIT_ALL;
}

int results_code(const json_t *results)
{
    struct result_rows r;
    json_t *row;
    size_t i;
    int code;

    result_rows_init(&r, false);
    json_array_foreach((json_t *)results, i, row) result_rows_add(&r, row);
    code = code_of(&r);
    result_rows_clear(&r);
    return code;
}

/* Hosts that were never begun are no evidence of anything: they are counted apart. */
static void print_counts(const struct result_rows *r)
{
    size_t ended = r->ok + r->failed;

    fprintf(stderr, "%zu ok, %zu failed", r->ok, r->failed);
    if (r->cancelled > 0)
        fprintf(stderr, " (%zu of them cancelled)", r->cancelled);
    if (r->count > ended)
        fprintf(stderr, ", %zu not at their end", r->count - ended);
    fputc('\n', stderr);
}

int show_result_rows(const struct args *args, struct result_rows *r, enum result_shape shape)
{
    enum format format = output_format(args);

    result_rows_sort(r);
    if (!r->rows)
        result_rows_print(r);
    else if (format == FORMAT_CSV)
        print_csv(r->rows, shape);
    else
        print_for_people(args, r->rows, shape);
    fflush(stdout);
    if (format == FORMAT_TABLE && r->failed > 0 && (r->count > 1 || shape != RESULT_CHECKS))
        print_causes(r->rows);
    if (format == FORMAT_TABLE && r->count == 0)
        fputs("no hosts: nothing was done\n", stderr);
    if (format == FORMAT_TABLE && r->ok + r->failed > 1)
        print_counts(r);
    if (format == FORMAT_TABLE && r->drifted > 0)
        fprintf(stderr, "%zu not as they should be\n", r->drifted);
    return code_of(r);
}

int show_results(const struct args *args, const json_t *results, enum result_shape shape)
{
    struct result_rows rows;
    json_t *row;
    size_t i;
    int code;

    result_rows_init(&rows, output_format(args) == FORMAT_JSON);
    json_array_foreach((json_t *)results, i, row) result_rows_add(&rows, row);
    code = show_result_rows(args, &rows, shape);
    result_rows_clear(&rows);
    return code;
}
