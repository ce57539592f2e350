/* Classes: what a device knows. A class is one row of a table; the rows stand in the class_*.c files.
 *
 * Adding a class: write its instance function (properties in ASCII order), add a row to the table of its
 * file, done. Adding a file: also name its table in class_table.c. */
#ifndef AMTSIM_CLASS_H
#define AMTSIM_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/amtsim/device.h"
#include "tests/amtsim/message.h"
#include "tests/amtsim/out.h"
#include "tests/amtsim/return_value.h"
#include "tests/amtsim/soap_fault.h"

#define CLASS_NONE UINT16_MAX

struct class_row;

/* One operation on an instance or method under way. */
struct call {
    struct device *device;
    const struct message *message;
    const struct class_row *row;
    struct xml_el in;      /* the instance of a Put or Create, the _INPUT of a method; none for Delete */
    struct out *out;       /* where a method's results go, before ReturnValue in ASCII order */
    unsigned instance;     /* the one that the selectors mean; the first without selectors */
    enum soap_fault fault; /* set: the answer is this fault */
};

struct class_method {
    const char *name;
    uint32_t (*run)(struct call *call); /* returns ReturnValue, or sets call->fault */
};

struct class_row {
    const char *name;
    const char *parent; /* abstract class whose enumeration yields this one's instances too, or NULL */
    uint8_t since;      /* generations that know the class: since <= number, number <= until unless 0 */
    uint8_t until;
    bool datetime;            /* has datetime or interval properties: answers declare the common namespace */
    bool abstract_only;       /* has no instances of its own */
    bool kvm;                 /* belongs to KVM: absent with the fault no-kvm */
    bool admin;               /* absent in client control mode */
    uint32_t realms;          /* bits of those that open it, 0: those of its table (class_table.c) */
    bool exact;               /* selectors that mean no instance, or several, are InvalidSelectors */
    const char *const *fixed; /* one constant instance; else: */
    void (*instance)(struct device *device, unsigned i, struct out *out);
    unsigned (*count)(const struct device *device); /* NULL: one */
    const char *required;           /* names a Put or Create must hold, each followed by a blank */
    void (*put)(struct call *call); /* NULL: refused; sets call->fault on bad values */
    /* Creates an instance; fills *epr for ResourceCreated or sets call->fault. */
    void (*create)(struct call *call, struct epr *epr);
    void (*remove)(struct call *call);
    /* The instance's events are subscribed to; fills *epr for SubscriptionManager or sets call->fault. */
    void (*subscribe)(struct call *call, struct epr *epr);
    void (*unsubscribe)(struct call *call); /* the instance is a subscription */
    const struct class_method *methods;     /* ends with a NULL name */
};

/* All classes, sorted by name. */
unsigned class_count(void);
const struct class_row *class_at(unsigned index);
unsigned class_index(const struct class_row *row);
/* The class of that name if this device knows it, else NULL. */
const struct class_row *class_find(const struct device *device, const char *name);
bool class_known(const struct device *device, const struct class_row *row);

/* Whether an account with these realms may look at the class, or change something with it. */
bool class_open_to(const struct class_row *row, const struct device *device, uint32_t realms, bool change);

unsigned class_instances(const struct class_row *row, const struct device *device);
void class_write(const struct class_row *row, struct device *device, unsigned i, struct out *out);
/* The instance that the selectors mean: SOAP_OK and *i, or the fault. Without selectors the first. */
enum soap_fault class_select(const struct class_row *row, struct device *device, const struct selector *want,
                             size_t count, unsigned *i);

/* --- parameters of a call --- */

/* The text of a parameter, NULL when it is not there. */
const char *call_text(struct call *call, const char *name);
bool call_has(struct call *call, const char *name);
/* Numbers and booleans: true and *out when it is there and well-formed; malformed sets the fault
 * InvalidValues. */
bool call_num(struct call *call, const char *name, uint64_t max, uint64_t *out);
bool call_bool(struct call *call, const char *name, bool *out);
bool call_epr(struct call *call, const char *name, struct epr *out);

/* Keys that services share. */
#define SERVICE_KEYS(class_name, name)                                                                       \
    "CreationClassName", class_name, "ElementName", name, "Name", name, "SystemCreationClassName",           \
        "CIM_ComputerSystem", "SystemName", "Intel(r) AMT"

#endif
