#include "amtd/console/watcher.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "amtd/console/text/pattern_set.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

#define LINE_MAX_SHOWN 160

struct watcher {
    uv_loop_t *loop;
    const struct clock *clock;
    const struct watched_pattern *patterns;
    size_t count;
    struct pattern_set *set;
    struct run *runs;
    size_t running;
    bool freed;
};

struct watching {
    struct watcher *watcher;
    char *console;
    void (*found)(void *arg, const struct pattern_found *found);
    void *arg;
    struct pattern_stream *stream;
    int64_t *quiet_until; /* monotonic, for each pattern */
    /* while bytes are being fed */
    const uint8_t *p;
    uint64_t offset;
};

void watched_pattern_clear(struct watched_pattern *pattern)
{
    free(pattern->name);
    free(pattern->regex);
    free(pattern->command);
    for (size_t i = 0; i < pattern->console_count; i++)
        free(pattern->consoles[i]);
    free(pattern->consoles);
    memset(pattern, 0, sizeof(*pattern));
}

static bool is_for(const struct watched_pattern *pattern, const char *console)
{
    for (size_t i = 0; i < pattern->console_count; i++)
        if (fnmatch(pattern->consoles[i], console, 0) == 0)
            return true;
    return pattern->console_count == 0;
}

/* --- commands --- */

struct run {
    uv_process_t process;
    struct watcher *watcher;
    char *what;
    struct run *prev, *next;
};

static void watcher_release(struct watcher *w)
{
    if (w->freed && w->running == 0) {
        pattern_set_free(w->set);
        free(w);
    }
}

static void run_closed(uv_handle_t *handle)
{
    struct run *run = handle->data;
    struct watcher *w = run->watcher;

    DL_DELETE(w->runs, run);
    free(run->what);
    free(run);
    w->running--;
    watcher_release(w);
}

static void run_ended(uv_process_t *process, int64_t status, int signal)
{
    const struct run *run = process->data;

    if (signal != 0)
        log_warn(run->what, "command killed by signal %d", signal);
    else if (status != 0)
        log_warn(run->what, "command ended with exit status %d", (int)status);
    uv_close((uv_handle_t *)process, run_closed);
}

static char **environment(const struct watching *k, const struct watched_pattern *pattern, const char *line,
                          uint64_t offset)
{
    size_t have = 0;
    char **env;

    while (environ[have])
        have++;
    env = xcalloc(have + 6, sizeof(*env));
    for (size_t i = 0; i < have; i++)
        env[i] = xstrdup(environ[i]);
    env[have] = xasprintf("AMTD_CONSOLE=%s", k->console);
    env[have + 1] = xasprintf("AMTD_PATTERN=%s", pattern->name);
    env[have + 2] = xasprintf("AMTD_SEVERITY=%s", severity_name((enum severity)pattern->severity));
    env[have + 3] = xasprintf("AMTD_LINE=%s", line);
    env[have + 4] = xasprintf("AMTD_OFFSET=%llu", (unsigned long long)offset);
    return env;
}

static void start_command(const struct watching *k, const struct watched_pattern *pattern, const char *line,
                          uint64_t offset)
{
    struct watcher *w = k->watcher;
    char *args[] = {(char *)"sh", (char *)"-c", pattern->command, NULL};
    uv_process_options_t options = {.exit_cb = run_ended, .file = "/bin/sh", .args = args};
    uv_stdio_container_t none[3] = {{.flags = UV_IGNORE}, {.flags = UV_IGNORE}, {.flags = UV_IGNORE}};
    struct run *run;
    int status;

    if (w->running >= WATCHER_COMMANDS_MAX) {
        log_err(k->console, "pattern %s: %d commands run already; this one is left out", pattern->name,
                WATCHER_COMMANDS_MAX);
        return;
    }
    run = xcalloc(1, sizeof(*run));
    run->watcher = w;
    run->what = xasprintf("pattern %s on %s", pattern->name, k->console);
    run->process.data = run;
    DL_APPEND(w->runs, run);
    options.env = environment(k, pattern, line, offset);
    options.stdio = none;
    options.stdio_count = 3;
    w->running++;
    status = uv_spawn(w->loop, &run->process, &options);
    if (status != 0) {
        log_err(run->what, "command cannot be run: %s", uv_strerror(status));
        uv_close((uv_handle_t *)&run->process, run_closed);
    }
    for (size_t i = 0; options.env[i]; i++)
        free(options.env[i]);
    free(options.env);
}

