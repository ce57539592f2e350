/* What escape sequences do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/console_session.h"
#include "base/text.h"
#include "base/xalloc.h"

#define REPLAY_MOST  10000
#define SIGNAL_BREAK 1

static json_t *with_name(const struct console_session *s)
{
    return json_pack("{s:s}", "name", s->name);
}

/* --- the right to write --- */

static void lease_told(struct console_session *s, const json_t *reply)
{
    s->holds = json_is_true(json_object_get(reply, "holds"));
    if (json_is_true(json_object_get(reply, "waits")))
        console_say(s, "asked for: you write when it is handed over");
}

static void lease(struct console_session *s, const char *action)
{
    if (!s->attached) {
        console_say(s, "not attached");
        return;
    }
    console_call(s, "console.lease",
                 json_pack("{s:I, s:s}", "channel", (json_int_t)s->channel, "action", action), NULL,
                 lease_told);
}

static void do_attach(struct console_session *s, uint8_t detail)
{
    (void)detail;
    lease(s, "request");
}

static void do_force(struct console_session *s, uint8_t detail)
{
    (void)detail;
    lease(s, "force");
}

static void do_watch(struct console_session *s, uint8_t detail)
{
    (void)detail;
    lease(s, "release");
}

static void do_grant(struct console_session *s, uint8_t detail)
{
    (void)detail;
    lease(s, "grant");
}

/* --- the line --- */

static void do_down(struct console_session *s, uint8_t detail)
{
    (void)detail;
    console_call(s, "console.down", with_name(s), NULL, NULL);
}

static void now_up(struct console_session *s, const json_t *reply)
{
    (void)reply;
    console_call(s, "console.up", with_name(s), NULL, NULL);
}

static void do_up(struct console_session *s, uint8_t detail)
{
    (void)detail;
    if (s->up)
        console_call(s, "console.down", with_name(s), NULL, now_up);
    else
        now_up(s, NULL);
}

static void breaks_told(struct console_session *s, const json_t *reply)
{
    const char *key;
    json_t *text;

    json_object_foreach(json_object_get(reply, "breaks"), key, text)
        console_say(s, "l%s sends %s", key, json_string_value(text));
}

static void do_break(struct console_session *s, uint8_t detail)
{
    const char which[] = {(char)detail, '\0'};

    if (detail == '?')
        console_call(s, "console.show", with_name(s), NULL, breaks_told);
    else if (!s->attached || !s->holds)
        console_say(s, "read-only");
    else if (detail != '0')
        console_call(s, "console.break", json_pack("{s:s, s:s}", "name", s->name, "which", which), NULL,
                     NULL);
    else
        client_channel_signal(s->ctx->client, s->channel, SIGNAL_BREAK);
}

/* --- looking back --- */

static void replayed_bytes(struct console_session *s, const json_t *event)
{
    const char *text = json_string_value(json_object_get(event, "text"));
    const char *data = json_string_value(json_object_get(event, "data"));
    struct buf bytes = buf_init(64 << 20);

    if (text)
        console_show(s, text, json_string_length(json_object_get(event, "text")));
    else if (data && text_base64_decode(&bytes, data, strlen(data)))
        console_show(s, bytes.p, bytes.len);
    buf_free(&bytes);
}

static void replayed(struct console_session *s, const json_t *reply)
{
    (void)reply;
    console_say(s, "end of replay");
}

static void replay(struct console_session *s, int64_t lines)
{
    console_say(s, "replay");
    console_call(s, "log.show", json_pack("{s:s, s:I}", "name", s->name, "lines", (json_int_t)lines),
                 replayed_bytes, replayed);
}

static void do_replay(struct console_session *s, uint8_t detail)
{
    (void)detail;
    replay(s, s->replay_lines);
}

static void do_replay_line(struct console_session *s, uint8_t detail)
{
    (void)detail;
    replay(s, 1);
}

static void replay_set(struct console_session *s, const char *answer)
{
    int64_t lines;

    if (!answer || !text_i64(answer, 1, REPLAY_MOST, &lines)) {
        console_say(s, "unchanged: %lld lines", (long long)s->replay_lines);
        return;
    }
    s->replay_lines = lines;
    replay(s, lines);
}

static void do_replay_set(struct console_session *s, uint8_t detail)
{
    char question[64];

    (void)detail;
    snprintf(question, sizeof(question), "lines to replay (%lld): ", (long long)s->replay_lines);
    console_ask(s, question, replay_set);
}

/* --- looking around --- */

static void do_who(struct console_session *s, uint8_t detail)
{
    (void)detail;
    console_call(s, "console.who", json_pack("{s:[s]}", "names", s->name), NULL, console_say_who);
}

