/* One ATAPI command to a redirected drive, as typed at a shell: `cd 43 00 00 00 00 00 00 00 14`. */
#ifndef AMTSIM_SCRIPTED_CDB_H
#define AMTSIM_SCRIPTED_CDB_H

#include <stdbool.h>

#include "base/buf.h"
#include "tests/amtsim/machine.h"

#define SCRIPTED_CDB_EXPECT 65536 /* most bytes it may deliver */

struct scripted_cdb; /* opaque: a command under way */

/* Gives the command; answer gets one line and more, with CR LF, when it is there: "good", "sense 05/20/00",
 * "no answer", and the data in hexadecimal, 16 bytes a line. NULL: *why says what is wrong (static). */
struct scripted_cdb *scripted_cdb_new(const struct machine_events *machine, const char *text,
                                      void (*answer)(void *arg, const struct buf *text), void *arg,
                                      const char **why);
/* Nothing is answered after. Not to be called after the answer. NULL is fine. */
void scripted_cdb_free(struct scripted_cdb *cdb);

#endif
