/* How people read values: sizes, moments, times. For columns (output.h); JSON and CSV keep what amtd says.
 * Each appends; what is not of its kind is shown as it is, made printable. */
#ifndef AMTCLI_FORMS_H
#define AMTCLI_FORMS_H

#include <jansson.h>

#include "base/buf.h"

/* Bytes: "512 B", "1.5 KiB", "32 GiB". */
void form_bytes(const json_t *value, struct buf *out);
/* A moment of UTC to the second: "2026-11-21T20:31:47Z". */
void form_moment(const json_t *value, struct buf *out);
/* Milliseconds: "5s", "90m"; of 0 "default". */
void form_ms(const json_t *value, struct buf *out);
/* To each row that has the moments "began" and "ended" the time between, as "took": "90s". */
void form_took(json_t *rows);
/* Seconds, also negative ones: "90s", "5d". */
void form_seconds(const json_t *value, struct buf *out);

#endif
