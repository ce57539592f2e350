#include "amtd/redirect/ider_server.h"

#include <stdio.h>
#include <stdlib.h>

#include "amtd/redirect/session.h"
#include "base/xalloc.h"

#define EMPTY_FLOPPY (2880 * IDER_FLOPPY_BLOCK)

static const uint32_t block_sizes[IDER_DRIVES] = {
    [IDER_FLOPPY] = IDER_FLOPPY_BLOCK, [IDER_CD] = IDER_CD_BLOCK};
static const char *const drive_names[IDER_DRIVES] = {[IDER_FLOPPY] = "floppy", [IDER_CD] = "CD"};

struct drive {
    struct ider_server *server;
    enum ider_drive which;
    void (*fetch)(void *arg, enum ider_drive drive, uint32_t tag, uint64_t offset, uint32_t n);
    struct image *image; /* NULL: empty */
    bool given;          /* not the empty floppy disk */
    uint32_t op;         /* the machine's read under way */
};

struct ider_server {
    struct ider_server_events events;
    enum ider_when when;
    struct session *session;
    struct ider *ider; /* while the connection stands */
    struct drive drives[IDER_DRIVES];
    uint64_t reads, bytes, resets;
    bool up;
    bool freed; /* its session is still to come back */
};

/* --- reads --- */

static void core_reads(void *arg, uint32_t op, enum ider_drive which, uint32_t lba, uint32_t count)
{
    struct ider_server *server = session_owner(arg);
    struct drive *drive = &server->drives[which];

    drive->op = op;
    server->reads++;
    image_read(drive->image, (uint64_t)lba * block_sizes[which], (size_t)count * block_sizes[which]);
}

static void core_cancels(void *arg, uint32_t op)
{
    struct ider_server *server = session_owner(arg);

    for (int i = 0; i < IDER_DRIVES; i++)
        if (server->drives[i].image && server->drives[i].op == op)
            image_cancel(server->drives[i].image);
}

static void read_done(void *arg, const uint8_t *p, size_t n)
{
    struct drive *drive = arg;
    struct ider_server *server = drive->server;

    server->bytes += p ? n : 0;
    if (server->ider)
        ider_complete(server->ider, drive->op, p, p ? n : 0, p ? ider_sense_none : ider_sense_unreadable);
}

static void read_failed(void *arg, const struct err *err)
{
    struct drive *drive = arg;

    if (!drive->server->freed)
        drive->server->events.image_failed(drive->server->events.arg, drive->which, err);
}

static void drive_fetches(void *arg, uint32_t tag, uint64_t offset, uint32_t n)
{
    struct drive *drive = arg;

    if (!drive->server->freed)
        drive->fetch(drive->server->events.arg, drive->which, tag, offset, n);
}

void ider_server_arrived(struct ider_server *server, enum ider_drive which, uint32_t tag, const void *p,
                         size_t n, const struct err *failure)
{
    image_arrived(server->drives[which].image, tag, p, n, failure);
    session_pump(server->session);
}

void ider_server_lost(struct ider_server *server, enum ider_drive which, const struct err *failure)
{
    image_lost(server->drives[which].image, failure);
    session_pump(server->session);
}

/* --- the session --- */

static void note(struct ider_server *server, const char *text)
{
    if (!server->freed)
        server->events.note(server->events.arg, text);
}

static void core_switched(void *arg, bool on, bool done, uint32_t code)
{
    struct ider_server *server = session_owner(arg);
    char text[128];

    if (done || !on)
        return;
    snprintf(text, sizeof(text), "the device does not give the drives to the machine (code %u)", code);
    note(server, text);
}

static void core_reset(void *arg, uint8_t mask)
{
    struct ider_server *server = session_owner(arg);

    (void)mask;
    server->resets++;
}

static void core_device_error(void *arg, uint8_t code)
{
    char text[64];

    snprintf(text, sizeof(text), "the device reports error %u", code);
    note(session_owner(arg), text);
}

