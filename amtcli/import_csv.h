/* Hosts from a CSV file: every mistake with its line, all of them at once. */
#ifndef AMTCLI_IMPORT_CSV_H
#define AMTCLI_IMPORT_CSV_H

#include <jansson.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/hostlist.h"

#define IMPORT_CSV_MAX (64 << 20) /* bytes of a file */

/* What there is already, to find mistakes that a row alone does not show. */
struct import_known {
    const struct hostlist *hosts; /* rows may not name these; NULL: they may */
    const json_t *profiles;       /* array of names that rows may use; NULL: any */
};

/* Reads CSV (RFC 4180, UTF-8, with or without a byte order mark). The first line names the columns: name, and
 * any of address, profile, tag.NAME; fact.NAME is read over, so that what `host list -o csv` printed can be
 * read. Returns the rows for host.import, and in *lines the line of each (both owned by the caller); or
 * NULL with at least one line "path:line: what was expected" in mistakes, also when the file cannot be read.
 */
json_t *import_csv_read(FILE *file, const char *path, const struct import_known *known, json_t **lines,
                        struct buf *mistakes);

#endif
