/* What the names in a filter file stand for: "@management", "@dns", "@my-variable", host names.
 *
 * A file is written once and applied to many hosts; what differs from host to host is bound when it is used.
 * A value is text of the place where the name stands: a list of addresses, or of ports. Values do not name
 * other names; a variable's default in the file may. */
#ifndef FILTERS_NAMES_H
#define FILTERS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define NAME_MAX_LENGTH 32
#define NAMES_MAX       256

struct names;

/* Names that every file may use without declaring them. */
struct builtin_name {
    const char *name;  /* "management" */
    const char *alias; /* "management-server", or NULL */
    const char *help;
};
extern const struct builtin_name builtin_names[]; /* ends with {NULL} */

/* A name that checking knows besides: the ports at which hosts reach the server. */
#define NAME_MANAGEMENT_PORTS "management-ports"

struct names *names_new(void);
void names_free(struct names *names); /* NULL is fine */

/* Letters, digits, '.', '_' and '-', at most NAME_MAX_LENGTH. */
bool name_is_valid(const char *name);
/* The name itself, or what it is an alias of. */
const char *name_canonical(const char *name);
bool name_is_builtin(const char *name);

/* Binds; the last value counts. -1: no valid name, an empty value, or too many names. */
int names_set(struct names *names, const char *name, const char *value, struct err *err);
/* "management-server=10.0.0.5" */
int names_set_text(struct names *names, const char *text, struct err *err);
/* What a file says a name stands for where nobody bound it. names_forget_defaults before the next file. */
int names_set_default(struct names *names, const char *name, const char *value, struct err *err);
void names_forget_defaults(struct names *names);
/* The value, else the default, or NULL. Borrowed until this name is set again. */
const char *names_get(const struct names *names, const char *name);

/* With placeholders, a name without a value stands for one address of the documentation networks
 * (192.0.2.0/24), so that a file can be checked before anybody knows where it will be used. Which names that
 * were can be asked afterwards. */
void names_use_placeholders(struct names *names);
/* The value, else a placeholder where that is allowed, else NULL. */
const char *names_get_or_placeholder(struct names *names, const char *name);
/* The i-th name that a placeholder stood in for, and its address; false beyond the end. */
bool names_placeholder(const struct names *names, size_t i, const char **name, const char **address);

/* How host names become addresses: appends them, separated by blanks. Without it host names are a mistake. */
typedef int names_resolve_fn(void *arg, const char *host, struct buf *addresses, struct err *err);
void names_set_resolver(struct names *names, names_resolve_fn *resolve, void *arg);
int names_resolve(const struct names *names, const char *host, struct buf *addresses, struct err *err);

#endif
