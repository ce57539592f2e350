/* Reads the log of a console that soak_feed fed, and proves it.
 *
 *   soak_check CONSOLE LINKS < LOG
 *
 * Every line of the log is whole and follows the one before; lines are missing only where a connection ended,
 * and of these only such as soak_feed does not call sure. Prints the bytes of the log, the lines that are
 * missing, and the connections; ends with 1 and says where when something is wrong. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/soak/soak_line.h"

#define LINKS_MAX 10000

struct link {
    uint64_t first, sure, next;
};

static struct link links[LINKS_MAX];
static unsigned n_links, console, at_link;
static uint64_t offset, want, lost;

__attribute__((noreturn, format(printf, 1, 2))) static void wrong(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "soak_check: console %u, offset %llu, link %u: ", console, (unsigned long long)offset,
            at_link);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static void read_links(const char *path)
{
    FILE *file = fopen(path, "r");
    char text[120];
    unsigned c, l;
    unsigned long long first, sure, next;

    if (!file)
        wrong("%s cannot be read", path);
    while (fgets(text, sizeof(text), file)) {
        if (sscanf(text, "%u %u %llu %llu %llu", &c, &l, &first, &sure, &next) != 5)
            wrong("this line of %s makes no sense: %s", path, text);
        if (c != console)
            continue;
        if (l != ++n_links || n_links >= LINKS_MAX)
            wrong("link %u is out of order in %s", l, path);
        links[l] = (struct link){first, sure, next};
    }
    fclose(file);
}

/* The log of the link has ended, or that of one behind it has begun. */
static void leave_link(unsigned next)
{
    if (next <= at_link || next > n_links)
        wrong("link %u follows", next);
    for (; at_link < next; at_link++) {
        if (at_link == 0)
            continue;
        if (want < links[at_link].sure)
            wrong("ends before line %llu, but all before line %llu are sure", (unsigned long long)want,
                  (unsigned long long)links[at_link].sure);
        if (want > links[at_link].next)
            wrong("has line %llu, which was never sent", (unsigned long long)want);
        lost += links[at_link].next - want;
        want = links[at_link].next;
    }
}

/* The mark that follows, if one does; 0: none. */
static unsigned mark_at(const char *p)
{
    char mark[SOAK_MARK + 1];
    unsigned c, link;
    unsigned long long line;

    if (strncmp(p, "\n== ", 4) != 0) /* sscanf would look for the end of all that was read */
        return 0;
    if (sscanf(p, "\n== console %4u link %6u line %12llu\n", &c, &link, &line) != 3)
        return 0;
    soak_mark(mark, c, link, line);
    if (memcmp(p, mark, SOAK_MARK) != 0)
        return 0;
    if (c != console || link > n_links || line != links[link].first)
        wrong("has the mark of another link: %.*s", SOAK_MARK - 2, p + 1);
    return link;
}

/* How many of the bytes that follow are the beginning of `expected`, cut off by the next mark or the end of
 * the log; 0: none are, or it is not cut there. */
static size_t cut(const char *p, size_t n, const char *expected)
{
    size_t same = 0;

    while (expected[same] != '\0' && same < n && p[same] == expected[same])
        same++;
    /* Line and mark have line feeds: the first that differs may be behind the mark's first. */
    for (size_t at = same; at > 0; at--)
        if (at == n || mark_at(p + at) > 0)
            return at;
    return 0;
}

/* What is left of a mark, of any connection that can follow here. */
static size_t cut_mark(const char *p, size_t n)
{
    size_t part = 0;

    for (unsigned link = at_link + 1; link <= n_links && part == 0; link++) {
        char mark[SOAK_MARK + 1];

        soak_mark(mark, console, link, links[link].first);
        part = cut(p, n, mark);
    }
    return part;
}

/* One line, or a mark, or what is left of one that was cut. How many bytes it is. */
static size_t take(const char *p, size_t n)
{
    char expected[SOAK_LINE + 1];
    unsigned link = mark_at(p);
    size_t part;

    if (link > 0) {
        leave_link(link);
        return SOAK_MARK;
    }
    soak_line(expected, console, want);
    if (n >= SOAK_LINE && memcmp(p, expected, SOAK_LINE) == 0 && mark_at(p + SOAK_LINE - 1) == 0) {
        want++;
        return SOAK_LINE;
    }
    part = cut(p, n, expected);
    if (part == 0)
        part = cut_mark(p, n);
    if (part == 0)
        wrong("expected line %llu, found: %.*s", (unsigned long long)want, (int)(n < 100 ? n : 100), p);
    return part;
}

int main(int argc, char **argv)
{
    static char window[1 << 20];
    size_t n = 0, got;
    bool more = true;

    if (argc != 3)
        return 2;
    console = (unsigned)strtoul(argv[1], NULL, 10);
    read_links(argv[2]);
    while (more || n > 0) {
        size_t done = 0;

        got = fread(window + n, 1, sizeof(window) - 1 - n, stdin);
        more = got > 0;
        n += got;
        window[n] = '\0';
        while (n - done >= 2 * SOAK_LINE || (!more && done < n)) {
            size_t used = take(window + done, n - done);

            done += used;
            offset += used;
        }
        memmove(window, window + done, n - done);
        n -= done;
    }
    if (at_link == 0 && n_links > 0)
        wrong("is empty");
    if (want < links[at_link].sure)
        wrong("ends before line %llu, but all before line %llu are sure", (unsigned long long)want,
              (unsigned long long)links[at_link].sure);
    lost += links[at_link].next - want;
    for (unsigned l = at_link + 1; l <= n_links; l++) {
        if (links[l].sure > links[l].first)
            wrong("link %u is missing", l);
        lost += links[l].next - links[l].first;
    }
    printf("%llu %llu %u\n", (unsigned long long)offset, (unsigned long long)lost, n_links);
    return 0;
}
