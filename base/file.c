#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"

int file_write(int fd, const void *p, size_t n, const char *path, struct err *err)
{
    const char *bytes = p;

    while (n > 0) {
        ssize_t done = write(fd, bytes, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return err_set_errno(err, CAUSE_SYSTEM, done < 0 ? errno : ENOSPC, "%s", path);
        bytes += done;
        n -= (size_t)done;
    }
    return 0;
}

int file_read(const char *path, struct buf *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char piece[4096];
    ssize_t n = fd >= 0 ? 1 : -1;

    while (n > 0 && buf_ok(out)) {
        n = read(fd, piece, sizeof(piece));
        if (n > 0)
            buf_add(out, piece, (size_t)n);
        else if (n < 0 && errno == EINTR)
            n = 1;
    }
    if (n < 0)
        err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    else if (!buf_ok(out))
        err_set(err, CAUSE_LIMIT_EXCEEDED, "%s: the file is too large", path);
    if (fd >= 0)
        close(fd);
    return n < 0 || !buf_ok(out) ? -1 : 0;
}

static int replace(const char *path, const void *p, size_t n, bool on_disk, struct err *err)
{
    char *fresh = xasprintf("%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int status =
        fd >= 0 ? file_write(fd, p, n, path, err) : err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);

    if (status == 0 && ((on_disk && fsync(fd) != 0) || rename(fresh, path) != 0))
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    if (fd >= 0)
        close(fd);
    if (status != 0)
        unlink(fresh);
    free(fresh);
    return status;
}

int file_replace(const char *path, const void *p, size_t n, struct err *err)
{
    return replace(path, p, n, true, err);
}

int file_put(const char *path, const void *p, size_t n, struct err *err)
{
    return replace(path, p, n, false, err);
}
