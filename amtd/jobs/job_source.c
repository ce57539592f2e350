#include "amtd/jobs/job_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "amtd/fleet/filter_take.h"
#include "amtd/jobs/job.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/xalloc.h"

void job_source_clear(struct job_source *source)
{
    free(source->name);
    free(source->text);
    json_decref(source->files);
    memset(source, 0, sizeof(*source));
}

void job_source_copy(struct job_source *to, const struct job_source *from)
{
    *to = (struct job_source){xstrdup(from->name), xstrdup(from->text), json_incref(from->files)};
}

static int read_plain(int fd, const char *path, struct buf *text, struct err *err)
{
    struct stat st;
    ssize_t n = 1;

    if (fd < 0)
        return err_set_errno(err, errno == ENOENT ? CAUSE_NOT_FOUND : CAUSE_SYSTEM, errno, "%s", path);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return err_set(err, CAUSE_SYSTEM, "%s: this is no file", path);
    while (n > 0 && text->len <= JOB_BYTES_MAX) {
        uint8_t *room = buf_room(text, 65536);

        n = room ? read(fd, room, 65536) : 0;
        buf_added(text, n > 0 ? (size_t)n : 0);
    }
    if (n < 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    if (text->len > JOB_BYTES_MAX)
        return err_set(err, CAUSE_SYSTEM, "%s: a job file is at most 1 MiB large", path);
    if (memchr(buf_str(text), '\0', text->len) || !text_is_utf8(buf_str(text), text->len))
        return err_set(err, CAUSE_SYSTEM, "%s: this is not text in UTF-8", path);
    return 0;
}

static int read_text(const char *path, char **text, struct err *err)
{
    struct buf bytes = buf_init(JOB_BYTES_MAX + 2 * 65536);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not stop us before it is refused */
    int status = read_plain(fd, path, &bytes, err);

    if (fd >= 0)
        close(fd);
    *text = status == 0 ? xstrdup(buf_str(&bytes)) : NULL;
    buf_free(&bytes);
    return status;
}

static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');

    return xstrndup(base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
}

/* --- what it names --- */

static int take_files(const char *path, const struct job_reading *reading, json_t *files, struct err *err)
{
    for (size_t i = 0; i < reading->file_count; i++) {
        json_t *file = filter_take(path, reading->files[i].name, reading->files[i].set, err);

        if (!file)
            return -1;
        json_object_set_new(files, reading->files[i].name, file);
    }
    return 0;
}

/* Once without what it names, to learn what that is; once more with it. */
static int read_whole(const char *path, struct job_source *out, json_t **mistakes, struct err *err)
{
    struct job_reading reading;
    struct job *job = job_read(out->name, out->text, strlen(out->text), NULL, &reading);
    int status = job ? take_files(path, &reading, out->files, err) : 0;

    if (job && status == 0) {
        job_free(job);
        job_reading_clear(&reading);
        job = job_read(out->name, out->text, strlen(out->text), out->files, &reading);
    }
    if (!job) {
        status = err_set(err, CAUSE_INVALID_ARGUMENT, "%s: the job file has %zu %s", path,
                         json_array_size(reading.mistakes),
                         text_plural(json_array_size(reading.mistakes), "mistake", "mistakes"));
        *mistakes = json_incref(reading.mistakes);
    }
    job_free(job);
    job_reading_clear(&reading);
    return status;
}

int job_source_read(const char *path, struct job_source *out, json_t **mistakes, struct err *err)
{
    *out = (struct job_source){.name = name_of(path), .files = json_object()};
    *mistakes = NULL;
    if (read_text(path, &out->text, err) == 0 && read_whole(path, out, mistakes, err) == 0)
        return 0;
    job_source_clear(out);
    return -1;
}
