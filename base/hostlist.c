#include "base/hostlist.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/text.h"
#include "base/xalloc.h"

#define GROUPS_MAX 8  /* bracket groups in one word */
#define DIGITS_MAX 18 /* of a number in a group: fits 64 bits */

struct entry {
    size_t index;
    UT_hash_handle hh;
    char name[];
};

struct hostlist {
    struct entry **items; /* in order of first mention */
    size_t count;
    size_t cap;
    struct entry *table;
};

struct hostlist *hostlist_new(void)
{
    return xcalloc(1, sizeof(struct hostlist));
}

void hostlist_free(struct hostlist *list)
{
    if (!list)
        return;
    HASH_CLEAR(hh, list->table);
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    free(list);
}

static struct entry *find(const struct hostlist *list, const char *name, size_t n)
{
    struct entry *e;

    HASH_FIND(hh, list->table, name, n, e);
    return e;
}

bool hostlist_contains(const struct hostlist *list, const char *name)
{
    return find(list, name, strlen(name)) != NULL;
}

size_t hostlist_count(const struct hostlist *list)
{
    return list->count;
}

const char *hostlist_name(const struct hostlist *list, size_t i)
{
    return list->items[i]->name;
}

static bool is_name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == ':' || (c == '-' && !first);
}

static int put(struct hostlist *list, const char *name, size_t n, struct err *err)
{
    struct entry *e;

    if (n > HOSTLIST_NAME_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "a host name has at most %d bytes: %.40s...",
                       HOSTLIST_NAME_MAX, name);
    if (find(list, name, n))
        return 0;
    if (list->count == HOSTLIST_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "more than %d hosts", HOSTLIST_MAX);
    if (list->count == list->cap) {
        list->cap = list->cap > 0 ? list->cap * 2 : 16;
        list->items = xreallocarray(list->items, list->cap, sizeof(struct entry *));
    }
    e = xmalloc(sizeof(*e) + n + 1);
    memcpy(e->name, name, n);
    e->name[n] = '\0';
    e->index = list->count;
    list->items[list->count++] = e;
    HASH_ADD_KEYPTR(hh, list->table, e->name, n, e);
    return 0;
}

int hostlist_add(struct hostlist *list, const char *name, struct err *err)
{
    size_t n = strlen(name);

    if (n == 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "a host name is empty");
    for (size_t i = 0; i < n; i++)
        if (!is_name_char(name[i], i == 0))
            return err_set(err, CAUSE_INVALID_ARGUMENT,
                           "'%s': a host name holds letters, digits, '.', '_', ':' and, not first, '-'",
                           name);
    return put(list, name, n, err);
}

bool hostlist_is_address(const char *text)
{
    uint8_t bytes[16];
    size_t n = strlen(text), good = 0;

    if (inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1)
        return true;
    if (n == 0 || n > HOSTLIST_NAME_MAX || text[strspn(text, "0123456789.")] == '\0')
        return false;
    while (good < n && text[good] != ':' && is_name_char(text[good], good == 0))
        good++;
    return good == n;
}

/* Takes away what stands in `gone`; order is kept. */
static void subtract(struct hostlist *list, const struct hostlist *gone)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        struct entry *e = list->items[i];

        if (hostlist_contains(gone, e->name)) {
            HASH_DEL(list->table, e);
            free(e);
        } else {
            e->index = kept;
            list->items[kept++] = e;
        }
    }
    list->count = kept;
}

/* --- parsing --- */

struct parser {
    const char *text; /* whole, for the place in errors */
    const char *p;
    size_t *names; /* so many were made, also such as are there already */
    struct err *err;
};

static int expected(struct parser *ps, const char *what)
{
    return err_set(ps->err, CAUSE_INVALID_ARGUMENT, "host list '%s', column %zu: expected %s", ps->text,
                   (size_t)(ps->p - ps->text) + 1, what);
}

static bool is_separator(char c)
{
    return c == ',' || c == ' ' || c == '\t' || c == '\n';
}

static int number(struct parser *ps, uint64_t *value, size_t *width)
{
    char digits[DIGITS_MAX + 1];
    size_t n = strspn(ps->p, "0123456789");

    if (n == 0 || n > DIGITS_MAX)
        return expected(ps, n == 0 ? "a number" : "a number of at most 18 digits");
    memcpy(digits, ps->p, n);
    digits[n] = '\0';
    text_u64(digits, 0, UINT64_MAX, value);
    *width = digits[0] == '0' && n > 1 ? n : 0;
    ps->p += n;
    return 0;
}

static int expand(struct parser *ps, struct buf *prefix, int groups, struct hostlist *out);

