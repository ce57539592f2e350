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
    {WSMAN_ENUMERATE, "AMT_SystemDefensePolicy", NULL},
    {WSMAN_ENUMERATE, "AMT_IPHeadersFilter", NULL},
    {WSMAN_ENUMERATE, "AMT_Hdr8021Filter", NULL},
    {WSMAN_CREATE, "AMT_IPHeadersFilter", NULL},
    {WSMAN_CREATE, "AMT_SystemDefensePolicy", NULL},
    {WSMAN_ENUMERATE, "AMT_NetworkPortSystemDefensePolicy", NULL},
    {WSMAN_ENUMERATE, "AMT_NetworkPortDefaultSystemDefensePolicy", NULL},
    {WSMAN_ENUMERATE, "AMT_NetworkPortSystemDefenseCapabilities", NULL},
    {WSMAN_ENUMERATE, "AMT_ActiveFilterStatistics", NULL},
    {WSMAN_ENUMERATE, "CIM_BIOSElement", NULL},
    {WSMAN_ENUMERATE, "CIM_ComputerSystemPackage", NULL},
    {WSMAN_ENUMERATE, "CIM_Processor", NULL},
    {WSMAN_ENUMERATE, "CIM_PhysicalMemory", NULL},
    {WSMAN_INVOKE, "AMT_MessageLog", "PositionToFirstRecord"},
    {WSMAN_INVOKE, "AMT_MessageLog", "GetRecords"},
    {WSMAN_ENUMERATE, "AMT_PETFilterSetting", NULL},
    {WSMAN_ENUMERATE, "AMT_SNMPEventSubscriber", NULL},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int ready;
    struct err err = ERR_INIT;
    struct eoi *eoi;
    struct wsman_request *rq;
    struct wsman_call *call;
    enum eoi_progress progress;

    if (size == 0)
        return 0;
    if (!ready++)
        xml_library_init();
    const size_t at = data[0] % (sizeof(calls) / sizeof(calls[0]));
    eoi = eoi_new();
    rq = wsman_request_new(calls[at].verb, calls[at].class_name, calls[at].method);
    wsman_add_u32(rq, "IterationIdentifier", 1);
    call = wsman_call_new(rq);
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
