/* Reads devices' answers on a thread of its own: half of what a run costs the loop besides the kernel's work
 * is XML.
 *
 * Answers are handed over and given back many at a time. When there are only a few, as of a command for one
 * host, they are read on the loop's thread: it takes less time than waking another one. Loop's thread only.
 */
#ifndef AMTD_FLEET_READER_H
#define AMTD_FLEET_READER_H

#include <uv.h>

#include "base/err.h"
#include "wsman/runner.h"

struct reader;

/* NULL and err (system). */
struct reader *reader_new(uv_loop_t *loop, struct err *err);
/* For runners; lives as long as the reader. */
const struct runner_reader *reader_for_runners(const struct reader *reader);
/* What is still being read is dropped. Frees later, from the loop. NULL is fine. */
void reader_free(struct reader *reader);

#endif
