/* host add, import, list, show, set, remove. */
#include <csv.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/cmd_host.h"
#include "amtcli/output.h"
#include "base/text.h"
#include "base/xalloc.h"

#define CSV_COLUMNS_MAX 64

static const struct option_row placing[] = {
    {"address", 'a', "ADDRESS", "of the first host; the others count up"},
    {"profile", 'p', "PROFILE", "log in with this profile alone"},
    {"tag", 't', "NAME=VALUE", "a tag; may be given several times"},
    {NULL},
};

/* --tag a=b --tag c=d as an object; NULL after a message. An empty value removes, where `removing`. */
static json_t *tags_of(const struct args *args, bool removing)
{
    json_t *tags = json_object();
    const char *text;

    for (size_t i = 0; (text = args_value_at(args, "tag", i)); i++) {
        const char *equals = strchr(text, '=');
        char *name;

        if (!equals || equals == text) {
            fprintf(stderr, "amtcli: --tag expects NAME=VALUE, not '%s'\n", text);
            json_decref(tags);
            return NULL;
        }
        name = xstrndup(text, (size_t)(equals - text));
        json_object_set_new(tags, name, removing && !equals[1] ? json_null() : json_string(equals + 1));
        free(name);
    }
    return tags;
}

static void set_given(json_t *params, const struct args *args, const char *name)
{
    if (args_value(args, name))
        json_object_set_new(params, name, json_string(args_value(args, name)));
}

static void say_count(json_t *reply, const char *field, const char *what)
{
    json_int_t n = json_integer_value(json_object_get(reply, field));

    fprintf(stderr, "%lld %s %s\n", (long long)n, n == 1 ? "host" : "hosts", what);
    json_decref(reply);
}

static int host_add(struct context *ctx)
{
    json_t *tags = tags_of(&ctx->args, false), *params, *reply;
    int code;

    if (!tags)
        return EXIT_USAGE;
    params = json_pack("{s:s, s:o}", "hosts", ctx->args.operands[0], "tags", tags);
    set_given(params, &ctx->args, "address");
    set_given(params, &ctx->args, "profile");
    code = context_call(ctx, "host.add", params, &reply);
    if (code == 0)
        say_count(reply, "added", "added");
    return code;
}

/* --- import --- */

struct import {
    const char *path;
    char *titles[CSV_COLUMNS_MAX];
    size_t columns;
    size_t at; /* column of the next field */
    size_t line;
    json_t *rows;
    json_t *lines; /* where each of the rows stands */
    json_t *row;
    struct buf mistakes;
};

static void import_mistake(struct import *im, const char *what, const char *value)
{
    buf_printf(&im->mistakes, "%s:%zu: ", im->path, im->line);
    buf_printf(&im->mistakes, "%s", what);
    if (value) {
        buf_puts(&im->mistakes, " '");
        text_printable(&im->mistakes, value, strlen(value));
        buf_puts(&im->mistakes, "'");
    }
    buf_putc(&im->mistakes, '\n');
}

static bool is_title(const char *title)
{
    return strcmp(title, "name") == 0 || strcmp(title, "address") == 0 || strcmp(title, "profile") == 0 ||
           (strncmp(title, "tag.", 4) == 0 && title[4]);
}

static void take_title(struct import *im, char *title)
{
    if (im->at >= CSV_COLUMNS_MAX) {
        free(title);
        return;
    }
    if (!is_title(title))
        import_mistake(im, "expected a column name, address, profile or tag.NAME, not", title);
    im->titles[im->at] = title;
    im->columns = im->at + 1;
}

static void take_value(struct import *im, const char *value)
{
    const char *title = im->at < im->columns ? im->titles[im->at] : NULL;
    json_t *tags;

    if (!title) {
        import_mistake(im, "more fields than the header has columns:", value);
        return;
    }
    if (!text_is_utf8(value, strlen(value))) {
        import_mistake(im, "expected UTF-8, got", value);
        return;
    }
    if (!value[0])
        return;
    if (strncmp(title, "tag.", 4) != 0) {
        json_object_set_new(im->row, title, json_string(value));
        return;
    }
    tags = json_object_get(im->row, "tags");
    if (!tags) {
        tags = json_object();
        json_object_set_new(im->row, "tags", tags);
    }
    json_object_set_new(tags, title + 4, json_string(value));
}

static void on_field(void *field, size_t n, void *arg)
{
    struct import *im = arg;
    char *text = xstrndup(field ? field : "", field ? n : 0);

    if (im->line == 1) {
        take_title(im, text);
    } else {
        if (!im->row)
            im->row = json_object();
        take_value(im, text);
        free(text);
    }
    im->at++;
}

static void on_row(int ending, void *arg)
{
    struct import *im = arg;

    (void)ending;
    if (im->row && !json_object_get(im->row, "name"))
        import_mistake(im, "expected a name in this row", NULL);
    if (im->row) {
        json_array_append_new(im->rows, im->row);
        json_array_append_new(im->lines, json_integer((json_int_t)im->line));
    }
    im->row = NULL;
    im->at = 0;
    im->line++;
}

