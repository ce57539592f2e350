#include "amtd/api/syslog_export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "amtd/api/syslog_sink.h"
#include "amtd/store/activity_chain.h"
#include "base/log.h"
#include "base/xalloc.h"

#define PORTION  500  /* rows read at a time */
#define AGAIN_MS 1000 /* after the system's log took no more */
#define WARN_MS  60000
#define ID_WIDTH 20

struct syslog_export {
    uv_timer_t timer; /* first: freed in its close callback */
    struct store *store;
    struct syslog_sink *sink;
    int64_t done; /* the last row that was taken; -1: none yet */
    int64_t gone; /* the same, when the log ends before it: an older copy was put in its place */
    int file;     /* syslog.at; -1: it cannot be written */
    bool begun, reading, more, closing;
    bool stuck; /* it takes no more for now */
    uint64_t warned_at;
    struct activity *rows; /* that were read */
    size_t count;
};

/* --- the last row that was taken --- */

static int64_t read_mark(int file)
{
    char text[ID_WIDTH + 1] = "";
    ssize_t n = file >= 0 ? pread(file, text, ID_WIDTH, 0) : -1;
    char *end = text;
    long long id = n == ID_WIDTH ? strtoll(text, &end, 10) : -1;

    return *end == '\0' && id > 0 ? id : -1;
}

/* Where it is lost, rows come again: worth no fsync. */
static void write_mark(const struct syslog_export *e)
{
    char text[ID_WIDTH + 2];

    snprintf(text, sizeof(text), "%0*lld\n", ID_WIDTH, (long long)e->done);
    if (e->file >= 0 && pwrite(e->file, text, ID_WIDTH + 1, 0) != ID_WIDTH + 1)
        log_err(NULL, "syslog.at cannot be written: %m");
}

/* --- one row --- */

/* With these alone a row is found again, and proved by its hash. */
static json_t *shortened(const json_t *row)
{
    static const char *const names[] = {"id", "at", "who", "by", "result", "hash", NULL};
    json_t *json = json_pack("{s:b}", "shortened", 1);

    for (size_t i = 0; names[i]; i++)
        if (json_object_get(row, names[i]))
            json_object_set(json, names[i], json_object_get(row, names[i]));
    return json;
}

static enum syslog_sent send_json(const struct syslog_export *e, int severity, const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    enum syslog_sent sent = syslog_sink_send(e->sink, severity, text);

    free(text);
    return sent;
}

static enum syslog_sent send_row(const struct syslog_export *e, const struct activity *row)
{
    int severity = strcmp(row->result, cause_name(CAUSE_DENIED)) == 0 ? LOG_WARNING : LOG_NOTICE;
    json_t *json = activity_json(row), *less;
    enum syslog_sent sent = send_json(e, severity, json);

    if (sent == SYSLOG_TOO_LONG) {
        less = shortened(json);
        sent = send_json(e, severity, less);
        json_decref(less);
    }
    json_decref(json);
    return sent;
}

static void say_stuck(struct syslog_export *e, int why)
{
    if (!e->stuck && (e->warned_at == 0 || uv_now(e->timer.loop) - e->warned_at >= WARN_MS)) {
        log_warn(NULL, "%s takes no lines of the activity log: %s; they wait", syslog_sink_path(e->sink),
                 strerror(why));
        e->warned_at = uv_now(e->timer.loop);
    }
    e->stuck = true;
}

/* --- reading on --- */

static void on_timer(uv_timer_t *timer)
{
    syslog_export_look((struct syslog_export *)timer);
}

static void clear_rows(struct syslog_export *e)
{
    for (size_t i = 0; i < e->count; i++)
        activity_clear(&e->rows[i]);
    free(e->rows);
    e->rows = NULL;
    e->count = 0;
}

static void closed(uv_handle_t *handle)
{
    struct syslog_export *e = (struct syslog_export *)handle;

    syslog_sink_free(e->sink);
    if (e->file >= 0)
        close(e->file);
    free(e);
}

static int read_work(struct tx *tx, void *data, struct err *err)
{
    struct syslog_export *e = data;
    struct activity_head head;

    clear_rows(e); /* the transaction is tried again when others in it fail */
    if (!e->begun && tx_activity_head(tx, &head, err) != 0)
        return -1;
    if (!e->begun && (e->done < 0 || e->done > head.id)) {
        e->gone = e->done > head.id ? e->done : 0;
        e->done = head.id;
    }
    e->begun = true;
    return tx_activities_after(tx, e->done, PORTION, &e->rows, &e->count, err);
}

static void rows_read(void *data, const struct err *failure)
{
    struct syslog_export *e = data;
    bool stuck = false;
    size_t i;

    e->reading = false;
    if (e->gone > 0)
        log_err(NULL,
                "the activity log ends with row %lld, and %s has its row %lld: an older copy of the database "
                "was put in "
                "its place",
                (long long)e->done, syslog_sink_path(e->sink), (long long)e->gone);
    e->gone = 0;
    for (i = 0; !failure && i < e->count && !stuck; i++) {
        stuck = send_row(e, &e->rows[i]) == SYSLOG_LATER;
        if (stuck)
            say_stuck(e, errno);
        else
            e->done = e->rows[i].id;
    }
    if (!failure)
        write_mark(e);
    e->more |= e->count == PORTION;
    if (i > 0 && !stuck)
        e->stuck = false;
    clear_rows(e);
    if (e->closing)
        uv_close((uv_handle_t *)&e->timer, closed);
    else if (stuck || failure)
        uv_timer_start(&e->timer, on_timer, AGAIN_MS, 0);
    else if (e->more)
        syslog_export_look(e);
}

void syslog_export_look(struct syslog_export *e)
{
    if (!e)
        return;
    e->more = true;
    if (e->reading || e->closing || (e->stuck && uv_is_active((uv_handle_t *)&e->timer)))
        return;
    e->more = false;
    e->reading = true;
    store_submit(e->store, read_work, rows_read, e);
}

struct syslog_export *syslog_export_new(uv_loop_t *loop, struct store *store, const char *state_dir,
                                        const char *path, int facility)
{
    struct syslog_export *e = xcalloc(1, sizeof(*e));
    char *mark = xasprintf("%s/syslog.at", state_dir);

    uv_timer_init(loop, &e->timer);
    e->store = store;
    e->sink = syslog_sink_new(path, facility);
    e->file = open(mark, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (e->file < 0)
        log_err(NULL, "%s: %m: the system's log may get rows again", mark);
    e->done = read_mark(e->file);
    free(mark);
    syslog_export_look(e);
    return e;
}

void syslog_export_free(struct syslog_export *e)
{
    if (!e)
        return;
    e->closing = true;
    uv_timer_stop(&e->timer);
    if (!e->reading)
        uv_close((uv_handle_t *)&e->timer, closed);
}