static void core_eject_wanted(void *arg, enum ider_drive which)
{
    char text[64];

    snprintf(text, sizeof(text), "the machine would like to eject the %s; it stays", drive_names[which]);
    note(session_owner(arg), text);
}

static struct redir *session_begins(void *arg, const struct redir_login *login,
                                    const struct redir_events *session, int64_t now_ms, struct err *err)
{
    struct ider_server *server = arg;
    const struct ider_events events = {
        .session = *session,
        .read = core_reads,
        .cancelled = core_cancels,
        .switched = core_switched,
        .reset = core_reset,
        .eject_wanted = core_eject_wanted,
        .device_error = core_device_error,
    };

    server->ider = ider_new(login, &ider_settings_default, &events, now_ms, err);
    if (!server->ider)
        return NULL;
    for (int i = 0; i < IDER_DRIVES; i++) {
        const struct image *image = server->drives[i].image;
        uint64_t blocks = image ? (image_size(image) + block_sizes[i] - 1) / block_sizes[i] : 0;

        if (image)
            ider_insert(server->ider, (enum ider_drive)i, blocks, NULL);
    }
    ider_enable(server->ider, server->when);
    return ider_session(server->ider);
}

static void session_up(void *arg)
{
    struct ider_server *server = arg;

    server->up = true;
    if (!server->freed)
        server->events.up(server->events.arg);
}

static void session_note(void *arg, const char *text)
{
    note(arg, text);
}

static void session_down(void *arg, const struct err *why)
{
    struct ider_server *server = arg;

    server->ider = NULL;
    server->up = false;
    if (!server->freed)
        server->events.down(server->events.arg, why);
}

static void session_gone(void *arg)
{
    struct ider_server *server = arg;

    for (int i = 0; i < IDER_DRIVES; i++)
        image_free(server->drives[i].image);
    free(server);
}

/* --- life --- */

static void drive_init(struct ider_server *server, enum ider_drive which, const struct ider_image *image,
                       uint64_t size)
{
    struct drive *drive = &server->drives[which];
    const struct image_owner owner = {drive, image->size > 0 ? drive_fetches : NULL, read_done, read_failed};

    drive->server = server;
    drive->which = which;
    drive->fetch = image->fetch;
    drive->given = image->size > 0;
    if (size > 0)
        drive->image = image_new(size, &owner);
}

struct ider_server *ider_server_start(struct redirect *redirect, const char *host, enum ider_when when,
                                      const struct ider_image images[IDER_DRIVES],
                                      const struct ider_server_events *events)
{
    struct ider_server *server = xcalloc(1, sizeof(*server));
    const struct session_events session = {
        .arg = server,
        .begin = session_begins,
        .up = session_up,
        .note = session_note,
        .down = session_down,
        .gone = session_gone,
    };
    uint64_t floppy = images[IDER_FLOPPY].size > 0 ? images[IDER_FLOPPY].size : EMPTY_FLOPPY;

    server->events = *events;
    server->when = when;
    drive_init(server, IDER_CD, &images[IDER_CD], images[IDER_CD].size);
    drive_init(server, IDER_FLOPPY, &images[IDER_FLOPPY], floppy);
    server->session = session_open(redirect, host, SESSION_IDER, true, &session);
    return server;
}

void ider_server_stop(struct ider_server *server)
{
    if (server->ider)
        ider_disable(server->ider, IDER_NOW);
    session_stop(server->session);
}

void ider_server_free(struct ider_server *server)
{
    if (!server)
        return;
    server->freed = true;
    session_close(server->session);
}

struct ider_server_state ider_server_state(const struct ider_server *server)
{
    struct ider_server_state state = {
        .up = server->up, .reads = server->reads, .bytes = server->bytes, .resets = server->resets};

    for (int i = 0; i < IDER_DRIVES; i++) {
        const struct drive *drive = &server->drives[i];

        if (drive->given) {
            state.touched += image_touched(drive->image);
            state.size += image_size(drive->image);
            state.image_failed = state.image_failed || image_has_failed(drive->image);
        }
    }
    return state;
}
