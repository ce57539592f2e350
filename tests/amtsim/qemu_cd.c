#include "tests/amtsim/qemu_cd.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"

struct qemu_cd {
    const char *socket, *name;
    struct qemu_vm *vm;
    bool wanted, in; /* what is to be, what is */
    unsigned step;   /* of the way there under way */
    bool busy;
    void (*done)(void *arg);
    void *arg;
};

static json_t *add_args(const struct qemu_cd *cd)
{
    return json_pack("{s:s, s:s, s:b, s:{s:s, s:s, s:{s:s, s:s, s:b}}}", "driver", "raw", "node-name",
                     QEMU_REDIRECTED_NODE, "read-only", 1, "file", "driver", "nbd", "export", "cd", "server",
                     "type", "unix", "path", cd->socket, "abstract", 1);
}

static json_t *insert_args(const struct qemu_cd *cd)
{
    (void)cd;
    return json_pack("{s:s, s:s}", "id", QEMU_REDIRECTED_DEVICE, "node-name", QEMU_REDIRECTED_NODE);
}

static json_t *device_args(const struct qemu_cd *cd)
{
    (void)cd;
    return json_pack("{s:s}", "id", QEMU_REDIRECTED_DEVICE);
}

static json_t *force_args(const struct qemu_cd *cd)
{
    (void)cd;
    return json_pack("{s:s, s:b}", "id", QEMU_REDIRECTED_DEVICE, "force", 1);
}

static json_t *node_args(const struct qemu_cd *cd)
{
    (void)cd;
    return json_pack("{s:s}", "node-name", QEMU_REDIRECTED_NODE);
}

struct step {
    const char *command;
    json_t *(*args)(const struct qemu_cd *cd);
};

/* An empty drive's tray is closed; a medium goes in with the tray open. */
static const struct step steps_in[] = {
    {"blockdev-add", add_args},
    {"blockdev-open-tray", force_args},
    {"blockdev-insert-medium", insert_args},
    {"blockdev-close-tray", device_args},
    {NULL, NULL},
};
static const struct step steps_out[] = {
    {"blockdev-open-tray", force_args},
    {"blockdev-remove-medium", device_args},
    {"blockdev-close-tray", device_args},
    {"blockdev-del", node_args},
    {NULL, NULL},
};

static void go_on(struct qemu_cd *cd);

/* From the process that runs now: one that has ended answers nothing. */
static void on_answer(void *arg, const json_t *result, const struct err *err)
{
    struct qemu_cd *cd = arg;
    (void)result;
    if (err != NULL)
        log_warn(cd->name, "redirected CD: %s", err->text);
    cd->step++;
    go_on(cd);
}

static void finished(struct qemu_cd *cd)
{
    void (*done)(void *arg) = cd->done;
    cd->done = NULL;
    if (done != NULL)
        done(cd->arg);
}

static void go_on(struct qemu_cd *cd)
{
    struct err err = ERR_INIT;
    const struct step *step = &(cd->in ? steps_out : steps_in)[cd->step];
    if (step->command == NULL) {
        cd->in = !cd->in;
        cd->busy = false;
        cd->step = 0;
    }
    if (!cd->busy && cd->in == cd->wanted) {
        finished(cd);
        return;
    }
    step = &(cd->in ? steps_out : steps_in)[cd->step];
    cd->busy = true;
    if (qemu_vm_execute(cd->vm, step->command, step->args(cd), on_answer, cd, &err) != 0) {
        log_warn(cd->name, "redirected CD: %s", err.text);
        cd->busy = false;
        finished(cd);
    }
}

void qemu_cd_vm(struct qemu_cd *cd, struct qemu_vm *vm)
{
    cd->vm = vm;
    cd->in = cd->busy = false;
    cd->step = 0;
    cd->done = NULL;
}

void qemu_cd_want(struct qemu_cd *cd, bool medium, void (*done)(void *arg), void *arg)
{
    cd->wanted = medium;
    cd->done = done;
    cd->arg = arg;
    if (cd->vm == NULL || cd->busy)
        return;
    if (cd->in == cd->wanted)
        finished(cd);
    else
        go_on(cd);
}

struct qemu_cd *qemu_cd_new(const char *socket, const char *name)
{
    struct qemu_cd *cd = xcalloc(1, sizeof(*cd));
    cd->socket = socket;
    cd->name = name;
    return cd;
}

void qemu_cd_free(struct qemu_cd *cd)
{
    free(cd);
}
