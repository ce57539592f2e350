#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

#define LINE_MAX_BYTES 4096

static struct {
    pthread_mutex_t lock;
    char program[32];
    enum log_level level;
    int file; /* -1 none */
    bool journal;
} g = {PTHREAD_MUTEX_INITIALIZER, "", LOG_LEVEL_INFO, -1, false};

int log_open(const char *program, enum log_level level, const char *file)
{
    int fd = file ? open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640) : -1;

    if (file && fd < 0)
        return -1;
    pthread_mutex_lock(&g.lock);
    snprintf(g.program, sizeof(g.program), "%s", program);
    if (g.file >= 0)
        close(g.file);
    g.file = fd;
    g.journal = getenv("JOURNAL_STREAM") != NULL;
    pthread_mutex_unlock(&g.lock);
    log_set_level(level);
    return 0;
}

void log_set_level(enum log_level level)
{
    __atomic_store_n(&g.level, level, __ATOMIC_RELAXED);
}

bool log_enabled(enum log_level level)
{
    return level <= __atomic_load_n(&g.level, __ATOMIC_RELAXED);
}

static void time_stamp(struct buf *line)
{
    int64_t now = clock_wall(clock_system());
    char text[CLOCK_TEXT_MAX];

    clock_text(now, text);
    text[strlen(text) - 1] = '\0'; /* the Z comes behind the milliseconds */
    buf_printf(line, "%s.%03dZ ", text, (int)(now % 1000));
}

static void line_write(enum log_level level, const char *ctx, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void line_write(enum log_level level, const char *ctx, const char *fmt, va_list ap)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    struct buf text = buf_init(LINE_MAX_BYTES);
    struct buf line = buf_init(5 * LINE_MAX_BYTES);
    size_t stamp;

    if (!log_enabled(level))
        return;
    buf_vprintf(&text, fmt, ap);
    time_stamp(&line);
    stamp = line.len;
    buf_printf(&line, "%s %s%s", names[level], ctx ? ctx : "", ctx ? " " : "");
    if (buf_ok(&text))
        text_printable(&line, buf_str(&text), text.len);
    else
        buf_puts(&line, "(a line too long to be shown)");
    buf_putc(&line, '\n');
    pthread_mutex_lock(&g.lock);
    if (buf_ok(&line)) {
        size_t skip = g.journal ? stamp : 0;
        ssize_t lost = write(STDERR_FILENO, line.p + skip, line.len - skip);

        if (g.file >= 0)
            lost = write(g.file, line.p, line.len);
        (void)lost; /* there is nobody left to tell */
    }
    pthread_mutex_unlock(&g.lock);
    buf_free(&line);
    buf_free(&text);
}

#define LOG_FUNCTION(name, level)                                                                            \
    void name(const char *ctx, const char *fmt, ...)                                                         \
    {                                                                                                        \
        int saved = errno;                                                                                   \
        va_list ap;                                                                                          \
        va_start(ap, fmt);                                                                                   \
        line_write(level, ctx, fmt, ap);                                                                     \
        va_end(ap);                                                                                          \
        errno = saved;                                                                                       \
    }

LOG_FUNCTION(log_err, LOG_LEVEL_ERR)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

bool log_limit_pass(struct log_limit *limit, int64_t now_ms, uint32_t *held)
{
    *held = 0;
    if (limit->window_start_ms == INT64_MIN || now_ms - limit->window_start_ms >= limit->window_ms) {
        limit->window_start_ms = now_ms;
        limit->used = 0;
    }
    if (limit->used >= limit->burst) {
        limit->held++;
        return false;
    }
    limit->used++;
    *held = limit->held;
    limit->held = 0;
    return true;
}
