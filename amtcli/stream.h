/* Calls whose events are printed as they come, until Ctrl-C. */
#ifndef AMTCLI_STREAM_H
#define AMTCLI_STREAM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "amtcli/cmd.h"

struct stream {
    struct context *ctx;
    FILE *out;
    bool several; /* things: each line begins with its name */
    json_t *rows; /* collected, for JSON and CSV; NULL: printed as they come */
    size_t count;
};

/* Takes params. Ctrl-C and an output that is gone end it in good order. Returns the exit code; a failure was
 * printed. reply: NULL, or gets the reply or NULL. on_event gets the stream. */
int stream_call(struct stream *stream, const char *name, json_t *params, client_event *on_event,
                json_t **reply);
/* An on_event that collects in rows. */
void stream_collect(void *stream, const json_t *event);

#endif
