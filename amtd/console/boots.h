/* When a machine boots, by what it prints: the banner of firmware, boot loader or kernel, after silence.
 * While a machine tests itself it is silent, so only what comes after silence is looked at, and nothing of a
 * console that prints all the time; nor what comes when somebody has just typed, because a kernel's first
 * lines are also shown by `dmesg`. */
#ifndef AMTD_CONSOLE_BOOTS_H
#define AMTD_CONSOLE_BOOTS_H

#include <stddef.h>
#include <stdint.h>

#define BOOTS_SILENCE_MS 1000 /* before a banner */
#define BOOTS_TYPED_MS   5000 /* since somebody typed */

struct boots;

/* Looks at the next bytes, from now on. *boots: NULL when it does not look; allocated here. */
void boots_begin(struct boots **boots);
/* Bytes at that offset of the log. A boot begins among them: its banner's line, printable, valid until the
 * next call, and the offset at which that line begins; no other is looked for before boots_begin. Else NULL.
 * *boots is NULL when it has looked at enough. */
const char *boots_bytes(struct boots **boots, uint64_t offset, const uint8_t *p, size_t n, uint64_t *begin);
void boots_free(struct boots *boots); /* NULL is fine */

#endif
