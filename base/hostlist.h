/* Host lists: "pc[001-120,130]", "a[1-2]b[3-4]", "pc1,pc7", with exclusions "!pc5" or "-pc[10-20]".
 *
 * Grammar: list = item *((","|blank) item); item = ["!"|"-"] word; a word holds any number of bracket groups
 * [n-m,k,...]; leading zeros give the width ("[001-120]"), so pc1 and pc001 are different names. Exclusions
 * take away from all that the list names, wherever they stand. Name characters: letters, digits, '.', '_',
 * ':' and, not first, '-' (RFC 1123 names, IPv4 and IPv6 addresses). Duplicates count once; order of first
 * mention is kept. */
#ifndef BASE_HOSTLIST_H
#define BASE_HOSTLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define HOSTLIST_MAX      1000000 /* names in one list; more is an error, not a crash */
#define HOSTLIST_NAME_MAX 253     /* bytes of one name */

struct hostlist;

/* Parses; NULL and err (invalid-argument: the place, what was expected) on a mistake. Free with
 * hostlist_free. */
struct hostlist *hostlist_parse(const char *text, struct err *err);
struct hostlist *hostlist_new(void);
void hostlist_free(struct hostlist *list); /* NULL is fine */

/* Adds one literal name (no brackets). 0, also when it is already there; -1 invalid or too many. */
int hostlist_add(struct hostlist *list, const char *name, struct err *err);
/* Where a host can be reached: an IP address, or a name that could not be mistaken for one ("300.1.1.1",
 * "fe80::zz"). */
bool hostlist_is_address(const char *text);
bool hostlist_contains(const struct hostlist *list, const char *name);
size_t hostlist_count(const struct hostlist *list);
/* The i-th name in order of first mention, i < count. Borrowed from the list. */
const char *hostlist_name(const struct hostlist *list, size_t i);

/* The shortest form that names the same set, folded over every digit group and sorted naturally:
 * "a[1-2]b[3-4],pc[001-120,130]". Appends to out. hostlist_parse of it gives the same set. */
void hostlist_fold(const struct hostlist *list, struct buf *out);

/* Natural order: digit runs compare as numbers ("pc2" before "pc10"). As for strcmp. */
int hostlist_compare_names(const char *a, const char *b);

#endif
