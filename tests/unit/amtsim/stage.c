#include "tests/unit/amtsim/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct sim sim;
struct device *device;
const char *text;

static int begin(unsigned generation)
{
    sim_start(&sim, 2, generation);
    device = &sim.fleet->devices[0];
    return 0;
}

int stage_16(void **state)
{
    (void)state;
    return begin(16);
}

int stage_9(void **state)
{
    (void)state;
    return begin(9);
}

int stage_clear(void **state)
{
    (void)state;
    sim_stop(&sim);
    return 0;
}

void has(const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no '%s' in %s", part, text);
}
