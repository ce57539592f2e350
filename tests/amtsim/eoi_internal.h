/* What the operations of the SOAP interface (EOI) share. */
#ifndef AMTSIM_EOI_INTERNAL_H
#define AMTSIM_EOI_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/amtsim/device.h"

struct soap;

/* PT_STATUS. (reference eoi.md, chapter 5) */
enum {
    PT_SUCCESS = 0,
    PT_INTERNAL = 0x1,
    PT_NOT_READY = 0x2,
    PT_NOT_PERMITTED = 0x10,
    PT_MAX_LIMIT = 0x17,
    PT_INVALID_NAME = 0x0c,
    PT_INVALID_TIME = 0x22,
    PT_INVALID_INDEX = 0x23,
    PT_INVALID_PARAMETER = 0x24,
    PT_INVALID_NETMASK = 0x25,
    PT_FLASH_WRITE_LIMIT = 0x26,
    PT_UNSUPPORTED_OEM = 0x801,
    PT_UNSUPPORTED_BOOT_OPTION = 0x802,
    PT_INVALID_COMMAND = 0x803,
    PT_INVALID_SPECIAL_COMMAND = 0x804,
    PT_INVALID_HANDLE = 0x805,
    PT_INVALID_PASSWORD = 0x806,
    PT_INVALID_REALM = 0x807,
    PT_DUPLICATE = 0x80A,
    PT_EVENTLOG_FROZEN = 0x80B,
    PT_UNSUPPORTED = 0x812,
};

/* Begins an operation: notes its name, carries out the faults that concern it. The device, or NULL: answer
 * with *status and nothing else. */
struct device *eoi_enter(struct soap *soap, const char *operation, bool changes, unsigned **status);
/* Ends it with a status: to be returned by the operation. */
int eoi_leave(struct soap *soap, unsigned **status, unsigned value);

/* The interface that a request names: PT_SUCCESS, or why it names none. */
unsigned eoi_check_interface(const struct device *device, const unsigned *interface);

/* A number of a request; absent is 0. */
unsigned eoi_value(const unsigned *number);
/* One of gSOAP's enum xsd__boolean; absent is false. */
bool eoi_is_set(const void *flag);

/* Values of an answer, which live until it is written. */
unsigned *eoi_number(struct soap *soap, unsigned value);
char *eoi_text(struct soap *soap, const char *text);
/* For gSOAP's enum xsd__boolean. */
void *eoi_flag(struct soap *soap, bool value);

#endif
