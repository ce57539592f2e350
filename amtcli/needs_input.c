#include "amtcli/needs_input.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "amtcli/job_input.h"
#include "amtcli/output.h"
#include "filters/needs.h"

/* What begins with '<' is XML; a job file never does. */
static bool is_xml(const struct buf *text)
{
    size_t i = 0;

    if (text->len >= 3 && memcmp(text->p, "\xef\xbb\xbf", 3) == 0)
        i = 3;
    while (i < text->len && isspace(text->p[i]))
        i++;
    return i < text->len && text->p[i] == '<';
}

/* One document: with all it includes. */
static int read_filter_file(const char *path, const struct buf *document, json_t **needs)
{
    struct findings findings = {0};
    struct filter_file *file =
        filter_file_parse(path, buf_str(document), document->len, filter_read_disk, NULL, &findings);
    struct buf text = buf_init(FILTER_FILE_BYTES_MAX);

    for (size_t i = 0; i < findings.count; i++) {
        buf_reset(&text);
        finding_text(&findings.items[i], &text);
        fprintf(stderr, "amtcli: %s\n", buf_str(&text));
    }
    buf_reset(&text);
    if (file) {
        filter_file_write(file, &text);
        *needs = json_pack("{s:s, s:s}", "name", path, "text", buf_str(&text));
    }
    filter_file_free(file);
    findings_clear(&findings);
    buf_free(&text);
    return *needs ? 0 : EXIT_USAGE;
}

static json_t *needs_of_tasks(const json_t *tasks)
{
    json_t *out = json_array(), *task;
    size_t i, from = 0;

    json_array_foreach((json_t *)tasks, i, task)
    {
        const char *kind = json_string_value(json_object_get(task, "kind"));

        if (kind && strcmp(kind, "filter") == 0) {
            from = i + 1;
            break;
        }
    }
    for (i = from; i < json_array_size(tasks); i++)
        json_array_extend(out, json_object_get(json_array_get(tasks, i), "needs"));
    return out;
}

static int read_job(struct context *ctx, const char *path, json_t **needs)
{
    struct job_input input = {0};
    int code = job_input_open(ctx, path, &input);

    if (code == 0 && job_input_tell(&input, path) > 0)
        code = EXIT_USAGE;
    if (code == 0)
        *needs = needs_of_tasks(json_object_get(json_object_get(input.checked, "job"), "tasks"));
    job_input_clear(&input);
    return code;
}

int needs_input_open(struct context *ctx, const char *path, json_t **needs)
{
    struct buf text = buf_init(FILTER_FILE_BYTES_MAX);
    struct err err = ERR_INIT;
    int code;

    *needs = NULL;
    if (filter_read_disk(NULL, path, &text, &err) != 0)
        code = print_failure(&err);
    else
        code = is_xml(&text) ? read_filter_file(path, &text, needs) : read_job(ctx, path, needs);
    buf_free(&text);
    return code;
}

struct filter_file *needs_input_file(const json_t *needs, struct findings *findings)
{
    struct need_row rows[NEED_ROWS_MAX + 1];
    const char *text = json_string_value(json_object_get(needs, "text"));
    size_t n = json_array_size(needs) <= NEED_ROWS_MAX ? json_array_size(needs) : NEED_ROWS_MAX + 1;

    if (text)
        return filter_file_parse(json_string_value(json_object_get(needs, "name")), text, strlen(text), NULL,
                                 NULL, findings);
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(needs, i);
        const char *name = json_string_value(json_object_get(row, "name"));
        const char *protocol = json_string_value(json_object_get(row, "protocol"));

        rows[i] = (struct need_row){name ? name : "",
                                    protocol ? protocol : "",
                                    json_string_value(json_object_get(row, "remote")),
                                    (uint16_t)json_integer_value(json_object_get(row, "port")),
                                    (uint16_t)json_integer_value(json_object_get(row, "local_port")),
                                    (unsigned)json_integer_value(json_object_get(row, "ip"))};
    }
    return needs_file(rows, n, findings);
}
