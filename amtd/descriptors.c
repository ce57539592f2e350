#include "amtd/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

#define LOGS_MAX  4096
#define DIALS_MIN 16
#define KEPT      512 /* that are not for connections to devices */

/* INT64_MAX: without an end. */
static int64_t limit(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY ||
        files.rlim_cur > INT64_MAX)
        return INT64_MAX;
    return (int64_t)files.rlim_cur;
}

void descriptors_raise(int64_t dials)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (descriptors_for_dials(dials) < dials)
        log_warn(NULL, "only %lld files may be open: at most %lld connections are opened at a time",
                 (long long)limit(), (long long)descriptors_for_dials(dials));
}

int64_t descriptors_for_dials(int64_t dials)
{
    int64_t fit = (limit() - KEPT) / 2;

    return dials < fit ? dials : fit > DIALS_MIN ? fit : DIALS_MIN;
}

size_t descriptors_for_kept(size_t most)
{
    int64_t fit = (limit() - KEPT) / 4;

    return (int64_t)most < fit ? most : fit > DIALS_MIN ? (size_t)fit : DIALS_MIN;
}

size_t descriptors_for_logs(void)
{
    int64_t share = limit() / 4;

    return share < LOGS_MAX ? (size_t)share : LOGS_MAX;
}

void descriptors_reserve(size_t others, int64_t dials)
{
    int64_t most = (int64_t)others + (int64_t)descriptors_for_logs() + descriptors_for_dials(dials) + KEPT;
    int fd;

    if (most >= limit())
        most = limit() - 1;
    fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, (int)most);
    if (fd >= 0)
        close(fd);
}
