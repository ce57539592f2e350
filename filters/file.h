/* Filter files: reading, with every mistake at once; binding to a host; writing. (docs/filters.md)
 *
 * A file that was read holds the text of its attributes, all of a valid form; names are bound later, as often
 * as wanted, so that one file serves a fleet. Reading is safe for files from anywhere: no document types, no
 * entities, no network, limits on size, depth, includes and rules. */
#ifndef FILTERS_FILE_H
#define FILTERS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "filters/findings.h"
#include "filters/names.h"
#include "filters/rules.h"

#define FILTER_NAMESPACE      "urn:amt-network-filters:1"
#define FILTER_FILE_BYTES_MAX (16U << 20)
#define FILTER_INCLUDE_DEPTH  8
#define FILTER_INCLUDES_MAX   64

enum filter_attribute {
    ATTRIBUTE_NAME,
    ATTRIBUTE_ENABLED,
    ATTRIBUTE_DIRECTION,
    ATTRIBUTE_IP,
    ATTRIBUTE_PROTOCOL,
    ATTRIBUTE_ETHERTYPE,
    ATTRIBUTE_LOCAL,
    ATTRIBUTE_LOCAL_PORTS,
    ATTRIBUTE_REMOTE,
    ATTRIBUTE_REMOTE_PORTS,
    ATTRIBUTE_TCP_FLAGS,
    ATTRIBUTE_ACTION,
    ATTRIBUTE_RATE,
    ATTRIBUTE_COUNT,
    ATTRIBUTE_EVENT,
    ATTRIBUTE_COMMENT,
    ATTRIBUTE_DEFAULT, /* of a variable */
    ATTRIBUTE_FILE,    /* of an include */
    ATTRIBUTES
};
extern const char *const filter_attribute_names[ATTRIBUTES];

enum filter_element {
    ELEMENT_RULE,
    ELEMENT_NEED,
    ELEMENT_VARIABLE,
    ELEMENT_INCLUDE, /* its items follow it */
};
extern const char *const filter_element_names[];

struct filter_item {
    enum filter_element element;
    unsigned depth; /* of includes: 0 is the file itself */
    struct place place;
    char *values[ATTRIBUTES]; /* NULL: not given */
    char *remark;             /* XML comments that stand before it, or NULL */
};

struct filter_file {
    char *path;
    char name[RULE_NAME_MAX + 1];
    uint32_t version;
    char *comment;
    char *remark;
    bool has_policy;
    struct rules_policy policy;
    struct filter_item *items; /* in the order written, includes unfolded */
    size_t count;
    size_t cap;
    char **paths; /* of all files read; places borrow them */
    size_t path_count;
};

/* Reads the whole file at `path` into out (at most FILTER_FILE_BYTES_MAX). */
typedef int filter_read_fn(void *arg, const char *path, struct buf *out, struct err *err);
/* The one that reads from disk; arg is not used. */
int filter_read_disk(void *arg, const char *path, struct buf *out, struct err *err);

/* The name may be set for this file: it is built in, the file declares it, or checking uses it. */
bool filter_file_has_name(const struct filter_file *file, const char *name);

/* Reads file and includes (a path relative to the including file's folder). Mistakes go to findings; NULL
 * when there is at least one error. Free with filter_file_free. */
struct filter_file *filter_file_read(const char *path, filter_read_fn *read, void *arg,
                                     struct findings *findings);
/* The same for text already at hand; `path` names it in findings and is where includes are looked for. */
struct filter_file *filter_file_parse(const char *path, const void *text, size_t n, filter_read_fn *read,
                                      void *arg, struct findings *findings);
void filter_file_free(struct filter_file *file); /* NULL is fine */

/* An empty file to fill (importers). Free with filter_file_free. */
struct filter_file *filter_file_new(const char *path);
/* Adds an item of that element; the caller fills values. Borrowed until the next one is added. */
struct filter_item *filter_file_add(struct filter_file *file, enum filter_element element, int line);

/* What the file's rules are for the host the names describe. Names that are not set, host names that do not
 * resolve, and rules too large are errors in findings; NULL then. Lives no longer than the file. */
struct ruleset *filter_bind(const struct filter_file *file, struct names *names, struct findings *findings);

/* Appends the file as one document, includes unfolded, comments kept. Reading it gives the same rules. */
void filter_file_write(const struct filter_file *file, struct buf *out);

#endif
