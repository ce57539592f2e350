#include "amtcli/cmd_ider.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/image_file.h"
#include "amtcli/interrupt.h"
#include "amtcli/ipxe_image.h"
#include "amtcli/wrap.h"
#include "base/buf.h"
#include "base/clock.h"

#define LINE_MAX  256
#define RATE_MS   3000 /* over which the rate of the live line is taken */
#define KIB       1024.0
#define MIB       (1024.0 * 1024.0)
#define CD        1
#define DRIVES    2
#define REDRAW_MS 250

struct session {
    struct context *ctx;
    const char *host;
    struct image_file *files[DRIVES];
    bool live;      /* a line is kept up to date on the terminal */
    bool on_screen; /* it is there now */
    bool up;
    int interrupts; /* of Ctrl-C, dealt with */
    int64_t drawn;
    /* as last told */
    int64_t reads, bytes, touched, size;
    bool image_failed;
    /* for the rate */
    int64_t rate_since, rate_bytes;
    double rate; /* bytes a second */
};

static const char *const drive_names[DRIVES] = {"floppy", "cd"};

/* --- what is shown --- */

static void erase(struct session *s)
{
    if (s->on_screen)
        fputs("\r\033[K", stderr);
    s->on_screen = false;
}

static void say(struct session *s, const char *text)
{
    erase(s);
    fprintf(stderr, "%s: %s\n", s->host, text);
}

static void put_estimate(const struct session *s, struct buf *out)
{
    double seconds = s->rate > 0 ? (double)(s->size - s->touched) / s->rate : 0;

    if (s->rate <= 0 || s->touched >= s->size)
        return;
    if (seconds < 120)
        buf_printf(out, ", all of it in %.0f s", seconds);
    else if (seconds < 7200)
        buf_printf(out, ", all of it in %.0f min", seconds / 60);
    else
        buf_printf(out, ", all of it in %.1f h", seconds / 3600);
}

static void put_line(const struct session *s, struct buf *out)
{
    buf_printf(out, "%s: %" PRId64 " reads, %.1f MiB", s->host, s->reads, (double)s->bytes / MIB);
    buf_printf(out, ", %.0f KiB/s", s->rate / KIB);
    if (s->size > 0)
        buf_printf(out, ", %.0f%% of the image touched", 100.0 * (double)s->touched / (double)s->size);
    put_estimate(s, out);
}

static void draw(struct session *s, int64_t now)
{
    struct buf line;

    if (!s->live || !s->up || now - s->drawn < REDRAW_MS)
        return;
    s->drawn = now;
    line = buf_init(LINE_MAX);
    put_line(s, &line);
    fprintf(stderr, "\r\033[K%.*s", (int)wrap_columns(stderr, WRAP_PAGE) - 1, buf_str(&line));
    fflush(stderr);
    s->on_screen = true;
    buf_free(&line);
}

/* --- what amtd tells --- */

static int64_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void take_progress(struct session *s, const json_t *progress)
{
    s->reads = number(progress, "reads");
    s->bytes = number(progress, "bytes");
    s->touched = number(progress, "touched");
    s->size = number(progress, "size");
    s->image_failed = json_is_true(json_object_get(progress, "image_failed"));
}

static void on_event(void *arg, const json_t *event)
{
    struct session *s = arg;
    const char *note = json_string_value(json_object_get(event, "note"));
    const char *message = json_string_value(json_object_get(event, "message"));

    if (note)
        say(s, note);
    if (json_is_true(json_object_get(event, "up"))) {
        s->up = true;
        say(s, "the session is open; Ctrl-C ends it");
    }
    if (json_object_get(event, "image_failed")) {
        s->image_failed = true;
        say(s, message ? message : "the image cannot be read");
    }
    if (json_object_get(event, "progress"))
        take_progress(s, json_object_get(event, "progress"));
}

static void take_rate(struct session *s, int64_t now)
{
    int64_t passed = now - s->rate_since;

    if (passed < RATE_MS)
        return;
    s->rate = (double)(s->bytes - s->rate_bytes) * 1000 / (double)passed;
    s->rate_since = now;
    s->rate_bytes = s->bytes;
}

/* The first Ctrl-C asks for an end in good order, the second leaves. */
static void on_idle(void *arg)
{
    struct session *s = arg;
    int64_t now = clock_mono(clock_system());

    take_rate(s, now);
    draw(s, now);
    if (interrupt_count() == s->interrupts)
        return;
    s->interrupts = interrupt_count();
    if (s->interrupts > 1) {
        client_leave(s->ctx->client);
        return;
    }
    say(s, "ending the session");
    for (int i = 0; i < DRIVES; i++)
        if (s->files[i])
            image_file_end(s->files[i]);
}

/* --- the command --- */

