#include "amtcli/console_session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/interrupt.h"
#include "amtcli/terminal.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"

#define TURN_MS     1000
#define READ_MAX    4096
#define BACKLOG_MAX 65536 /* typed and not taken: more is not read */
#define SHOW_MAX    (1 << 20)

static int64_t now_ms(void)
{
    return clock_mono(clock_system());
}

/* --- showing --- */

static void put(struct console_session *s, const void *p, size_t n)
{
    struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};
    const char *bytes = p;

    if (n > 0)
        s->inside_line = bytes[n - 1] != '\n';
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, bytes, n);

        if (done < 0 && (errno == EINTR || errno == EAGAIN)) {
            poll(&room, 1, -1);
            continue;
        }
        if (done <= 0) { /* nobody sees it any more */
            console_leave(s, EXIT_SOME_FAILED);
            return;
        }
        bytes += done;
        n -= (size_t)done;
    }
}

void console_show(struct console_session *s, const void *p, size_t n)
{
    struct buf out = buf_init(SHOW_MAX);

    charset_to_terminal(s->charset, p, n, &out);
    put(s, out.p, out.len);
    if (s->interactive) {
        screen_feed(&s->screen, out.p, out.len);
        terminal_alternate(s->screen.alternate);
    }
    if (s->expect)
        expect_feed(s->expect, out.p, out.len, now_ms(), &s->unsent);
    buf_free(&out);
}

/* A terminal in raw mode wants its carriage returns. */
void console_print(struct console_session *s, const char *text)
{
    if (!s->interactive) {
        fputs(text, stderr);
        return;
    }
    while (*text) {
        size_t n = strcspn(text, "\n");

        put(s, text, n);
        if (text[n])
            put(s, "\r\n", 2);
        text += n + (text[n] == '\n');
    }
}

void console_say(struct console_session *s, const char *fmt, ...)
{
    struct buf text = buf_init(SHOW_MAX), safe = buf_init(SHOW_MAX), line = buf_init(SHOW_MAX);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    text_printable(&safe, buf_str(&text), text.len);
    buf_printf(&line, s->interactive ? "%s[%s]\n" : "%samtcli: %s\n",
               s->interactive && s->inside_line ? "\n" : "", buf_str(&safe));
    console_print(s, buf_str(&line));
    buf_free(&text);
    buf_free(&safe);
    buf_free(&line);
}

void console_ask(struct console_session *s, const char *question,
                 void (*answered)(struct console_session *s, const char *answer))
{
    prompt_clear(&s->prompt);
    prompt_begin(&s->prompt);
    s->asking = answered;
    if (s->inside_line)
        console_print(s, "\n");
    console_print(s, question);
}

void console_leave(struct console_session *s, int code)
{
    if (!s->over)
        s->code = code;
    s->over = true;
}

void console_suspend(struct console_session *s)
{
    if (!s->interactive)
        return;
    console_say(s, "stopped");
    terminal_suspend();
    terminal_title(s->name);
    console_say(s, "going on");
}

/* --- typing --- */

static void send_bytes(struct console_session *s, const void *p, size_t n)
{
    struct buf out = buf_init(SHOW_MAX);

    if (n == 0)
        return;
    charset_to_machine(s->charset, p, n, &out);
    if (s->attached && s->holds && s->up)
        client_channel_write(s->ctx->client, s->channel, out.p, out.len);
    else if (s->interactive && memchr(p, '\r', n)) {
        struct buf escape = buf_init(64);

        escape_text(&s->escape, &escape);
        console_say(s, "%s -- %s ? for help",
                    !s->attached ? "not attached"
                    : !s->holds  ? "read-only"
                                 : "down",
                    buf_str(&escape));
        buf_free(&escape);
    }
    buf_free(&out);
}

/* What a script wants to send goes as soon as it may. */
static void send_script(struct console_session *s)
{
    if (s->unsent.len == 0 || !s->attached || !s->holds || !s->up)
        return;
    send_bytes(s, s->unsent.p, s->unsent.len);
    buf_reset(&s->unsent);
}

static size_t take_answer(struct console_session *s, const char *p, size_t n)
{
    void (*answered)(struct console_session *, const char *) = s->asking;
    struct buf echo = buf_init(SHOW_MAX);
    enum prompt_state state;
    size_t taken;

    state = prompt_feed(&s->prompt, p, n, &taken, &echo);
    put(s, echo.p, echo.len);
    buf_free(&echo);
    if (state == PROMPT_MORE)
        return taken;
    s->asking = NULL;
    console_print(s, "\n");
    answered(s, state == PROMPT_DONE ? buf_str(&s->prompt.text) : NULL);
    return taken;
}

static size_t take_typed(struct console_session *s, const char *p, size_t n)
{
    struct buf plain = buf_init(SHOW_MAX), out = buf_init(SHOW_MAX);
    enum escape_command command;
    uint8_t detail;
    size_t taken = escape_feed(&s->escape, p, n, &plain, &command, &detail);

    keys_feed(s->keys, plain.p, plain.len, now_ms(), &out);
    send_bytes(s, out.p, out.len);
    buf_free(&plain);
    buf_free(&out);
    if (command != ESCAPE_NONE)
        console_command(s, command, detail);
    return taken;
}

