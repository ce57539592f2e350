/* Frames judged by the simulated System Defense: any bytes are read within their bounds, and judged the same
 * way twice where nothing is counted against a limit. The first byte: bit 0 the direction, bit 1 the port. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/amtsim/defense_judge.h"
#include "tests/unit/amtsim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A filter that looks at every part of a packet, of either version. */
static uint32_t add(struct device *d, uint8_t version, uint8_t protocol, uint8_t direction)
{
    struct defense_filter f = {
        .ip = true,
        .version = version,
        .has_protocol = protocol != 0,
        .protocol = protocol,
        .profile = DEFENSE_DROP_COUNT,
        .direction = direction,
        .source = {.given = true},
        .destination_ports = {protocol != 0, 1, 1023},
        .flags_on = protocol == 6 ? 2 : 0,
    };
    return defense_filter_add(d, &f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t versions[] = {4, 6}, protocols[] = {0, 6, 17};
    struct sim sim;
    struct defense_policy p = {.anti_spoof = 3};
    if (size == 0)
        return 0;
    sim_start(&sim, 1, 16);
    struct device *d = &sim.fleet->devices[0];
    d->ports = 3;
    for (unsigned i = 0; i < 12; i++)
        p.handles[p.count++] = add(d, versions[i % 2], protocols[i / 2 % 3], i / 6 % 2);
    uint32_t handle = defense_policy_add(d, &p);
    defense_bind(d, DEFENSE_CONSOLE, 0, handle);
    defense_bind(d, DEFENSE_CONSOLE, 1, handle);
    enum defense_direction direction = data[0] & 1 ? DEFENSE_TX : DEFENSE_RX;
    uint8_t *frame = malloc(size > 1 ? size - 1 : 1); /* no more, so that a byte too far is seen */
    if (frame == NULL)
        abort();
    memcpy(frame, data + 1, size - 1);
    bool first = defense_judge(d, data[0] >> 1 & 1, direction, frame, size - 1);
    if (first != defense_judge(d, data[0] >> 1 & 1, direction, frame, size - 1))
        abort();
    free(frame);
    sim_stop(&sim);
    return 0;
}
