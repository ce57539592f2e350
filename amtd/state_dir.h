/* The directory that holds all of a daemon: its database, keys and logs. One daemon at a time. Any thread. */
#ifndef AMTD_STATE_DIR_H
#define AMTD_STATE_DIR_H

#include "base/err.h"

/* Makes a directory and those above it that are missing, for its owner only. One that is there is refused
 * when others may write in it. 0, or -1 and err (system). */
int state_dir_make(const char *path, struct err *err);

/* The lock of the directory, which must be there: a descriptor that the caller closes, or -1 and err (system,
 * state-dir-locked with the number of the process that has it). The lock is the file's, not its existence: it
 * goes with the process that holds it, however that ends. */
int state_dir_lock(const char *path, struct err *err);

#endif
