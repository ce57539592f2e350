#include "tests/amtsim/scripted_cdb.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define TEXT_MAX ((size_t)SCRIPTED_CDB_EXPECT * 4 + 4096)

struct scripted_cdb {
    void (*answer)(void *arg, const struct buf *text); /* NULL: nobody waits any more */
    void *arg;
};

static void put_data(struct buf *b, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%02x%s", p[i], i % 16 == 15 || i + 1 == n ? "\r\n" : " ");
}

static void on_done(void *arg, const struct drive_answer *a)
{
    struct scripted_cdb *c = arg;
    struct buf text = buf_init(TEXT_MAX);
    if (a->gone)
        buf_puts(&text, "no answer\r\n");
    else if (a->sense != 0)
        buf_printf(&text, "sense %02x/%02x/%02x\r\n", a->sense, a->asc, a->ascq);
    else
        buf_printf(&text, "good, %zu bytes\r\n", a->n);
    if (!a->gone)
        put_data(&text, a->data, a->n);
    if (c->answer != NULL)
        c->answer(c->arg, &text);
    buf_free(&text);
    free(c);
}

/* "43 00 0a": at most 12 bytes; the rest is zero. */
static bool parse_bytes(const char *text, uint8_t cdb[12])
{
    unsigned n = 0;
    for (const char *p = text + strspn(text, " "); *p != '\0'; p += strspn(p, " ")) {
        char digits[3] = {p[0], p[1], '\0'};
        if (n == 12 || !isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]) ||
            (p[2] != ' ' && p[2] != '\0'))
            return false;
        cdb[n++] = (uint8_t)strtoul(digits, NULL, 16);
        p += 2;
    }
    return n > 0;
}

struct scripted_cdb *scripted_cdb_new(const struct machine_events *machine, const char *text,
                                      void (*answer)(void *arg, const struct buf *text), void *arg,
                                      const char **why)
{
    struct drive_request r = {.expect = SCRIPTED_CDB_EXPECT, .done = on_done};
    bool cd = strncmp(text, "cd ", 3) == 0, floppy = strncmp(text, "floppy ", 7) == 0;
    r.drive = cd ? DRIVE_CD : DRIVE_FLOPPY;
    if ((!cd && !floppy) || !parse_bytes(text + (cd ? 3 : 7), r.cdb)) {
        *why = "expected cd or floppy and 1 to 12 bytes in hexadecimal";
        return NULL;
    }
    struct scripted_cdb *c = xcalloc(1, sizeof(*c));
    c->answer = answer;
    c->arg = arg;
    r.arg = c;
    if (machine->drive != NULL && machine->drive(machine->arg, &r))
        return c;
    *why = "no such device";
    free(c);
    return NULL;
}

void scripted_cdb_free(struct scripted_cdb *c)
{
    if (c != NULL)
        c->answer = NULL; /* freed by its answer, which always comes */
}
