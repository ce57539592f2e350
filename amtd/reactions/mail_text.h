/* A mail as the text that is sent (RFC 5322, MIME). Does no I/O. */
#ifndef AMTD_REACTIONS_MAIL_TEXT_H
#define AMTD_REACTIONS_MAIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct mail_text {
    const char *from;
    char *const *to;
    size_t to_count;
    const char *subject; /* any text: what is not printable becomes a blank */
    const char *id;      /* unique, letters and digits: of the mail and between its parts */
    int64_t at_ms;       /* wall clock */
    const char *text;    /* UTF-8 */
    /* an attachment; data NULL: there is none */
    const char *name, *type; /* "pc7.txt", "text/plain; charset=utf-8" */
    const uint8_t *data;
    size_t data_len;
};

/* Appends it, lines ended by CR LF and none longer than 78 characters. */
void mail_text(const struct mail_text *mail, struct buf *out);
/* "anna@example.com": printable ASCII with one @, none of blanks, <, > and controls. */
bool mail_address_ok(const char *address);

#endif
