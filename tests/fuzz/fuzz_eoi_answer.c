/* Answers of the SOAP interface: any bytes as the answers to a call never break it, and what is taken for one
 * is an instance. The first byte chooses the call; a 0xff byte ends an answer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wsman/eoi/eoi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    enum wsman_verb verb;
    const char *class_name, *method;
} calls[] = {
    {WSMAN_GET, "CIM_AssociatedPowerManagementService", NULL},
    {WSMAN_GET, "AMT_GeneralSettings", NULL},
    {WSMAN_ENUMERATE, "CIM_SoftwareIdentity", NULL},
    {WSMAN_ENUMERATE, "AMT_EthernetPortSettings", NULL},
    {WSMAN_ENUMERATE, "CIM_EthernetPort", NULL},
    {WSMAN_GET, "AMT_BootCapabilities", NULL},
    {WSMAN_GET, "CIM_PowerManagementCapabilities", NULL},
    {WSMAN_GET, "AMT_RedirectionService", NULL},
    {WSMAN_PUT, "AMT_RedirectionService", NULL},
    {WSMAN_INVOKE, "AMT_TimeSynchronizationService", "GetLowAccuracyTimeSynch"},
    {WSMAN_INVOKE, "AMT_RedirectionService", "RequestStateChange"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int ready;
    struct err err = ERR_INIT;
    struct eoi *eoi;
    struct wsman_call *call;
    enum eoi_progress progress;

    if (size == 0)
        return 0;
    if (!ready++)
        xml_library_init();
    const size_t at = data[0] % (sizeof(calls) / sizeof(calls[0]));
    eoi = eoi_new();
    call = wsman_call_new(wsman_request_new(calls[at].verb, calls[at].class_name, calls[at].method));
    progress = eoi_begin(eoi, call, &err);
    data++;
    size--;
    for (int rounds = 0; progress == EOI_SEND && rounds < 64; rounds++) {
        const uint8_t *end = size > 0 ? memchr(data, 0xff, size) : NULL;
        size_t n = end ? (size_t)(end - data) : size;

        progress = eoi_answer(eoi, 200, data, n, &err);
        data += end ? n + 1 : 0; /* the last one again and again */
        size -= end ? n + 1 : 0;
    }
    if (progress == EOI_FINISHED && calls[at].verb != WSMAN_INVOKE && calls[at].verb != WSMAN_ENUMERATE &&
        wsman_call_count(call) == 0)
        abort();
    wsman_call_free(call);
    eoi_free(eoi);
    return 0;
}
