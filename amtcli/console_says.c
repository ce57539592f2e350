/* What an attached terminal is told. */
#include <stdio.h>
#include <string.h>

#include "amtcli/console_session.h"
#include "amtcli/output.h"

#define LINE_MAX 4096

static const char *text_of(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));

    return text ? text : "";
}

/* --- events --- */

static void say_state(struct console_session *s, const json_t *event)
{
    const char *state = text_of(event, "state"), *text = text_of(event, "text");
    const char *who = text_of(event, "writer");

    if (json_object_get(event, "users")) { /* the first one: how it is */
        console_say(s, "%s %s%s%s, %s%s%s", s->name, state, text[0] ? ": " : "", text,
                    s->holds                        ? "you write"
                    : strcmp(s->mode, "watch") == 0 ? "watching only"
                                                    : "read-only",
                    who[0] && !s->holds ? "; it is written by " : "", who[0] && !s->holds ? who : "");
        return;
    }
    console_say(s, "%s%s%s", state, text[0] ? ": " : "", text);
}

static void say_lease(struct console_session *s, const json_t *event)
{
    const char *who = text_of(event, "who");

    if (s->holds)
        console_say(s, "you write now");
    else if (who[0])
        console_say(s, "%s writes now", who);
    else
        console_say(s, "nobody writes now");
}

static void say_wanted(struct console_session *s, const json_t *event)
{
    struct buf escape = buf_init(64);

    escape_text(&s->escape, &escape);
    console_say(s, "%s wants to write: %s G hands it over", text_of(event, "who"), buf_str(&escape));
    buf_free(&escape);
}

static void say_message(struct console_session *s, const json_t *event)
{
    console_say(s, "%s: %s", text_of(event, "who"), text_of(event, "text"));
}

static void say_note(struct console_session *s, const json_t *event)
{
    console_say(s, "note of %s: %s", text_of(event, "who"), text_of(event, "text"));
}

static void say_closed(struct console_session *s, const json_t *event)
{
    const char *text = text_of(event, "text");

    console_say(s, "ended%s%s", text[0] ? ": " : "", text);
    console_leave(s, EXIT_SOME_FAILED);
}

/* A script that cannot write has nothing to wait for. */
static void say_dropped(struct console_session *s, const json_t *event)
{
    const char *text = text_of(event, "text");

    console_say(s, "not sent%s%s", text[0] ? ": " : "", text);
}

/* "power cycle by anna", "break by bert", "attach anna": kind, who, what. */
static void say_plainly(struct console_session *s, const json_t *event)
{
    const char *who = text_of(event, "who"), *text = text_of(event, "text");

    console_say(s, "%s%s%s%s%s", text_of(event, "event"), who[0] ? " by " : "", who, text[0] ? ": " : "",
                text);
}

static void say_coming(struct console_session *s, const json_t *event)
{
    const char *text = text_of(event, "text");

    console_say(s, "%s came%s%s", text_of(event, "who"), text[0] ? ": " : "", text);
}

static void say_going(struct console_session *s, const json_t *event)
{
    console_say(s, "%s went", text_of(event, "who"));
}

/* Without a terminal: why nothing goes on, and no more. */
static bool matters_to_pipes(const struct console_session *s, const json_t *event, const char *kind)
{
    bool waits = json_object_get(event, "users") && !s->holds && strcmp(s->mode, "watch") != 0;

    return waits || strcmp(kind, "closed") == 0 || strcmp(kind, "dropped") == 0;
}

void console_say_event(struct console_session *s, const json_t *event)
{
    static const struct {
        const char *kind;
        void (*say)(struct console_session *s, const json_t *event);
    } kinds[] = {{"state", say_state},   {"up", say_state},      {"down", say_state},
                 {"lease", say_lease},   {"wanted", say_wanted}, {"message", say_message},
                 {"note", say_note},     {"closed", say_closed}, {"dropped", say_dropped},
                 {"attach", say_coming}, {"detach", say_going}};
    const char *kind = text_of(event, "event");

    if (s->over || (!s->interactive && !matters_to_pipes(s, event, kind)))
        return;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].kind, kind) == 0) {
            kinds[i].say(s, event);
            return;
        }
    }
    say_plainly(s, event);
}