/* --- matching --- */

/* The line in which byte `end` of the portion stands, as far as the portion has it, printable. */
static char *line_of(const struct watching *k, size_t end)
{
    size_t begin = end;
    struct buf out = buf_init((size_t)8 * LINE_MAX_SHOWN);

    while (begin > 0 && k->p[begin - 1] != '\n' && end - begin < LINE_MAX_SHOWN)
        begin--;
    while (end > begin && (k->p[end - 1] == '\n' || k->p[end - 1] == '\r'))
        end--;
    text_printable(&out, k->p + begin, end - begin);
    return out.len > 0 ? buf_take(&out) : xstrdup("");
}

static void on_match(void *arg, size_t which, size_t end)
{
    struct watching *k = arg;
    const struct watched_pattern *pattern = &k->watcher->patterns[which];
    int64_t now = clock_mono(k->watcher->clock);
    uint64_t offset = k->offset + end;
    char *line;

    if (!is_for(pattern, k->console) || now < k->quiet_until[which])
        return;
    k->quiet_until[which] = now + pattern->every_ms;
    line = line_of(k, end);
    k->found(k->arg, &(struct pattern_found){pattern, offset, line});
    if (pattern->command)
        start_command(k, pattern, line, offset);
    free(line);
}

void watching_bytes(struct watching *k, uint64_t offset, const uint8_t *p, size_t n)
{
    if (!k->stream)
        k->stream = pattern_stream_new(k->watcher->set);
    k->p = p;
    k->offset = offset;
    pattern_stream_feed(k->stream, p, n, on_match, k);
    k->p = NULL;
}

struct watching *watching_new(struct watcher *watcher, const char *console,
                              void (*found)(void *arg, const struct pattern_found *found), void *arg)
{
    struct watching *k;
    bool any = false;

    for (size_t i = 0; i < watcher->count; i++)
        any = any || is_for(&watcher->patterns[i], console);
    if (!any)
        return NULL;
    k = xcalloc(1, sizeof(*k));
    k->watcher = watcher;
    k->console = xstrdup(console);
    k->found = found;
    k->arg = arg;
    k->quiet_until = xcalloc(watcher->count, sizeof(*k->quiet_until));
    for (size_t i = 0; i < watcher->count; i++)
        k->quiet_until[i] = INT64_MIN;
    return k;
}

void watching_free(struct watching *k)
{
    if (!k)
        return;
    pattern_stream_free(k->stream);
    free(k->quiet_until);
    free(k->console);
    free(k);
}

struct watcher *watcher_new(uv_loop_t *loop, const struct clock *clock,
                            const struct watched_pattern *patterns, size_t count, struct err *err)
{
    struct pattern *list = xcalloc(count + 1, sizeof(*list));
    struct watcher *w;
    struct pattern_set *set;

    for (size_t i = 0; i < count; i++)
        list[i] = (struct pattern){patterns[i].name, patterns[i].regex, patterns[i].ignore_case};
    set = pattern_set_compile(list, count, err);
    free(list);
    if (!set)
        return NULL;
    w = xcalloc(1, sizeof(*w));
    w->loop = loop;
    w->clock = clock;
    w->patterns = patterns;
    w->count = count;
    w->set = set;
    return w;
}

void watcher_free(struct watcher *w)
{
    struct run *run, *next;

    if (!w)
        return;
    w->freed = true;
    DL_FOREACH_SAFE(w->runs, run, next)
    if (!uv_is_closing((uv_handle_t *)&run->process))
        uv_close((uv_handle_t *)&run->process, run_closed);
    watcher_release(w);
}