static void do_info(struct console_session *s, uint8_t detail)
{
    (void)detail;
    console_call(s, "console.show", with_name(s), NULL, console_say_info);
}

static void do_hosts(struct console_session *s, uint8_t detail)
{
    (void)detail;
    console_call(s, "console.list", NULL, NULL, console_say_list);
}

static void do_version(struct console_session *s, uint8_t detail)
{
    (void)detail;
    console_say(s, "amtcli " AMTD_VERSION);
}

static void do_help(struct console_session *s, uint8_t detail)
{
    (void)detail;
    console_say_help(s);
}

/* --- talking --- */

static void send_message(struct console_session *s, const char *answer)
{
    if (answer && answer[0])
        console_call(s, "console.message", json_pack("{s:s, s:s}", "name", s->name, "text", answer), NULL,
                     NULL);
}

static void do_message(struct console_session *s, uint8_t detail)
{
    (void)detail;
    console_ask(s, "message to all on this console: ", send_message);
}

static void write_note(struct console_session *s, const char *answer)
{
    if (answer && answer[0])
        console_call(s, "console.note", json_pack("{s:s, s:s}", "name", s->name, "text", answer), NULL, NULL);
}

static void do_note(struct console_session *s, uint8_t detail)
{
    (void)detail;
    console_ask(s, "note for the log: ", write_note);
}

static void toggle_log(struct console_session *s, const json_t *reply)
{
    const char *logging = json_string_value(json_object_get(reply, "logging"));
    bool on = logging && strcmp(logging, "off") != 0;

    console_call(
        s, "console.logging",
        json_pack("{s:s, s:b, s:I}", "name", s->name, "on", (int)!on, "channel", (json_int_t)s->channel),
        NULL, NULL);
}

static void do_log(struct console_session *s, uint8_t detail)
{
    (void)detail;
    console_call(s, "console.show", with_name(s), NULL, toggle_log);
}

/* --- power --- */

static const struct {
    char key;
    const char *text, *task, *args;
} power_actions[] = {
    {'o', "on", "power", "{\"action\":\"on\"}"},
    {'c', "cycle", "power", "{\"action\":\"cycle\"}"},
    {'r', "reset", "power", "{\"action\":\"reset\"}"},
    {'b', "reset to firmware setup", "boot", "{\"to\":\"bios\",\"reset\":true}"},
    {'s', "ask the system to shut down", "power", "{\"action\":\"soft-off\"}"},
    {'x', "off", "power", "{\"action\":\"off\"}"},
};
#define POWER_ACTIONS (sizeof(power_actions) / sizeof(power_actions[0]))

/* The machine behind a console: the host of its source; else the console is called like it. */
static const char *host_of(const struct console_session *s, const json_t *shown)
{
    const json_t *settings = json_object_get(shown, "settings");
    const char *host = json_string_value(json_object_get(settings, "host"));
    const char *source = json_string_value(json_object_get(shown, "source"));

    if (source && strncmp(source, "amt ", 4) == 0)
        return source + 4;
    return host && source && strcmp(source, "amt") == 0 ? host : s->name;
}

static void power_run(struct console_session *s, const json_t *shown)
{
    const char *host = host_of(s, shown);
    json_t *args = json_loads(power_actions[s->chosen].args, 0, NULL);

    console_say(s, "%s: %s", host, power_actions[s->chosen].text);
    console_call(s, "run.start",
                 json_pack("{s:s, s:o, s:s, s:b}", "task", power_actions[s->chosen].task, "args", args,
                           "target", host, "confirmed", 1),
                 console_say_result, NULL);
}

static void power_chosen(struct console_session *s, const char *answer)
{
    for (size_t i = 0; answer && i < POWER_ACTIONS; i++) {
        if (answer[0] == power_actions[i].key && answer[1] == '\0') {
            s->chosen = i;
            console_call(s, "console.show", with_name(s), NULL, power_run);
            return;
        }
    }
    console_say(s, "nothing was done");
}

static void do_power(struct console_session *s, uint8_t detail)
{
    struct buf text = buf_init(1024);

    (void)detail;
    console_say(s, "power");
    for (size_t i = 0; i < POWER_ACTIONS; i++)
        buf_printf(&text, " %c  %s\n", power_actions[i].key, power_actions[i].text);
    buf_puts(&text, "letter and Enter; Enter alone does nothing: ");
    console_ask(s, buf_str(&text), power_chosen);
    buf_free(&text);
}

/* --- consent --- */

#define CODE_DIGITS 6

/* Takes args. */
static void run_consent(struct console_session *s, json_t *args,
                        void (*event)(struct console_session *s, const json_t *event))
{
    console_call(
        s, "run.start",
        json_pack("{s:s, s:o, s:s, s:b}", "task", "consent", "args", args, "target", s->host, "confirmed", 1),
        event, NULL);
}

