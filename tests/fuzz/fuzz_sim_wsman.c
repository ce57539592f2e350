/* The simulated device's answers: any bytes as a request document never break it, and what it answers is XML.
 * The first byte chooses the generation. */
#include <stdint.h>
#include <stdlib.h>

#include "base/xml.h"
#include "tests/amtsim/wsman.h"
#include "tests/unit/amtsim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned numbers[] = {6, 9, 11, 16, 21};
    struct sim sim;
    if (size == 0)
        return 0;
    sim_start(&sim, 1, numbers[data[0] % 5]);
    struct buf *out = &sim.fleet->body;
    for (int i = 0; i < 2; i++) { /* the second time in the state that the first one left */
        buf_reset(out);
        wsman_answer(&sim.fleet->devices[0], (struct view){data + 1, size - 1}, false, UINT32_MAX, out);
        struct xml_doc *doc = xml_parse(out->p, out->len, 1 << 24, "answer", NULL);
        if (doc == NULL)
            abort();
        xml_free(doc);
    }
    sim_stop(&sim);
    return 0;
}
