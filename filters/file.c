/* Reading: documents into items, every mistake named with its place. */
#include "filters/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "base/xml.h"
#include "filters/item.h"
#include "filters/policy.h"
#include "filters/words.h"

const char *const filter_attribute_names[ATTRIBUTES] = {
    "name",  "enabled",     "direction", "ip",           "protocol",  "ethertype",
    "local", "local-ports", "remote",    "remote-ports", "tcp-flags", "action",
    "rate",  "count",       "event",     "comment",      "default",   "file"};
const char *const filter_element_names[] = {"filter", "need", "variable", "include"};

#define BIT(attribute) (1U << (attribute))
#define BITS_MATCH                                                                                           \
    (BIT(ATTRIBUTE_NAME) | BIT(ATTRIBUTE_ENABLED) | BIT(ATTRIBUTE_IP) | BIT(ATTRIBUTE_PROTOCOL) |            \
     BIT(ATTRIBUTE_ETHERTYPE) | BIT(ATTRIBUTE_LOCAL) | BIT(ATTRIBUTE_LOCAL_PORTS) | BIT(ATTRIBUTE_REMOTE) |  \
     BIT(ATTRIBUTE_REMOTE_PORTS) | BIT(ATTRIBUTE_COMMENT))

static const struct {
    unsigned allowed, required;
} element_rows[] = {
    [ELEMENT_RULE] = {BITS_MATCH | BIT(ATTRIBUTE_DIRECTION) | BIT(ATTRIBUTE_TCP_FLAGS) |
                          BIT(ATTRIBUTE_ACTION) | BIT(ATTRIBUTE_RATE) | BIT(ATTRIBUTE_COUNT) |
                          BIT(ATTRIBUTE_EVENT),
                      BIT(ATTRIBUTE_NAME)},
    [ELEMENT_NEED] = {BITS_MATCH, BIT(ATTRIBUTE_NAME)},
    [ELEMENT_VARIABLE] = {BIT(ATTRIBUTE_NAME) | BIT(ATTRIBUTE_DEFAULT) | BIT(ATTRIBUTE_COMMENT),
                          BIT(ATTRIBUTE_NAME)},
    [ELEMENT_INCLUDE] = {BIT(ATTRIBUTE_FILE), BIT(ATTRIBUTE_FILE)},
};
#define ELEMENTS (sizeof(element_rows) / sizeof(element_rows[0]))

/* A name that is taken: of a rule or need, or of a variable ('@' in front). */
struct taken {
    struct place place;
    UT_hash_handle hh;
    char name[];
};

struct reader {
    struct filter_file *file;
    filter_read_fn *read;
    void *arg;
    struct findings *findings;
    struct taken *taken;
    size_t rules;
    unsigned depth;
    const char *stack[FILTER_INCLUDE_DEPTH + 1]; /* files being read, outermost first */
    bool full;                                   /* too many rules: said once */
    bool unsure; /* what may declare names had mistakes: who knows which there are */
    bool own_policy;
};

