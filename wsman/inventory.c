#include "wsman/inventory_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/answer.h"

#define NAME_MAX_BYTES 128
#define GUID_DIGITS    32

/* --- the list of facts --- */

void inventory_clear(struct inventory *inv)
{
    for (size_t i = 0; i < inv->count; i++) {
        free(inv->items[i].name);
        free(inv->items[i].value);
    }
    free(inv->items);
    memset(inv, 0, sizeof(*inv));
}

static struct inventory_fact *find(const struct inventory *inv, const char *name)
{
    for (size_t i = 0; i < inv->count; i++)
        if (strcmp(inv->items[i].name, name) == 0)
            return &inv->items[i];
    return NULL;
}

const char *inventory_get(const struct inventory *inv, const char *name)
{
    const struct inventory_fact *fact = find(inv, name);

    return fact ? fact->value : NULL;
}

void inventory_set(struct inventory *inv, const char *name, enum inventory_kind kind, const char *value)
{
    struct inventory_fact *fact = find(inv, name);

    if (!value || !value[0] || (!fact && inv->count == INVENTORY_FACTS_MAX))
        return;
    if (!fact) {
        if (inv->count == inv->room) {
            inv->room = inv->room > 0 ? 2 * inv->room : 32;
            inv->items = xreallocarray(inv->items, inv->room, sizeof(*inv->items));
        }
        fact = &inv->items[inv->count++];
        *fact = (struct inventory_fact){.name = xstrdup(name)};
    }
    fact->kind = kind;
    xreplace(&fact->value, value);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct inventory_fact *)a)->name, ((const struct inventory_fact *)b)->name);
}

/* --- values --- */

void inventory_trim(const char *text, char *out)
{
    struct buf shown = buf_init(4 * INVENTORY_TEXT_MAX);
    size_t n;

    text += strspn(text, " \t\r\n");
    n = strlen(text);
    while (n > 0 && strchr(" \t\r\n", text[n - 1]))
        n--;
    text_printable(&shown, text, n < INVENTORY_TEXT_MAX ? n : INVENTORY_TEXT_MAX - 1);
    n = shown.len < INVENTORY_TEXT_MAX ? shown.len : INVENTORY_TEXT_MAX - 1;
    while (n > 0 && n < shown.len && (shown.p[n] & 0xC0) == 0x80) /* not within a character */
        n--;
    if (n > 0)
        memcpy(out, shown.p, n);
    out[n] = '\0';
    buf_free(&shown);
}

/* "13AEE355D2BFBB61..." -> "55e3ae13-bfd2-61bb-..." */
static bool guid_text(const char *digits, char *out)
{
    static const int order[] = {3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15};
    size_t at = 0;

    if (strlen(digits) != GUID_DIGITS || strspn(digits, "0123456789abcdefABCDEF") != GUID_DIGITS)
        return false;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        for (int k = 0; order[i] >= 0 && k < 2; k++) {
            char c = digits[2 * order[i] + k];

            out[at++] = (char)(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
        }
        if (order[i] < 0)
            out[at++] = '-';
    }
    out[at] = '\0';
    return true;
}

static bool named(const struct inventory_property *p, uint64_t number, char *out)
{
    for (const struct inventory_name *n = p->names; n->name; n++) {
        if (n->number == number) {
            snprintf(out, INVENTORY_TEXT_MAX, "%s", n->name);
            return true;
        }
    }
    return false;
}

/* The value of a property into out; false when it is not there, or not of its form. */
static bool read_value(struct wsman_obj obj, const struct inventory_property *p, char *out,
                       enum inventory_kind *kind)
{
    uint64_t number;
    const char *text;
    bool truth;

    *kind = INVENTORY_TEXT;
    switch (p->form) {
    case FORM_TEXT:
        text = wsman_str(obj, p->property);
        inventory_trim(text ? text : "", out);
        return out[0] != '\0';
    case FORM_GUID:
        text = wsman_str(obj, p->property);
        return text && guid_text(text, out);
    case FORM_DATE: /* of "2020-08-10T00:00:00Z" the day */
        text = wsman_datetime(obj, p->property);
        inventory_trim(text ? text : "", out);
        out[strcspn(out, "T")] = '\0';
        return out[0] != '\0';
    case FORM_BOOL:
        *kind = INVENTORY_BOOL;
        if (!wsman_bool(obj, p->property, &truth))
            return false;
        snprintf(out, INVENTORY_TEXT_MAX, "%s", truth ? "true" : "false");
        return true;
    case FORM_NAMED:
        if (!wsman_u64(obj, p->property, &number))
            return false;
        if (named(p, number, out))
            return true;
        break;
    case FORM_NUMBER:
    case FORM_KILOBYTES:
        *kind = INVENTORY_NUMBER;
        if (!wsman_u64(obj, p->property, &number))
            return false;
        if (p->form == FORM_KILOBYTES && number <= UINT64_MAX / 1000)
            number *= 1000;
        break;
    }
    snprintf(out, INVENTORY_TEXT_MAX, "%" PRIu64, number);
    return true;
}