static const struct option_row ider_options[] = {
    {"cd", 0, OPTION_FILE, "FILE", "the image of a CD: an ISO file"},
    {"floppy", 0, OPTION_FILE, "FILE", "the image of a floppy disk"},
    {"ipxe", 0, OPTION_TEXT, "URL", "instead of a CD: iPXE, which loads what is at this address"},
    {"boot", 0, OPTION_FLAG, NULL, "boot the machine from it, now"},
    {"graceful", 'g', OPTION_FLAG, NULL, "with --boot: ask the operating system to restart"},
    {"when", 0, OPTION_CHOICE, "WHEN", "when the machine gets the drives", .choices = "now reset graceful",
     .standard = "now; with --boot: reset"},
    {NULL},
};

/* The image needs no name once it is open. */
static int open_ipxe(struct session *s, const char *url)
{
    struct err err = ERR_INIT;
    char *path = ipxe_image_make(url, &err);

    if (path) {
        s->files[CD] = image_file_open(path, &err);
        unlink(path);
        free(path);
    }
    return s->files[CD] ? EXIT_ALL : print_failure(&err);
}

static int open_images(struct session *s, json_t *params)
{
    const char *url = args_value(&s->ctx->args, "ipxe");
    struct err err = ERR_INIT;
    struct client *client;

    if (url && args_has(&s->ctx->args, "cd")) {
        fputs("amtcli ider: --ipxe takes the place of --cd\n", stderr);
        return EXIT_USAGE;
    }
    if (url && open_ipxe(s, url) != EXIT_ALL)
        return EXIT_USAGE;
    for (int i = 0; i < DRIVES; i++) {
        const char *path = args_value(&s->ctx->args, drive_names[i]);

        if (path && !(s->files[i] = image_file_open(path, &err)))
            return print_failure(&err);
    }
    if (!s->files[0] && !s->files[1]) {
        fputs("amtcli ider: expected --cd FILE, --floppy FILE or --ipxe URL; see 'amtcli ider --help'\n",
              stderr);
        return EXIT_USAGE;
    }
    client = context_client(s->ctx);
    if (!client)
        return EXIT_NO_DAEMON;
    for (int i = 0; i < DRIVES; i++)
        if (s->files[i])
            json_object_set_new(params, drive_names[i], json_integer(image_file_serve(s->files[i], client)));
    return EXIT_ALL;
}

static void close_images(struct session *s)
{
    for (int i = 0; i < DRIVES; i++) {
        image_file_close(s->files[i]);
        s->files[i] = NULL;
    }
}

static void say_end(struct session *s, const json_t *reply)
{
    char text[LINE_MAX];

    take_progress(s, reply);
    snprintf(text, sizeof(text), "the session has ended: %" PRId64 " reads, %.1f MiB, %.0f%% of the image",
             s->reads, (double)s->bytes / MIB,
             s->size > 0 ? 100.0 * (double)s->touched / (double)s->size : 0);
    say(s, text);
}

/* Takes params. */
static int serve(struct session *s, json_t *params)
{
    struct interrupt interrupt;
    struct err err = ERR_INIT;
    json_t *reply = NULL;
    int status;

    s->live = isatty(STDERR_FILENO);
    s->rate_since = clock_mono(clock_system());
    interrupt_begin(&interrupt);
    status = client_call(s->ctx->client, "ider.start", params, on_event, on_idle, s, &reply, &err);
    erase(s);
    interrupt_end(&interrupt);
    if (status == 0)
        say_end(s, reply);
    json_decref(reply);
    if (status == 0)
        return s->image_failed ? EXIT_SOME_FAILED : EXIT_ALL;
    if (s->interrupts > 1)
        fputs("amtcli: left; amtd ends the session\n", stderr);
    else
        print_failure(&err);
    close_images(s); /* their channels are the connection's */
    context_drop(s->ctx, &err);
    return EXIT_SOME_FAILED;
}

static int ider(struct context *ctx)
{
    struct session s = {.ctx = ctx, .host = ctx->args.operands[0]};
    json_t *params = json_pack("{s:s, s:b, s:b}", "host", s.host, "boot", args_has(&ctx->args, "boot"),
                               "graceful", args_has(&ctx->args, "graceful"));
    const char *when = args_value(&ctx->args, "when");
    int code;

    if (when)
        json_object_set_new(params, "when", json_string(when));
    code = open_images(&s, params);
    if (code == EXIT_ALL)
        code = serve(&s, params);
    else
        json_decref(params);
    close_images(&s);
    return code;
}

static const struct option_row *const ider_tables[] = {ider_options, options_yes, NULL};

const struct command command_ider = {
    "ider",
    "HOST",
    1,
    1,
    "serve a CD or floppy image to a machine until Ctrl-C, and boot from it",
    ider_tables,
    "ider pc7 --cd rescue.iso --boot\nider pc7 --ipxe http://deploy/menu --boot\nider pc7 --floppy dos.img "
    "--boot --graceful\nider pc7 --cd tools.iso "
    "--when now",
    ider};
