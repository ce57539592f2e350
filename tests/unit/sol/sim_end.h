/* The device's end of a redirection session, out of amtsim, in memory and by a fake clock. The two ends share
 * no message code, and no header either: this one keeps them apart. */
#ifndef TESTS_UNIT_SOL_SIM_END_H
#define TESTS_UNIT_SOL_SIM_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

struct sim_end {
    struct sim_parts *parts;
    struct buf typed; /* what the machine's serial port was given */
    /* the last command of the machine to a drive */
    unsigned answers;
    bool gone;
    uint8_t sense, asc, ascq;
    struct buf data;
};

void sim_end_start(struct sim_end *end, unsigned generation); /* one device, its machine on */
void sim_end_stop(struct sim_end *end);
void sim_end_connect(struct sim_end *end); /* a new connection in place of the last one */

int64_t sim_end_now(const struct sim_end *end);
void sim_end_pass(struct sim_end *end, int64_t ms); /* and everything that is due then */
void sim_end_feed(struct sim_end *end, const void *p, size_t n);
struct view sim_end_output(struct sim_end *end);
void sim_end_sent(struct sim_end *end, size_t n);
bool sim_end_closes(const struct sim_end *end); /* the device wants the connection closed */
bool sim_end_breaks(const struct sim_end *end); /* for something that the client did wrong */

void sim_end_say(struct sim_end *end, const void *p, size_t n); /* the machine does, on its port */
void sim_end_reset(struct sim_end *end);                        /* the machine is */
/* The machine gives a drive a command that may deliver `expect` bytes. False: there is no such drive. */
bool sim_end_command(struct sim_end *end, bool cd, const uint8_t cdb[12], uint32_t expect);

void sim_end_allow(struct sim_end *end, unsigned enabled_state); /* AMT_RedirectionService.EnabledState */
void sim_end_want_consent(struct sim_end *end);

#endif