static void consent_sent(struct console_session *s, const json_t *event)
{
    console_say_result(s, event);
    if (json_object_get(event, "host") && !json_object_get(event, "cause"))
        console_call(s, "console.up", with_name(s), NULL, NULL); /* now, not after the next pause */
}

static void send_code(struct console_session *s, const char *answer)
{
    if (!answer || strlen(answer) != CODE_DIGITS || strspn(answer, "0123456789") != CODE_DIGITS)
        console_say(s, "no code was sent: it has six digits");
    else
        run_consent(s, json_pack("{s:s, s:s}", "action", "send", "code", answer), consent_sent);
}

static void consent_started(struct console_session *s, const json_t *event)
{
    if (!json_object_get(event, "host"))
        return;
    if (json_object_get(event, "cause"))
        console_say_result(s, event);
    else
        console_ask(s, "the six digits on the screen of the machine: ", send_code);
}

static void start_consent(struct console_session *s, const json_t *shown)
{
    free(s->host);
    s->host = xstrdup(host_of(s, shown));
    run_consent(s, json_pack("{s:s}", "action", "start"), consent_started);
}

static void do_consent(struct console_session *s, uint8_t detail)
{
    (void)detail;
    console_call(s, "console.show", with_name(s), NULL, start_consent);
}

/* --- this terminal --- */

static void do_keys(struct console_session *s, uint8_t detail)
{
    struct keys *next = keys_new(keys_next(keys_name(s->keys)), NULL);

    (void)detail;
    keys_free(s->keys);
    s->keys = next;
    console_say(s, "keys: %s", keys_name(s->keys));
}

static void do_charset(struct console_session *s, uint8_t detail)
{
    struct err err = ERR_INIT;
    struct charset *next = charset_new(charset_next(charset_name(s->charset)), &err);

    (void)detail;
    if (!next) {
        console_say(s, "%s", err.text);
        return;
    }
    charset_free(s->charset);
    s->charset = next;
    console_say(s, "character set: %s", charset_name(s->charset));
}

static void go_to(struct console_session *s, const char *answer)
{
    if (answer && answer[0])
        console_go(s, answer);
}

static void do_go(struct console_session *s, uint8_t detail)
{
    (void)detail;
    console_ask(s, "console: ", go_to);
}

static void do_suspend(struct console_session *s, uint8_t detail)
{
    (void)detail;
    console_suspend(s);
}

static void do_redefined(struct console_session *s, uint8_t detail)
{
    struct buf text = buf_init(64);

    (void)detail;
    escape_text(&s->escape, &text);
    console_say(s, "sequences begin with %s now", buf_str(&text));
    buf_free(&text);
}

static void do_leave(struct console_session *s, uint8_t detail)
{
    (void)detail;
    console_leave(s, EXIT_ALL);
}

static void do_unknown(struct console_session *s, uint8_t detail)
{
    (void)detail;
    console_say(s, "unknown -- use ?");
}

void console_command(struct console_session *s, enum escape_command command, uint8_t detail)
{
    static void (*const commands_of[])(struct console_session * s, uint8_t detail) = {
        [ESCAPE_ATTACH] = do_attach,
        [ESCAPE_FORCE] = do_force,
        [ESCAPE_WATCH] = do_watch,
        [ESCAPE_GRANT] = do_grant,
        [ESCAPE_DOWN] = do_down,
        [ESCAPE_UP] = do_up,
        [ESCAPE_BREAK] = do_break,
        [ESCAPE_REPLAY] = do_replay,
        [ESCAPE_REPLAY_SET] = do_replay_set,
        [ESCAPE_REPLAY_LINE] = do_replay_line,
        [ESCAPE_WHO] = do_who,
        [ESCAPE_INFO] = do_info,
        [ESCAPE_HOSTS] = do_hosts,
        [ESCAPE_LOG] = do_log,
        [ESCAPE_MESSAGE] = do_message,
        [ESCAPE_NOTE] = do_note,
        [ESCAPE_POWER] = do_power,
        [ESCAPE_CONSENT] = do_consent,
        [ESCAPE_KEYS] = do_keys,
        [ESCAPE_CHARSET] = do_charset,
        [ESCAPE_GO] = do_go,
        [ESCAPE_SUSPEND] = do_suspend,
        [ESCAPE_VERSION] = do_version,
        [ESCAPE_REDEFINED] = do_redefined,
        [ESCAPE_HELP] = do_help,
        [ESCAPE_LEAVE] = do_leave,
        [ESCAPE_UNKNOWN] = do_unknown,
    };

    if (commands_of[command])
        commands_of[command](s, detail);
}
