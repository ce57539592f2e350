/* Instances of System Defense from any bytes: what is kept is within its bounds, and can be written again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wsman/system_defense_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_all(struct sd_seq *ss)
{
    for (size_t i = 0; i < ss->state.filter_count; i++)
        sd_seq_change(ss, SD_CREATE_FILTER)->filter = ss->state.filters[i];
    for (size_t i = 0; i < ss->state.policy_count; i++)
        sd_seq_change(ss, SD_CREATE_POLICY)->policy = ss->state.policies[i];
    for (size_t i = 0; i < ss->count; i++) {
        struct buf text = buf_init(4096), body = buf_init(WSMAN_ENVELOPE_MAX);
        struct wsman_request *rq = sd_write_change(&ss->changes[i]);
        struct err err = ERR_INIT;

        sd_change_text(&ss->changes[i], &ss->state, &text);
        if (wsman_write(rq, 1, &body, &err) != 0)
            abort();
        wsman_request_free(rq);
        buf_free(&text);
        buf_free(&body);
    }
}

static void read_all(struct sd_seq *ss, const struct wsman_call *call)
{
    sd_read_limits(&ss->state, call);
    sd_read_ports(&ss->state, call);
    sd_read_port_limits(&ss->state, call);
    sd_read_addresses(&ss->state, call);
    sd_read_policies(&ss->state, call);
    sd_read_filters(&ss->state, call, SD_ETHERNET);
    sd_read_filters(&ss->state, call, SD_IP);
    for (int owner = 0; owner < SD_OWNERS; owner++)
        sd_read_enabled(&ss->state, call, (enum sd_owner)owner);
    sd_read_counts(ss, call);
    if (wsman_call_count(call) > 0)
        (void)sd_read_created(wsman_call_obj(call, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wsman_call *call = wsman_call_new(wsman_request_new(WSMAN_ENUMERATE, "AMT_IPHeadersFilter", NULL));
    static const char context[] =
        "<a:Envelope "
        "xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\"><a:Header/><a:Body><g:EnumerateResponse "
        "xmlns:g=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\"><g:EnumerationContext>1</"
        "g:EnumerationContext>"
        "</g:EnumerateResponse></a:Body></a:Envelope>";
    struct err err = ERR_INIT;
    struct buf body = buf_init(60000);
    struct sd_seq ss;

    sd_seq_init(&ss, NULL);
    wsman_call_body(call, 0, &body, &err);
    if (wsman_call_answer(call, 200, context, sizeof(context) - 1, &err) != WSMAN_AGAIN)
        abort();
    wsman_call_body(call, 0, &body, &err);
    if (wsman_call_answer(call, 200, data, size, &err) == WSMAN_FINISHED) {
        read_all(&ss, call);
        write_all(&ss);
    }
    buf_free(&body);
    wsman_call_free(call);
    sd_seq_clear(&ss);
    return 0;
}
