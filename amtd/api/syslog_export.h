/* The activity log on its way to the system's log: each row in its order, once it is in the store. What the
 * system's log does not take now waits in the store, also while amtd is not running: the last row that was
 * taken is in the file syslog.at of the state directory. After a loss of power some rows may come again;
 * their id tells. Loop's thread. */
#ifndef AMTD_API_SYSLOG_EXPORT_H
#define AMTD_API_SYSLOG_EXPORT_H

#include <uv.h>

#include "amtd/store/store.h"

struct syslog_export;

/* path and facility: of the system's log (syslog_sink.h). Without syslog.at it begins with the rows that are
 * written from now on. loop and store are borrowed. */
struct syslog_export *syslog_export_new(uv_loop_t *loop, struct store *store, const char *state_dir,
                                        const char *path, int facility);
/* There is a row more. NULL is fine. */
void syslog_export_look(struct syslog_export *exporter);
/* Before the store is closed; it ends when the store has answered. NULL is fine. */
void syslog_export_free(struct syslog_export *exporter);

#endif
