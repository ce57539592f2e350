/* ider: images of amtd's machine in the drives of the host, and a boot from them. The drives stay for the
 * tasks that follow, to the end of the host's job. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "amtd/jobs/job_run.h"
#include "amtd/jobs/kinds.h"
#include "amtd/redirect/host_task.h"
#include "amtd/redirect/ider_server.h"
#include "base/xalloc.h"

#define TIMEOUT_MS 180000

static const struct job_param params[] = {
    {"cd", JOB_PARAM_TEXT, .main = true, .max = 255, .text = "an image in amtd's directory of images"},
    {"floppy", JOB_PARAM_TEXT, .max = 255, .text = "the same, of a floppy disk"},
    {"graceful", JOB_PARAM_BOOL, .standard = "false", .text = "ask the operating system to restart"},
    {NULL},
};

static const char *const drive_names[IDER_DRIVES] = {[IDER_FLOPPY] = "floppy", [IDER_CD] = "cd"};

/* A name in the one directory, and no way out of it. */
static bool is_plain(const char *name)
{
    return !name || (name[0] != '.' && !strchr(name, '/'));
}

static int ider_shape(json_t **args, struct err *err)
{
    const char *cd = json_string_value(json_object_get(*args, "cd"));
    const char *floppy = json_string_value(json_object_get(*args, "floppy"));

    if (!cd && !floppy)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "one of 'cd' and 'floppy'");
    if (!is_plain(cd) || !is_plain(floppy))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "expected the name of a file in amtd's directory of images, without '/'");
    return 0;
}

static enum job_again ider_again(const json_t *args)
{
    (void)args;
    return JOB_AGAIN_NEVER; /* it restarts the machine */
}

struct drives {
    uv_timer_t timer; /* first: freed in its close callback */
    uv_loop_t *loop;
    struct job_call *call; /* NULL: the task has ended */
    struct ider_server *server;
    struct host_task *boot;
    int files[IDER_DRIVES];
    size_t reading; /* reads of files under way */
    bool closing;
    struct err failure;
};

/* --- reads --- */

struct fetch {
    uv_fs_t fs;
    struct drives *drives;
    enum ider_drive drive;
    uint32_t tag;
    size_t wanted;
    char bytes[];
};

static void closed(uv_handle_t *handle)
{
    struct drives *d = (struct drives *)handle;

    for (int i = 0; i < IDER_DRIVES; i++)
        if (d->files[i] >= 0)
            close(d->files[i]);
    free(d);
}

static void maybe_free(struct drives *d)
{
    if (d->closing && !d->server && d->reading == 0 && !uv_is_closing((uv_handle_t *)&d->timer))
        uv_close((uv_handle_t *)&d->timer, closed);
}

static void fetched(uv_fs_t *fs)
{
    struct fetch *f = fs->data;
    struct drives *d = f->drives;
    struct err err = ERR_INIT;
    bool whole = fs->result == (ssize_t)f->wanted;

    if (!whole)
        err_set(&err, CAUSE_SYSTEM, "the image of the %s cannot be read", drive_names[f->drive]);
    d->reading--;
    if (d->server)
        ider_server_arrived(d->server, f->drive, f->tag, whole ? f->bytes : NULL, whole ? f->wanted : 0,
                            whole ? NULL : &err);
    uv_fs_req_cleanup(fs);
    free(f);
    maybe_free(d);
}

static void fetch(void *arg, enum ider_drive drive, uint32_t tag, uint64_t offset, uint32_t n)
{
    struct drives *d = arg;
    struct fetch *f = xcalloc(1, sizeof(*f) + n);
    uv_buf_t buf = uv_buf_init(f->bytes, n);

    f->drives = d;
    f->drive = drive;
    f->tag = tag;
    f->wanted = n;
    f->fs.data = f;
    d->reading++;
    uv_fs_read(d->loop, &f->fs, d->files[drive], &buf, 1, (int64_t)offset, fetched);
}

/* --- its end --- */

static void end_session(struct drives *d)
{
    host_task_forget(d->boot);
    d->boot = NULL;
    ider_server_free(d->server);
    d->server = NULL;
}

static void drives_end(struct drives *d)
{
    d->closing = true;
    d->call = NULL;
    uv_timer_stop(&d->timer);
    end_session(d);
    maybe_free(d);
}

/* When the task had ended well and the drives were to stay. */
static const struct err *why_lost(const void *work)
{
    const struct drives *d = work;

    return d->failure.cause != CAUSE_NONE ? &d->failure : NULL;
}

/* The host's job is over: the drives are taken away in good order. */
static void release(void *work)
{
    struct drives *d = work;

    d->closing = true;
    if (d->server)
        ider_server_stop(d->server);
    maybe_free(d);
}

