/* A row of somebody else's filter list, field by field, and what becomes of it. Internal to the importers. */
#ifndef FILTERS_IMPORT_ROW_H
#define FILTERS_IMPORT_ROW_H

#include "filters/file.h"

/* Sides come with four fields each; which side is local the direction decides. */
enum import_side { SIDE_LOCAL, SIDE_REMOTE, SIDE_SOURCE, SIDE_DESTINATION, SIDES };
enum import_property { PROPERTY_ADDRESS, PROPERTY_MASK, PROPERTY_PORT, PROPERTY_PORT_END, PROPERTIES };
enum import_field {
    FIELD_NAME,
    FIELD_ENABLED,
    FIELD_DIRECTION,
    FIELD_PROTOCOL,
    FIELD_ETHERTYPE,
    FIELD_IP,
    FIELD_ACTION,
    FIELD_RATE,
    FIELD_COUNT,
    FIELD_EVENT,
    FIELD_COMMENT,
    FIELD_SIDES, /* from here on SIDES times PROPERTIES */
    FIELDS = FIELD_SIDES + SIDES * PROPERTIES,
};
#define FIELD_OF(side, property) ((enum import_field)(FIELD_SIDES + (int)(side)*PROPERTIES + (int)(property)))

struct import_row {
    int line;
    char *values[FIELDS]; /* owned; NULL: not given */
};

struct import {
    struct filter_file *file;
    struct findings *findings;
    struct import_name *names; /* taken */
    unsigned unnamed;
    bool full;
};

/* What a title or attribute means: any case, without blanks and marks. -1: nothing that is known. */
int import_field_of(const char *key);
/* True for the name of an element that holds one end of a row: "Source", "remote-side". */
bool import_key_is_side(const char *key);
/* True for what makes a row one: an address or a port. */
bool import_field_is_end(int field);
/* The first value counts. */
void import_row_set(struct import_row *row, enum import_field field, const char *value);
void import_row_clear(struct import_row *row);
/* Adds a rule for the row, or a warning that says why not. Numbers it gets in findings are `line`. */
void import_row_add(struct import *import, const struct import_row *row);
void import_end(struct import *import);

void import_warn(struct import *import, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void import_note(struct import *import, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The readers; they add rows. -1 after an error in findings. */
int import_xml(struct import *import, const void *text, size_t n);
int import_csv(struct import *import, const void *text, size_t n);
int import_nftables(struct import *import, const void *text, size_t n);

#endif
