/* Scenarios and control lines of any bytes: either applied or refused with a reason. */
#include <stdint.h>
#include <stdlib.h>

#include <jansson.h>

#include "tests/amtsim/control.h"
#include "tests/amtsim/scenario.h"
#include "tests/unit/amtsim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sim sim;
    struct err err = ERR_INIT;
    struct buf report = buf_init(1 << 20);
    sim_start(&sim, 4, 16);
    if (size > 0 && data[0] == '{') {
        json_t *answer = control_run(sim.fleet, NULL, (const char *)data, size);
        if (answer == NULL)
            abort();
        json_decref(answer);
    } else if (scenario_apply_text(sim.fleet, data, size, "input", &report, &err) != 0 && report.len == 0) {
        abort();
    }
    buf_free(&report);
    sim_stop(&sim);
    return 0;
}