/* --- the sequence: one step a class --- */

static struct inventory *inventory_of(struct seq *seq)
{
    return &((struct inventory_seq *)seq)->inventory;
}

static struct wsman_request *ask(struct seq *seq, struct err *err)
{
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, inventory_classes[seq->at].class_name, NULL);
}

static void take_instance(struct inventory *inv, const struct inventory_class *class, struct wsman_obj obj,
                          size_t place)
{
    for (const struct inventory_property *p = class->properties; p->property; p++) {
        char name[NAME_MAX_BYTES], value[INVENTORY_TEXT_MAX];
        enum inventory_kind kind;

        if (class->list)
            snprintf(name, sizeof(name), "%s.%zu.%s", class->prefix, place, p->fact);
        else
            snprintf(name, sizeof(name), "%s.%s", class->prefix, p->fact);
        if (read_value(obj, p, value, &kind))
            inventory_set(inv, name, kind, value);
    }
}

static bool wanted(const struct inventory_class *class, struct wsman_obj obj)
{
    const char *value = class->only ? wsman_str(obj, class->only) : NULL;

    return !class->only || (value && strcmp(value, class->value) == 0);
}

static void take_class(struct inventory *inv, const struct inventory_class *class,
                       const struct wsman_call *call)
{
    size_t place = 0;

    for (size_t i = 0; i < wsman_call_count(call); i++) {
        struct wsman_obj obj = wsman_call_obj(call, i);

        if (!wanted(class, obj) || (!class->list && place > 0))
            continue;
        if (class->properties)
            take_instance(inv, class, obj, place);
        place++;
    }
    if (class->more)
        class->more(inv, call);
}

static void note_unread(struct inventory *inv, const char *class_name)
{
    char name[NAME_MAX_BYTES];
    size_t i = 0;

    do
        snprintf(name, sizeof(name), "not_read.%zu", i++);
    while (inventory_get(inv, name));
    inventory_set(inv, name, INVENTORY_TEXT, class_name);
}

/* Half an inventory would look as if parts had been taken out of the machine: an exchange that fails is a
 * failure, a class that the device will not show is not. */
static bool is_of_the_exchange(const struct err *err)
{
    static const enum cause causes[] = {CAUSE_UNREACHABLE, CAUSE_REFUSED, CAUSE_DROPPED,    CAUSE_TIMEOUT,
                                        CAUSE_BUSY,        CAUSE_SYSTEM,  CAUSE_BAD_ANSWER, CAUSE_TOO_LARGE};

    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
        if (err->cause == causes[i])
            return true;
    return false;
}

static int hear(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    const struct inventory_class *class = &inventory_classes[seq->at];
    struct inventory *inv = inventory_of(seq);

    if (call)
        take_class(inv, class, call);
    else if (is_of_the_exchange(err))
        return SEQ_FAIL;
    else if (!wsman_fault_is_absent(err))
        note_unread(inv, class->class_name);
    if ((size_t)seq->at + 1 == inventory_class_count && inv->count > 1)
        qsort(inv->items, inv->count, sizeof(*inv->items), by_name);
    return SEQ_NEXT;
}

#define STEP(what)                                                                                           \
    {                                                                                                        \
        "read " what, SEQ_READ | SEQ_FAILURE_OK, ask, hear                                                   \
    }

/* In the order of inventory_classes. */
static const struct seq_step steps[] = {
    STEP("general settings"),
    STEP("system"),
    STEP("chassis"),
    STEP("board"),
    STEP("BIOS"),
    STEP("processor names"),
    STEP("processors"),
    STEP("memory"),
    STEP("drives"),
    STEP("batteries"),
    STEP("network ports"),
    STEP("firmware"),
    STEP("features"),
    STEP("provisioning"),
    STEP("control mode"),
    STEP("redirection"),
    STEP("KVM"),
    STEP("consent"),
    STEP("TLS"),
};

void inventory_seq_init(struct inventory_seq *is)
{
    _Static_assert(sizeof(steps) / sizeof(steps[0]) == 19, "a step for each class");
    memset(is, 0, sizeof(*is));
    seq_init(&is->seq, SEQ_TABLE(steps));
}
