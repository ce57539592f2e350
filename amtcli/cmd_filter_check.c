/* filter check: what a file would do, before it does it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/cmd_filter_file.h"
#include "amtcli/filter_input.h"
#include "amtcli/needs_input.h"
#include "amtcli/output.h"
#include "amtcli/wrap.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "filters/check.h"
#include "filters/sentence.h"

#define SENTENCE_AT    (RULE_NAME_MAX + 4) /* columns where texts begin */
#define WAY_AT         (RULE_NAME_MAX + 10)
#define LINE_MAX_BYTES 8192

static const struct option_row check_options[] = {
    {"target", 0, OPTION_TEXT, "TARGET",
     "for these hosts: their generations' limits, and names as their tags filter.NAME and their collections "
     "say"},
    {"needs", 0, OPTION_FILE, "FILE",
     "a job file whose later steps, or a filter file whose needs, must work as well"},
    {"widen", 0, OPTION_FLAG, NULL, "let rules pass more where there is no room"},
    {NULL},
};

/* --- the hosts it is for --- */

struct hosts {
    unsigned *versions; /* owned: major versions of AMT, each once */
    size_t version_count;
    size_t count;
    size_t unknown; /* whose version nobody has read yet */
    size_t others;  /* on which names stand for something else than on the first */
    json_t *names;  /* owned: what they stand for there */
    json_t *differ; /* owned: where its collections differ about it */
};

static void add_version(struct hosts *hosts, const char *text)
{
    char *major = text ? xstrndup(text, strcspn(text, ".")) : NULL;
    uint64_t number;
    size_t i = 0;

    if (!major || !text_u64(major, 1, 999, &number)) {
        hosts->unknown++;
    } else {
        while (i < hosts->version_count && hosts->versions[i] != number)
            i++;
        if (i == hosts->version_count) {
            hosts->versions = xreallocarray(hosts->versions, i + 1, sizeof(*hosts->versions));
            hosts->versions[hosts->version_count++] = (unsigned)number;
        }
    }
    free(major);
}

/* What names stand for on the target's hosts. */
static int read_names(struct context *ctx, const char *target, struct hosts *out)
{
    json_t *reply, *host;
    size_t i;
    int code = context_call(ctx, "filter.names", json_pack("{s:s}", "target", target), &reply);

    if (code != 0)
        return code;
    json_array_foreach(reply, i, host)
    {
        json_t *names = json_object_get(host, "names"), *differ = json_object_get(host, "differ");

        if (!out->names) {
            out->names = json_incref(names);
            out->differ = json_incref(differ);
        }
        out->others += !json_equal(out->names, names) || !json_equal(out->differ, differ);
    }
    json_decref(reply);
    return 0;
}

/* What the target's hosts are, as far as amtd knows. */
static int read_hosts(struct context *ctx, const char *target, struct hosts *out)
{
    json_t *reply, *host;
    size_t i;
    int code = context_call(ctx, "host.list", json_pack("{s:s}", "target", target), &reply);

    if (code != 0)
        return code;
    json_array_foreach(reply, i, host)
    {
        add_version(out, json_string_value(json_object_get(json_object_get(host, "facts"), "amt.version")));
        out->count++;
    }
    json_decref(reply);
    return read_names(ctx, target, out);
}

static void tell_hosts(const struct hosts *hosts, struct filter_input *input)
{
    const struct place place = {input->path, 0};
    const char *name;
    json_t *value;

    if (hosts->unknown > 0)
        findings_add(&input->findings, FINDING_WARNING, place, NULL,
                     "the AMT version of %zu of %zu hosts is not known yet: amtcli info TARGET reads it",
                     hosts->unknown, hosts->count);
    if (hosts->others > 0)
        findings_add(&input->findings, FINDING_WARNING, place, NULL,
                     "names stand for something else on %zu of %zu hosts than on the first, whose are used "
                     "here: check them as a target of their own",
                     hosts->others, hosts->count);
    json_object_foreach(hosts->differ, name, value)
    {
        if (!input->file || filter_file_has_name(input->file, name))
            findings_add(&input->findings, FINDING_WARNING, place, NULL,
                         "%s set @%s differently: 'filter apply' wants it by --set, or the tag filter.%s",
                         json_string_value(value), name, name);
    }
}

/* --- results --- */

