/* How many files and connections may be open at a time, and who gets how many of them. */
#ifndef AMTD_DESCRIPTORS_H
#define AMTD_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

/* Raises the limit of this process to what the system allows; a line in the log when that is too little for
 * `dials` connections opened at a time. */
void descriptors_raise(int64_t dials);

/* How many connections may be opened at a time: `dials`, or less where the limit does not allow it; at least
 * 16. */
int64_t descriptors_for_dials(int64_t dials);

/* Idle connections to devices that may be kept: `most`, or less where the limit does not allow it; at least
 * 16. */
size_t descriptors_for_kept(size_t most);

/* Of log files kept open; the rest is for connections. */
size_t descriptors_for_logs(void);

/* Makes room in the kernel's table for consoles, connections kept (`others`, together), logs and dials.
 * Before there are threads: the table doubles when it is full, and in a process of several threads each time
 * waits some ten milliseconds for all processors. */
void descriptors_reserve(size_t others, int64_t dials);

#endif
