/* Character sets of machines on a terminal that speaks UTF-8. */
#ifndef AMTCLI_CHARSET_H
#define AMTCLI_CHARSET_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct charset;

/* name: utf-8, cp437 (firmware screens) or latin1. NULL and err: invalid-argument, or system when the
 * conversion is not installed. */
struct charset *charset_new(const char *name, struct err *err);
void charset_free(struct charset *cs); /* NULL is fine */
const char *charset_name(const struct charset *cs);
/* The name after this one, round and round; static. */
const char *charset_next(const char *name);

/* Bytes of the machine for the terminal, and typed ones for the machine. Appends. What is no character
 * becomes U+FFFD or '?'; the beginning of one waits for the rest. */
void charset_to_terminal(struct charset *cs, const void *p, size_t n, struct buf *out);
void charset_to_machine(struct charset *cs, const void *p, size_t n, struct buf *out);

#endif
