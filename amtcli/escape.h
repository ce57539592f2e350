/* Escape sequences of an attached terminal, as conserver has them: two characters (^E c), then a letter.
 *
 * What is typed goes through; a sequence becomes a command. A core without I/O. (reference conserver.md,
 * section c) */
#ifndef AMTCLI_ESCAPE_H
#define AMTCLI_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum escape_command {
    ESCAPE_NONE,
    ESCAPE_ATTACH, /* ask for the right to write */
    ESCAPE_FORCE,
    ESCAPE_WATCH, /* give it back */
    ESCAPE_GRANT, /* hand it on */
    ESCAPE_DOWN,
    ESCAPE_UP,
    ESCAPE_BREAK, /* detail: '0' or '?' */
    ESCAPE_REPLAY,
    ESCAPE_REPLAY_SET,
    ESCAPE_REPLAY_LINE,
    ESCAPE_WHO,
    ESCAPE_INFO,
    ESCAPE_HOSTS,
    ESCAPE_LOG,
    ESCAPE_MESSAGE,
    ESCAPE_NOTE,
    ESCAPE_POWER,
    ESCAPE_CONSENT, /* of the user at the machine */
    ESCAPE_KEYS,
    ESCAPE_CHARSET,
    ESCAPE_GO, /* to another console */
    ESCAPE_SUSPEND,
    ESCAPE_VERSION,
    ESCAPE_REDEFINED, /* done already: to be told */
    ESCAPE_HELP,
    ESCAPE_LEAVE,
    ESCAPE_UNKNOWN, /* detail: what was typed */
};

/* The list for help, in its order. */
struct escape_row {
    const char *letters; /* the first is the one that is shown */
    enum escape_command command;
    const char *shown; /* "l0" */
    const char *text;  /* for help */
};
extern const struct escape_row escape_rows[]; /* ended by text NULL */

struct escape {
    uint8_t first, second;
    bool off; /* nothing is a sequence */
    /* private */
    int state;
    uint8_t held[3];
    size_t held_count;
};

/* "^Ec", two characters, control ones as ^X; "none" switches sequences off. -1 and err (invalid-argument). */
int escape_init(struct escape *e, const char *text, struct err *err);
/* Takes typed bytes up to the end of a command: returns how many. What goes to the console is appended to
 * out. *command: what is to be done (ESCAPE_NONE: all n were taken), *detail what goes with it. */
size_t escape_feed(struct escape *e, const void *p, size_t n, struct buf *out, enum escape_command *command,
                   uint8_t *detail);
/* "^Ec". Appends. */
void escape_text(const struct escape *e, struct buf *out);

#endif
