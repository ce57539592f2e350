/* Selectors and endpoint references. (reference wsman.md, 2.3) */
#ifndef AMTSIM_EPR_H
#define AMTSIM_EPR_H

#include <stdbool.h>
#include <stddef.h>

#define EPR_SELECTORS_MAX 6

struct epr;

struct epr_pair {
    const char *name;
    const char *value;
    const struct epr *epr; /* the value is a reference; NULL: text */
};

/* A reference to an instance: class and keys. Strings are borrowed. */
struct epr {
    const char *class_name; /* "" and no pairs: the empty reference some versions answer with */
    const char *address;    /* NULL: the anonymous role */
    struct epr_pair pairs[EPR_SELECTORS_MAX];
    size_t count;
};

/* One selector of a request; an EPR when is_epr. */
struct selector {
    const char *name;
    const char *value;
    bool is_epr;
    struct epr epr;
};

/* Same class and every pair of want found in have with the same value (firmware accepts a subset of the
 * keys). */
bool epr_covers(const struct epr *have, const struct epr *want);
const char *epr_value(const struct epr *epr, const char *name); /* NULL: not there */

/* The namespace prefix of a class by its name ("AMT_..." etc.), NULL when it is none. Static. */
const char *epr_namespace(const char *class_name);

/* The references that many answers hold. */
struct epr epr_computer(const char *name);                        /* CIM_ComputerSystem */
struct epr epr_service(const char *class_name, const char *name); /* SystemName Intel(r) AMT */
/* An association's: ends are borrowed. */
struct epr epr_association(const char *class_name, const struct epr *antecedent, const struct epr *dependent);
struct epr epr_ethernet_port(unsigned number);
struct epr epr_one(const char *class_name, const char *key, const char *value);

#endif
