/* The table of classes that make up an inventory. For inventory*.c only. */
#ifndef WSMAN_INVENTORY_INTERNAL_H
#define WSMAN_INVENTORY_INTERNAL_H

#include "wsman/inventory.h"
#include "wsman/value.h"

enum inventory_form {
    FORM_TEXT,      /* SMBIOS pads with blanks: trimmed */
    FORM_NUMBER,    /* as it is */
    FORM_KILOBYTES, /* units of 1000 bytes */
    FORM_DATE,      /* a datetime: its day */
    FORM_BOOL,
    FORM_NAMED, /* a number with a name (names); unknown ones as number */
    FORM_GUID,  /* 32 hex digits in the order of SMBIOS */
};

struct inventory_name { /* ended by name NULL */
    unsigned number;
    const char *name;
};

struct inventory_property {
    const char *property; /* NULL ends the list */
    const char *fact;     /* behind the class's prefix */
    enum inventory_form form;
    const struct inventory_name *names;
};

struct inventory_class {
    const char *class_name;
    const char *prefix; /* "memory.modules"; with `list` a number is put behind it */
    bool list;
    /* Only instances that have this value there; NULL: all. */
    const char *only, *value;
    const struct inventory_property *properties;
    /* What the table cannot say; after the properties. NULL: nothing. */
    void (*more)(struct inventory *inventory, const struct wsman_call *call);
};

extern const struct inventory_class inventory_classes[];
extern const size_t inventory_class_count;

/* Makes SMBIOS text fit to be a value: without blanks at the ends, cut. out: INVENTORY_TEXT_MAX bytes. */
void inventory_trim(const char *text, char *out);

#endif
