/* A machine that is only a timer: transitions take a random time within the fleet's limits, the OS obeys at
 * once. Cheap: thousands of them. */
#ifndef AMTSIM_MACHINE_SCRIPTED_H
#define AMTSIM_MACHINE_SCRIPTED_H

#include <uv.h>

#include "tests/amtsim/machine.h"

struct machine_scripted_options {
    int64_t min_ms, max_ms;   /* one transition; 0 <= min <= max */
    uint64_t seed;            /* of its random times */
    enum machine_state state; /* at the start; on counts as one boot, long ago */
    uint32_t rate;            /* of its serial port, bytes a second; 0: no limit */
    const char *name;         /* what the machine calls itself; copied */
};

/* Never NULL. events is copied. destroy() frees it when the loop runs next. */
struct machine *machine_scripted_new(uv_loop_t *loop, const struct machine_scripted_options *options,
                                     const struct machine_events *events);

/* The machine does by itself what nobody asked it for: it is in that state at once, with the events of it.
 * false: not a scripted machine. */
bool machine_scripted_force(struct machine *machine, enum machine_state state);

#endif
