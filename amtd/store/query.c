#include "amtd/store/query.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"

#define VALUES_MAX 1000 /* in one 'in' list */

/* Recursive descent over a text that stays in place; everything the nodes point at belongs to the query. */
struct query {
    struct query_node **nodes;
    size_t node_count;
    char **strings;
    size_t string_count;
    const struct query_node *root;
};

struct parser {
    const char *text;
    const char *p;
    struct query *query;
    struct err *err;
    int depth;
};

static const struct query_node *parse_or(struct parser *ps);

static struct query_node *node_new(struct parser *ps, enum query_kind kind)
{
    struct query *q = ps->query;
    struct query_node *node = xcalloc(1, sizeof(*node));

    q->nodes = xreallocarray(q->nodes, q->node_count + 1, sizeof(struct query_node *));
    q->nodes[q->node_count++] = node;
    node->kind = kind;
    return node;
}

static const char *keep(struct parser *ps, char *text)
{
    struct query *q = ps->query;

    q->strings = xreallocarray(q->strings, q->string_count + 1, sizeof(char *));
    q->strings[q->string_count++] = text;
    return text;
}

static void *expected(struct parser *ps, const char *what)
{
    err_set(ps->err, CAUSE_INVALID_ARGUMENT, "query '%s', column %zu: expected %s", ps->text,
            (size_t)(ps->p - ps->text) + 1, what);
    return NULL;
}

static void skip_blanks(struct parser *ps)
{
    ps->p += strspn(ps->p, " \t\r\n");
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("._-:*?/@", c)) || (unsigned char)c >= 0x80;
}

static size_t word_length(const char *p)
{
    size_t n = 0;

    while (is_word_char(p[n]))
        n++;
    return n;
}

static bool take_word(struct parser *ps, const char *word)
{
    size_t n = strlen(word);

    skip_blanks(ps);
    if (word_length(ps->p) != n || strncmp(ps->p, word, n) != 0)
        return false;
    ps->p += n;
    return true;
}

static bool take(struct parser *ps, const char *sign)
{
    skip_blanks(ps);
    if (strncmp(ps->p, sign, strlen(sign)) != 0)
        return false;
    ps->p += strlen(sign);
    return true;
}

static const char *parse_quoted(struct parser *ps)
{
    struct buf text = buf_init(4096);

    for (ps->p++; *ps->p && *ps->p != '"'; ps->p++) {
        if (*ps->p == '\\' && (ps->p[1] == '"' || ps->p[1] == '\\'))
            ps->p++;
        buf_putc(&text, *ps->p);
    }
    if (*ps->p != '"' || !buf_ok(&text)) {
        buf_free(&text);
        return expected(ps, buf_ok(&text) ? "a closing '\"'" : "a value of at most 4096 bytes");
    }
    ps->p++;
    return keep(ps, buf_take(&text));
}

/* "8GiB" as a number of bytes, owned; NULL: it is no such word. */
static char *bytes_of(const char *word, size_t n)
{
    static const struct {
        const char *unit;
        unsigned shift;
    } units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
    char *digits = xstrndup(word, n > 3 ? n - 3 : 0), *text = NULL;
    uint64_t number;

    for (size_t i = 0; n > 3 && i < sizeof(units) / sizeof(units[0]); i++)
        if (memcmp(word + n - 3, units[i].unit, 3) == 0 &&
            text_u64(digits, 0, UINT64_MAX >> units[i].shift, &number))
            text = xasprintf("%" PRIu64, number << units[i].shift);
    free(digits);
    return text;
}

/* "16GB", "1.5GiB": meant as bytes, and would be compared as text, which nearly every number is above. */
static bool is_odd_size(const char *word, size_t n)
{
    size_t digits = strspn(word, "0123456789."), rest = digits < n ? n - digits : 0;
    const char *unit = word + digits;

    if (digits == 0 || rest == 0 || rest > 3 || !strchr("kKMGTmgt", unit[0]))
        return false;
    return rest == 1 || ((unit[rest - 1] == 'B' || unit[rest - 1] == 'b') &&
                         (rest == 2 || unit[1] == 'i' || unit[1] == 'I'));
}

static const char *parse_value(struct parser *ps)
{
    char *bytes;
    size_t n;

    skip_blanks(ps);
    if (*ps->p == '"')
        return parse_quoted(ps);
    n = word_length(ps->p);
    if (n == 0)
        return expected(ps, "a value: \"text\", a word or a number");
    ps->p += n;
    bytes = bytes_of(ps->p - n, n);
    return keep(ps, bytes ? bytes : xstrndup(ps->p - n, n));
}

static const char *parse_bound(struct parser *ps)
{
    const char *from;

    skip_blanks(ps);
    from = ps->p;
    if (is_odd_size(from, word_length(from))) {
        char *bytes = bytes_of(from, word_length(from));
        bool good = bytes != NULL;

        free(bytes);
        if (!good)
            return expected(ps, "a number, or a whole one with KiB, MiB, GiB or TiB right behind it");
    }
    return parse_value(ps);
}