/* --- lists --- */

void console_say_help(struct console_session *s)
{
    struct buf escape = buf_init(64), text = buf_init(LINE_MAX);

    escape_text(&s->escape, &escape);
    console_say(s, "help: %s and then", buf_str(&escape));
    for (const struct escape_row *row = escape_rows; row->text; row++)
        buf_printf(&text, " %-5s %s\n", row->shown, row->text);
    console_print(s, buf_str(&text));
    buf_free(&escape);
    buf_free(&text);
}

static void cell(struct buf *line, const json_t *row, const char *before, const char *field,
                 const char *after)
{
    struct buf text = buf_init(LINE_MAX);

    cell_text(row, field, &text);
    if (text.len > 0)
        buf_printf(line, "%s%s%s", before, buf_str(&text), after);
    buf_free(&text);
}

void console_say_who(struct console_session *s, const json_t *reply)
{
    static const char *const marks[][2] = {{"holds", ", writes"},
                                           {"waits", ", wants to write"},
                                           {"watches", ", watches only"},
                                           {"you", ", you"}};
    json_t *row;
    size_t i;

    console_say(s, "who is on %s", s->name);
    json_array_foreach((json_t *)reply, i, row)
    {
        struct buf line = buf_init(LINE_MAX);

        cell(&line, row, " ", "who", "");
        cell(&line, row, " from ", "from", "");
        for (size_t k = 0; k < sizeof(marks) / sizeof(marks[0]); k++)
            if (json_is_true(json_object_get(row, marks[k][0])))
                buf_puts(&line, marks[k][1]);
        cell(&line, row, ", since ", "since", "");
        buf_puts(&line, "\n");
        console_print(s, buf_str(&line));
        buf_free(&line);
    }
}

static void say_row(struct console_session *s, const json_t *row)
{
    struct buf line = buf_init(LINE_MAX);

    cell(&line, row, " ", "name", "");
    cell(&line, row, "  ", "state", "");
    cell(&line, row, ": ", "reason", "");
    cell(&line, row, "  ", "source", "");
    cell(&line, row, "  written by ", "writer", "");
    cell(&line, row, "  ", "readers", " attached");
    buf_puts(&line, "\n");
    console_print(s, buf_str(&line));
    buf_free(&line);
}

void console_say_info(struct console_session *s, const json_t *reply)
{
    struct buf line = buf_init(LINE_MAX);

    console_say(s, "info");
    say_row(s, reply);
    cell(&line, reply, " log from ", "first", "");
    cell(&line, reply, " to ", "end", "");
    cell(&line, reply, ", logging ", "logging", "");
    buf_printf(&line, "\n keys %s, character set %s\n", keys_name(s->keys), charset_name(s->charset));
    console_print(s, buf_str(&line));
    buf_free(&line);
}

void console_say_list(struct console_session *s, const json_t *reply)
{
    json_t *row;
    size_t i;

    console_say(s, "consoles");
    json_array_foreach((json_t *)reply, i, row) say_row(s, row);
}

/* --- what became of a run --- */

void console_say_result(struct console_session *s, const json_t *event)
{
    const char *host = json_string_value(json_object_get(event, "host"));
    const char *to = json_string_value(json_object_get(event, "to"));
    const char *cause = json_string_value(json_object_get(event, "cause"));
    const char *message = json_string_value(json_object_get(event, "message"));
    const char *hint = json_string_value(json_object_get(event, "hint"));

    if (host && cause)
        console_say(s, "%s: %s%s%s%s%s", host, cause, message ? ": " : "", message ? message : "",
                    hint && hint[0] ? " -- " : "", hint ? hint : "");
    else if (host)
        console_say(s, "%s: done%s%s", host, to ? ", power " : "", to ? to : "");
}
