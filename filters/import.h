/* Filter files of others as files of ours: as much as can be carried over, and a list of what cannot.
 *
 * - XML of unknown shape, such as CBFilters.xml of the old console: its schema was never published, so
 * elements are taken by meaning: those with something like an address or a port, by the names of their
 * attributes and children.
 * - CSV or TSV with a line of titles: the columns of the old spreadsheet view, by meaning too.
 * - nftables' JSON (nft -j list ruleset): base chains of hooks input and output, matches on addresses, ports,
 * protocols.
 *
 * Nothing is applied. (reference system-defense.md, chapter 5) */
#ifndef FILTERS_IMPORT_H
#define FILTERS_IMPORT_H

#include <stddef.h>

#include "filters/file.h"

#define IMPORT_BYTES_MAX (16U << 20)

enum import_format { IMPORT_GUESS, IMPORT_XML, IMPORT_CSV, IMPORT_NFTABLES };

/* The format's name: "xml", "csv", "nftables"; and back, IMPORT_GUESS for none. */
const char *import_format_name(enum import_format format);
enum import_format import_format_by_name(const char *name);

/* `path` names the source in findings; `name` is that of the new file (at most RULE_NAME_MAX characters).
 * What could not be carried over are warnings, decisions taken on the way notes; NULL and at least one error
 * when nothing could be read. Free with filter_file_free. */
struct filter_file *filter_import(enum import_format format, const char *path, const char *name,
                                  const void *text, size_t n, struct findings *findings);

#endif