/* libcsv finds rows and fields; blank lines count as lines. */
static int read_csv(struct import *im, FILE *file)
{
    struct csv_parser parser;
    char bytes[65536];
    size_t n;

    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) != 0)
        return -1;
    while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
        if (csv_parse(&parser, bytes, n, on_field, on_row, im) != n) {
            import_mistake(im, csv_strerror(csv_error(&parser)), NULL);
            break;
        }
    if (n == 0 && csv_fini(&parser, on_field, on_row, im) != 0)
        import_mistake(im, "a quoted field that does not end", NULL);
    csv_free(&parser);
    return ferror(file) ? -1 : 0;
}

static void import_check(struct import *im)
{
    bool has_name = false;

    for (size_t i = 0; i < im->columns; i++)
        has_name |= strcmp(im->titles[i], "name") == 0;
    if (im->columns == 0 || !has_name) {
        im->line = 1;
        import_mistake(im, "expected a header line with a column 'name'", NULL);
    } else if (json_array_size(im->rows) == 0 && im->mistakes.len == 0) {
        import_mistake(im, "expected at least one row", NULL);
    }
}

static void import_clear(struct import *im)
{
    for (size_t i = 0; i < im->columns; i++)
        free(im->titles[i]);
    json_decref(im->rows);
    json_decref(im->lines);
    json_decref(im->row);
    buf_free(&im->mistakes);
}

/* What amtd found wrong, where it stands in the file. */
static void import_show_mistakes(const struct import *im, const json_t *mistakes)
{
    const json_t *mistake;
    size_t i;

    json_array_foreach((json_t *)mistakes, i, mistake)
    {
        json_int_t row = json_integer_value(json_object_get(mistake, "row"));
        const json_t *line = json_array_get(im->lines, (size_t)row - 1);
        const char *text = json_string_value(json_object_get(mistake, "message"));

        fprintf(stderr, "%s:%lld: %s\n", im->path, (long long)json_integer_value(line), text ? text : "");
    }
}

static int import_send(struct context *ctx, struct import *im)
{
    json_t *reply;
    json_t *params = json_pack("{s:O, s:b}", "rows", im->rows, "update", (int)args_has(&ctx->args, "update"));
    int code = context_call(ctx, "host.import", params, &reply);

    if (code != 0) {
        import_show_mistakes(im, reply);
        json_decref(reply);
        return code;
    }
    fprintf(stderr, "%lld added, %lld updated, %lld unchanged\n",
            (long long)json_integer_value(json_object_get(reply, "added")),
            (long long)json_integer_value(json_object_get(reply, "updated")),
            (long long)json_integer_value(json_object_get(reply, "unchanged")));
    json_decref(reply);
    return EXIT_ALL;
}

static int host_import(struct context *ctx)
{
    const char *path = ctx->args.operands[0];
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    struct import im = {
        .path = path, .line = 1, .rows = json_array(), .lines = json_array(), .mistakes = buf_init(1 << 20)};
    int code;

    if (!file || read_csv(&im, file) != 0) {
        fprintf(stderr, "amtcli: %s: %s\n", path, strerror(errno));
        code = EXIT_USAGE;
    } else {
        import_check(&im);
        fputs(buf_str(&im.mistakes), stderr);
        code = im.mistakes.len > 0 ? EXIT_USAGE : import_send(ctx, &im);
    }
    if (file && file != stdin)
        fclose(file);
    import_clear(&im);
    return code;
}

/* --- looking --- */

static const struct column list_columns[] = {
    {"HOST", "name"},           {"ADDRESS", "address"},
    {"POWER", "facts.power"},   {"VERSION", "facts.amt.version"},
    {"REACHED", "facts.reach"}, {"PROFILE", "facts.profile"},
    {"TAGS", "tags.*"},         {NULL},
};

static int host_list(struct context *ctx)
{
    json_t *params = json_object(), *reply;
    enum format format;
    int code;

    if (output_format(&ctx->args, &format) != 0) {
        json_decref(params);
        return EXIT_USAGE;
    }
    if (ctx->args.operand_count > 0)
        json_object_set_new(params, "target", json_string(ctx->args.operands[0]));
    code = context_call(ctx, "host.list", params, &reply);
    if (code != 0)
        return code;
    output_rows(format, reply, list_columns);
    if (format == FORMAT_TABLE && json_array_size(reply) == 0)
        fputs("no hosts; add some with: amtcli host add\n", stderr);
    json_decref(reply);
    return EXIT_ALL;
}

static void show_one(const json_t *host)
{
    static const struct column fields[] = {
        {"host", "name"}, {"address", "address"}, {"profile", "profile"}, {NULL}};
    static const char *const groups[] = {"tags", "facts"};
    const char *name;
    json_t *value;

    output_object(FORMAT_TABLE, host, fields);
    for (size_t i = 0; i < 2; i++) {
        json_object_foreach(json_object_get(host, groups[i]), name, value)
        {
            struct buf text = buf_init(65536);

            text_printable(&text, json_string_value(value), json_string_length(value));
            printf("%-16s %s\n", name, buf_str(&text));
            buf_free(&text);
        }
    }
}

