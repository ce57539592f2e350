/* Translating conserver's configuration into one of amtd (reference conserver.md, chapter b;
 * docs/amtd.yaml.5).
 *
 * Consoles come with what they inherit, groups with their members, substitutions carried out. What amtd does
 * in another way, or not at all, is listed with its place, once for each place, however many consoles share
 * it. */
#ifndef AMTD_COMPAT_CONSERVER_IMPORT_H
#define AMTD_COMPAT_CONSERVER_IMPORT_H

#include <stddef.h>

#include "amtd/compat/conserver_cf.h"
#include "base/buf.h"
#include "base/err.h"

struct import_result {
    size_t consoles; /* translated */
    size_t left_out; /* consoles that were not: named in the notes */
    size_t notes;
};

/* Appends the `consoles:` of amtd.yaml to yaml and one line a note ("FILE:LINE: ...") to notes. -1 and err
 * (too-large) when a buffer's bound was reached. */
int conserver_import(const struct cf *cf, struct buf *yaml, struct buf *notes, struct import_result *result,
                     struct err *err);

#endif