static void report(uv_timer_t *timer)
{
    struct drives *d = (struct drives *)timer;
    struct job_call *call = d->call;
    struct err failure = d->failure;

    if (!call)
        return;
    if (failure.cause == CAUSE_NONE) {
        d->call = NULL;
        call->keep(call, d, release, why_lost);
    } else {
        drives_end(d);
    }
    call->done(call, NULL, failure.cause != CAUSE_NONE ? &failure : NULL);
}

static void end(struct drives *d, const struct err *failure)
{
    if (failure)
        d->failure = *failure;
    d->call->in_doubt |= d->boot != NULL; /* it goes on */
    uv_timer_start(&d->timer, report, 0, 0);
}

/* --- what the session tells --- */

static void tell_note(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

static void booted(void *arg, const struct operation *op, const struct err *failure)
{
    struct drives *d = arg;
    bool asked = op && op->tries > 0; /* the machine, to boot */

    d->boot = NULL;
    if (!d->call || d->failure.cause != CAUSE_NONE) /* it has ended without it */
        return;
    d->call->in_doubt = failure && asked && !job_cause_is_refusal(failure->cause);
    d->call->is_taken = failure && !asked && failure->cause == CAUSE_BUSY;
    end(d, failure);
}

static void tell_up(void *arg)
{
    struct drives *d = arg;
    bool cd = d->files[IDER_CD] >= 0;

    if (!d->call || d->boot)
        return;
    d->boot = host_task_start(d->call->parts->redirect, d->call->host->name, "boot",
                              json_pack("{s:s, s:b, s:b}", "to", cd ? "ider-cd" : "ider-floppy", "reset", 1,
                                        "graceful", json_is_true(json_object_get(d->call->args, "graceful"))),
                              d->call->who, booted, d);
}

static void tell_image_failed(void *arg, enum ider_drive drive, const struct err *err)
{
    (void)arg;
    (void)drive;
    (void)err; /* the machine is told; whether it matters the tasks that follow will see */
}

static void session_is_over(void *arg, const struct err *why)
{
    struct drives *d = arg;
    struct err err = ERR_INIT;

    if (!why)
        err_set(&err, CAUSE_DROPPED, "the session was ended");
    if (why)
        err = *why;
    if (d->call)
        end(d, &err);
    else
        d->failure = err;
    end_session(d);
    maybe_free(d);
}

/* --- its beginning --- */

static int open_image(struct drives *d, enum ider_drive drive, struct ider_image *image, struct err *err)
{
    const char *name = json_string_value(json_object_get(d->call->args, drive_names[drive]));
    char *path;
    struct stat st;
    int status = 0;

    if (!name)
        return 0;
    path = xasprintf("%s/%s", d->call->parts->image_dir, name);
    d->files[drive] = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    if (d->files[drive] < 0 || fstat(d->files[drive], &st) != 0 || !S_ISREG(st.st_mode))
        status = err_set(err, CAUSE_NOT_FOUND, "there is no image %s", path);
    else if (st.st_size < 1 || (uint64_t)st.st_size > IMAGE_SIZE_MAX)
        status = err_set(err, CAUSE_INVALID_ARGUMENT, "%s: an image has from 1 byte to 4 GiB", path);
    else
        *image = (struct ider_image){(uint64_t)st.st_size, fetch};
    free(path);
    return status;
}

static void on_timeout(uv_timer_t *timer)
{
    struct drives *d = (struct drives *)timer;
    struct err err = ERR_INIT;

    err_set(&err, CAUSE_TIMEOUT, "the machine did not boot from it within %lld s",
            (long long)(d->call->timeout_ms / 1000));
    end(d, &err);
}

static void *ider_start(struct job_call *call)
{
    struct drives *d = xcalloc(1, sizeof(*d));
    const struct ider_server_events events = {d, tell_note, tell_up, tell_image_failed, session_is_over};
    struct ider_image images[IDER_DRIVES] = {{0}};
    struct err err = ERR_INIT;

    d->call = call;
    d->loop = call->parts->run->loop;
    for (int i = 0; i < IDER_DRIVES; i++)
        d->files[i] = -1;
    uv_timer_init(d->loop, &d->timer);
    if (open_image(d, IDER_CD, &images[IDER_CD], &err) != 0 ||
        open_image(d, IDER_FLOPPY, &images[IDER_FLOPPY], &err) != 0) {
        end(d, &err);
        return d;
    }
    uv_timer_start(&d->timer, on_timeout, (uint64_t)call->timeout_ms, 0);
    d->server = ider_server_start(call->parts->redirect, call->host->name, IDER_AT_RESET, images, &events);
    return d;
}

static void ider_cancel(void *work)
{
    drives_end(work);
}

static const struct job_action action = {ider_start, ider_cancel};

const struct job_kind job_kind_ider = {
    .name = "ider",
    .text = "boot the machine from an image on amtd's machine",
    .params = params,
    .action = &action,
    .role = JOB_OPERATES,
    .timeout_ms = TIMEOUT_MS,
    .shape = ider_shape,
    .again = ider_again,
};
