/* The log of a console in other forms: plain, without escape sequences, as a web page, as an asciicast.
 *
 * A core without I/O: bytes of the log go in with the time they came, the form comes out through a callback.
 * Memory is bounded (one line of a terminal). */
#ifndef AMTD_CONSOLE_TEXT_EXPORT_H
#define AMTD_CONSOLE_TEXT_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum export_format {
    EXPORT_PLAIN,     /* byte for byte */
    EXPORT_STRIPPED,  /* the lines as somebody saw them (term_line.h), in UTF-8, without sequences */
    EXPORT_HTML,      /* the same with their colours, as one HTML page */
    EXPORT_ASCIICAST, /* asciicast v2: a recording that can be played again */
    EXPORT_FORMATS,
};

/* "plain", "stripped", "html", "asciicast". */
const char *export_format_name(enum export_format format);
bool export_format_by_name(const char *name, enum export_format *out);

struct export_options {
    const char *title;      /* of the page or recording: the console's name; copied */
    bool stamps;            /* each line begins with the time of its first byte; not for asciicast */
    unsigned columns, rows; /* asciicast: of the terminal; 0: 80 and 24 */
};

struct export;

/* out is called with what is ready, from inside export_bytes and export_end. Borrowed bytes. */
struct export *export_new(enum export_format format, const struct export_options *options,
                          void (*out)(void *arg, const void *p, size_t n), void *arg);
void export_free(struct export *x); /* NULL is fine */

/* at_ms: wall clock at which they came, never needed to be exact. */
void export_bytes(struct export *x, int64_t at_ms, const void *p, size_t n);
/* Some of the log is missing here; why is one line for people. Shown in the form's own way; in plain not at
 * all, which carries nothing but the log. */
void export_gap(struct export *x, int64_t at_ms, const char *why);
/* The end of the form. Nothing may follow. */
void export_end(struct export *x);

#endif
