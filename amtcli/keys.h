/* Keys: what a terminal sends for Enter, Backspace, arrows and function keys, as the machine wants it.
 *
 * Firmware screens, boot loaders and systems differ in what they take for F10. A mapping says what to send;
 * what stands in no mapping goes through untouched. A core without I/O. */
#ifndef AMTCLI_KEYS_H
#define AMTCLI_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define KEYS_WAIT_MS 50 /* an Escape that nothing follows for so long is the key of that name */

struct keys;

/* name: a mapping (keys_next lists them), or else a file: a line "F10 = \e0" a key; `base = vt100+` in it
 * begins with that mapping; '#' begins a comment. NULL and err (invalid-argument): every mistake with its
 * line; or the file cannot be read. */
struct keys *keys_new(const char *name, struct err *err);
void keys_free(struct keys *keys); /* NULL is fine */
const char *keys_name(const struct keys *keys);
/* The mapping after this one, round and round; the first one after a file. Static. */
const char *keys_next(const char *name);

/* Typed bytes; what is to be sent is appended. */
void keys_feed(struct keys *keys, const void *p, size_t n, int64_t now_ms, struct buf *out);
/* When keys_tick wants to be called; INT64_MAX: not at all. */
int64_t keys_deadline(const struct keys *keys);
void keys_tick(struct keys *keys, int64_t now_ms, struct buf *out);

#endif
