#include "filters/generation.h"

#include <stddef.h>

/* The same numbers everywhere: no source tells them apart. */
#define USUAL_DEVICE                                                                                         \
    {                                                                                                        \
        8, 80                                                                                                \
    }
#define USUAL_PORT                                                                                           \
    {                                                                                                        \
        .ipv4_tx = {32, 16}, .ipv4_rx = {32, 16}, .ipv6_tx = {8, 4}, .ipv6_rx = {8, 4}, .ipv6_ratio = 4,     \
        .ipv4_anti_spoof = true                                                                              \
    }

const struct generation generations[] = {
    {"AMT 1 and 2", 1, 2, false, false, USUAL_DEVICE, USUAL_PORT},
    {"AMT 3", 3, 3, true, false, USUAL_DEVICE, USUAL_PORT},
    {"AMT 4 and later", 4, 999, true, true, USUAL_DEVICE, USUAL_PORT},
    {NULL},
};

const struct generation *generation_of(unsigned major)
{
    for (const struct generation *row = generations; row->name; row++)
        if (major >= row->first && major <= row->last)
            return row;
    return NULL;
}