static json_t *use_json(const struct compiled_use *use)
{
    return json_pack("{s:i, s:i, s:i, s:i}", "filters", (int)use->filters, "filters_ipv6",
                     (int)use->filters_ipv6, "counters", (int)use->counters, "counters_ipv6",
                     (int)use->counters_ipv6);
}

static json_t *ways_json(const struct check_report *report)
{
    json_t *array = json_array();

    for (size_t i = 0; i < report->way_count; i++) {
        const struct way *way = &report->ways[i];

        json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s, s:b, s:s}", "name", way->name, "origin",
                                               way->origin == WAY_NEED ? "file" : "amtd", "what", way->what,
                                               "verdict", way->passes ? "pass" : "drop", "limited",
                                               (int)way->limited, "why", way->why));
    }
    return array;
}

static json_t *rules_json(const struct ruleset *rules)
{
    static const char *const actions[] = {"pass", "drop", "limit"};
    json_t *array = json_array();

    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->rules[i];
        struct buf sentence = buf_init(LINE_MAX_BYTES);
        json_t *row;

        rule_sentence(rule, &sentence);
        row = json_pack("{s:s, s:s, s:i, s:s, s:s}", "name", rule->name, "file", rule->place.file, "line",
                        rule->place.line, "action", actions[rule->action], "sentence", buf_str(&sentence));
        if (rule->comment)
            json_object_set_new(row, "comment", json_string(rule->comment));
        json_array_append_new(array, row);
        buf_free(&sentence);
    }
    return array;
}

static const char *result_of(const struct filter_input *input, const struct check_report *report)
{
    if (input->findings.errors > 0)
        return "invalid";
    return report->cut > 0 ? "cuts off" : "ok";
}

static void print_json(const struct filter_input *input, const struct check_report *report)
{
    json_t *out = json_pack("{s:s, s:s, s:i, s:i, s:i}", "file", input->path, "result",
                            result_of(input, report), "errors", (int)input->findings.errors, "warnings",
                            (int)input->findings.warnings, "cut", (int)report->cut);

    json_object_set_new(out, "findings", filter_findings_json(&input->findings));
    json_object_set_new(out, "needs", ways_json(report));
    json_object_set_new(out, "placeholders", filter_placeholders_json(input));
    json_object_set(out, "addresses", input->addresses);
    if (input->file) {
        json_object_set_new(out, "name", json_string(input->file->name));
        json_object_set_new(out, "version", json_integer(input->file->version));
    }
    if (input->rules) {
        struct buf otherwise = buf_init(LINE_MAX_BYTES);

        policy_sentence(&input->rules->policy, input->rules->count == 0, &otherwise);
        json_object_set_new(out, "rules", rules_json(input->rules));
        json_object_set_new(out, "default", json_string(buf_str(&otherwise)));
        buf_free(&otherwise);
    }
    if (report->compiled)
        json_object_set_new(out, "objects",
                            json_pack("{s:i, s:o, s:o}", "filters", (int)report->filters, "out",
                                      use_json(&report->out), "in", use_json(&report->in)));
    output_json(out);
    json_decref(out);
}

/* --- for people --- */

static void print_rules(const struct filter_input *input)
{
    struct buf text = buf_init(LINE_MAX_BYTES);

    printf("%s, version %u\n", input->rules->name, input->rules->version);
    for (size_t i = 0; i < input->rules->count; i++) {
        buf_reset(&text);
        rule_sentence(&input->rules->rules[i], &text);
        printf("  %-*s  ", RULE_NAME_MAX, input->rules->rules[i].name);
        wrap_print(stdout, buf_str(&text), SENTENCE_AT, wrap_columns(stdout, WRAP_ANY));
    }
    buf_reset(&text);
    policy_sentence(&input->rules->policy, input->rules->count == 0, &text);
    printf("%*s", SENTENCE_AT, "");
    wrap_print(stdout, buf_str(&text), SENTENCE_AT, wrap_columns(stdout, WRAP_ANY));
    buf_free(&text);
}

static void print_one_way(const struct way *way)
{
    size_t columns = wrap_columns(stdout, WRAP_ANY);
    char *why = xasprintf("%s%s", way->why, way->limited ? ", within a limit" : "");

    printf("  %s  %-*s  ", way->passes ? "pass" : "DROP", RULE_NAME_MAX, way->name);
    wrap_print(stdout, way->what, WAY_AT, columns);
    printf("%*s", WAY_AT, "");
    wrap_print(stdout, why, WAY_AT, columns);
    free(why);
}

