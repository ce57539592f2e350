/* What was or is to be put on a device, with where it comes from: kept in the store as JSON, so that it can
 * be compared, finished, undone and put back without the file. */
#ifndef AMTD_FLEET_FILTER_SET_H
#define AMTD_FLEET_FILTER_SET_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/fleet/filter_plan.h"

/* When a set is to act: at once, or when what the device itself watches asks for it. */
#define FILTER_WHENS 3
extern const char *const filter_when_names[]; /* "now", "agent", "worm", NULL */
extern const enum sd_owner filter_when_owners[FILTER_WHENS];
/* Of an owner in filter_when_owners; NULL: it is none of them. Static. */
const char *filter_when_name(enum sd_owner owner);

struct filter_set {
    char *name;       /* of the policy as the file calls it: "quarantine" */
    char *file;       /* as the caller called it: "quarantine.xml" */
    unsigned version; /* as the file says */
    char *hash;       /* SHA-256 of the file's text, hex */
    struct sd_policy policy;
    struct sd_filter *filters; /* owned */
    char **rules;              /* owned, one per filter: the rules it stands for, joined by ", " */
    size_t count;
    uint32_t minutes; /* time-out in hardware */
    enum sd_owner owner;
    json_t *
        warnings; /* of making it: which rules were widened, and to what; NULL: none. Not kept in the store */
    unsigned more; /* holders besides the first */
    char *text;    /* as filter_set_text made it, or NULL; nobody changes either any more */
};
/* One more holder, who frees it too. Loop's thread only. */
struct filter_set *filter_set_hold(struct filter_set *set);

void filter_set_free(struct filter_set *set); /* NULL is fine */
/* Borrows from the set. */
struct filter_goal filter_set_goal(const struct filter_set *set);
/* The rules of the filter that means the same, or NULL. Borrowed. */
const char *filter_set_rules(const struct filter_set *set, const struct sd_filter *filter);

/* As JSON, in one line. Borrowed, as long as the set is held: it is made once for all holders. Loop's thread
 * only. */
const char *filter_set_text(struct filter_set *set);
/* NULL with store-failed when it is not what filter_set_text made. */
struct filter_set *filter_set_read(const json_t *json, struct err *err);

#endif