static void mistake(struct reader *r, struct place place, const char *rule, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void mistake(struct reader *r, struct place place, const char *rule, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    findings_vadd(r->findings, FINDING_ERROR, place, rule, fmt, ap);
    va_end(ap);
}

/* --- the file as a container --- */

struct filter_file *filter_file_new(const char *path)
{
    struct filter_file *file = xcalloc(1, sizeof(*file));

    file->path = xstrdup(path);
    file->version = 1;
    file->policy = policy_default();
    return file;
}

struct filter_item *filter_file_add(struct filter_file *file, enum filter_element element, int line)
{
    struct filter_item *item;

    if (file->count == file->cap) {
        file->cap = file->cap ? 2 * file->cap : 32;
        file->items = xreallocarray(file->items, file->cap, sizeof(*file->items));
    }
    item = &file->items[file->count++];
    *item = (struct filter_item){.element = element, .place = {file->path, line}};
    return item;
}

void filter_file_free(struct filter_file *file)
{
    if (!file)
        return;
    for (size_t i = 0; i < file->count; i++) {
        for (size_t j = 0; j < ATTRIBUTES; j++)
            free(file->items[i].values[j]);
        free(file->items[i].remark);
    }
    for (size_t i = 0; i < file->path_count; i++)
        free(file->paths[i]);
    free(file->items);
    free(file->paths);
    free(file->comment);
    free(file->remark);
    free(file->path);
    free(file);
}

static const char *keep_path(struct filter_file *file, const char *path)
{
    file->paths = xreallocarray(file->paths, file->path_count + 1, sizeof(*file->paths));
    file->paths[file->path_count] = xstrdup(path);
    return file->paths[file->path_count++];
}

/* --- one element --- */

static int attribute_index(const char *name)
{
    for (int i = 0; i < ATTRIBUTES; i++)
        if (strcmp(filter_attribute_names[i], name) == 0)
            return i;
    return -1;
}

static void list_attributes(unsigned bits, struct buf *out)
{
    for (unsigned i = 0; i < ATTRIBUTES; i++)
        if (bits & BIT(i))
            buf_printf(out, "%s%s", out->len ? ", " : "", filter_attribute_names[i]);
}

static void read_attributes(struct reader *r, struct xml_doc *doc, struct xml_el el, struct filter_item *item)
{
    unsigned allowed = element_rows[item->element].allowed, required = element_rows[item->element].required;
    struct xml_attribute at = {NULL};

    while (xml_attr_next(doc, el, &at)) {
        int i = at.ns[0] == '\0' ? attribute_index(at.name) : -1;

        if (i >= 0 && (allowed & BIT(i))) {
            item->values[i] = xstrdup(at.value);
        } else {
            struct buf expected = buf_init(500);

            list_attributes(allowed, &expected);
            mistake(r, item->place, xml_attr(doc, el, "name"),
                    "<%s> has no attribute '%s': expected one of %s", filter_element_names[item->element],
                    at.name, buf_str(&expected));
            buf_free(&expected);
        }
    }
    for (unsigned i = 0; i < ATTRIBUTES; i++)
        if ((required & BIT(i)) && !item->values[i])
            mistake(r, item->place, item->values[ATTRIBUTE_NAME], "<%s> needs the attribute '%s'",
                    filter_element_names[item->element], filter_attribute_names[i]);
}

/* False after a mistake when the name is taken already. */
static void take_name(struct reader *r, const char *prefix, const char *name, struct place place)
{
    char *key = xasprintf("%s%s", prefix, name);
    struct taken *taken;

    HASH_FIND_STR(r->taken, key, taken);
    if (taken) {
        mistake(r, place, prefix[0] == '@' ? NULL : name, "the name '%s' is taken by %s:%d", name,
                taken->place.file, taken->place.line);
    } else {
        size_t n = strlen(key);

        taken = xcalloc(1, sizeof(*taken) + n + 1);
        memcpy(taken->name, key, n + 1);
        taken->place = place;
        HASH_ADD_STR(r->taken, name, taken);
    }
    free(key);
}

/* whole: its attributes are those that it must and may have. */
static void check_rule(struct reader *r, const struct filter_item *item, bool whole)
{
    struct rule rule = {0};

    (whole ? item_rule : item_values)(item, NULL, &rule, r->findings);
    match_clear(&rule.match);
    if (item->values[ATTRIBUTE_NAME])
        take_name(r, item->element == ELEMENT_NEED ? "need " : "", item->values[ATTRIBUTE_NAME], item->place);
}

static void check_variable(struct reader *r, const struct filter_item *item)
{
    const char *name = item->values[ATTRIBUTE_NAME];

    if (!name)
        return;
    if (!name_is_valid(name))
        mistake(r, item->place, NULL, "variable '%s': expected 1 to %d letters, digits, '.', '_' or '-'",
                name, NAME_MAX_LENGTH);
    else if (name_is_builtin(name))
        mistake(r, item->place, NULL, "variable '%s': this name is built in; choose another", name);
    else
        take_name(r, "@", name, item->place);
}

static void read_document(struct reader *r, const char *path, const void *text, size_t n);

static void read_include(struct reader *r, const struct filter_item *item)
{
    const char *name = item->values[ATTRIBUTE_FILE], *from = item->place.file, *slash = strrchr(from, '/');
    struct place place = item->place;
    struct buf text = buf_init(FILTER_FILE_BYTES_MAX);
    struct err err = ERR_INIT;
    const char *path;
    char *joined;

    if (!name[0]) {
        mistake(r, place, NULL, "include: file: expected the name of a file");
        return;
    }
    if (name[0] == '/' || !slash)
        joined = xstrdup(name);
    else
        joined = xasprintf("%.*s/%s", (int)(slash - from), from, name);
    path = keep_path(r->file, joined);
    free(joined);
    for (unsigned i = 0; i <= r->depth; i++) {
        if (strcmp(r->stack[i], path) == 0) {
            mistake(r, place, NULL, "include: '%s' includes itself", name);
            return;
        }
    }
    if (r->depth >= FILTER_INCLUDE_DEPTH)
        mistake(r, place, NULL, "include: nested deeper than %d files", FILTER_INCLUDE_DEPTH);
    else if (r->file->path_count > FILTER_INCLUDES_MAX)
        mistake(r, place, NULL, "include: more than %d files", FILTER_INCLUDES_MAX);
    else if (!r->read)
        mistake(r, place, NULL, "include: '%s' is not at hand here", name);
    else if (r->read(r->arg, path, &text, &err) != 0)
        mistake(r, place, NULL, "include: %s", err.text);
    else {
        r->depth++;
        read_document(r, path, buf_str(&text), text.len);
        r->depth--;
    }
    buf_free(&text);
}

static void read_item(struct reader *r, struct xml_doc *doc, struct xml_el el, enum filter_element element,
                      struct place place)
{
    struct filter_item *item;
    size_t index = r->file->count;
    const char *remark = xml_remark(doc, el);
    size_t errors = r->findings->errors;
    bool declares = element == ELEMENT_VARIABLE || element == ELEMENT_INCLUDE, whole;

    if (!declares && ++r->rules > RULES_MAX) {
        if (!r->full)
            mistake(r, place, NULL, "more than %d rules", RULES_MAX);
        r->full = r->unsure = true;
        return;
    }
    item = filter_file_add(r->file, element, place.line);
    item->place = place;
    item->depth = r->depth;
    item->remark = remark[0] ? xstrdup(remark) : NULL;
    read_attributes(r, doc, el, item);
    whole = errors == r->findings->errors;
    if (!whole && declares) {
        r->unsure = true;
        return;
    }
    if (!declares)
        check_rule(r, item, whole);
    else if (element == ELEMENT_VARIABLE)
        check_variable(r, item);
    else {
        /* the items of the file move while it grows */
        struct filter_item copy = r->file->items[index];

        read_include(r, &copy);
    }
    r->unsure |= declares && errors != r->findings->errors;
}

/* --- one document --- */

static void read_policy(struct reader *r, struct xml_doc *doc, struct xml_el el, struct place place)
{
    struct rules_policy policy = policy_default();
    bool own = r->depth == 0;

    policy_read(doc, el, place, &policy, r->findings);
    if (own && r->own_policy)
        mistake(r, place, NULL, "a second <policy>: expected at most one");
    else if (!own && r->file->has_policy && !r->own_policy)
        mistake(r, place, NULL, "a second included <policy>: expected one, or a <policy> of the file itself");
    if (own || !r->file->has_policy)
        r->file->policy = policy;
    r->file->has_policy = true;
    r->own_policy |= own;
}

static void read_child(struct reader *r, struct xml_doc *doc, struct xml_el el, const char *path)
{
    struct place place = {path, xml_line(el)};

    if (!xml_is(el, FILTER_NAMESPACE, NULL)) {
        mistake(r, place, NULL, "<%s> is not of the namespace %s", xml_name(el), FILTER_NAMESPACE);
        return;
    }
    if (xml_child(el, NULL, NULL).node || strspn(xml_text(doc, el), " \t\r\n") != strlen(xml_text(doc, el)))
        mistake(r, place, NULL, "<%s> is empty: expected nothing inside it", xml_name(el));
    if (xml_is(el, NULL, "policy")) {
        read_policy(r, doc, el, place);
        return;
    }
    for (size_t i = 0; i < ELEMENTS; i++) {
        if (xml_is(el, NULL, filter_element_names[i])) {
            read_item(r, doc, el, (enum filter_element)i, place);
            return;
        }
    }
    mistake(r, place, NULL, "<%s>: expected policy, variable, include, need or filter", xml_name(el));
    r->unsure = true;
}

static void read_root(struct reader *r, struct xml_doc *doc, struct xml_el root, struct place place)
{
    const char *name = xml_attr(doc, root, "name"), *version = xml_attr(doc, root, "version");
    const char *comment = xml_attr(doc, root, "comment"), *remark = xml_remark(doc, root);
    struct xml_attribute at = {NULL};
    uint64_t number = 1;

    while (xml_attr_next(doc, root, &at))
        if (at.ns[0] != '\0' || (strcmp(at.name, "name") != 0 && strcmp(at.name, "version") != 0 &&
                                 strcmp(at.name, "comment") != 0))
            mistake(r, place, NULL,
                    "<network-filters> has no attribute '%s': expected name, version or comment", at.name);
    if (!name || !name_is_valid(name) || strlen(name) > RULE_NAME_MAX)
        mistake(r, place, NULL, "name: '%s': expected 1 to %d letters, digits, '.', '_' or '-'",
                name ? name : "", RULE_NAME_MAX);
    else if (r->depth == 0)
        memcpy(r->file->name, name, strlen(name) + 1);
    if (version && !text_u64(version, 0, UINT32_MAX, &number))
        mistake(r, place, NULL, "version: '%s': expected a number up to %u", version, UINT32_MAX);
    if (r->depth > 0)
        return;
    r->file->policy.place = place; /* until there is a <policy> */
    r->file->version = (uint32_t)number;
    r->file->comment = xstrdup(comment);
    r->file->remark = remark[0] ? xstrdup(remark) : NULL;
}

static void read_document(struct reader *r, const char *path, const void *text, size_t n)
{
    struct err err = ERR_INIT;
    struct xml_doc *doc = xml_parse(text, n, FILTER_FILE_BYTES_MAX, path, &err);
    struct xml_el root = xml_root(doc);
    struct place place = {path, xml_line(root)};
    bool policy_first = true;

    r->stack[r->depth] = path;
    if (!doc) {
        /* the parser's words name the file already */
        mistake(r, (struct place){NULL, 0}, NULL, "%s", err.text);
        return;
    }
    if (!xml_is(root, FILTER_NAMESPACE, "network-filters")) {
        mistake(r, place, NULL, "<%s>: expected <network-filters xmlns=\"%s\">", xml_name(root),
                FILTER_NAMESPACE);
        xml_free(doc);
        return;
    }
    read_root(r, doc, root, place);
    if (strspn(xml_text(doc, root), " \t\r\n") != strlen(xml_text(doc, root)))
        mistake(r, place, NULL, "text between the elements: expected none");
    for (struct xml_el el = xml_child(root, NULL, NULL); el.node && !r->full; el = xml_next(el, NULL, NULL)) {
        if (xml_is(el, FILTER_NAMESPACE, "policy") && !policy_first)
            mistake(r, (struct place){path, xml_line(el)}, NULL, "<policy> stands before everything else");
        policy_first = false;
        read_child(r, doc, el, path);
    }
    xml_free(doc);
}

/* --- names that are used --- */

struct use {
    struct reader *reader;
    const struct filter_item *item;
};

static int check_name(void *arg, const char *name)
{
    struct use *use = arg;
    struct reader *r = use->reader;
    char *key = xasprintf("@%s", name);
    struct taken *taken;

    HASH_FIND_STR(r->taken, key, taken);
    free(key);
    if (!taken && !name_is_builtin(name))
        mistake(r, use->item->place, use->item->values[ATTRIBUTE_NAME],
                "@%s: expected @management, @dns, @dhcp, @gateway, @host, or a <variable name=\"%s\"/>", name,
                name);
    return 0;
}

static void check_names(struct reader *r)
{
    static const enum filter_attribute bound[] = {ATTRIBUTE_LOCAL,  ATTRIBUTE_LOCAL_PORTS,
                                                  ATTRIBUTE_REMOTE, ATTRIBUTE_REMOTE_PORTS,
                                                  ATTRIBUTE_RATE,   ATTRIBUTE_DEFAULT};

    for (size_t i = 0; i < r->file->count; i++) {
        struct use use = {r, &r->file->items[i]};

        for (size_t j = 0; j < sizeof(bound) / sizeof(bound[0]); j++)
            if (use.item->values[bound[j]])
                words_each_name(use.item->values[bound[j]], check_name, &use);
    }
}

bool filter_file_has_name(const struct filter_file *file, const char *name)
{
    if (name_is_builtin(name) || strcmp(name, NAME_MANAGEMENT_PORTS) == 0)
        return true;
    for (size_t i = 0; i < file->count; i++)
        if (file->items[i].element == ELEMENT_VARIABLE &&
            strcmp(file->items[i].values[ATTRIBUTE_NAME], name) == 0)
            return true;
    return false;
}

/* --- the whole --- */

struct filter_file *filter_file_parse(const char *path, const void *text, size_t n, filter_read_fn *read,
                                      void *arg, struct findings *findings)
{
    struct reader r = {.file = filter_file_new(path), .read = read, .arg = arg, .findings = findings};
    struct taken *taken, *next;
    size_t errors = findings->errors;

    read_document(&r, keep_path(r.file, path), text, n);
    if (!r.unsure)
        check_names(&r);
    HASH_ITER(hh, r.taken, taken, next)
    {
        HASH_DEL(r.taken, taken);
        free(taken);
    }
    if (findings->errors == errors)
        return r.file;
    filter_file_free(r.file);
    return NULL;
}

struct filter_file *filter_file_read(const char *path, filter_read_fn *read, void *arg,
                                     struct findings *findings)
{
    struct buf text = buf_init(FILTER_FILE_BYTES_MAX);
    struct filter_file *file = NULL;
    struct err err = ERR_INIT;

    if (read(arg, path, &text, &err) != 0)
        findings_add(findings, FINDING_ERROR, (struct place){NULL, 0}, NULL, "%s", err.text);
    else
        file = filter_file_parse(path, buf_str(&text), text.len, read, arg, findings);
    buf_free(&text);
    return file;
}

int filter_read_disk(void *arg, const char *path, struct buf *out, struct err *err)
{
    FILE *file = fopen(path, "rb");
    size_t n = 1;
    int saved;

    (void)arg;
    if (!file)
        return err_set_errno(err, CAUSE_INVALID_ARGUMENT, errno, "%s", path);
    while (n > 0 && buf_ok(out)) {
        uint8_t block[65536];

        n = fread(block, 1, sizeof(block), file);
        buf_add(out, block, n);
    }
    saved = ferror(file) ? errno : 0;
    fclose(file);
    if (saved != 0)
        return err_set_errno(err, CAUSE_INVALID_ARGUMENT, saved, "%s", path);
    if (!buf_ok(out))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "%s: more than %zu bytes", path, out->max);
    return 0;
}
