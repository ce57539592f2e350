/* What a scripted machine's firmware and system say, word for word. */
#ifndef AMTSIM_SCRIPTED_TEXT_H
#define AMTSIM_SCRIPTED_TEXT_H

#include <stdint.h>

#include "base/buf.h"

/* The BIOS at power-on: ANSI colours and a frame in code page 437. */
void scripted_text_bios(struct buf *out, const char *name, uint32_t boot);
/* The kernel log of a boot, lines with CR LF, and the greeting behind it. root: "disk", "cd", "floppy". */
void scripted_text_kernel(struct buf *out, const char *name, uint32_t boot, const char *root);

#endif
