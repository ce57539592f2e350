#include "amtcli/stream.h"

#include "amtcli/interrupt.h"

static void leave_when_interrupted(void *arg)
{
    const struct stream *stream = arg;

    if (interrupt_count() > 0 || ferror(stream->out))
        client_leave(stream->ctx->client);
}

int stream_call(struct stream *stream, const char *name, json_t *params, client_event *on_event,
                json_t **reply)
{
    struct err err = ERR_INIT;
    struct interrupt interrupt;
    int status;

    if (reply)
        *reply = NULL;
    if (!context_client(stream->ctx)) {
        json_decref(params);
        return EXIT_NO_DAEMON;
    }
    interrupt_begin(&interrupt);
    status =
        client_call(stream->ctx->client, name, params, on_event, leave_when_interrupted, stream, reply, &err);
    interrupt_end(&interrupt);
    fflush(stream->out);
    if (status == 0)
        return EXIT_ALL;
    context_drop(stream->ctx, &err);
    return interrupt_count() > 0 ? EXIT_ALL : print_failure(&err);
}

void stream_collect(void *stream, const json_t *event)
{
    json_array_append(((struct stream *)stream)->rows, (json_t *)event);
}