static void print_ways(const struct check_report *report)
{
    static const char *const titles[] = {"what the file needs",
                                         "what amtd needs (AMT's own traffic is exempt)"};

    for (enum way_origin origin = WAY_NEED; origin <= WAY_OWN; origin++) {
        bool titled = false;

        for (size_t i = 0; i < report->way_count; i++) {
            const struct way *way = &report->ways[i];

            if (way->origin != origin)
                continue;
            if (!titled)
                printf("%s\n", titles[origin]);
            titled = true;
            print_one_way(way);
        }
    }
}

static void print_table(const struct filter_input *input, const struct check_report *report)
{
    if (input->rules) {
        print_rules(input);
        print_ways(report);
    }
    if (report->compiled)
        printf("objects\n  %zu %s; of a port's room, the default included: out %u + %u for IPv6, in %u "
               "+ %u for IPv6\n",
               report->filters, text_plural(report->filters, "filter", "filters"), report->out.filters,
               report->out.filters_ipv6, report->in.filters, report->in.filters_ipv6);
    fflush(stdout);
    filter_input_tell(input, FINDING_NOTE);
    filter_input_tell_names(input);
    printf("%s: %s", input->path, result_of(input, report));
    if (input->findings.errors > 0)
        printf(", %zu %s", input->findings.errors, text_plural(input->findings.errors, "error", "errors"));
    if (report->cut > 0)
        printf(", %zu of %zu needs are dropped", report->cut, report->way_count);
    putchar('\n');
}

/* --- the command --- */

static void check(struct context *ctx, struct filter_input *input, const struct hosts *hosts,
                  const struct filter_file *needs, struct check_report *report)
{
    struct check_options options = {.versions = hosts->versions,
                                    .version_count = hosts->version_count,
                                    .widen = args_has(&ctx->args, "widen")};

    tell_hosts(hosts, input);
    options.needs = needs;
    filter_check(input->rules, input->names, &options, report, &input->findings);
}

static int check_and_print(struct context *ctx, struct filter_input *input, const struct hosts *hosts,
                           const json_t *needs)
{
    struct check_report report = {0};
    struct filter_file *file = needs ? needs_input_file(needs, &input->findings) : NULL;
    int code = needs ? filter_input_check_names(input, &ctx->args, file) : EXIT_ALL;

    if (code != EXIT_ALL) {
        filter_file_free(file);
        return code;
    }
    if (input->rules)
        check(ctx, input, hosts, file, &report);
    if (output_format(&ctx->args) == FORMAT_TABLE)
        print_table(input, &report);
    else
        print_json(input, &report);
    if (input->findings.errors > 0)
        code = EXIT_USAGE;
    else if (report.cut > 0)
        code = EXIT_SOME_FAILED;
    check_report_clear(&report);
    filter_file_free(file);
    return code;
}

static int filter_check_command(struct context *ctx)
{
    const char *target = args_value(&ctx->args, "target");
    const char *path = args_value(&ctx->args, "needs");
    struct hosts hosts = {0};
    struct filter_input input = {0};
    json_t *needs = NULL;
    int code = target ? read_hosts(ctx, target, &hosts) : 0;

    if (code == 0 && path)
        code = needs_input_open(ctx, path, &needs);

    if (code == 0)
        code = filter_input_open(&input, &ctx->args, ctx->args.operands[0], hosts.names);
    if (code == 0)
        code = check_and_print(ctx, &input, &hosts, needs);
    filter_input_clear(&input);
    json_decref(hosts.names);
    json_decref(hosts.differ);
    json_decref(needs);
    free(hosts.versions);
    return code;
}

static const struct option_row *const check_tables[] = {check_options, options_filter_names,
                                                        options_filter_output, NULL};

const struct command command_filter_check = {
    "filter check",
    "FILTER",
    1,
    1,
    "say what a filter file would do: mistakes, needs it breaks, room it takes",
    check_tables,
    "filter check quarantine\n"
    "filter check rules.xml --target @lab --set management-server=10.0.0.5 -o json\n"
    "filter check quarantine --needs nightly.yaml",
    filter_check_command};
