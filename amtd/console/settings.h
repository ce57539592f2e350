/* The settings of consoles: plain data, as the configuration gives them (docs/amtd.yaml.5). */
#ifndef AMTD_CONSOLE_SETTINGS_H
#define AMTD_CONSOLE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/console/traffic.h"

enum source_type {
    SOURCE_TEST,   /* built in: numbered lines, echo */
    SOURCE_UNIX,   /* path */
    SOURCE_TCP,    /* host, port */
    SOURCE_TELNET, /* host, port; with `speed` also RFC 2217 */
    SOURCE_SERIAL, /* path, and the line's settings */
    SOURCE_EXEC,   /* command */
    SOURCE_AMT,    /* host: a host of the fleet; its Serial-over-LAN */
    SOURCE_NODE,   /* host, port, console: a console of another amtd */
    SOURCE_TYPES,
};

enum serial_parity { PARITY_NONE, PARITY_EVEN, PARITY_ODD, PARITY_MARK, PARITY_SPACE };
enum serial_flow { FLOW_NONE, FLOW_HARDWARE, FLOW_SOFTWARE };

struct source_settings {
    enum source_type type;
    char *host;
    int64_t port;  /* 1 to 65535 */
    char *path;    /* UNIX socket, serial device */
    char *command; /* run by /bin/sh -c */
    char *console; /* name at the other node */
    int64_t speed; /* bit/s; 0: leave as it is */
    int64_t bits;  /* 5 to 8 */
    int64_t stop;  /* 1 or 2 */
    int parity;    /* enum serial_parity */
    int flow;      /* enum serial_flow */
    int64_t rate;  /* test: bytes a second, 0: none by itself */
    bool echo;     /* test: gives back what is typed */
};

struct log_settings {
    int64_t segment_bytes; /* a segment is closed when it is larger */
    int64_t segment_ms;    /* or older */
    int64_t keep_ms;       /* closed segments are removed when they are older; 0: never */
    int64_t keep_count;    /* or more than so many; 0: any number */
    int64_t keep_bytes;    /* or larger in total, as they are on the disk; 0: any size */
    int64_t flush_ms;      /* what nobody is being shown is written after so long at the latest */
    int64_t sign_ms;       /* the open segment is signed when it has changed and so much time has gone by */
    int64_t zstd_level;    /* 1 to 19 */
};

/* What a user may do with a console; each contains those before it. */
enum console_right {
    RIGHT_NONE,
    RIGHT_WATCH,
    RIGHT_WRITE,   /* type, break, ask for the write lease, notes */
    RIGHT_CONTROL, /* take the lease from others, up, down, logging on and off, roll, end attachments */
};

struct console_access {
    char *user; /* one of the two */
    char *group;
    int right; /* enum console_right */
};

/* A break that is chosen by a key, 1 to 9 or a to z. */
struct console_break {
    char key;
    char *text; /* typed_text.h */
};
#define BREAK_KEYS "123456789abcdefghijklmnopqrstuvwxyz"

struct console_settings {
    char *name;
    struct source_settings source;
    struct log_settings log;
    char *host;           /* the host of the fleet behind it, or NULL: none, or that of the source */
    bool on_demand;       /* connected only while somebody is attached */
    int64_t retry_min_ms; /* the first wait after a failure; doubles up to the most */
    int64_t retry_max_ms;
    int64_t stable_ms;            /* a link that stayed up so long begins with retry_min again */
    int64_t idle_ms;              /* silence of the source after which idle_text is typed; 0: never */
    char *idle_text;              /* NULL: the link is closed and opened again instead */
    char *initial_text;           /* typed whenever the link comes up; NULL: nothing */
    char *break_text;             /* what a break is here; NULL: the line's own. Texts: typed_text.h */
    struct console_break *breaks; /* others */
    size_t break_count;
    int64_t break_ms; /* length of the line's own break */
    struct traffic_marks activity;
    struct console_access *access; /* nobody listed: by role alone */
    size_t access_count;
};

/* Letters, digits and - _ . : @ +, at most 100, beginning with a letter or digit: safe as a directory's name.
 */
#define CONSOLE_NAME_MAX 100
bool console_name_ok(const char *name);

/* The defaults of docs/amtd.yaml.5. */
void console_settings_init(struct console_settings *settings);
void console_settings_clear(struct console_settings *settings);
void console_settings_copy(struct console_settings *to, const struct console_settings *from);
/* Same in all that matters to an open console: reload leaves it alone. */
bool console_settings_equal(const struct console_settings *a, const struct console_settings *b);

/* Sets the break of a key; the last one holds. */
void console_settings_break(struct console_settings *settings, char key, const char *text);

/* The host of the fleet behind it: that of power actions. NULL: none is known. Borrowed. */
const char *console_settings_host(const struct console_settings *settings);

/* "unix", ... as in the configuration. */
const char *source_type_name(enum source_type type);
/* "unix /run/vm/c0.sock", "telnet ts1:2001": for people. Owned by the caller. Never shows a command's
 * arguments, which may hold a password: "exec ipmitool". */
char *source_settings_text(const struct source_settings *settings);

#endif
