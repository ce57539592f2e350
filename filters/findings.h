/* What is wrong with a filter file, or worth knowing about it: all of it, each with its place.
 *
 * Readers, binders, compilers and checkers add; the caller shows. Memory is bounded: beyond FINDINGS_MAX only
 * the number grows. */
#ifndef FILTERS_FINDINGS_H
#define FILTERS_FINDINGS_H

#include <stdarg.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define FINDINGS_MAX 1000

enum finding_level {
    FINDING_ERROR,   /* the file cannot be used */
    FINDING_WARNING, /* it can, but means something that is hardly wanted */
    FINDING_NOTE,    /* good to know */
};

struct place { /* where in the file; borrowed from the file that was read */
    const char *file;
    int line; /* 0: the file as a whole */
};

struct finding {
    enum finding_level level;
    char *file;
    int line;
    char *rule; /* "" when it is not about one rule */
    char *text; /* printable */
};

struct findings { /* {0} is empty; free with findings_clear */
    struct finding *items;
    size_t count;
    size_t cap;
    size_t errors, warnings, notes; /* all, also those that were not kept */
};

/* rule may be NULL. Of a very long text the beginning is kept. */
void findings_add(struct findings *list, enum finding_level level, struct place place, const char *rule,
                  const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void findings_vadd(struct findings *list, enum finding_level level, struct place place, const char *rule,
                   const char *fmt, va_list ap) __attribute__((format(printf, 5, 0)));
void findings_clear(struct findings *list);
/* Appends all of `from` to `to` (NULL: nowhere); `from` is empty then. */
void findings_move(struct findings *to, struct findings *from);

/* "error", "warning", "note" */
const char *finding_level_name(enum finding_level level);
/* Appends "quarantine.xml:12: rule 'dns': expected …" */
void finding_text(const struct finding *finding, struct buf *out);
/* When there are errors: the first as invalid-argument, with how many more there are, and -1. Else 0. */
int findings_err(const struct findings *list, struct err *err);

#endif
