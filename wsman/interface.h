/* Which interface a device is managed by. Found out by itself and remembered; only the runner looks at it. */
#ifndef WSMAN_INTERFACE_H
#define WSMAN_INTERFACE_H

#include <stdbool.h>

enum interface {
    INTERFACE_UNKNOWN,
    INTERFACE_WSMAN, /* WS-Management: AMT 3 and newer */
    INTERFACE_EOI,   /* the SOAP interface of AMT 1 to 8 (eoi/eoi.h) */
};

const char *interface_name(enum interface interface); /* "wsman", "eoi"; "" unknown */
enum interface interface_by_name(const char *name);   /* NULL and other names: unknown */
/* What firmware of that version ("5.2.70") speaks for sure: before 3 only the one, from 9 on only the other.
 * (reference eoi.md, chapter 1) */
enum interface interface_of_version(const char *version);

#endif
