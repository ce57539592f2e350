/* A small fleet for tests: fake clock, own loop, no sockets. */
#ifndef TEST_SIM_H
#define TEST_SIM_H

#include "base/clock.h"
#include "tests/amtsim/fleet.h"

struct sim {
    uv_loop_t loop;
    struct clock_fake time;
    struct clock clock;
    struct options options;
    struct fleet *fleet;
    uint32_t realms; /* what the account that asks may do: everything, until it is set */
};

/* devices of that generation, machines on. */
void sim_start(struct sim *sim, uint32_t devices, unsigned generation);
void sim_stop(struct sim *sim);
/* Runs the loop until the device's machine is in that state, or has booted that often; at most 10 s. */
void sim_run_until_state(struct sim *sim, const struct device *device, enum machine_state state);
void sim_run_until_boot(struct sim *sim, const struct device *device, uint32_t count);
/* Runs the loop once, for at most 5 ms. */
void sim_turn(struct sim *sim);

/* A request document into a static buffer: action (full URI, or "Get"), class, inner Header and Body XML. */
const char *sim_request(const char *action, const char *class_name, const char *header, const char *body);
/* Answers it without HTTP; returns the HTTP status, *text the document (until the next call). */
int sim_ask(struct sim *sim, struct device *device, const char *request, const char **text);
/* The same for a method; body is what stands inside _INPUT with prefix r. */
int sim_invoke(struct sim *sim, struct device *device, const char *class_name, const char *method,
               const char *body, const char **text);

#endif
