/* The lives of a log, and whether a replica has bytes of them: lives.h. The file `lives` is there from the
 * time on when the log was first followed; no byte is written before the life that writes it is there. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "amtd/console/clog_internal.h"
#include "amtd/console/proof.h"
#include "amtd/console/segment.h"
#include "base/file.h"
#include "base/log.h"
#include "base/xalloc.h"

#define OFFSET_MAX ((uint64_t)1 << 62)

char *clog_lives_path(const struct clog *log)
{
    return xasprintf("%s/lives", log->path);
}

/* --- the file --- */

int clog_lives_know(struct clog *log, struct err *err)
{
    char *path = clog_lives_path(log);
    struct buf text = buf_init(LIVES_TEXT_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), status = 0;
    ssize_t n = fd >= 0 ? read(fd, buf_room(&text, LIVES_TEXT_MAX), LIVES_TEXT_MAX) : -1;

    if (n >= 0) {
        buf_added(&text, (size_t)n);
        lives_clear(&log->lives);
        if (lives_read_added(&log->lives, buf_str(&text), text.len, NULL) != 0)
            clog_repair_note(log, "'lives' makes no sense");
        else if (text.len > 0 && buf_str(&text)[text.len - 1] == '\n')
            log->lives_bytes = text.len;
        status = lives_add(&log->lives, log->end, false, err);
        log->lives_unsaved = true;
    } else if (errno != ENOENT) {
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    }
    if (fd >= 0)
        close(fd);
    buf_free(&text);
    free(path);
    return status;
}

/* One line more. Replacing a file costs ext4 half a millisecond each, and after a restart a thousand logs are
 * written to in one turn. False: the file is not what it was, or becomes too long. */
static bool add_last(struct clog *log, const char *path)
{
    const struct lives last = {&log->lives.all[log->lives.count - 1], 1};
    struct buf line = buf_init(LIVES_TEXT_MAX);
    struct stat st;
    int fd = -1;
    bool added;

    lives_write(&last, &line);
    if (log->lives_bytes > 0 && log->lives_bytes + line.len < LIVES_TEXT_MAX)
        fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    added = fd >= 0 && fstat(fd, &st) == 0 && (size_t)st.st_size == log->lives_bytes &&
            write(fd, line.p, line.len) == (ssize_t)line.len;
    log->lives_bytes = added ? log->lives_bytes + line.len : 0;
    if (fd >= 0)
        close(fd);
    buf_free(&line);
    return added;
}

static int write_all(struct clog *log, const char *path, struct err *err)
{
    struct buf text = buf_init(LIVES_TEXT_MAX);
    int status;

    lives_write(&log->lives, &text);
    status = file_put(path, text.p, text.len, err);
    if (status == 0)
        log->lives_bytes = text.len;
    buf_free(&text);
    return status;
}

int clog_lives_save(struct clog *log, struct err *err)
{
    char *path;
    int status;

    if (!log->lives_unsaved)
        return 0;
    if (clog_make_dir(log, NULL, err) != 0)
        return -1;
    path = clog_lives_path(log);
    status = add_last(log, path) ? 0 : write_all(log, path, err);
    if (status == 0) {
        log->lives_unsaved = false;
        log->fresh = true;
    }
    free(path);
    return status;
}

int clog_lives(struct clog *log, struct buf *text, struct err *err)
{
    struct lives lives = {0};
    int status = clog_know(log, err);

    if (status == 0 && log->lives.count > 0) {
        lives_write(&log->lives, text);
    } else if (status == 0) {
        status = proof_lives_read(log->path, &lives, err);
        lives_write(&lives, text);
        lives_clear(&lives);
    }
    return status;
}

unsigned clog_generation(const struct clog *log)
{
    return log->generation;
}

void clog_lives_changed(struct clog *log)
{
    log->generation++;
    log->fresh = true; /* they are synced with what is written next */
}

/* --- followers --- */

/* Everything from now on is behind what anybody has. */
static int begin_history(struct clog *log, uint64_t next, uint64_t differs, struct err *err)
{
    uint64_t behind = next > log->end ? next : log->end;
    uint64_t offset = (behind / HISTORY_STEP + 1) * HISTORY_STEP;
    char text[120];

    if (offset > OFFSET_MAX)
        return err_set(err, CAUSE_LIMIT_EXCEEDED, "%s: there are no offsets for a new history", log->path);
    snprintf(text, sizeof(text),
             "a new history begins, because a replica has other bytes from %" PRIu64 " on", differs);
    if (clog_skip(log, offset, text, err) != 0 || lives_add(&log->lives, offset, true, err) != 0)
        return -1;
    if (log->lives_unsaved) /* two are not in the file */
        log->lives_bytes = 0;
    log->lives_unsaved = true;
    log->generation++;
    return clog_lives_save(log, err);
}

int clog_follow(struct clog *log, const struct lives *theirs, uint64_t next, uint64_t *offset,
                uint64_t *differs, bool *begun, struct err *err)
{
    *begun = false;
    *offset = next;
    *differs = UINT64_MAX;
    clog_flush(log);
    if (clog_know(log, err) != 0)
        return -1;
    if (log->lives.count == 0) { /* nobody has anything of the lives before */
        if (lives_add(&log->lives, 0, false, err) != 0)
            return -1;
        log->lives_unsaved = true;
    }
    if (clog_lives_save(log, err) != 0)
        return -1;
    *differs = lives_differ(&log->lives, theirs, next);
    if (*differs == next && next > log->end) /* of this life, but never written */
        *differs = log->end;
    if (*differs == next) {
        *differs = UINT64_MAX;
        return 0;
    }
    *offset = lives_history(&log->lives, next);
    if (*offset > 0)
        return 0;
    if (begin_history(log, next, *differs, err) != 0)
        return -1;
    *offset = log->end;
    *begun = true;
    return 0;
}

/* --- how much there is --- */

/* Bytes that no history has, in front of the one that begins with that file. */
static uint64_t left_out(const struct clog *log, const struct log_file *before, uint64_t next)
{
    char *path = log_dir_segment(log->path, before);
    struct segment *s = segment_open(path, before->first, before->form == LOG_COMPRESSED, NULL);
    uint64_t end = s ? segment_end(s) : next;

    segment_close(s);
    free(path);
    return end < next ? next - end : 0;
}

uint64_t clog_holes(const struct clog *log, const struct log_dir *dir)
{
    uint64_t holes = 0;

    for (size_t i = 1; i < dir->count; i++)
        if (dir->files[i].first >= HISTORY_STEP &&
            dir->files[i].first / HISTORY_STEP > dir->files[i - 1].first / HISTORY_STEP)
            holes += left_out(log, &dir->files[i - 1], dir->files[i].first);
    if (dir->count > 0 && log->first / HISTORY_STEP > dir->files[dir->count - 1].first / HISTORY_STEP)
        holes += left_out(log, &dir->files[dir->count - 1], log->first); /* nothing is in it yet */
    return holes;
}
