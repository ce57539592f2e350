/* Queries over hosts: tag.site = "lab" and amt.version >= 11 and power = "off"
 *
 *   query  = or ;  or = and *("or" and) ;  and = not *("and" not) ;  not = ["not"] term
 *   term   = "(" query ")" | field op value | field "in" "(" value *("," value) ")" | "has" field
 *   op     = "=" "!=" "<" "<=" ">" ">=" "~"       ("~": the field matches the shell pattern, * and ?)
 *   field  = "name" | "address" | "profile" | "tag." WORD | the name of a fact
 *   value  = "text" (quotes, \" and \\ inside) | a bare word or number or version | a number with KiB, MiB,
 *            GiB or TiB behind it, which stands for so many bytes
 *
 * < and > compare versions and numbers by number, other text by letter. A field that a host does not have
 * makes every comparison false, != included; 'not' turns it round. Compiled to SQL with parameters by the
 * store. */
#ifndef AMTD_STORE_QUERY_H
#define AMTD_STORE_QUERY_H

#include "base/buf.h"
#include "base/err.h"

#define QUERY_DEPTH_MAX 32
#define QUERY_TERMS_MAX 256

struct query;

/* NULL and err (invalid-argument: column and what was expected). */
struct query *query_parse(const char *text, struct err *err);
void query_free(struct query *query);

/* What a query is made of, for the store that compiles it. */
enum query_kind { QUERY_AND, QUERY_OR, QUERY_NOT, QUERY_COMPARE, QUERY_IN, QUERY_HAS };
enum query_op { QUERY_EQ, QUERY_NE, QUERY_LT, QUERY_LE, QUERY_GT, QUERY_GE, QUERY_LIKE };
struct query_node {
    enum query_kind kind;
    enum query_op op;
    const char *field;         /* COMPARE, IN, HAS */
    const char *const *values; /* COMPARE: one; IN: value_count */
    size_t value_count;
    const struct query_node *a, *b; /* AND, OR: both; NOT: a */
};
const struct query_node *query_root(const struct query *query);

#endif
