#include "wsman/audit_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "wsman/audit_events.h"

#define SID_PARTS_MAX 15 /* [MS-DTYP] 2.4.2 */

/* --- reading --- */

static void take_text(struct view v, char *out, size_t size)
{
    struct buf shown = buf_init(4 * 256);
    size_t n = v.n;

    while (n > 0 && v.p[n - 1] == 0) /* AMT 4 counts the NUL */
        n--;
    text_printable(&shown, v.p, n);
    snprintf(out, size, "%s", buf_str(&shown));
    buf_free(&shown);
}

/* Revision, number of parts, authority of 6 bytes, parts of 4 bytes little-endian; the user within the domain
 * stands apart. */
static void take_sid(struct view v, uint32_t user, char *out, size_t size)
{
    struct rd r = rd_init(v.p, v.n);
    unsigned revision = rd_u8(&r), parts = rd_u8(&r);
    uint64_t authority = (uint64_t)rd_be16(&r) << 32;
    struct buf text = buf_init(512);

    authority |= rd_be32(&r);
    buf_printf(&text, "SID S-%u-%" PRIu64, revision, authority);
    for (unsigned i = 0; i < parts && i < SID_PARTS_MAX; i++)
        buf_printf(&text, "-%u", rd_le32(&r));
    buf_printf(&text, "-%u", user);
    snprintf(out, size, "%s", r.bad ? "a SID that cannot be read" : buf_str(&text));
    buf_free(&text);
}

static bool take_initiator(struct rd *r, struct audit_record *a)
{
    uint8_t kind = rd_u8(r);
    uint32_t user;

    if (kind > AUDIT_KVM)
        return false;
    a->initiator = (enum audit_initiator)kind;
    switch (a->initiator) {
    case AUDIT_DIGEST:
        take_text(rd_str8(r), a->user, sizeof(a->user));
        break;
    case AUDIT_KERBEROS:
        user = rd_be32(r);
        take_sid(rd_str8(r), user, a->user, sizeof(a->user));
        break;
    case AUDIT_LOCAL:
        snprintf(a->user, sizeof(a->user), "local");
        break;
    case AUDIT_KVM:
        snprintf(a->user, sizeof(a->user), "KVM on 5900");
        break;
    }
    return true;
}

enum decode audit_record_read(const void *p, size_t n, struct audit_record *a)
{
    struct rd r = rd_init(p, n);
    struct view data;

    memset(a, 0, sizeof(*a));
    a->app = rd_be16(&r);
    a->event = rd_be16(&r);
    if (!take_initiator(&r, a))
        return DECODE_BAD;
    a->time = rd_be32(&r);
    rd_skip(&r, 1); /* kind of the address, which is text */
    take_text(rd_str8(&r), a->address, sizeof(a->address));
    data = rd_str8(&r);
    if (!rd_end(&r))
        return DECODE_BAD;
    a->size = (uint8_t)data.n;
    if (data.n > 0)
        memcpy(a->data, data.p, data.n);
    return DECODE_DONE;
}

/* --- sentences --- */

const char *audit_record_app(const struct audit_record *a)
{
    const struct audit_app *app = audit_app_find(a->app);

    return app ? app->name : "application";
}

static void put_hex(struct view v, struct buf *out)
{
    text_hex(out, v.p, v.n, false);
}

static const char *word_of(const struct audit_word *words, unsigned number)
{
    for (; words && words->text; words++)
        if (words->number == number)
            return words->text;
    return NULL;
}

static void put_word(const struct audit_word *words, unsigned number, struct buf *out)
{
    const char *text = word_of(words, number);

    if (text)
        buf_puts(out, text);
    else
        buf_printf(out, "%u", number);
}

/* "digest user anna", "SID ..." */
static void put_account(struct rd *r, struct buf *out)
{
    uint8_t kind = rd_u8(r);
    uint32_t user = kind != 0 ? rd_be32(r) : 0;
    struct view name = rd_str8(r);
    char text[AUDIT_USER_MAX];

    if (kind == 0)
        take_text(name, text, sizeof(text));
    else
        take_sid(name, user, text, sizeof(text));
    buf_puts(out, text);
}

static void put_guid(struct rd *r, struct buf *out)
{
    put_hex(rd_bytes(r, 16), out);
}

static void put_version(struct rd *r, struct buf *out)
{
    for (int i = 0; i < 4; i++)
        buf_printf(out, "%s%u", i > 0 ? "." : "", rd_be16(r));
}

static void put_time(struct rd *r, struct buf *out)
{
    char text[CLOCK_TEXT_MAX];

    buf_puts(out, clock_text((int64_t)rd_be32(r) * 1000, text));
}

static void put_name(struct rd *r, struct buf *out)
{
    char text[AUDIT_USER_MAX];

    take_text(rd_str8(r), text, sizeof(text));
    buf_puts(out, text);
}

/* One value of the data, as its form says. */
static void put_value(const struct audit_part *part, struct rd *r, struct buf *out)
{
    switch (part->form) {
    case AUDIT_WORD8:
        put_word(part->words, rd_u8(r), out);
        break;
    case AUDIT_NUMBER16:
        buf_printf(out, "%u", rd_be16(r));
        break;
    case AUDIT_NUMBER32:
        buf_printf(out, "%u", rd_be32(r));
        break;
    case AUDIT_HANDLE:
        buf_printf(out, "%u", rd_le32(r));
        break;
    case AUDIT_ACCOUNT:
        put_account(r, out);
        break;
    case AUDIT_GUID:
        put_guid(r, out);
        break;
    case AUDIT_VERSION:
        put_version(r, out);
        break;
    case AUDIT_TIME:
        put_time(r, out);
        break;
    case AUDIT_NAME:
        put_name(r, out);
        break;
    }
}

/* "remote server, local none"; false when the data do not have that form. */
static bool put_parts(const struct audit_event *event, const struct audit_record *a, struct buf *out)
{
    struct rd r = rd_init(a->data, a->size);
    struct buf text = buf_init(2048);

    for (size_t i = 0; i < AUDIT_PARTS && event->parts[i].label; i++) {
        buf_printf(&text, "%s%s%s", i > 0 ? ", " : "", event->parts[i].label,
                   event->parts[i].label[0] ? " " : "");
        put_value(&event->parts[i], &r, &text);
    }
    if (rd_ok(&r) && buf_ok(&text))
        text_printable(out, text.p, text.len);
    buf_free(&text);
    return rd_ok(&r);
}

void audit_record_text(const struct audit_record *a, struct buf *out)
{
    const struct audit_event *event = audit_event_find(a->app, a->event);

    if (!event)
        buf_printf(out, "event %u of application %u", a->event, a->app);
    else
        buf_puts(out, event->text);
    if (a->size == 0)
        return;
    if (event && !event->parts[0].label)
        return; /* its data say nothing for people */
    buf_puts(out, ": ");
    if (!event || !put_parts(event, a, out))
        put_hex((struct view){a->data, a->size}, out);
}