/* "[a-b,c,...]": every number in turn behind the prefix, then what follows the bracket. */
static int expand_group(struct parser *ps, struct buf *prefix, int groups, struct hostlist *out)
{
    const char *after = strchr(ps->p, ']');

    if (groups == GROUPS_MAX)
        return expected(ps, "at most 8 groups of brackets");
    if (!after)
        return expected(ps, "']' later on");
    ps->p++;
    for (;;) {
        size_t kept = prefix->len, first_width = 0, last_width = 0;
        uint64_t first = 0, last;

        if (number(ps, &first, &first_width) != 0)
            return -1;
        last = first;
        if (*ps->p == '-') {
            ps->p++;
            if (number(ps, &last, &last_width) != 0)
                return -1;
            if (last < first)
                return expected(ps, "a range that counts up");
        }
        if (last - first >= HOSTLIST_MAX)
            return expected(ps, "a range of at most 1000000 hosts");
        for (uint64_t i = first; i <= last; i++) {
            struct parser tail = {ps->text, after + 1, ps->names, ps->err};

            buf_printf(prefix, "%0*llu", (int)first_width, (unsigned long long)i);
            if (expand(&tail, prefix, groups + 1, out) != 0)
                return -1;
            prefix->len = kept;
        }
        if (*ps->p == ']')
            return 0;
        if (*ps->p != ',')
            return expected(ps, "',' or ']'");
        ps->p++;
    }
}

/* The rest of a word behind what is already in prefix. */
static int expand(struct parser *ps, struct buf *prefix, int groups, struct hostlist *out)
{
    while (*ps->p && *ps->p != '[' && !is_separator(*ps->p)) {
        if (!is_name_char(*ps->p, prefix->len == 0))
            return expected(ps, "a letter, a digit, one of . _ : - or '['");
        buf_putc(prefix, *ps->p++);
    }
    if (!buf_ok(prefix) || prefix->len > HOSTLIST_NAME_MAX)
        return expected(ps, "a name of at most 253 bytes");
    if (*ps->p == '[')
        return expand_group(ps, prefix, groups, out);
    if (++*ps->names > HOSTLIST_MAX) /* "[1,1][1,1]" names one host, however many times */
        return err_set(ps->err, CAUSE_INVALID_ARGUMENT, "more than %d hosts", HOSTLIST_MAX);
    return put(out, buf_str(prefix), prefix->len, ps->err);
}

static const char *word_end(const char *p)
{
    bool inside = false;

    for (; *p && (inside || !is_separator(*p)); p++)
        inside = *p == '[' ? true : *p == ']' ? false : inside;
    return p;
}

static int parse(struct parser *ps, struct hostlist *in, struct hostlist *gone)
{
    struct buf prefix = buf_init(HOSTLIST_NAME_MAX + 32);
    int status = 0;

    while (status == 0 && *ps->p) {
        struct hostlist *out = in;
        const char *end;

        if (is_separator(*ps->p)) {
            ps->p++;
            continue;
        }
        if (*ps->p == '!' || *ps->p == '-') {
            out = gone;
            ps->p++;
        }
        if (!*ps->p || is_separator(*ps->p)) {
            status = expected(ps, "a host name");
            break;
        }
        end = word_end(ps->p);
        prefix.len = 0;
        status = expand(ps, &prefix, 0, out);
        ps->p = end;
    }
    buf_free(&prefix);
    return status;
}

struct hostlist *hostlist_parse(const char *text, struct err *err)
{
    struct hostlist *list = hostlist_new(), *gone = hostlist_new();
    size_t names = 0;
    struct parser ps = {text, text, &names, err};

    if (parse(&ps, list, gone) != 0) {
        hostlist_free(list);
        list = NULL;
    } else {
        subtract(list, gone);
    }
    hostlist_free(gone);
    return list;
}

/* --- order --- */

static size_t zeros(const char *p)
{
    size_t n = 0;

    while (p[n] == '0')
        n++;
    return n;
}

static size_t digits(const char *p)
{
    size_t n = 0;

    while (p[n] >= '0' && p[n] <= '9')
        n++;
    return n;
}

/* Digit runs by number; the same number with fewer zeros in front first; then byte by byte. */
int hostlist_compare_names(const char *a, const char *b)
{
    const char *a0 = a, *b0 = b;

    while (*a && *b) {
        size_t za, zb, na, nb;
        int order;

        if (*a < '0' || *a > '9' || *b < '0' || *b > '9') {
            if (*a != *b)
                return (unsigned char)*a - (unsigned char)*b;
            a++;
            b++;
            continue;
        }
        za = zeros(a);
        zb = zeros(b);
        na = digits(a + za);
        nb = digits(b + zb);
        if (na != nb)
            return na < nb ? -1 : 1;
        order = strncmp(a + za, b + zb, na);
        if (order != 0)
            return order;
        a += za + na;
        b += zb + nb;
    }
    if (*a || *b)
        return (unsigned char)*a - (unsigned char)*b;
    return strcmp(a0, b0);
}

