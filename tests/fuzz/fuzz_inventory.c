/* Instances of the classes of an inventory from any bytes: the facts are named, printable and bounded. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wsman/inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(struct seq *seq, struct wsman_call *call, const uint8_t *data, size_t size)
{
    static const char context[] =
        "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\"><a:Header/><a:Body>"
        "<g:EnumerateResponse xmlns:g=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\">"
        "<g:EnumerationContext>1</g:EnumerationContext></g:EnumerateResponse></a:Body></a:Envelope>";
    struct buf body = buf_init(60000);
    struct err err = ERR_INIT, absent = ERR_INIT;

    wsman_call_body(call, 0, &body, &err);
    if (wsman_call_answer(call, 200, context, sizeof(context) - 1, &err) != WSMAN_AGAIN)
        abort();
    wsman_call_body(call, 0, &body, &err);
    err_set(&absent, CAUSE_UNSUPPORTED, "absent");
    err_code(&absent, "b:DestinationUnreachable");
    if (wsman_call_answer(call, 200, data, size, &err) == WSMAN_FINISHED)
        seq_heard(seq, call, NULL, &err);
    else
        seq_heard(seq, call, &absent, &err);
    buf_free(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inventory_seq is;
    struct wsman_call *call;
    struct err err = ERR_INIT;
    int64_t wait;

    inventory_seq_init(&is);
    is.seq.budget_ms = 60000;
    while (seq_next(&is.seq, &call, &wait, &err) == SEQ_WANT_SEND) {
        answer(&is.seq, call, data, size);
        wsman_call_free(call);
    }
    for (size_t i = 0; i < is.inventory.count; i++) {
        const char *value = is.inventory.items[i].value;

        if (!value[0] || strlen(value) >= INVENTORY_TEXT_MAX || !text_is_utf8(value, strlen(value)))
            abort();
    }
    inventory_clear(&is.inventory);
    return 0;
}
