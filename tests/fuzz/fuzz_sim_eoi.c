/* The simulated device's SOAP interface: any bytes as a request never break it, and what it answers is XML.
 * The first byte chooses the service. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xml.h"
#include "tests/amtsim/eoi.h"
#include "tests/unit/amtsim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = {"/RemoteControlService",         "/SecurityAdministrationService",
                                        "/NetworkAdministrationService", "/RedirectionService",
                                        "/NetworkTimeService",           "/HardwareAssetService",
                                        "/EventManagerService",          "/CircuitBreakerService"};
    struct sim sim;
    if (size == 0)
        return 0;
    const char *path = paths[data[0] % (sizeof(paths) / sizeof(paths[0]))];
    sim_start(&sim, 1, 5);
    struct buf *out = &sim.fleet->body;
    for (int i = 0; i < 2; i++) { /* the second time in the state that the first one left */
        buf_reset(out);
        eoi_answer(&sim.fleet->devices[0], (struct view){(const uint8_t *)path, strlen(path)},
                   (struct view){data + 1, size - 1}, UINT32_MAX, out);
        struct xml_doc *doc = xml_parse(out->p, out->len, 1 << 24, "answer", NULL);
        if (doc == NULL)
            abort();
        xml_free(doc);
    }
    sim_stop(&sim);
    return 0;
}
