/* Lines for the system's log (the socket /dev/log): sent without ever waiting for whoever reads them. Loop's
 * thread only. */
#ifndef AMTD_API_SYSLOG_SINK_H
#define AMTD_API_SYSLOG_SINK_H

#include <stddef.h>

struct syslog_sink;

enum syslog_sent {
    SYSLOG_SENT,
    SYSLOG_LATER,   /* nobody reads there, or he has as much as he takes; errno says which */
    SYSLOG_TOO_LONG /* never, at this length */
};

/* path: of a UNIX datagram socket, which need not be there yet; copied. facility: LOG_AUTHPRIV, ... */
struct syslog_sink *syslog_sink_new(const char *path, int facility);
void syslog_sink_free(struct syslog_sink *sink); /* NULL is fine */
const char *syslog_sink_path(const struct syslog_sink *sink);
/* severity: LOG_NOTICE, ... One line without its end. */
enum syslog_sent syslog_sink_send(struct syslog_sink *sink, int severity, const char *text);

#endif
