#include "amtcli/list_view.h"

#include <stdio.h>

#include "amtcli/reply.h"

struct showing {
    const struct list_view *view;
    enum format format;
    struct output *output;
    size_t count;
};

/* What amtd is asked for: of what is printed as it comes, everything. */
static void add_fields(json_t *params, const struct list_view *view, const struct column *columns)
{
    json_t *fields = json_array();

    for (const char *const *field = view->fields; field && *field; field++)
        json_array_append_new(fields, json_string(*field));
    for (; !view->fields && columns->title; columns++)
        json_array_append_new(fields, json_string(columns->field));
    for (const char *const *also = view->also; also && *also; also++)
        json_array_append_new(fields, json_string(*also));
    json_object_set_new(params, "fields", fields);
}

static void on_row(void *arg, const char *json, size_t n)
{
    struct showing *s = arg;
    json_t *row;

    s->count++;
    if (!s->view->prepare || s->format == FORMAT_JSON) {
        output_row_text(s->output, json, n);
        return;
    }
    row = json_loadb(json, n, 0, NULL);
    if (s->view->prepare(row, s->output))
        output_row(s->output, row);
    json_decref(row);
}

int list_show(struct context *ctx, const struct list_view *view, json_t *params, enum format format,
              json_t **head)
{
    const struct column *columns = format == FORMAT_CSV && view->csv ? view->csv : view->columns;
    struct showing s = {view, format, output_begin(format, columns)};
    const struct reply_rows rows = {&s, on_row};
    int code;

    if (format != FORMAT_JSON)
        add_fields(params, view, columns);
    code = context_rows(ctx, view->call, params, &rows, head);
    if (code == EXIT_ALL)
        output_none(format, s.count, view->none);
    if (code == EXIT_ALL)
        output_end(s.output);
    else
        output_break(s.output);
    fflush(stdout);
    return code;
}
