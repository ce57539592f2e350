/* ider.start: images of the caller in the drives of a host, until the session ends. */
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "amtd/api/calls.h"
#include "amtd/api/channel_image.h"
#include "amtd/daemon.h"
#include "amtd/redirect/host_task.h"
#include "amtd/redirect/ider_server.h"
#include "base/xalloc.h"

#define PROGRESS_MS 500

struct ider_call;

struct slot {
    struct ider_call *call;
    enum ider_drive drive;
    struct image_channel *image; /* NULL: nothing in this drive */
};

struct ider_call {
    struct api_request *rq;
    struct ider_server *server;
    struct slot slots[IDER_DRIVES];
    uv_timer_t *timer;
    struct host_task *boot_task;
    char *host;
    bool boot, graceful;
    bool stopping;
    struct err failure; /* why it is being stopped, if not by the caller */
    struct ider_server_state told;
};

static const char *const drive_names[IDER_DRIVES] = {[IDER_FLOPPY] = "floppy", [IDER_CD] = "cd"};

/* --- the end --- */

static void handle_closed(uv_handle_t *handle)
{
    free(handle);
}

static void call_free(struct ider_call *call)
{
    ider_server_free(call->server);
    host_task_forget(call->boot_task);
    for (int i = 0; i < IDER_DRIVES; i++)
        image_channel_release(call->slots[i].image);
    uv_close((uv_handle_t *)call->timer, handle_closed);
    free(call->host);
    free(call);
}

static json_t *state_json(const struct ider_server_state *state)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:b}", "reads", (json_int_t)state->reads, "bytes",
                     (json_int_t)state->bytes, "resets", (json_int_t)state->resets, "touched",
                     (json_int_t)state->touched, "size", (json_int_t)state->size, "image_failed",
                     state->image_failed);
}

static void stop(struct ider_call *call)
{
    if (call->stopping)
        return;
    call->stopping = true;
    ider_server_stop(call->server);
}

/* --- what the session tells --- */

static void tell_note(void *arg, const char *text)
{
    const struct ider_call *call = arg;

    api_event(call->rq, json_pack("{s:s}", "note", text));
}

static void booted(void *arg, const struct operation *op, const struct err *failure)
{
    struct ider_call *call = arg;

    (void)op;
    call->boot_task = NULL;
    if (!failure) {
        tell_note(call, "the machine boots from the image");
        return;
    }
    call->failure = *failure;
    stop(call);
}

static void tell_up(void *arg)
{
    struct ider_call *call = arg;
    bool cd = call->slots[IDER_CD].image != NULL;

    api_event(call->rq, json_pack("{s:b}", "up", 1));
    if (!call->boot)
        return;
    call->boot_task = host_task_start(daemon_redirect(api_daemon(call->rq)), call->host, "boot",
                                      json_pack("{s:s, s:b, s:b}", "to", cd ? "ider-cd" : "ider-floppy",
                                                "reset", 1, "graceful", call->graceful),
                                      api_who(call->rq), booted, call);
}

static void tell_image_failed(void *arg, enum ider_drive drive, const struct err *err)
{
    const struct ider_call *call = arg;

    api_event(call->rq, json_pack("{s:s, s:s}", "image_failed", drive_names[drive], "message", err->text));
}

static void session_is_over(void *arg, const struct err *why)
{
    struct ider_call *call = arg;
    struct api_request *rq = call->rq;
    struct ider_server_state state = ider_server_state(call->server);
    struct err failure = call->failure.cause != CAUSE_NONE ? call->failure : why ? *why : call->failure;

    call_free(call);
    if (failure.cause != CAUSE_NONE)
        api_fail(rq, &failure);
    else
        api_reply(rq, state_json(&state));
}

static void fetch(void *arg, enum ider_drive drive, uint32_t tag, uint64_t offset, uint32_t n)
{
    const struct ider_call *call = arg;

    image_channel_fetch(call->slots[drive].image, tag, offset, n);
}

static void on_progress(uv_timer_t *timer)
{
    struct ider_call *call = timer->data;
    struct ider_server_state state = ider_server_state(call->server);

    if (state.reads == call->told.reads && state.bytes == call->told.bytes &&
        state.resets == call->told.resets)
        return;
    call->told = state;
    if (api_backlog(call->rq) < API_HIGH_WATER)
        api_event(call->rq, json_pack("{s:o}", "progress", state_json(&state)));
}