/* --- folding --- */

/* A set of names being folded: text with one digit group after the other turned into brackets, from the
 * right. */
struct fold {
    char *text;   /* the whole, with brackets where already folded */
    size_t at, n; /* the digit group looked at now; n 0: none left */
    uint64_t value;
    size_t width; /* digits when there are zeros in front, else 0 */
};

/* Finds the digit group that is the k-th from the right (0: the last) outside brackets. */
static void locate(struct fold *f, size_t k)
{
    size_t i = strlen(f->text);
    char digits[DIGITS_MAX + 1];

    f->n = 0;
    while (i > 0) {
        size_t end = i;

        if (f->text[i - 1] == ']') {
            while (i > 0 && f->text[i - 1] != '[')
                i--;
            i--;
            if (k-- == 0)
                return; /* folded already */
            continue;
        }
        while (i > 0 && f->text[i - 1] >= '0' && f->text[i - 1] <= '9')
            i--;
        if (i == end) {
            i--;
            continue;
        }
        if (k-- > 0)
            continue;
        if (end - i > DIGITS_MAX)
            return;
        f->at = i;
        f->n = end - i;
        memcpy(digits, f->text + i, f->n);
        digits[f->n] = '\0';
        text_u64(digits, 0, UINT64_MAX, &f->value);
        f->width = digits[0] == '0' && f->n > 1 ? f->n : 0;
        return;
    }
}

/* Same text but for the number looked at, and the numbers can stand in one bracket: the width is the same, or
 * one needs none and has as many digits ("[098-101]"). */
static bool same_frame(const struct fold *a, const struct fold *b)
{
    return a->n > 0 && b->n > 0 && a->at == b->at && strncmp(a->text, b->text, a->at) == 0 &&
           strcmp(a->text + a->at + a->n, b->text + b->at + b->n) == 0 &&
           (a->n == b->n || (a->width == 0 && b->width == 0));
}

static int by_frame(const void *pa, const void *pb)
{
    const struct fold *a = pa, *b = pb;
    int order;

    if (a->n == 0 || b->n == 0) {
        if (a->n != b->n)
            return a->n == 0 ? -1 : 1;
        return strcmp(a->text, b->text);
    }
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    order = strncmp(a->text, b->text, a->at);
    if (order == 0)
        order = strcmp(a->text + a->at + a->n, b->text + b->at + b->n);
    if (order == 0 && (a->width > 0 || b->width > 0) && a->n != b->n)
        order = a->n < b->n ? -1 : 1;
    if (order == 0)
        order = a->value < b->value ? -1 : a->value > b->value;
    return order;
}

/* One bracket for items[0..n), which share a frame and are sorted by value. */
static char *bracket(const struct fold *items, size_t n)
{
    struct buf out = buf_init(SIZE_MAX / 4);
    const struct fold *first = &items[0];

    if (n == 1)
        return xstrdup(first->text);
    buf_add(&out, first->text, first->at);
    for (size_t i = 0, k; i < n; i = k) {
        k = i + 1;
        while (k < n && items[k].value == items[k - 1].value + 1)
            k++;
        buf_printf(&out, "%c%.*s", i == 0 ? '[' : ',', (int)items[i].n, items[i].text + items[i].at);
        if (k - i > 1)
            buf_printf(&out, "-%.*s", (int)items[k - 1].n, items[k - 1].text + items[k - 1].at);
    }
    buf_putc(&out, ']');
    buf_puts(&out, first->text + first->at + first->n);
    return buf_take(&out);
}

/* Folds the k-th group from the right of all items; returns how many are left. */
static size_t fold_group(struct fold *items, size_t count, size_t k)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        locate(&items[i], k);
    qsort(items, count, sizeof(*items), by_frame);
    for (size_t i = 0, j; i < count; i = j) {
        char *text;

        for (j = i + 1; j < count && same_frame(&items[i], &items[j]); j++)
            ;
        text = bracket(items + i, j - i);
        for (size_t m = i; m < j; m++)
            free(items[m].text);
        items[kept++].text = text;
    }
    return kept;
}

static int by_name(const void *pa, const void *pb)
{
    return hostlist_compare_names(((const struct fold *)pa)->text, ((const struct fold *)pb)->text);
}

void hostlist_fold(const struct hostlist *list, struct buf *out)
{
    struct fold *items = xcalloc(list->count, sizeof(*items));
    size_t count = list->count;

    for (size_t i = 0; i < count; i++)
        items[i].text = xstrdup(list->items[i]->name);
    for (size_t k = 0; k < GROUPS_MAX && count > 1; k++)
        count = fold_group(items, count, k);
    qsort(items, count, sizeof(*items), by_name);
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%s%s", i > 0 ? "," : "", items[i].text);
        free(items[i].text);
    }
    free(items);
}
