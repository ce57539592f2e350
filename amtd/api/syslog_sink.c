#include "amtd/api/syslog_sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"

struct syslog_sink {
    char *path;
    int facility;
    int fd; /* -1: not connected */
};

struct syslog_sink *syslog_sink_new(const char *path, int facility)
{
    struct syslog_sink *sink = xcalloc(1, sizeof(*sink));

    sink->path = xstrdup(path);
    sink->facility = facility;
    sink->fd = -1;
    return sink;
}

static void disconnect(struct syslog_sink *sink)
{
    if (sink->fd >= 0)
        close(sink->fd);
    sink->fd = -1;
}

void syslog_sink_free(struct syslog_sink *sink)
{
    if (!sink)
        return;
    disconnect(sink);
    free(sink->path);
    free(sink);
}

static int reconnect(struct syslog_sink *sink)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (sink->fd >= 0)
        return 0;
    if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s", sink->path) >=
        sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    sink->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sink->fd >= 0 && connect(sink->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return 0;
    disconnect(sink);
    return -1;
}

const char *syslog_sink_path(const struct syslog_sink *sink)
{
    return sink->path;
}

/* A reader that was started anew has another socket: once more on that. */
static enum syslog_sent send_line(struct syslog_sink *sink, const char *line)
{
    for (int i = 0; i < 2; i++) {
        if (reconnect(sink) != 0)
            return SYSLOG_LATER;
        if (send(sink->fd, line, strlen(line), MSG_NOSIGNAL) >= 0)
            return SYSLOG_SENT;
        if (errno == EMSGSIZE)
            return SYSLOG_TOO_LONG;
        if (errno == EAGAIN)
            return SYSLOG_LATER;
        disconnect(sink);
    }
    return SYSLOG_LATER;
}

enum syslog_sent syslog_sink_send(struct syslog_sink *sink, int severity, const char *text)
{
    time_t wall = time(NULL);
    char stamp[32] = "";
    enum syslog_sent sent;
    struct tm local;
    char *line;

    if (localtime_r(&wall, &local))
        strftime(stamp, sizeof(stamp), "%b %e %T", &local);
    line = xasprintf("<%d>%s amtd[%ld]: %s", sink->facility | severity, stamp, (long)getpid(), text);
    sent = send_line(sink, line);
    free(line);
    return sent;
}
