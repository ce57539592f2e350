/* Queries as SQL conditions over `hosts h`. Fields and values are parameters, never text of the statement. */
#include <string.h>

#include "amtd/store/internal.h"

static int param(struct sql_values *values, const char *text, struct buf *out, struct err *err)
{
    if (values->count == sizeof(values->items) / sizeof(values->items[0]))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "the query has too many values");
    values->items[values->count++] = text;
    buf_printf(out, "?%zu", values->count);
    return 0;
}

/* Inventories are many facts, so they have a table of their own, which nobody reads for a list of hosts. */
static const char *table_of(const char *field)
{
    if (strncmp(field, "tag.", 4) == 0)
        return "tags";
    return strncmp(field, "inventory.", 10) == 0 ? "inventory_facts" : "facts";
}

/* "result.NAME" and "cause.NAME": of a task of the run of a job. */
static bool is_of_task(const char *field, const char **column, const char **label)
{
    static const char *const columns[][2] = {
        {"result.", "CASE WHEN skipped THEN 'skipped' WHEN state = 2 THEN 'ok' ELSE 'failed' END"},
        {"cause.", "cause"}};

    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        size_t n = strlen(columns[i][0]);

        *column = columns[i][1];
        *label = field + n;
        if (strncmp(field, columns[i][0], n) == 0)
            return true;
    }
    return false;
}

/* "event.data.pattern": of the event that began the run of a job. The words of a field have no quotes, which
 * the parser of queries sees to. */
static void event_sql(const char *field, int64_t run, struct buf *out)
{
    buf_puts(out, "(SELECT CAST(json_extract(event, '$");
    for (const char *p = field; *p; p += strcspn(p, ".") + (p[strcspn(p, ".")] == '.'))
        buf_printf(out, ".\"%.*s\"", (int)strcspn(p, "."), p);
    buf_printf(out, "') AS TEXT) FROM jobs WHERE run = %lld)", (long long)run);
}

/* The value of a field of the host at hand: a column, or a row of tags or facts (NULL when it has none). */
static int field_sql(const char *field, struct buf *out, struct sql_values *values, struct err *err)
{
    static const char *const columns[] = {"name", "address", "profile"};
    const char *column, *label;

    for (size_t i = 0; i < 2; i++) {
        if (strcmp(field, columns[i]) == 0) {
            buf_printf(out, "h.%s", columns[i]);
            return 0;
        }
    }
    if (strcmp(field, "profile") == 0) { /* the host's own, else the one that worked */
        buf_puts(out,
                 "coalesce(h.profile, (SELECT value FROM facts WHERE host = h.id AND name = 'profile'))");
        return 0;
    }
    if (values->run > 0 && is_of_task(field, &column, &label)) {
        buf_printf(out, "(SELECT %s FROM job_results WHERE run = %lld AND host = h.id AND label = ", column,
                   (long long)values->run);
        if (param(values, label, out, err) != 0)
            return -1;
        buf_puts(out, ")");
        return 0;
    }
    if (values->run > 0 && strncmp(field, "event.", 6) == 0 && !strpbrk(field, "'\"")) {
        event_sql(field + 6, values->run, out);
        return 0;
    }
    buf_printf(out, "(SELECT value FROM %s WHERE host = h.id AND name = ", table_of(field));
    if (param(values, strncmp(field, "tag.", 4) == 0 ? field + 4 : field, out, err) != 0)
        return -1;
    buf_puts(out, ")");
    return 0;
}

/* By the index of tags' values: a query over many hosts looks at those that have it, and not at all. */
static int has_tag_sql(const struct query_node *node, struct buf *out, struct sql_values *values,
                       struct err *err)
{
    buf_puts(out, "h.id IN (SELECT host FROM tags WHERE name = ");
    if (param(values, node->field + 4, out, err) != 0)
        return -1;
    buf_puts(out, " AND value = ");
    if (param(values, node->values[0], out, err) != 0)
        return -1;
    buf_puts(out, ")");
    return 0;
}

static int compare_sql(const struct query_node *node, struct buf *out, struct sql_values *values,
                       struct err *err)
{
    static const char *const signs[] = {[QUERY_EQ] = "=",  [QUERY_NE] = "<>", [QUERY_LT] = "<",
                                        [QUERY_LE] = "<=", [QUERY_GT] = ">",  [QUERY_GE] = ">="};
    bool by_order =
        node->op == QUERY_LT || node->op == QUERY_LE || node->op == QUERY_GT || node->op == QUERY_GE;

    if (node->op == QUERY_EQ && values->run == 0 && strncmp(node->field, "tag.", 4) == 0)
        return has_tag_sql(node, out, values, err);
    /* A field that is not there is NULL, and so is every comparison with it: made false here. */
    buf_puts(out, by_order ? "ifnull(amtd_compare(" : "ifnull(");
    if (field_sql(node->field, out, values, err) != 0)
        return -1;
    buf_printf(out, " %s ", by_order ? "," : node->op == QUERY_LIKE ? "GLOB" : signs[node->op]);
    if (param(values, node->values[0], out, err) != 0)
        return -1;
    if (by_order)
        buf_printf(out, ") %s 0", signs[node->op]);
    buf_puts(out, ", 0)");
    return 0;
}

static int in_sql(const struct query_node *node, struct buf *out, struct sql_values *values, struct err *err)
{
    buf_puts(out, "ifnull(");
    if (field_sql(node->field, out, values, err) != 0)
        return -1;
    buf_puts(out, " IN (");
    for (size_t i = 0; i < node->value_count; i++) {
        buf_puts(out, i > 0 ? ", " : "");
        if (param(values, node->values[i], out, err) != 0)
            return -1;
    }
    buf_puts(out, "), 0)");
    return 0;
}

/* "a OR b OR c": a chain leans to its left. No brackets within it, as SQLite's parser takes about a hundred
 * nested ones, and a query may join more terms than that. */
static int chain_sql(const struct query_node *node, struct buf *out, struct sql_values *values,
                     struct err *err)
{
    int status = node->a->kind == node->kind ? chain_sql(node->a, out, values, err)
                                             : query_sql(node->a, out, values, err);

    buf_puts(out, node->kind == QUERY_AND ? " AND " : " OR ");
    return status == 0 ? query_sql(node->b, out, values, err) : -1;
}

static int join_sql(const struct query_node *node, struct buf *out, struct sql_values *values,
                    struct err *err)
{
    int status;

    buf_puts(out, "(");
    status = chain_sql(node, out, values, err);
    buf_puts(out, ")");
    return status;
}

int query_sql(const struct query_node *node, struct buf *out, struct sql_values *values, struct err *err)
{
    switch (node->kind) {
    case QUERY_AND:
    case QUERY_OR:
        return join_sql(node, out, values, err);
    case QUERY_NOT:
        buf_puts(out, "NOT (");
        if (query_sql(node->a, out, values, err) != 0)
            return -1;
        buf_puts(out, ")");
        return 0;
    case QUERY_HAS:
        buf_puts(out, "(");
        if (field_sql(node->field, out, values, err) != 0)
            return -1;
        buf_puts(out, " IS NOT NULL)");
        return 0;
    case QUERY_IN:
        return in_sql(node, out, values, err);
    case QUERY_COMPARE:
        return compare_sql(node, out, values, err);
    }
    return -1;
}
