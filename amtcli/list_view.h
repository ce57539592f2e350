/* A long list: asked for, and printed as it comes, so that it is never held whole (output.h). */
#ifndef AMTCLI_LIST_VIEW_H
#define AMTCLI_LIST_VIEW_H

#include <jansson.h>

#include "amtcli/cmd.h"
#include "amtcli/output.h"

struct list_view {
    const char *call;
    const struct column *columns;
    const struct column *csv; /* NULL: the same */
    /* NULL, or: what a row becomes in a table or as CSV, and what it needs for it. It may change the row, or
     * give out others (output_row) and return false: then the row itself is not printed. */
    bool (*prepare)(json_t *row, struct output *output);
    const char *const *also;   /* further fields that this needs, ended by NULL; NULL: none */
    const char *none;          /* said where a table has no rows; NULL: "nothing to show" on a terminal */
    const char *const *fields; /* NULL, or: those that are needed, instead of the columns' */
};

/* Takes params. Returns the exit code; a failure was printed, and what was printed before it is not ended.
 * *head gets what stands beside the list (the caller's; NULL: nothing); head may be NULL. */
int list_show(struct context *ctx, const struct list_view *view, json_t *params, enum format format,
              json_t **head);

#endif
