#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/xalloc.h"

/* What stands in the place of what was cut. */
static const char gap[] = " ... ";

static bool is_inside(const struct buf *text, size_t at)
{
    return at > 0 && at < text->len && (text->p[at] & 0xc0) == 0x80;
}

/* Copies printable text; of what is too long the beginning and the end, in whole characters. */
static void put(char *out, size_t size, const char *text)
{
    size_t len = strlen(text), part = len < size ? len : size, room = size - sizeof(gap);
    struct buf head = buf_init(4 * part + 1), tail = buf_init(4 * part + 1);
    size_t n, from;

    text_printable(&head, text, part);
    text_printable(&tail, text + len - part, part);
    if (len == part && head.len < size) {
        memcpy(out, buf_str(&head), head.len + 1);
    } else {
        for (n = room - room / 3; is_inside(&head, n); n--)
            ;
        for (from = tail.len - room / 3; is_inside(&tail, from); from++)
            ;
        snprintf(out, size, "%.*s%s%s", (int)n, buf_str(&head), gap, buf_str(&tail) + from);
    }
    buf_free(&head);
    buf_free(&tail);
}

static void format(char *out, size_t size, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

static void format(char *out, size_t size, const char *fmt, va_list ap)
{
    char *text = xvasprintf(fmt, ap);

    put(out, size, text);
    free(text);
}

int err_set(struct err *err, enum cause cause, const char *fmt, ...)
{
    int saved = errno;
    va_list ap;

    if (!err)
        return -1;
    err->cause = cause;
    err->code[0] = '\0';
    va_start(ap, fmt);
    format(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    errno = saved;
    return -1;
}

int err_set_errno(struct err *err, enum cause cause, int number, const char *fmt, ...)
{
    const char *name = strerrorname_np(number);
    char text[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    format(text, sizeof(text), fmt, ap);
    va_end(ap);
    err_set(err, cause, "%s: %s", text, strerror(number));
    err_code(err, "errno %s", name ? name : "?");
    return -1;
}

int err_code(struct err *err, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return -1;
    va_start(ap, fmt);
    format(err->code, sizeof(err->code), fmt, ap);
    va_end(ap);
    return -1;
}

int err_context(struct err *err, const char *fmt, ...)
{
    char context[ERR_TEXT_MAX], text[2 * ERR_TEXT_MAX + 4];
    va_list ap;

    if (!err)
        return -1;
    va_start(ap, fmt);
    format(context, sizeof(context), fmt, ap);
    va_end(ap);
    snprintf(text, sizeof(text), "%s: %s", context, err->text);
    put(err->text, sizeof(err->text), text);
    return -1;
}

void err_clear(struct err *err)
{
    memset(err, 0, sizeof(*err));
}

/* Why amtd did not start is what it said itself, whatever the cause is then. */
static bool is_about(const struct err *err, enum cause cause, const char *text)
{
    return (err->cause == cause || err->cause == CAUSE_NO_DAEMON) && strstr(err->text, text);
}

const char *err_hint(const struct err *err)
{
    static const struct {
        enum cause cause;
        const char *text, *hint;
    } kinds[] = {
        {CAUSE_NO_DAEMON, "no amtd at", "none is running there; most commands start one by themselves"},
        {CAUSE_NOT_FOUND, "there is neither a console nor a host",
         "see those there are: amtcli console list, amtcli host list"},
        {CAUSE_NOT_FOUND, "there is no host", "see those there are: amtcli host list"},
        {CAUSE_NOT_FOUND, "there is no collection", "see those there are: amtcli collection list"},
        {CAUSE_NOT_FOUND, "there is no profile", "see those there are: amtcli profile list"},
        {CAUSE_NOT_FOUND, "there is no schedule", "see those there are: amtcli schedule list"},
        {CAUSE_NOT_FOUND, "there is no console", "see those there are: amtcli console list"},
        {CAUSE_NOT_FOUND, "there is no event", "see those there are: amtcli event list"},
        {CAUSE_NOT_FOUND, "there is no sweep", "see those there are: amtcli discover list"},
        {CAUSE_NOT_FOUND, "is the first one through its addresses",
         "sweep the same addresses again, or name two sweeps: amtcli discover diff SWEEP SWEEP"},
        {CAUSE_NOT_FOUND, "sweep", "see which are: amtcli discover list"},
        {CAUSE_NOT_FOUND, "there is no node", "see those there are: amtcli node list"},
        {CAUSE_NOT_FOUND, "there is no client", "see those there are: amtcli client list"},
        {CAUSE_NOT_FOUND, "there is no server", "see those there are: amtcli server list"},
        {CAUSE_NOT_FOUND, "of a job", "see those there are: amtcli job list"},
        {CAUSE_NOT_FOUND, "there is no run", "see those there are: amtcli run list"},
        {CAUSE_NOT_FOUND, "is not under way", "see which are: amtcli run list, amtcli job list"},
        {CAUSE_NOT_FOUND, "was not granted", "see what was: amtcli grant list"},
        {CAUSE_NOT_FOUND, "has no password of its own", "see those that have: amtcli password list"},
        {CAUSE_NOT_FOUND, "no configuration is declared", "see those that have one: amtcli config declared"},
        {CAUSE_NOT_FOUND, "filter file",
         "see those of the product: amtcli filter list; others by their path"},
        {CAUSE_EXISTS, "collection",
         "choose another name, or remove that one: amtcli collection remove NAME"},
        {CAUSE_EXISTS, "schedule", "choose another name, or remove that one: amtcli schedule remove NAME"},
        {CAUSE_EXISTS, "File exists", "choose another name, or remove that file"},
        {CAUSE_INVALID_ARGUMENT, "there is no configuration file",
         "amtd reads one when it is started with it: amtd --config FILE"},
        {CAUSE_INVALID_ARGUMENT, "No such file", "check the name, and the directory you are in"},
        {CAUSE_INVALID_ARGUMENT, "Is a directory", "name a file in it"},
        {CAUSE_INVALID_ARGUMENT, "key file",
         "restore the key file that belongs to this state directory, with mode 0600"},
        {CAUSE_STORE_FAILED, "made by a newer amtd",
         "start that newer amtd, or restore an older state directory"},
        {CAUSE_STORE_FAILED, "malformed", "restore the state directory from a backup"},
        {CAUSE_STORE_FAILED, "not a database", "restore the state directory from a backup"},
        {CAUSE_STORE_FAILED, "is full", "make room where the state directory is"},
        {CAUSE_STATE_DIR_LOCKED, "is in use by amtd",
         "use that one, or give this one its own --state-dir or AMTD_STATE_DIR"},
        {CAUSE_STATE_DIR_LOCKED, "socket",
         "use that one, or give this one a socket of its own: --socket PATH"},
        {CAUSE_NO_DAEMON, "amtd did not start",
         "see the message; 'amtd --foreground' in this place says more"},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (is_about(err, kinds[i].cause, kinds[i].text))
            return kinds[i].hint;
    return cause_hint(err->cause);
}
