#include "amtd/fleet/stages.h"

#define SHARE          4 /* of all: a batch, and as many failures as are borne */
#define BATCH_LEAST    25
#define FAILURES_LEAST 5
#define CANARY_FEW     1
#define CANARY_MANY    5
#define MANY_HOSTS     100

static uint32_t share(size_t hosts, uint32_t least)
{
    size_t part = (hosts + SHARE - 1) / SHARE;

    return part > least ? (uint32_t)part : least;
}

void stages_settle(struct stages *stages, size_t hosts, bool careful)
{
    bool many = careful && hosts > STAGES_CAREFUL_ABOVE;

    if (stages->canary == STAGES_CHOOSE)
        stages->canary = !many ? 0 : hosts > MANY_HOSTS ? CANARY_MANY : CANARY_FEW;
    if (stages->batch == STAGES_CHOOSE)
        stages->batch = many ? share(hosts, BATCH_LEAST) : 0;
    if (stages->max_failures == STAGES_CHOOSE)
        stages->max_failures = many ? share(hosts, FAILURES_LEAST) : 0;
}

size_t stages_size(const struct stages *stages, size_t hosts, size_t at)
{
    if (at == 0 && stages->canary > 0)
        return stages->canary;
    return stages->batch > 0 ? stages->batch : hosts;
}

size_t stages_count(const struct stages *stages, size_t hosts)
{
    size_t count = 0;

    for (size_t at = 0; at < hosts; at += stages_size(stages, hosts, at))
        count++;
    return count;
}

size_t stages_of(const struct stages *stages, size_t hosts, size_t at)
{
    size_t stage = 1, end = stages_size(stages, hosts, 0);

    while (end <= at) {
        end += stages_size(stages, hosts, end);
        stage++;
    }
    return stage;
}
