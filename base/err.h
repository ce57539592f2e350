/* Errors: one cause, the other side's own number, one line of text.
 *
 * Functions that can fail return 0 or -1 (or a pointer or NULL) and take `struct err *err` last. The text is
 * set where the fact is known; each layer above adds context at most once; the top logs or prints it once. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/cause.h"

#define ERR_TEXT_MAX 320
#define ERR_CODE_MAX 64

struct err {
    enum cause cause;
    char code[ERR_CODE_MAX]; /* the firmware's or system's own code, "ReturnValue 2", "e:AccessDenied", "HTTP
                                503"; "" if none */
    char text[ERR_TEXT_MAX]; /* what exactly happened; never a secret; printable (see text_printable) */
};

#define ERR_INIT                                                                                             \
    {                                                                                                        \
        CAUSE_NONE, "", ""                                                                                   \
    }

/* Makes *err an error of that cause with a text. err may be NULL (then nothing is kept). Always returns -1,
 * so that a function can end with `return err_set(...)`. Text beyond ERR_TEXT_MAX is cut in the middle,
 * because what was expected stands at its end; control characters are shown escaped. errno is kept. */
int err_set(struct err *err, enum cause cause, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same, with the text of errno value `number` behind it and code "errno NAME". */
int err_set_errno(struct err *err, enum cause cause, int number, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Sets the other side's own code on an error that is already set. Returns -1. */
int err_code(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "CONTEXT: " before the text. Returns -1. */
int err_context(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What to do next: the cause's hint, or a closer one for what the text tells, such as the command that lists
 * what there is where something is not found. Static. */
const char *err_hint(const struct err *err);

void err_clear(struct err *err);

#endif
