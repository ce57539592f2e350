/* Which devices are meant: "17", "1-5,9", "127.16.0.7", "127.16.0.7-127.16.0.9", "127.16.0.[7-9]", "all". */
#ifndef AMTSIM_SELECTION_H
#define AMTSIM_SELECTION_H

#include <stddef.h>

#include "base/err.h"
#include "tests/amtsim/fleet.h"

struct selection {
    struct device **devices; /* owned array of borrowed devices, in order of mention */
    size_t count;
};

/* 0, or -1 and err (invalid-argument: the item and what was expected). Clear in both cases. */
int selection_parse(struct selection *s, struct fleet *fleet, const char *text, struct err *err);
void selection_clear(struct selection *s);

#endif
