#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

/* Copies printable text, cut at a whole character. */
static void put(char *out, size_t size, const char *text)
{
    struct buf printable = buf_init(8 * ERR_TEXT_MAX);
    size_t n;

    text_printable(&printable, text, strlen(text));
    n = printable.len < size ? printable.len : size - 1;
    while (n > 0 && n < printable.len && (printable.p[n] & 0xc0) == 0x80)
        n--;
    memcpy(out, buf_str(&printable), n);
    out[n] = '\0';
    buf_free(&printable);
}

static void format(char *out, size_t size, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

static void format(char *out, size_t size, const char *fmt, va_list ap)
{
    char text[2 * ERR_TEXT_MAX];

    vsnprintf(text, sizeof(text), fmt, ap);
    put(out, size, text);
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

const char *err_hint(const struct err *err)
{
    static const struct {
        const char *text, *hint;
    } kinds[] = {
        {"there is neither a console nor a host",
         "see those there are: amtcli console list, amtcli host list"},
        {"there is no host", "see those there are: amtcli host list"},
        {"there is no collection", "see those there are: amtcli collection list"},
        {"there is no profile", "see those there are: amtcli profile list"},
        {"there is no schedule", "see those there are: amtcli schedule list"},
        {"there is no console", "see those there are: amtcli console list"},
        {"there is no event", "see those there are: amtcli event list"},
        {"there is no sweep", "see those there are: amtcli discover list"},
        {"there is no node", "see those there are: amtcli node list"},
        {"there is no client", "see those there are: amtcli client list"},
        {"there is no server", "see those there are: amtcli server list"},
        {"of a job", "see those there are: amtcli job list"},
        {"there is no run", "see those there are: amtcli run list"},
        {"was not granted", "see what was: amtcli grant list"},
        {"has no password of its own", "see those that have: amtcli password list"},
    };

    for (size_t i = 0; err->cause == CAUSE_NOT_FOUND && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strstr(err->text, kinds[i].text))
            return kinds[i].hint;
    return cause_hint(err->cause);
}
