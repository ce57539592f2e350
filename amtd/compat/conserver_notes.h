/* What of conserver's configuration has no counterpart here: one line each, with its place. */
#ifndef AMTD_COMPAT_CONSERVER_NOTES_H
#define AMTD_COMPAT_CONSERVER_NOTES_H

#include <stdbool.h>
#include <stddef.h>

#include "amtd/compat/conserver_cf.h"
#include "base/buf.h"

struct cf_noted;

struct cf_notes {
    struct buf *out;
    size_t count;
    struct cf_noted *seen;
};

/* Appends "FILE:LINE: SUBJECT: WHAT", unless something was said of `once` already: the address of the block
 * or entry, or anything else that stands for all of its kind. */
void cf_note(struct cf_notes *notes, const struct cf_place *place, const void *once, const char *subject,
             const char *what);
/* The same about one keyword with its value. */
void cf_note_entry(struct cf_notes *notes, const struct cf_entry *entry, const char *what);
void cf_notes_clear(struct cf_notes *notes);

/* Tables of keywords that are not carried over, by where they stand. */
enum cf_place_kind { CF_IN_CONSOLE, CF_IN_OPTIONS, CF_IN_CONFIG, CF_IN_ACCESS, CF_PLACE_KINDS };

/* True when it is a keyword there; *what is then what is to be said of it, NULL: nothing, as the same comes
 * about here by itself. */
bool cf_not_carried(enum cf_place_kind kind, const char *keyword, const char **what);

#endif