static void read_input(struct console_session *s)
{
    char bytes[READ_MAX];
    ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes));
    size_t n = got > 0 ? (size_t)got : 0;

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    s->input_over = got <= 0;
    if (s->input_over && s->interactive)
        console_leave(s, EXIT_SOME_FAILED); /* the terminal is gone */
    for (size_t at = 0; at < n && !s->over;)
        at += s->asking ? take_answer(s, bytes + at, n - at) : take_typed(s, bytes + at, n - at);
}

/* --- the loop --- */

static bool wants_input(const struct console_session *s)
{
    if (s->input_over || s->expect)
        return false;
    if (s->interactive)
        return s->channel == 0 || client_channel_backlog(s->ctx->client, s->channel) < BACKLOG_MAX;
    return s->attached && s->holds && s->up &&
           client_channel_backlog(s->ctx->client, s->channel) < BACKLOG_MAX;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int wait_ms(const struct console_session *s)
{
    int64_t now = now_ms(), until = sooner(now + TURN_MS, keys_deadline(s->keys));

    if (s->expect)
        until =
            sooner(until, expect_done(s->expect) ? s->began_at + s->timeout_ms : expect_deadline(s->expect));
    if (s->retry_at != 0)
        until = sooner(until, s->retry_at);
    return until > now ? (int)(until - now) : 0;
}

static bool all_taken(const struct console_session *s)
{
    return s->unsent.len == 0 && (s->channel == 0 || client_channel_backlog(s->ctx->client, s->channel) == 0);
}

/* A script: at its end, or out of time. */
static void tick_script(struct console_session *s)
{
    int64_t now = now_ms();
    bool done = expect_done(s->expect);
    const char *mark = s->why[0] ? ": " : "";

    if (done && all_taken(s)) {
        console_leave(s, EXIT_ALL);
    } else if (now >= (done ? s->began_at + s->timeout_ms : expect_deadline(s->expect))) {
        if (s->unsent.len > 0)
            console_say(s, "timed out: %s, so nothing was sent%s%s",
                        !s->attached ? "not attached"
                        : !s->holds  ? "somebody else writes"
                                     : "the line is down",
                        mark, s->why);
        else
            console_say(s, "timed out waiting for '%s'%s%s",
                        expect_waits(s->expect) ? expect_waits(s->expect) : "", mark, s->why);
        console_leave(s, EXIT_SOME_FAILED);
    }
}

static void tick(struct console_session *s)
{
    struct buf out = buf_init(READ_MAX);

    keys_tick(s->keys, now_ms(), &out);
    send_bytes(s, out.p, out.len);
    buf_free(&out);
    send_script(s);
    if (s->expect)
        tick_script(s);
    /* From a pipe: all is said, and all was taken. A watcher stays. */
    else if (s->input_over && !s->interactive && !s->stays && s->attached && strcmp(s->mode, "watch") != 0 &&
             all_taken(s))
        console_leave(s, EXIT_ALL);
}

static void one_turn(struct console_session *s)
{
    struct pollfd input = {.fd = wants_input(s) ? STDIN_FILENO : -1, .events = POLLIN};
    struct err err = ERR_INIT;

    if (s->retry_at != 0) {
        if (poll(&input, 1, wait_ms(s)) < 0)
            input.revents = 0;
        console_link_again(s);
    } else if (client_turn(s->ctx->client, &input, 1, wait_ms(s), &err) != 0) {
        console_link_lost(s, &err);
    }
    if (!s->over && (input.revents & (POLLIN | POLLHUP | POLLERR)))
        read_input(s);
    if (!s->interactive && interrupt_count() > 0) /* in the shell; elsewhere Ctrl-C has ended us */
        console_leave(s, EXIT_SOME_FAILED);
    if (!s->over)
        tick(s);
}

int console_session_run(struct console_session *s)
{
    struct err err = ERR_INIT;

    s->replay_lines = CONSOLE_REPLAY_LINES;
    s->began_at = now_ms();
    s->unsent = buf_init_secret(SHOW_MAX);
    if (!context_client(s->ctx))
        return EXIT_NO_DAEMON;
    if (s->interactive && terminal_begin(STDIN_FILENO, STDOUT_FILENO, s->name, &err) != 0)
        return print_failure(&err);
    if (s->expect)
        expect_begin(s->expect, now_ms(), &s->unsent);
    console_link_attach(s);
    while (!s->over)
        one_turn(s);
    console_link_detach(s);
    if (s->interactive && s->code == EXIT_ALL)
        console_say(s, "left %s", s->name);
    terminal_end();
    client_close(s->ctx->client); /* with all that is still under way on it */
    s->ctx->client = NULL;
    console_link_end(s);
    return s->code;
}

void console_session_clear(struct console_session *s)
{
    free(s->name);
    free(s->back);
    json_decref(s->run);
    free(s->host);
    keys_free(s->keys);
    charset_free(s->charset);
    expect_free(s->expect);
    prompt_clear(&s->prompt);
    buf_free(&s->unsent);
}
