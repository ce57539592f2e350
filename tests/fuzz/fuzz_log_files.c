/* The files of a console's log, read back: the first byte says which. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "amtd/console/chain.h"
#include "amtd/console/journal.h"
#include "amtd/console/segment.h"
#include "amtd/console/settings.h"
#include "amtd/console/spool.h"
#include "amtd/console/time_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void segment(const uint8_t *p, size_t n)
{
    static uint8_t out[70000];
    char name[] = "/tmp/amtd-fuzz-XXXXXX";
    int fd = mkstemp(name);
    struct segment *s;
    uint64_t next = 0;

    if (fd < 0 || write(fd, p, n) != (ssize_t)n)
        abort();
    close(fd);
    s = segment_open(name, 1000, true, NULL);
    unlink(name);
    if (!s)
        return;
    for (uint64_t at = 1000, tries = 0; at < segment_end(s) && tries < 100; tries++) {
        ssize_t got = segment_read(s, at, out, sizeof(out), &next, NULL);

        if (got == 0 || (got < 0 && next <= at))
            abort(); /* it would never end */
        at = got < 0 ? next : at + (uint64_t)got;
    }
    segment_close(s);
}

static void time_index(const uint8_t *p, size_t n)
{
    struct time_index index;

    if (time_index_read(&index, p, n, 1 << 20))
        for (size_t i = 0; i < index.count; i++) {
            if (time_index_time(&index, index.points[i].offset) != index.points[i].at_ms)
                abort();
            if (time_index_offset(&index, index.points[i].at_ms, 1 << 20) > index.points[i].offset)
                abort();
        }
    time_index_clear(&index);
}

static void journal(const uint8_t *p, size_t n)
{
    struct journal_entry entry, again;
    struct buf out = buf_init(1 << 16);

    if (journal_read((const char *)p, n, &entry, NULL) == 0) {
        journal_write(&out, &entry);
        if (journal_read(buf_str(&out), out.len - 1, &again, NULL) != 0 || again.offset != entry.offset ||
            again.kind != entry.kind)
            abort();
    }
    buf_free(&out);
}

static void chain(const uint8_t *p, size_t n)
{
    struct chain_record record;
    struct view body;
    uint8_t signature[NODE_SIGNATURE_LEN];

    if (chain_read((const char *)p, n, &record, &body, signature, NULL) == 0 && body.n >= n)
        abort();
}

static void spool(const uint8_t *p, size_t n)
{
    char name[CONSOLE_NAME_MAX + 1];
    struct journal_entry entry;

    if (spool_read((const char *)p, n, name, &entry) != SPOOL_NONSENSE && !console_name_ok(name))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(const uint8_t *p, size_t n) = {segment, time_index, journal, chain, spool};

    if (size > 0 && data[0] % 8 < sizeof(readers) / sizeof(readers[0]))
        readers[data[0] % 8](data + 1, size - 1);
    return 0;
}
