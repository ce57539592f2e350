/* Writing a file: one document, in the vocabulary's own order of attributes. */
#include <string.h>

#include "base/xml.h"
#include "filters/file.h"
#include "filters/policy.h"

/* A comment cannot hold two dashes in a row. */
static void write_remark(const char *remark, const char *indent, struct buf *out)
{
    if (!remark)
        return;
    buf_printf(out, "%s<!--", indent);
    for (const char *p = remark; *p; p++)
        buf_puts(out, p[0] == '-' && (p[1] == '-' || p[1] == '\0') ? "- " : (char[]){*p, '\0'});
    buf_puts(out, "-->\n");
}

static void write_attribute(const char *name, const char *value, struct buf *out)
{
    if (!value)
        return;
    buf_printf(out, " %s=\"", name);
    xml_escape(out, value);
    buf_putc(out, '"');
}

static void write_item(const struct filter_item *item, struct buf *out)
{
    write_remark(item->remark, "  ", out);
    if (item->element == ELEMENT_INCLUDE)
        return;
    buf_printf(out, "  <%s", filter_element_names[item->element]);
    for (size_t i = 0; i < ATTRIBUTES; i++)
        write_attribute(filter_attribute_names[i], item->values[i], out);
    buf_puts(out, "/>\n");
}

void filter_file_write(const struct filter_file *file, struct buf *out)
{
    buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    write_remark(file->remark, "", out);
    buf_puts(out, "<network-filters xmlns=\"" FILTER_NAMESPACE "\"");
    write_attribute("name", file->name, out);
    buf_printf(out, " version=\"%u\"", file->version);
    write_attribute("comment", file->comment, out);
    buf_puts(out, ">\n");
    policy_write(&file->policy, out);
    for (size_t i = 0; i < file->count; i++)
        write_item(&file->items[i], out);
    buf_puts(out, "</network-filters>\n");
}
