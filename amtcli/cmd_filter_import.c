/* filter import: filter lists of others as filter files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/cmd_filter_file.h"
#include "base/text.h"
#include "base/xml.h"
#include "filters/import.h"

static const struct option_row import_options[] = {
    {"format", 'f', OPTION_CHOICE, "FORMAT", "what the file is", .choices = "xml csv nftables",
     .standard = "what it looks like"},
    {"name", 'n', OPTION_TEXT, "NAME", "name of the new file, at most 12 characters", .standard = "imported"},
    {"to", 't', OPTION_FILE, "FILE", "write it there, where no file may be yet",
     .standard = "standard output"},
    {NULL},
};

static void tell(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        struct buf line = buf_init(8192);

        finding_text(&findings->items[i], &line);
        fprintf(stderr, "amtcli: %s: %s\n", finding_level_name(findings->items[i].level), buf_str(&line));
        buf_free(&line);
    }
}

/* Never over a file that is there: it may be the original. */
static int write_new(const char *path, const struct buf *text)
{
    struct err err = ERR_INIT;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    size_t done = 0;

    if (fd < 0)
        err_set_errno(&err, errno == EEXIST ? CAUSE_EXISTS : CAUSE_INVALID_ARGUMENT, errno, "%s", path);
    while (fd >= 0 && done < text->len) {
        ssize_t n = write(fd, text->p + done, text->len - done);

        if (n < 0 && errno != EINTR) {
            err_set_errno(&err, CAUSE_SYSTEM, errno, "%s", path);
            break;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0 && close(fd) != 0 && err.cause == CAUSE_NONE)
        err_set_errno(&err, CAUSE_SYSTEM, errno, "%s", path);
    return err.cause == CAUSE_NONE ? EXIT_ALL : print_failure(&err);
}

static int import(struct context *ctx, const char *path, const struct buf *text)
{
    const char *format = args_value(&ctx->args, "format"), *name = args_value(&ctx->args, "name");
    const char *to = args_value(&ctx->args, "to");
    struct findings findings = {0};
    struct buf out = buf_init(4 * IMPORT_BYTES_MAX);
    struct filter_file *file = filter_import(format ? import_format_by_name(format) : IMPORT_GUESS, path,
                                             name ? name : "imported", text->p, text->len, &findings);
    int code = EXIT_USAGE;

    tell(&findings);
    if (file) {
        filter_file_write(file, &out);
        code = to ? write_new(to, &out) : EXIT_ALL;
        if (!to)
            fputs(buf_str(&out), stdout);
        if (code == EXIT_ALL)
            fprintf(stderr, "amtcli: %zu %s carried over, %zu %s not\n", file->count,
                    text_plural(file->count, "rule", "rules"), findings.warnings,
                    text_plural(findings.warnings, "thing", "things"));
    }
    filter_file_free(file);
    findings_clear(&findings);
    buf_free(&out);
    return code;
}

static int filter_import_command(struct context *ctx)
{
    const char *path = ctx->args.operands[0];
    struct buf text = buf_init(IMPORT_BYTES_MAX);
    struct err err = ERR_INIT;
    int code;

    xml_library_init();
    if (filter_read_disk(NULL, path, &text, &err) != 0)
        code = print_failure(&err);
    else
        code = import(ctx, path, &text);
    buf_free(&text);
    return code;
}

static const struct option_row *const import_tables[] = {import_options, NULL};

const struct command command_filter_import = {
    "filter import",
    "FILE",
    1,
    1,
    "carry a filter list of others over: CBFilters-like XML, CSV, nftables' JSON",
    import_tables,
    "filter import CBFilters.xml --name old --to old.xml\n"
    "filter import sheet.csv\n"
    "filter import ruleset.json --format nftables",
    filter_import_command};