static int host_show(struct context *ctx)
{
    enum format format;
    json_t *reply, *host;
    size_t i;
    int code;

    if (output_format(&ctx->args, &format) != 0)
        return EXIT_USAGE;
    code = context_call(ctx, "host.list", json_pack("{s:s}", "target", ctx->args.operands[0]), &reply);
    if (code != 0)
        return code;
    if (format != FORMAT_TABLE)
        output_rows(format, reply, list_columns);
    else
        json_array_foreach(reply, i, host)
        {
            if (i > 0)
                putchar('\n');
            show_one(host);
        }
    json_decref(reply);
    return EXIT_ALL;
}

/* --- changing --- */

static const struct option_row setting[] = {
    {"forget-pin", 0, NULL, "forget the recorded certificate: the next one seen is taken"},
    {"pin", 0, "SHA256", "trust the certificate with this fingerprint, 64 hex digits"},
    {"forget-realm", 0, NULL, "forget the digest realm: after the device was provisioned anew"},
    {"forget-facts", 0, NULL, "forget everything that was learned"},
    {NULL},
};

static int host_set(struct context *ctx)
{
    static const char *const forget[][2] = {
        {"forget-pin", "pin"}, {"forget-realm", "realm"}, {"forget-facts", "facts"}};
    json_t *tags = tags_of(&ctx->args, true), *params, *list = json_array(), *reply;
    int code;

    if (!tags) {
        json_decref(list);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < 3; i++)
        if (args_has(&ctx->args, forget[i][0]))
            json_array_append_new(list, json_string(forget[i][1]));
    params = json_pack("{s:s, s:o, s:o}", "target", ctx->args.operands[0], "tags", tags, "forget", list);
    set_given(params, &ctx->args, "address");
    set_given(params, &ctx->args, "profile");
    set_given(params, &ctx->args, "pin");
    code = context_call(ctx, "host.set", params, &reply);
    if (code == 0)
        say_count(reply, "changed", "changed");
    return code;
}

static int host_remove(struct context *ctx)
{
    const char *target = ctx->args.operands[0];
    bool confirmed = args_has(&ctx->args, "yes");
    json_t *reply;
    int code;

    if (!confirmed) {
        char *question;

        code = context_call(ctx, "target.resolve", json_pack("{s:s}", "target", target), &reply);
        if (code != 0)
            return code;
        question = xasprintf("remove %zu hosts and all that is known of them: %.200s?",
                             json_array_size(json_object_get(reply, "hosts")),
                             json_string_value(json_object_get(reply, "folded")));
        confirmed = json_array_size(json_object_get(reply, "hosts")) > 10 && confirm(question);
        free(question);
        json_decref(reply);
    }
    code = context_call(ctx, "host.remove",
                        json_pack("{s:s, s:b}", "target", target, "confirmed", (int)confirmed), &reply);
    if (code == 0)
        say_count(reply, "removed", "removed");
    return code;
}

/* --- the commands --- */

static const struct option_row import_options[] = {
    {"update", 'u', NULL, "change hosts that are there already"}, {NULL}};
static const struct option_row *const add_tables[] = {placing, NULL};
static const struct option_row *const import_tables[] = {import_options, NULL};
static const struct option_row *const list_tables[] = {options_output, NULL};
static const struct option_row *const set_tables[] = {placing, setting, NULL};
static const struct option_row *const remove_tables[] = {options_yes, NULL};

const struct command command_host_add = {
    "host add",
    "HOSTS",
    1,
    1,
    "add hosts to the fleet",
    add_tables,
    "host add pc7 --address 10.1.0.7\n"
    "host add 'pc[001-120]' --address 10.1.0.1 --profile lab --tag site=lab",
    host_add};
const struct command command_host_import = {
    "host import",
    "FILE.csv",
    1,
    1,
    "add hosts from a CSV file (columns name, address, profile, tag.NAME)",
    import_tables,
    "host import fleet.csv\nhost import --update - < fleet.csv",
    host_import};
const struct command command_host_list = {
    "host list",
    "[TARGET]",
    0,
    1,
    "list hosts",
    list_tables,
    "host list\nhost list @lab -o csv\nhost list 'where:amt.version < 11'",
    host_list};
const struct command command_host_show = {
    "host show", "TARGET",        1,        1, "show hosts with all that is known of them",
    list_tables, "host show pc7", host_show};
const struct command command_host_set = {
    "host set",
    "TARGET",
    1,
    1,
    "change hosts",
    set_tables,
    "host set pc7 --address 10.1.0.9\nhost set @lab --tag site=annex\nhost set pc7 --forget-pin",
    host_set};
const struct command command_host_remove = {"host remove",
                                            "TARGET",
                                            1,
                                            1,
                                            "remove hosts from the fleet",
                                            remove_tables,
                                            "host remove 'pc[090-099]' --yes",
                                            host_remove};
