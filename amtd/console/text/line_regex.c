#include "amtd/console/text/line_regex.h"

#include <string.h>

/* A '$' is the end of a line, before its CR when there is one: so "\r?$". */
static void with_line_ends(const char *regex, struct buf *out)
{
    bool in_class = false;

    for (const char *s = regex; *s; s++) {
        if (*s == '\\' && s[1]) {
            buf_add(out, s++, 2);
            continue;
        }
        if (*s == '[' && !in_class) {
            in_class = true;
            buf_putc(out, *s);
            if (s[1] == '^')
                buf_putc(out, *++s);
            if (s[1] == ']') /* first in a class it means itself */
                buf_putc(out, *++s);
            continue;
        }
        if (*s == '[' && in_class && strchr(":.=", s[1]) && s[1]) { /* "[:alpha:]" within a class */
            const char end[] = {s[1], ']', '\0'};
            const char *close = strstr(s + 2, end);

            if (close) {
                buf_add(out, s, (size_t)(close - s) + 2);
                s = close + 1;
                continue;
            }
        }
        in_class = in_class && *s != ']';
        buf_puts(out, *s == '$' && !in_class ? "\\r?" : "");
        buf_putc(out, *s);
    }
}

int line_regex_text(const char *regex, struct buf *out, struct err *err)
{
    if (strlen(regex) > LINE_REGEX_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "regular expression: expected at most %d bytes, got %zu",
                       LINE_REGEX_MAX, strlen(regex));
    with_line_ends(regex, out);
    return 0;
}

int line_regex_failure(const char *regex, hs_compile_error_t *error, struct err *err)
{
    const char *why = error ? error->message : "too large";

    if (strstr(why, "empty buffer"))
        why = "it matches the empty text, so everywhere";
    err_set(err, CAUSE_INVALID_ARGUMENT, "regular expression '%s': %s", regex, why);
    hs_free_compile_error(error);
    return -1;
}
