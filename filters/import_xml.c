/* XML of unknown shape, by the meaning of its names. */
#include <string.h>

#include "base/xml.h"
#include "filters/import_row.h"

#define KEY_MAX 200

struct walk {
    struct import *import;
    struct xml_doc *doc;
};

/* One field of a row: known ones are set, others told of. */
static bool take_field(struct walk *walk, struct import_row *row, const char *side, const char *key,
                       const char *value, int line, bool tell)
{
    struct buf whole = buf_init(KEY_MAX);
    int field;

    /* <Source><Port> means what SourcePort does; what is plain by itself needs no side */
    buf_printf(&whole, "%s%s", side, key);
    field = import_field_of(buf_ok(&whole) ? buf_str(&whole) : key);
    if (field < 0)
        field = import_field_of(key);
    buf_free(&whole);
    if (field >= 0)
        import_row_set(row, (enum import_field)field, value);
    else if (tell && value[strspn(value, " \t\r\n")] != '\0')
        import_warn(walk->import, line, "'%s' is not understood: left out", key);
    return field >= 0 && import_field_is_end(field) && value[0] != '\0';
}

static bool is_leaf(struct xml_el el)
{
    return !xml_child(el, NULL, NULL).node;
}

/* The only child of that name, and it is one end of a rule: <Source>, <RemoteSide>. */
static bool is_side(struct xml_el el, struct xml_el parent)
{
    struct xml_el first = xml_child(parent, NULL, xml_name(el));

    return import_key_is_side(xml_name(el)) && !xml_next(first, NULL, xml_name(el)).node;
}

/* The fields an element has of its own. True when one of them is an address or a port. */
static bool take_fields(struct walk *walk, struct xml_el el, const char *side, struct import_row *row,
                        bool tell)
{
    struct xml_attribute at = {NULL};
    bool end = false;

    while (xml_attr_next(walk->doc, el, &at))
        end |= take_field(walk, row, side, at.name, at.value, xml_line(el), tell);
    for (struct xml_el child = xml_child(el, NULL, NULL); child.node; child = xml_next(child, NULL, NULL)) {
        bool text = is_leaf(child) && xml_text(walk->doc, child)[0] != '\0';

        if (text)
            end |= take_field(walk, row, side, xml_name(child), xml_text(walk->doc, child), xml_line(child),
                              tell);
        else if (side[0] == '\0' && is_side(child, el))
            end |= take_fields(walk, child, xml_name(child), row, tell);
    }
    return end;
}

static void walk_element(struct walk *walk, struct xml_el el)
{
    struct import_row row = {.line = xml_line(el)};

    if (take_fields(walk, el, "", &row, false)) {
        import_row_clear(&row);
        row.line = xml_line(el);
        take_fields(walk, el, "", &row, true);
        import_row_add(walk->import, &row);
        import_row_clear(&row);
        return;
    }
    import_row_clear(&row);
    for (struct xml_el child = xml_child(el, NULL, NULL); child.node; child = xml_next(child, NULL, NULL))
        walk_element(walk, child);
}

int import_xml(struct import *import, const void *text, size_t n)
{
    struct walk walk = {.import = import};
    struct err err = ERR_INIT;

    walk.doc = xml_parse(text, n, FILTER_FILE_BYTES_MAX, import->file->path, &err);
    if (!walk.doc) {
        findings_add(import->findings, FINDING_ERROR, (struct place){NULL, 0}, NULL, "%s", err.text);
        return -1;
    }
    walk_element(&walk, xml_root(walk.doc));
    xml_free(walk.doc);
    return 0;
}
