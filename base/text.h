/* Text from outside: bounded numbers, printable escapes, UTF-8. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* The whole string as a decimal number within [min, max]; no sign on unsigned, no blanks, nothing behind. */
bool text_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out);
bool text_i64(const char *s, int64_t min, int64_t max, int64_t *out);

/* "90", "90s", "5m", "2h", "1d", "250ms" as milliseconds within [min, max]; a bare number counts seconds. */
bool text_duration_ms(const char *s, int64_t min, int64_t max, int64_t *out);

/* "host" of one, "hosts" of none and of many. */
const char *text_plural(uint64_t n, const char *one, const char *many);

/* Appends milliseconds >= 0 in the largest unit that has no remainder: "2h", "90m", "250ms", "0s". */
void text_duration(struct buf *out, int64_t ms);

/* Appends n bytes with everything that is not printable UTF-8 shown as \xNN, \n, \t: safe for logs and
 * terminals. */
void text_printable(struct buf *out, const void *p, size_t n);

/* True for well-formed UTF-8 without NUL (RFC 3629). */
bool text_is_utf8(const void *p, size_t n);

/* The character at the beginning of n > 0 bytes (RFC 3629): its length, 1 to 4, and *out. 0: the bytes are
 * none. -1: they may be the beginning of one. */
int text_utf8_next(const void *p, size_t n, uint32_t *out);

/* Base64 with padding (RFC 4648 section 4). Decode: blanks and line ends are skipped; false on anything else
 * (out then holds nothing new). */
void text_base64(struct buf *out, const void *p, size_t n);
bool text_base64_decode(struct buf *out, const char *s, size_t n);
void text_hex(struct buf *out, const void *p, size_t n, bool upper);

/* Compares dotted versions by number: "9.5" < "11.8.50" < "11.8.50.3460"; as for strcmp. */
int text_version_compare(const char *a, const char *b);

/* "\e[A", "^H", "\x7f", "\r", "\n", "\t", "\\", "\012" as bytes: what is typed at a terminal. Appends. False:
 * that is none. */
bool text_unescape(const char *text, struct buf *out);

#endif
