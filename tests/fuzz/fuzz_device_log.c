/* Records of devices' logs: any bytes are read or refused, and what they say is printable and bounded. */
#include <stdint.h>
#include <stdlib.h>

#include "base/text.h"
#include "wsman/audit_record.h"
#include "wsman/event_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct buf *text)
{
    if (!buf_ok(text) || text->len == 0 || !text_is_utf8(text->p, text->len))
        abort();
    for (size_t i = 0; i < text->len; i++)
        if (text->p[i] < 0x20)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf text = buf_init(4096);
    struct event_record e;
    struct audit_record a;

    if (event_record_read(data, size, &e) == DECODE_DONE) {
        event_record_text(&e, &text);
        check(&text);
        (void)event_record_severity(&e);
        (void)event_record_entity(&e);
    }
    buf_reset(&text);
    if (audit_record_read(data, size, &a) == DECODE_DONE) {
        audit_record_text(&a, &text);
        check(&text);
        (void)audit_record_app(&a);
    }
    buf_free(&text);
    return 0;
}