static bool is_bound(enum query_op op)
{
    return op == QUERY_LT || op == QUERY_LE || op == QUERY_GT || op == QUERY_GE;
}

static const char *parse_field(struct parser *ps)
{
    size_t n;

    skip_blanks(ps);
    n = word_length(ps->p);
    if (n == 0)
        return expected(ps, "a field: name, address, profile, tag.NAME or a fact such as amt.version");
    ps->p += n;
    return keep(ps, xstrndup(ps->p - n, n));
}

static const struct query_node *parse_in(struct parser *ps, const char *field)
{
    struct query_node *node = node_new(ps, QUERY_IN);
    const char **values = NULL;

    node->field = field;
    if (!take(ps, "("))
        return expected(ps, "'(' behind 'in'");
    do {
        const char *value =
            node->value_count < VALUES_MAX ? parse_value(ps) : expected(ps, "at most 1000 values");

        if (!value) {
            free(values);
            return NULL;
        }
        values = xreallocarray(values, node->value_count + 1, sizeof(char *));
        values[node->value_count++] = value;
    } while (take(ps, ","));
    node->values = (const char *const *)values;
    keep(ps, (char *)values);
    return take(ps, ")") ? node : expected(ps, "',' or ')'");
}

static const struct query_node *parse_comparison(struct parser *ps)
{
    static const struct {
        const char *sign;
        enum query_op op;
    } ops[] = {{"!=", QUERY_NE}, {"<=", QUERY_LE}, {">=", QUERY_GE}, {"=", QUERY_EQ},
               {"<", QUERY_LT},  {">", QUERY_GT},  {"~", QUERY_LIKE}};
    const char *field = parse_field(ps);
    struct query_node *node;
    const char **value;

    if (!field)
        return NULL;
    if (take_word(ps, "in"))
        return parse_in(ps, field);
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (!take(ps, ops[i].sign))
            continue;
        node = node_new(ps, QUERY_COMPARE);
        value = xcalloc(1, sizeof(char *));
        keep(ps, (char *)value);
        node->op = ops[i].op;
        node->field = field;
        node->values = (const char *const *)value;
        node->value_count = 1;
        value[0] = is_bound(node->op) ? parse_bound(ps) : parse_value(ps);
        return value[0] ? node : NULL;
    }
    return expected(ps, "one of = != < <= > >= ~ in");
}

static const struct query_node *parse_term(struct parser *ps)
{
    const struct query_node *inner;
    struct query_node *node;

    if (ps->query->node_count >= QUERY_TERMS_MAX)
        return expected(ps, "a query of at most 256 terms");
    if (take(ps, "(")) {
        if (++ps->depth > QUERY_DEPTH_MAX)
            return expected(ps, "at most 32 nested brackets");
        inner = parse_or(ps);
        ps->depth--;
        if (inner && !take(ps, ")"))
            return expected(ps, "')', 'and' or 'or'");
        return inner;
    }
    if (take_word(ps, "not")) {
        if (++ps->depth > QUERY_DEPTH_MAX)
            return expected(ps, "at most 32 nested 'not'");
        inner = parse_term(ps);
        ps->depth--;
        if (!inner)
            return NULL;
        node = node_new(ps, QUERY_NOT);
        node->a = inner;
        return node;
    }
    if (take_word(ps, "has")) {
        const char *field = parse_field(ps);

        if (!field)
            return NULL;
        node = node_new(ps, QUERY_HAS);
        node->field = field;
        return node;
    }
    return parse_comparison(ps);
}

static const struct query_node *join(struct parser *ps, enum query_kind kind, const struct query_node *a,
                                     const struct query_node *b)
{
    struct query_node *node;

    if (!b)
        return NULL;
    node = node_new(ps, kind);
    node->a = a;
    node->b = b;
    return node;
}

static const struct query_node *parse_and(struct parser *ps)
{
    const struct query_node *left = parse_term(ps);

    while (left && take_word(ps, "and"))
        left = join(ps, QUERY_AND, left, parse_term(ps));
    return left;
}

static const struct query_node *parse_or(struct parser *ps)
{
    const struct query_node *left = parse_and(ps);

    while (left && take_word(ps, "or"))
        left = join(ps, QUERY_OR, left, parse_and(ps));
    return left;
}

void query_free(struct query *query)
{
    if (!query)
        return;
    for (size_t i = 0; i < query->node_count; i++)
        free(query->nodes[i]);
    for (size_t i = 0; i < query->string_count; i++)
        free(query->strings[i]);
    free(query->nodes);
    free(query->strings);
    free(query);
}

struct query *query_parse(const char *text, struct err *err)
{
    struct parser ps = {text, text, xcalloc(1, sizeof(struct query)), err, 0};

    ps.query->root = parse_or(&ps);
    skip_blanks(&ps);
    if (ps.query->root && *ps.p) {
        expected(&ps, "'and', 'or' or the end");
        ps.query->root = NULL;
    }
    if (!ps.query->root) {
        query_free(ps.query);
        return NULL;
    }
    return ps.query;
}

const struct query_node *query_root(const struct query *query)
{
    return query->root;
}
