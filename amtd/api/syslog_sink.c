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

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

#define WARN_MS 60000

struct syslog_sink {
    char *path;
    int facility;
    int fd; /* -1: not connected */
    unsigned long lost;
    int64_t warned_ms;
};

struct syslog_sink *syslog_sink_new(const char *path, int facility)
{
    struct syslog_sink *sink = xcalloc(1, sizeof(*sink));

    sink->path = xstrdup(path);
    sink->facility = facility;
    sink->fd = -1;
    sink->warned_ms = -WARN_MS;
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

/* A reader that was started anew has another socket: once more on that. */
static int send_line(struct syslog_sink *sink, const char *line)
{
    for (int i = 0; i < 2; i++) {
        if (reconnect(sink) != 0)
            return -1;
        if (send(sink->fd, line, strlen(line), MSG_NOSIGNAL) >= 0)
            return 0;
        if (errno == EAGAIN || errno == EMSGSIZE)
            return -1;
        disconnect(sink);
    }
    return -1;
}

void syslog_sink_send(struct syslog_sink *sink, int severity, const char *text)
{
    int64_t now = clock_mono(clock_system());
    time_t wall = time(NULL);
    char stamp[32] = "";
    struct tm local;
    char *line;

    if (localtime_r(&wall, &local))
        strftime(stamp, sizeof(stamp), "%b %e %T", &local);
    line = xasprintf("<%d>%s amtd[%ld]: %s", sink->facility | severity, stamp, (long)getpid(), text);
    if (send_line(sink, line) != 0) {
        sink->lost++;
        if (now - sink->warned_ms >= WARN_MS) {
            log_warn(NULL, "%s takes no lines of the activity log: %m (%lu lost so far)", sink->path,
                     sink->lost);
            sink->warned_ms = now;
        }
    }
    free(line);
}
