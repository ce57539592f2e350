/* filter list, show, explain: filter list as they are, without any device. */
#include "amtcli/cmd_filter_file.h"

#include <stdio.h>
#include <string.h>

#include "amtcli/filter_input.h"
#include "amtcli/output.h"
#include "base/xml.h"
#include "filters/compile.h"
#include "filters/explain.h"
#include "filters/library.h"
#include "filters/sentence.h"

#define TEXT_MAX (16 << 20)

/* --- files --- */

static void list_file(void *arg, const char *path)
{
    json_t *rows = arg;
    struct findings findings = {0};
    struct filter_file *file = filter_file_read(path, filter_read_disk, NULL, &findings);
    size_t rules = 0, variables = 0;

    for (size_t i = 0; file && i < file->count; i++) {
        rules += file->items[i].element == ELEMENT_RULE;
        variables += file->items[i].element == ELEMENT_VARIABLE;
    }
    json_array_append_new(rows, json_pack("{s:s, s:i, s:i, s:i, s:s}", "name", file ? file->name : "?",
                                          "version", file ? (int)file->version : 0, "rules", (int)rules,
                                          "variables", (int)variables, "path", path));
    filter_file_free(file);
    findings_clear(&findings);
}

static int filter_list(struct context *ctx)
{
    static const struct column columns[] = {{"FILE", "name"},   {"VERSION", "version"},
                                            {"RULES", "rules"}, {"VARIABLES", "variables"},
                                            {"PATH", "path"},   {NULL}};
    json_t *rows = json_array();
    struct err err = ERR_INIT;
    int code = EXIT_ALL;

    xml_library_init();
    if (filter_library_each(list_file, rows, &err) != 0)
        code = print_failure(&err);
    else
        output_rows(output_format(&ctx->args), rows, columns);
    json_decref(rows);
    return code;
}

/* --- show --- */

static const struct option_row show_options[] = {
    {"objects", 0, OPTION_FLAG, NULL, "show the filters that a device would get, instead of the file"},
    {"widen", 0, OPTION_FLAG, NULL, "with --objects: let rules pass more where there is no room"},
    {NULL},
};

static int show_objects(struct context *ctx, struct filter_input *input)
{
    struct compile_options options = {.widen = args_has(&ctx->args, "widen")};
    struct compiled *compiled = filter_compile(input->rules, &options, &input->findings);
    struct buf text = buf_init(TEXT_MAX);
    int code = filter_input_tell(input, FINDING_NOTE);

    if (compiled) {
        filter_input_tell_names(input);
        compiled_text(compiled, input->rules, &text);
        fputs(buf_str(&text), stdout);
    }
    compiled_free(compiled);
    buf_free(&text);
    return code;
}

static int filter_show(struct context *ctx)
{
    struct filter_input input;
    int code = filter_input_open(&input, &ctx->args, ctx->args.operands[0], NULL);

    if (code == 0 && args_has(&ctx->args, "objects") && input.rules) {
        code = show_objects(ctx, &input);
    } else if (code == 0) {
        struct buf text = buf_init(2 * TEXT_MAX);

        code = filter_input_tell(&input, FINDING_WARNING);
        if (input.file)
            filter_file_write(input.file, &text);
        fputs(buf_str(&text), stdout);
        buf_free(&text);
    }
    filter_input_clear(&input);
    return code;
}

/* --- explain --- */

static json_t *explained_json(const struct explained *explained, const struct ruleset *rules)
{
    static const char *const by[] = {"rule", "default", "anti-spoofing"};
    const struct verdict *verdict = &explained->verdict;
    struct buf packet = buf_init(1000), text = buf_init(4000);
    json_t *fits = json_array(), *out;

    packet_text(&explained->flow.packet, &packet);
    verdict_text(verdict, rules, &text);
    for (size_t i = 0; i < explained->fit_count; i++)
        json_array_append_new(fits, json_string(rules->rules[explained->fits[i]].name));
    out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "direction",
                    explained->flow.direction == SD_TX ? "out" : "in", "packet", buf_str(&packet), "verdict",
                    verdict->drop ? "drop" : "pass", "by", by[verdict->by], "text", buf_str(&text), "fits",
                    fits);
    if (verdict->by == BY_RULE) {
        const struct rule *rule = &rules->rules[verdict->rule];

        json_object_set_new(out, "rule", json_string(rule->name));
        json_object_set_new(out, "file", json_string(rule->place.file));
        json_object_set_new(out, "line", json_integer(rule->place.line));
    }
    buf_free(&packet);
    buf_free(&text);
    return out;
}

static void print_explanation(const struct explanation *explanation, const struct filter_input *input,
                              enum format format)
{
    struct buf text = buf_init(TEXT_MAX);

    if (format == FORMAT_TABLE) {
        explanation_text(explanation, input->rules, &text);
        fputs(buf_str(&text), stdout);
    } else {
        json_t *out = json_pack("{s:o, s:o}", "packet", explained_json(&explanation->there, input->rules),
                                "answer", explained_json(&explanation->back, input->rules));

        json_object_set_new(out, "placeholders", filter_placeholders_json(input));
        json_object_set(out, "addresses", input->addresses);
        output_json(out);
        json_decref(out);
    }
    buf_free(&text);
}

static int filter_explain(struct context *ctx)
{
    struct filter_input input;
    struct err err = ERR_INIT;
    struct flow flow;
    int code = filter_input_open(&input, &ctx->args, ctx->args.operands[0], NULL);

    if (code == 0)
        code = filter_input_tell(&input, FINDING_ERROR);
    if (code == 0 && flow_parse(ctx->args.operands[1], &flow, &err) != 0)
        code = print_failure(&err);
    if (code == 0) {
        struct explanation explanation;
        struct nets own;
        bool known = filter_input_own(&input, &own);

        filter_input_tell_names(&input);
        explain(input.rules, known ? &own : NULL, &flow, &explanation);
        print_explanation(&explanation, &input, output_format(&ctx->args));
        explanation_clear(&explanation);
        nets_free(&own);
    }
    filter_input_clear(&input);
    return code;
}

static const struct option_row *const list_tables[] = {options_output, NULL};
static const struct option_row *const show_tables[] = {options_filter_names, show_options, NULL};
static const struct option_row *const explain_tables[] = {options_filter_names, options_filter_output, NULL};

const struct command command_filter_list = {
    "filter list", "",         0, 0, "list the filter files that come with the product", list_tables,
    "filter list", filter_list};
const struct command command_filter_show = {
    "filter show",
    "FILTER",
    1,
    1,
    "show a filter file with all it includes, or the filters a device would get",
    show_tables,
    "filter show remediate\nfilter show quarantine --objects --set management-server=10.0.0.5 --set "
    "dns=10.0.0.2",
    filter_show};
const struct command command_filter_explain = {
    "filter explain",
    "FILTER PACKET",
    2,
    2,
    "say which rule decides what happens to a packet, and to its answer",
    explain_tables,
    "filter explain quarantine 'tcp 10.0.0.7:51234 > 10.1.1.9:445'\n"
    "filter explain rules.xml 'in icmp 10.1.1.9 > 10.0.0.7' -o json",
    filter_explain};
