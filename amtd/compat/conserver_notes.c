#include "amtd/compat/conserver_notes.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/text.h"
#include "base/xalloc.h"

struct cf_noted {
    const void *once;
    UT_hash_handle hh;
};

void cf_note(struct cf_notes *notes, const struct cf_place *place, const void *once, const char *subject,
             const char *what)
{
    struct cf_noted *seen;

    HASH_FIND_PTR(notes->seen, &once, seen);
    if (seen)
        return;
    seen = xcalloc(1, sizeof(*seen));
    seen->once = once;
    HASH_ADD_PTR(notes->seen, once, seen);
    notes->count++;
    buf_printf(notes->out, "%s:%zu: ", place->file, place->line);
    text_printable(notes->out, subject, strlen(subject));
    buf_printf(notes->out, ": %s\n", what);
}

void cf_note_entry(struct cf_notes *notes, const struct cf_entry *entry, const char *what)
{
    char *subject =
        entry->value[0] ? xasprintf("%s %s", entry->keyword, entry->value) : xstrdup(entry->keyword);

    cf_note(notes, &entry->place, entry, subject, what);
    free(subject);
}

void cf_notes_clear(struct cf_notes *notes)
{
    struct cf_noted *noted, *next;

    HASH_ITER(hh, notes->seen, noted, next)
    {
        HASH_DEL(notes->seen, noted);
        free(noted);
    }
}

struct keyword_note {
    const char *keyword;
    const char *what; /* NULL: nothing needs to be said */
};

static const struct keyword_note console_notes[] = {
    {"aliases", "a console has one name here"},
    {"breaklist", "a console has one break here, the one its 'break' names"},
    {"cstopb", NULL},
    {"execrunas", "commands run as amtd does; use sudo, runuser or setpriv in the command"},
    {"initcmd", "there is no program at connect; 'initial-text' types text"},
    {"initrunas", NULL},
    {"initspinmax", NULL}, /* the growing wait after failures does it */
    {"initspintimer", NULL},
    {"initsubst", NULL},
    {"ipmiciphersuite", NULL}, /* said of the console as a whole */
    {"ipmikg", NULL},
    {"ipmiprivlevel", NULL},
    {"ipmiworkaround", NULL},
    {"master", NULL},
    {"motd", "there is no message of the day; 'amtcli console' shows notes from the journal"},
    {"password", NULL},
    {"tasklist", "there are no tasks of a console; jobs are run by amtcli"},
    {"timestamp",
     "nothing is mixed into a log; 'amtcli log show --stamps' shows times, and attaching and breaks "
     "are in the journal always"},
};

static const struct keyword_note option_notes[] = {
    {"ixany", "flow control is none, hardware or software here"},
    {"hupcl", "modem lines are left as the system has them"},
    {"striphigh", "the log holds what came; 'amtcli console --charset' is for the eye"},
    {"reinitoncc", NULL}, /* a console that is down is tried again by itself, and when somebody attaches */
    {"unloved", "nothing is copied into the daemon's log; watch patterns instead"},
};

static const struct keyword_note config_notes[] = {
    {"autocomplete", NULL},
    {"daemonmode", NULL},
    {"defaultaccess", "who may connect is said by 'allow' in amtd.yaml and by the file mode of the socket"},
    {"initdelay", NULL}, /* connects are spread by themselves */
    {"logfile", "the daemon's own log: 'log-file' in amtd.yaml"},
    {"passwdfile", "users are those of the system, or have certificates"},
    {"primaryport", "clients use the UNIX socket or TLS"},
    {"redirect", NULL},
    {"reinitcheck", NULL},
    {"secondaryport", NULL},
    {"setproctitle", NULL},
    {"sslcacertificatefile", "TLS has settings of its own"},
    {"sslcredentials", "TLS has settings of its own"},
    {"sslreqclientcert", NULL},
    {"sslrequired", NULL},
    {"unifiedlog", "there is a log for each console; 'amtcli log search' and 'log follow' take many"},
};

static const struct keyword_note access_notes[] = {
    {"admin", "who administers: 'allow' with role administer in amtd.yaml"},
    {"allowed", "hosts are not told apart; users are"},
    {"include", NULL},
    {"limited", "clients run nothing on behalf of amtd, so nothing need be forbidden"},
    {"rejected", "hosts are not told apart; users are"},
    {"trusted", "nobody is believed for the address he comes from"},
};

#define TABLE(rows)                                                                                          \
    {                                                                                                        \
        rows, sizeof(rows) / sizeof((rows)[0])                                                               \
    }

static const struct {
    const struct keyword_note *rows;
    size_t count;
} tables[CF_PLACE_KINDS] = {
    [CF_IN_CONSOLE] = TABLE(console_notes),
    [CF_IN_OPTIONS] = TABLE(option_notes),
    [CF_IN_CONFIG] = TABLE(config_notes),
    [CF_IN_ACCESS] = TABLE(access_notes),
};

bool cf_not_carried(enum cf_place_kind kind, const char *keyword, const char **what)
{
    for (size_t i = 0; i < tables[kind].count; i++) {
        if (strcmp(tables[kind].rows[i].keyword, keyword) == 0) {
            *what = tables[kind].rows[i].what;
            return true;
        }
    }
    return false;
}
