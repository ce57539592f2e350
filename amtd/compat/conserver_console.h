/* What a console of conserver's configuration has, with all that it inherits: the default "*", the defaults
 * it includes, earlier blocks of its name; groups are resolved to their members. */
#ifndef AMTD_COMPAT_CONSERVER_CONSOLE_H
#define AMTD_COMPAT_CONSERVER_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/compat/conserver_cf.h"
#include "amtd/compat/conserver_notes.h"

enum cf_key {
    CF_TYPE,
    CF_DEVICE,
    CF_BAUD,
    CF_PARITY,
    CF_EXEC,
    CF_HOST,
    CF_PORT,
    CF_PORTBASE,
    CF_PORTINC,
    CF_PROTOCOL,
    CF_UDS,
    CF_DEVICESUBST,
    CF_EXECSUBST,
    CF_UDSSUBST,
    CF_REPLSTRING,
    CF_LOGFILE,
    CF_LOGFILEMAX,
    CF_IDLETIMEOUT,
    CF_IDLESTRING,
    CF_BREAK,
    CF_USERNAME,
    CF_KEYS,
};

enum cf_option {
    CF_OPTION_IXON,
    CF_OPTION_IXOFF,
    CF_OPTION_CRTSCTS,
    CF_OPTION_CSTOPB,
    CF_OPTION_ONDEMAND,
    CF_OPTION_AUTOREINIT,
    CF_OPTION_LOGIN,
    CF_OPTIONS,
};

enum cf_setting { CF_UNSET, CF_ON, CF_OFF };

struct cf_member {
    const char *name; /* borrowed */
    bool is_group;    /* "@name": of the system */
    bool except;      /* "!name" */
};

struct cf_members {
    struct cf_member *items;
    size_t count;
};

struct cf_console {
    const char *name;
    const struct cf_block *block;
    const struct cf_entry *values[CF_KEYS];
    enum cf_setting options[CF_OPTIONS];
    const struct cf_entry *option_places[CF_OPTIONS];
    struct cf_members rw, ro;
};

struct cf_index;

/* The blocks of a configuration by type and name. cf is borrowed. */
struct cf_index *cf_index_new(const struct cf *cf);
void cf_index_free(struct cf_index *index);
/* The last block of that type and name, which is the one that completes the earlier ones. NULL: none. */
const struct cf_block *cf_find(struct cf_index *index, const char *type, const char *name);

/* Reads the console of that name, which must be there. What is not carried over goes to notes. Clear it; its
 * texts live as long as the index. */
void cf_console_read(struct cf_index *index, const char *name, struct cf_notes *notes,
                     struct cf_console *console);
void cf_console_clear(struct cf_console *console);

/* The value of a keyword, "" when it is not given. */
const char *cf_value(const struct cf_console *console, enum cf_key key);
/* The value as a number up to max; otherwise, noted when it is given and not a number. */
uint64_t cf_number(const struct cf_console *console, enum cf_key key, uint64_t max, uint64_t otherwise,
                   struct cf_notes *notes);
/* Of a console at a terminal server: portbase + portinc x port; 0: none, or not from 1 to 65535. */
uint64_t cf_final_port(const struct cf_console *console, struct cf_notes *notes);
/* The value of `key` with the substitutions that the value of `by` asks for ("&=cs,%=p04d"). Owned by the
 * caller. */
char *cf_substituted(const struct cf_console *console, enum cf_key key, enum cf_key by,
                     struct cf_notes *notes);

/* The next entry of a comma list without blanks around it, owned by the caller; NULL at the end. */
char *cf_next_item(const char **list);

#endif
