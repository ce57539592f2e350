#include "base/xalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *checked(void *p)
{
    static const char text[] = "out of memory\n";

    if (!p) {
        if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
            abort();
        abort();
    }
    return p;
}

void *xmalloc(size_t size)
{
    return checked(malloc(size > 0 ? size : 1));
}

/* glibc's calloc passes by what its thread has just freed, which is warm, and which only its malloc looks
 * for; what is larger than that cache's pieces may come from the kernel zeroed already. */
#define KEPT_BY_THREAD 1024

void *xcalloc(size_t count, size_t size)
{
    if (count == 1 && size <= KEPT_BY_THREAD)
        return memset(xmalloc(size), 0, size);
    return checked(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
    return checked(realloc(p, size > 0 ? size : 1));
}

void *xreallocarray(void *p, size_t count, size_t size)
{
    return checked(reallocarray(p, count > 0 ? count : 1, size > 0 ? size : 1));
}

char *xstrdup(const char *s)
{
    return s ? checked(strdup(s)) : NULL;
}

char *xstrndup(const char *s, size_t n)
{
    return checked(strndup(s, n));
}

char *xasprintf(const char *fmt, ...)
{
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = xvasprintf(fmt, ap);
    va_end(ap);
    return text;
}

char *xvasprintf(const char *fmt, va_list ap)
{
    char *text = NULL;
    int n = vasprintf(&text, fmt, ap);

    return checked(n < 0 ? NULL : text);
}

void xreplace(char **p, const char *s)
{
    char *copy = xstrdup(s);

    free(*p);
    *p = copy;
}
