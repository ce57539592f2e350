#include "amtd/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

/* Who may write there may put another database, key or socket in the place of ours. */
static int check_mode(const char *path, struct err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "state directory %s", path);
    if (!S_ISDIR(st.st_mode))
        return err_set_errno(err, CAUSE_SYSTEM, ENOTDIR, "state directory %s", path);
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return err_set(
            err, CAUSE_SYSTEM,
            "state directory %s: it belongs to the user with number %u, who could put other files there",
            path, (unsigned)st.st_uid);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(err, CAUSE_SYSTEM,
                       "state directory %s: others may write there, its mode is %04o: chmod go-w it", path,
                       st.st_mode & 07777);
    return 0;
}

int state_dir_make(const char *path, struct err *err)
{
    char *copy = xstrdup(path);
    int status = 0;

    for (char *p = copy + 1; status == 0; p++) {
        char kept = *p;

        if (kept != '/' && kept != '\0')
            continue;
        *p = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST)
            status = err_set_errno(err, CAUSE_SYSTEM, errno, "state directory %s", copy);
        *p = kept;
        if (kept == '\0')
            break;
    }
    free(copy);
    return status == 0 ? check_mode(path, err) : status;
}

int state_dir_lock(const char *dir, struct err *err)
{
    char *path = xasprintf("%s/amtd.lock", dir);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    char pid[24] = "";
    ssize_t n;

    if (lock < 0) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    } else if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        n = read(lock, pid, sizeof(pid) - 1);
        pid[n > 0 ? n : 0] = '\0';
        pid[strcspn(pid, "\n")] = '\0';
        err_set(err, CAUSE_STATE_DIR_LOCKED, "%s is in use by amtd with pid %s", dir, pid[0] ? pid : "?");
        close(lock);
        lock = -1;
    } else {
        snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
        if (ftruncate(lock, 0) != 0 || write(lock, pid, strlen(pid)) < 0)
            log_warn(NULL, "%s: pid not written: %m", path);
    }
    free(path);
    return lock;
}
