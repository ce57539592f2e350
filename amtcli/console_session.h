/* A terminal (or a script) on a console: what is typed goes there, what it prints comes here, and what
 * happens around it is said in brackets. It goes on where it was when the connection to amtd breaks, and
 * leaves the terminal as it was. (docs/mux.md, kind console) */
#ifndef AMTCLI_CONSOLE_SESSION_H
#define AMTCLI_CONSOLE_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "amtcli/charset.h"
#include "amtcli/cmd.h"
#include "amtcli/escape.h"
#include "amtcli/keys.h"
#include "amtcli/prompt.h"
#include "amtcli/screen.h"
#include "base/expect.h"

#define CONSOLE_REPLAY_LINES 20 /* of ^Ec r, until told otherwise */

struct console_call;

struct console_session {
    struct context *ctx;
    char *name;       /* owned */
    const char *mode; /* "write", "force", "watch" */
    int64_t replay;   /* lines, when attaching */
    bool interactive; /* on a terminal; else bytes go through and messages to stderr */
    struct escape escape;
    struct keys *keys;
    struct charset *charset;
    struct expect *expect; /* NULL: no script */
    json_t *run;           /* parameters of run.start, when the line is up for the first time; NULL; owned */
    bool stays;            /* also when nothing more can be typed */
    int64_t timeout_ms;    /* of the script: for what it sends, until it may */

    /* the attachment, as amtd told it last */
    uint32_t channel, events; /* 0: none */
    bool attached, holds, up;
    char why[200];   /* it is not up, as far as amtd told; "" */
    uint64_t got;    /* bytes since it was attached */
    uint64_t offset; /* of the next one */
    bool offset_known;
    char *back; /* the console that was left for this one, which has not answered yet; NULL; owned */
    uint64_t back_offset;
    bool back_known;
    int64_t retry_at; /* when to connect again; 0: connected */
    int64_t lost_at;
    bool lost_said;
    struct console_call *calls; /* under way */
    int64_t began_at;

    /* the user */
    struct prompt prompt;
    void (*asking)(struct console_session *s, const char *answer); /* NULL: nothing is asked */
    size_t chosen;                                                 /* in the menu of power */
    char *host; /* whose user is asked for consent; owned */
    int64_t replay_lines;
    bool inside_line; /* where the cursor is */
    struct screen screen;
    bool input_over;
    struct buf unsent; /* of a script: until it may write */

    bool over;
    int code;
};

/* Runs it to its end; returns the exit code. */
int console_session_run(struct console_session *s);
/* Frees what hangs on it. */
void console_session_clear(struct console_session *s);

/* --- between console_*.c --- */

/* "[text]" on a line of its own. */
void console_say(struct console_session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Bytes as the machine sent them, or text of ours with \n. */
void console_show(struct console_session *s, const void *p, size_t n);
void console_print(struct console_session *s, const char *text);
/* Asks a line; answer is NULL when it was given up. */
void console_ask(struct console_session *s, const char *question,
                 void (*answered)(struct console_session *s, const char *answer));
/* A call (takes params); event gets events and what became of each host, done the reply; a failure is said.
 * Both may be NULL. */
void console_call(struct console_session *s, const char *name, json_t *params,
                  void (*event)(struct console_session *s, const json_t *event),
                  void (*done)(struct console_session *s, const json_t *reply));
/* Leaves this console, and goes to that one. */
void console_go(struct console_session *s, const char *name);
void console_leave(struct console_session *s, int code);
/* Stops as Ctrl-Z does. */
void console_suspend(struct console_session *s);

/* --- console_link.c --- */
/* Asks amtd for the console; false: too many channels. */
bool console_link_attach(struct console_session *s);
void console_link_detach(struct console_session *s);
/* The connection broke: it is tried again from retry_at on. */
void console_link_lost(struct console_session *s, const struct err *err);
void console_link_again(struct console_session *s);
/* Forgets calls that are under way; their connection is gone. */
void console_link_end(struct console_session *s);

/* --- console_menu.c --- */
void console_command(struct console_session *s, enum escape_command command, uint8_t detail);

/* --- console_says.c --- */
/* An event of console.events. */
void console_say_event(struct console_session *s, const json_t *event);
void console_say_help(struct console_session *s);
void console_say_who(struct console_session *s, const json_t *reply);
void console_say_info(struct console_session *s, const json_t *reply);
void console_say_list(struct console_session *s, const json_t *reply);
/* An event of run.start. */
void console_say_result(struct console_session *s, const json_t *event);

#endif
