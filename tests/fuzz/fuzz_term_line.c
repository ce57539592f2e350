/* Terminal bytes: the same lines whether they come one at a time or at once, and every form ends. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/console/text/export.h"
#include "amtd/console/text/term_line.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_line(void *arg, int64_t tag, const struct term_cell *cells, size_t count, bool whole)
{
    (void)tag;
    for (size_t i = 0; i < count; i++) {
        if (cells[i].n < 1 || cells[i].n > 4)
            abort();
        buf_add(arg, cells[i].bytes, cells[i].n);
        buf_add(arg, &cells[i].style, sizeof(cells[i].style));
    }
    buf_putc(arg, whole ? '|' : '+');
}

static void lines(const uint8_t *data, size_t size, size_t portion, struct buf *out)
{
    struct term_line_events events = {out, on_line};
    struct term_line *line = term_line_new(&events);

    for (size_t i = 0; i < size; i += portion)
        term_line_feed(line, 0, data + i, size - i < portion ? size - i : portion);
    term_line_end(line);
    term_line_free(line);
}

static void count(void *arg, const void *p, size_t n)
{
    (void)p;
    *(size_t *)arg += n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf all = buf_init(64 << 20), single = buf_init(64 << 20);

    lines(data, size, size + 1, &all);
    lines(data, size, 1, &single);
    if (all.len != single.len || (all.len > 0 && memcmp(all.p, single.p, all.len) != 0))
        abort();
    for (int format = 0; format < EXPORT_FORMATS; format++) {
        struct export_options options = {.title = "c", .stamps = size % 2};
        size_t written = 0;
        struct export *x = export_new((enum export_format)format, &options, count, &written);

        for (size_t i = 0; i < size; i += 7)
            export_bytes(x, (int64_t)i * 1000, data + i, size - i < 7 ? size - i : 7);
        export_end(x);
        export_free(x);
        if (format == EXPORT_PLAIN && written < size)
            abort();
    }
    buf_free(&all);
    buf_free(&single);
    return 0;
}
