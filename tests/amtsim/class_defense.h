/* What the classes of System Defense share. (reference system-defense.md, chapters 2 and 3) */
#ifndef AMTSIM_CLASS_DEFENSE_H
#define AMTSIM_CLASS_DEFENSE_H

#include "tests/amtsim/class.h"
#include "tests/amtsim/defense.h"

#define CLASS_ID_MAX 40

/* The InstanceID of a policy into out (CLASS_ID_MAX); returns it. */
const char *class_policy_id(uint32_t handle, char *out);
/* The handle of the policy that a reference means; 0: none. */
uint32_t class_defense_policy(const struct device *device, const struct epr *epr);
/* The port that a reference means, DEFENSE_PORTS: none of the machine's. */
unsigned class_defense_port(const struct device *device, const struct epr *epr);
struct epr class_filter_epr(const struct defense_filter *filter, char id[CLASS_ID_MAX]);

/* The ends of an association in a Create, checked: the fault is set when they are not there. */
bool class_read_ends(struct call *call, unsigned *port, uint32_t *policy);

/* Numbers and booleans as call_num, but absence is a schema error and a bad value InvalidParameter. */
uint64_t class_need_num(struct call *call, const char *name, uint64_t max);
bool class_need_bool(struct call *call, const char *name);
/* A name of at most DEFENSE_NAME_MAX characters. */
void class_need_name(struct call *call, const char *name, char out[DEFENSE_NAME_MAX + 1]);

#endif
