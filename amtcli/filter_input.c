#include "amtcli/filter_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/cmd.h"
#include "amtcli/host_lookup.h"
#include "base/xalloc.h"
#include "base/xml.h"
#include "filters/library.h"
#include "filters/words.h"

#define PATH_BYTES_MAX 4096

const struct option_row options_filter_names[] = {
    {"set", 's', OPTION_TEXT, "NAME=VALUE", "what @NAME in the file stands for; may be given often"},
    {NULL},
};

const struct option_row options_filter_output[] = {{"output", 'o', OPTION_CHOICE, "FORMAT",
                                                    "how results are printed", .choices = "table json",
                                                    .standard = "table"},
                                                   {NULL}};

static int set_names(struct filter_input *input, const struct args *args, const json_t *names)
{
    const char *text, *name;
    json_t *value;

    names_set_resolver(input->names, host_lookup, input->addresses);
    names_use_placeholders(input->names);
    json_object_foreach((json_t *)names, name, value)
    {
        struct err err = ERR_INIT;

        if (names_set(input->names, name, json_string_value(value), &err) != 0)
            return print_failure(&err);
    }
    for (size_t i = 0; (text = args_value_at(args, "set", i)) != NULL; i++) {
        struct err err = ERR_INIT;

        if (names_set_text(input->names, text, &err) != 0)
            return print_failure(&err);
    }
    return 0;
}

/* "name, other": the variables of the file itself and of what it includes. */
static void list_variables(const struct filter_file *file, struct buf *out)
{
    for (size_t i = 0; i < file->count; i++)
        if (file->items[i].element == ELEMENT_VARIABLE)
            buf_printf(out, ", %s", file->items[i].values[ATTRIBUTE_NAME]);
}

int filter_names_check(const struct filter_file *file, const struct filter_file *also, const char *name)
{
    struct buf known = buf_init(PATH_BYTES_MAX);

    if (filter_file_has_name(file, name) || (also && filter_file_has_name(also, name)))
        return 0;
    for (const struct builtin_name *builtin = builtin_names; builtin->name; builtin++)
        buf_printf(&known, "%s, ", builtin->name);
    buf_puts(&known, NAME_MANAGEMENT_PORTS);
    list_variables(file, &known);
    fprintf(stderr, "amtcli: --set %s: '%s' has no such name: expected one of %s\n", name, file->name,
            buf_str(&known));
    buf_free(&known);
    return EXIT_USAGE;
}

int filter_input_check_names(const struct filter_input *input, const struct args *args,
                             const struct filter_file *also)
{
    const char *text;
    int code = 0;

    for (size_t i = 0; input->file && (text = args_value_at(args, "set", i)) != NULL; i++) {
        char *name = xstrndup(text, strcspn(text, "="));

        if (filter_names_check(input->file, also, name) != 0)
            code = EXIT_USAGE;
        free(name);
    }
    return code;
}

int filter_input_open(struct filter_input *input, const struct args *args, const char *word,
                      const json_t *names)
{
    struct buf path = buf_init(PATH_BYTES_MAX);
    struct err err = ERR_INIT;
    int code;

    xml_library_init();
    *input = (struct filter_input){.names = names_new(), .addresses = json_object()};
    code = set_names(input, args, names);
    if (code == 0 && filter_library_find(word, &path, &err) != 0)
        code = print_failure(&err);
    if (code == 0) {
        input->path = xstrdup(buf_str(&path));
        input->file = filter_file_read(input->path, filter_read_disk, NULL, &input->findings);
    }
    if (input->file)
        input->rules = filter_bind(input->file, input->names, &input->findings);
    buf_free(&path);
    if (code == 0 && !args_value(args, "needs"))
        code = filter_input_check_names(input, args, NULL);
    return code;
}

void filter_input_clear(struct filter_input *input)
{
    ruleset_free(input->rules);
    filter_file_free(input->file);
    names_free(input->names);
    json_decref(input->addresses);
    findings_clear(&input->findings);
    free(input->path);
    *input = (struct filter_input){0};
}

int filter_input_tell(const struct filter_input *input, enum finding_level least)
{
    for (size_t i = 0; i < input->findings.count; i++) {
        const struct finding *finding = &input->findings.items[i];
        struct buf line = buf_init(PATH_BYTES_MAX + 4096);

        if (finding->level > least)
            continue;
        finding_text(finding, &line);
        fprintf(stderr, "amtcli: %s: %s\n", finding_level_name(finding->level), buf_str(&line));
        buf_free(&line);
    }
    return input->findings.errors > 0 ? EXIT_USAGE : 0;
}

void filter_input_tell_names(const struct filter_input *input)
{
    const char *name, *address;

    host_lookup_tell(input->addresses);
    for (size_t i = 0; names_placeholder(input->names, i, &name, &address); i++)
        fprintf(stderr, "amtcli: @%s is not set, %s stands in for it: --set %s=ADDRESS\n", name, address,
                name);
}

bool filter_input_own(const struct filter_input *input, struct nets *out)
{
    const char *value = names_get(input->names, "host");
    bool any;

    *out = (struct nets){0};
    return value && words_addresses(value, input->names, &any, out, NULL) == 0 && !any;
}

/* --- JSON --- */

json_t *filter_findings_json(const struct findings *findings)
{
    json_t *array = json_array();

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        json_t *row = json_pack("{s:s, s:s, s:s}", "level", finding_level_name(finding->level), "file",
                                finding->file, "text", finding->text);

        if (finding->line > 0)
            json_object_set_new(row, "line", json_integer(finding->line));
        if (finding->rule[0] != '\0')
            json_object_set_new(row, "rule", json_string(finding->rule));
        json_array_append_new(array, row);
    }
    return array;
}

json_t *filter_placeholders_json(const struct filter_input *input)
{
    json_t *array = json_array();
    const char *name, *address;

    for (size_t i = 0; names_placeholder(input->names, i, &name, &address); i++)
        json_array_append_new(array, json_pack("{s:s, s:s}", "name", name, "stands_for", address));
    return array;
}
