/* A client session of the redirection protocol fed twice with the same bytes: at once, and one at a time.
 * Both must do the same; what they do is written down and compared. */
#ifndef TESTS_FUZZ_SOL_TWINS_H
#define TESTS_FUZZ_SOL_TWINS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum sol_twin_kind { TWIN_SOL, TWIN_IDER, TWIN_KVM };
enum sol_twin_blocks { TWIN_BLOCKS, TWIN_ERRORS, TWIN_NEVER };

struct sol_twin {
    enum sol_twin_kind kind;
    bool logged_in;               /* the bytes begin behind a login */
    unsigned methods;             /* else: allowed for the login */
    enum sol_twin_blocks answers; /* of reads */
};

/* Aborts when the twins differ. */
void sol_twins(const struct sol_twin *twin, const uint8_t *p, size_t n);

#endif
