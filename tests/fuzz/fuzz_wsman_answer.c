#include <stdint.h>

#include "wsman/answer.h"
#include "wsman/call.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_obj(struct wsman_obj obj)
{
    struct buf bytes = buf_init(4096);
    uint32_t number, list[8];
    bool flag;

    (void)wsman_obj_class(obj);
    (void)wsman_str(obj, "PowerState");
    (void)wsman_u32(obj, "PowerState", &number);
    (void)wsman_bool(obj, "Enabled", &flag);
    (void)wsman_base64(obj, "UUID", &bytes);
    (void)wsman_datetime(obj, "StartTime");
    (void)wsman_u32_array(obj, "AvailableRequestedPowerStates", list, 8);
    (void)wsman_epr_class(obj, "ServiceProvided");
    (void)wsman_epr_selector(obj, "UserOfService", "Name");
    buf_free(&bytes);
}

/* As a Get, as an Invoke, and as the two halves of an Enumerate. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum wsman_verb verbs[] = {WSMAN_GET, WSMAN_INVOKE, WSMAN_ENUMERATE};

    for (size_t v = 0; v < 3; v++) {
        struct wsman_call *call = wsman_call_new(wsman_request_new(verbs[v], "AMT_GeneralSettings", "Do"));
        struct err err = ERR_INIT;

        for (int i = 0; i < 3; i++) {
            struct buf body = buf_init(60000);
            enum wsman_progress progress;

            if (wsman_call_body(call, 0, &body, &err) != 0) {
                buf_free(&body);
                break;
            }
            buf_free(&body);
            progress = wsman_call_answer(call, i == 2 ? 400 : 200, data, size, &err);
            if (progress != WSMAN_AGAIN)
                break;
        }
        for (size_t i = 0; i < wsman_call_count(call); i++)
            read_obj(wsman_call_obj(call, i));
        wsman_call_free(call);
    }
    return 0;
}
