#include "filters/needs.h"

#include <stdio.h>
#include <string.h>

#include "base/xml.h"
#include "filters/names.h"
#include "filters/rules.h"

#define TEXT_MAX_BYTES 65536

/* Rules' letters, and a number where an earlier row has the name. */
static void make_name(const struct need_row *rows, size_t at, char out[RULE_NAME_MAX + 1])
{
    char number[8] = "";
    unsigned same = 1; /* at most NEED_ROWS_MAX */
    size_t room, n = 0;

    for (size_t i = 0; i < at; i++)
        same += strcmp(rows[i].name, rows[at].name) == 0;
    if (same > 1)
        snprintf(number, sizeof(number), "-%u", same % 1000);
    room = RULE_NAME_MAX - strlen(number);
    for (const char *p = rows[at].name; *p && n < room; p++)
        out[n++] = name_is_valid((char[]){*p, '\0'}) ? *p : '-';
    snprintf(out + n, RULE_NAME_MAX + 1 - n, "%s", number);
}

static void write_attribute(const char *name, const char *value, struct buf *out)
{
    buf_printf(out, " %s=\"", name);
    xml_escape(out, value);
    buf_putc(out, '"');
}

/* A name that is not built in is declared, so that it may be set. */
static void write_variable(const struct need_row *rows, size_t at, struct buf *out)
{
    const char *remote = rows[at].remote;

    if (!remote || remote[0] != '@' || name_is_builtin(remote + 1))
        return;
    for (size_t i = 0; i < at; i++)
        if (rows[i].remote && strcmp(rows[i].remote, remote) == 0)
            return;
    buf_puts(out, "<variable");
    write_attribute("name", remote + 1, out);
    buf_puts(out, "/>");
}

static void write_number(const char *name, unsigned value, struct buf *out)
{
    if (value > 0)
        buf_printf(out, " %s=\"%u\"", name, value);
}

static void write_need(const struct need_row *rows, size_t at, struct buf *out)
{
    const struct need_row *row = &rows[at];
    char name[RULE_NAME_MAX + 1];

    make_name(rows, at, name);
    buf_puts(out, "<need");
    write_attribute("name", name, out);
    write_attribute("protocol", row->protocol, out);
    if (row->remote)
        write_attribute("remote", row->remote, out);
    write_number("remote-ports", row->port, out);
    write_number("local-ports", row->local_port, out);
    if (row->ip == 4 || row->ip == 6)
        write_number("ip", row->ip, out);
    buf_puts(out, "/>");
}

struct filter_file *needs_file(const struct need_row *rows, size_t count, struct findings *findings)
{
    struct buf text = buf_init(TEXT_MAX_BYTES);
    struct filter_file *file = NULL;

    buf_puts(&text, "<network-filters xmlns=\"" FILTER_NAMESPACE "\" name=\"needs\">");
    for (size_t i = 0; i < count && i < NEED_ROWS_MAX; i++)
        write_variable(rows, i, &text);
    for (size_t i = 0; i < count && i < NEED_ROWS_MAX; i++)
        write_need(rows, i, &text);
    buf_puts(&text, "</network-filters>");
    if (count > NEED_ROWS_MAX || !buf_ok(&text))
        findings_add(findings, FINDING_ERROR, (struct place){NULL, 0}, NULL, "more than %d needs",
                     NEED_ROWS_MAX);
    else
        file = filter_file_parse("needs", buf_str(&text), text.len, NULL, NULL, findings);
    buf_free(&text);
    return file;
}