/* --- what the caller does --- */

static void image_arrived_here(void *arg, uint32_t tag, const void *p, size_t n, const struct err *failure)
{
    const struct slot *slot = arg;

    ider_server_arrived(slot->call->server, slot->drive, tag, p, n, failure);
}

static void image_end_wanted(void *arg)
{
    stop(((const struct slot *)arg)->call);
}

static void image_gone(void *arg)
{
    const struct slot *slot = arg;
    struct err err = ERR_INIT;

    err_set(&err, CAUSE_DROPPED, "%s is no longer served", image_channel_name(slot->image));
    ider_server_lost(slot->call->server, slot->drive, &err);
    stop(slot->call);
}

static void caller_gone(struct api_request *rq, void *arg)
{
    (void)rq;
    stop(arg);
}

static int take_image(struct ider_call *call, enum ider_drive drive, struct err *err)
{
    const json_t *number = json_object_get(api_params(call->rq), drive_names[drive]);
    struct slot *slot = &call->slots[drive];
    const struct image_user user = {slot, image_arrived_here, image_end_wanted, image_gone};
    struct channel *channel;
    struct image_channel *image;

    slot->call = call;
    slot->drive = drive;
    if (!number)
        return 0;
    channel = channel_of_request(call->rq, &channel_image, (uint32_t)json_integer_value(number));
    if (!channel)
        return err_set(err, CAUSE_NOT_FOUND, "channel %lld is no image",
                       (long long)json_integer_value(number));
    image = channel_arg(channel);
    if (image_channel_take(image, &user, err) != 0)
        return -1;
    slot->image = image;
    return 0;
}

static int read_when(const struct ider_call *call, enum ider_when *when, struct err *err)
{
    static const struct {
        const char *name;
        enum ider_when when;
    } names[] = {{"now", IDER_NOW}, {"reset", IDER_AT_RESET}, {"graceful", IDER_GRACEFUL}};
    const char *text = param_text(api_params(call->rq), "when");

    *when = call->boot ? IDER_AT_RESET : IDER_NOW;
    if (!text)
        return 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, text) == 0) {
            *when = names[i].when;
            return 0;
        }
    }
    return err_set(err, CAUSE_INVALID_ARGUMENT, "'when' must be now, reset or graceful, not '%s'", text);
}

static int read_call(struct ider_call *call, enum ider_when *when, struct err *err)
{
    const json_t *params = api_params(call->rq);

    call->host = xstrdup(param_text(params, "host"));
    call->boot = json_is_true(json_object_get(params, "boot"));
    call->graceful = json_is_true(json_object_get(params, "graceful"));
    if (take_image(call, IDER_CD, err) != 0 || take_image(call, IDER_FLOPPY, err) != 0)
        return -1;
    if (!call->slots[IDER_CD].image && !call->slots[IDER_FLOPPY].image)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "one of 'cd' and 'floppy' is needed");
    if (call->graceful && !call->boot)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'graceful' goes with 'boot'");
    return read_when(call, when, err);
}

void call_ider_start(struct api_request *rq)
{
    struct ider_call *call = xcalloc(1, sizeof(*call));
    const struct ider_server_events events = {call, tell_note, tell_up, tell_image_failed, session_is_over};
    struct ider_image images[IDER_DRIVES] = {{0}};
    enum ider_when when = IDER_NOW;
    struct err err = ERR_INIT;

    call->rq = rq;
    call->timer = xcalloc(1, sizeof(*call->timer));
    uv_timer_init(redirect_parts(daemon_redirect(api_daemon(rq)))->loop, call->timer);
    call->timer->data = call;
    if (read_call(call, &when, &err) != 0) {
        call_free(call);
        api_fail(rq, &err);
        return;
    }
    for (int i = 0; i < IDER_DRIVES; i++)
        if (call->slots[i].image)
            images[i] = (struct ider_image){image_channel_size(call->slots[i].image), fetch};
    call->server = ider_server_start(daemon_redirect(api_daemon(rq)), call->host, when, images, &events);
    api_begun(rq, NULL, &(struct hosts){&(struct host){.name = call->host}, 1});
    uv_timer_start(call->timer, on_progress, PROGRESS_MS, PROGRESS_MS);
    api_on_gone(rq, caller_gone, call);
}
