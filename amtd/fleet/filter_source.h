/* A filter file at the daemon's end: read once, made into what each device is to hold. */
#ifndef AMTD_FLEET_FILTER_SOURCE_H
#define AMTD_FLEET_FILTER_SOURCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "amtd/fleet/filter_set.h"
#include "amtd/fleet/host_names.h"
#include "amtd/fleet/reach_try.h"
#include "amtd/store/model.h"

struct filter_source;

/* What the names in the file stand for. All borrowed; JSON objects of texts, or NULL. */
struct filter_binding {
    const json_t *set;       /* names given by the caller */
    const json_t *addresses; /* of host names, blank-separated; others are looked up here */
    const json_t *names;     /* set for the host and its collections: below the caller's */
    const char *management;  /* this server's addresses as the host sees it, or NULL */
    const char *there;       /* the host's address, numeric, or NULL */
    unsigned version;        /* of the firmware, 0: not known */
    enum sd_owner owner;     /* whose policy it becomes */
    bool anti_spoof;
    bool widen;
    bool force; /* also when it cuts off what must work */
};

/* One document without includes. `name` is what the caller calls it. NULL with the first mistake and how many
 * more. */
struct filter_source *filter_source_read(const char *name, const char *text, size_t n, struct err *err);
/* Further needs that must work: [{name, protocol, remote?, port?, local_port?, ip?}], what later steps of a
 * job depend on, or {name, text}, a filter file whose needs they are. -1 with the first mistake. */
int filter_source_add_needs(struct filter_source *source, const json_t *needs, struct err *err);
void filter_source_free(struct filter_source *source);              /* NULL is fine */
const char *filter_source_name(const struct filter_source *source); /* of the policy */
/* The file, or what gives further needs, can be told what this name stands for. */
bool filter_source_has_name(const struct filter_source *source, const char *name);
const char *filter_source_hash(const struct filter_source *source); /* SHA-256 of the text, hex */

/* The host names that compiling asked for and that the caller gave no addresses of. While it lacks some
 * (host_names_lack), compiling fails; they are to be looked up then, and it is to be tried again. Borrowed.
 */
struct host_names *filter_source_names(struct filter_source *source);

/* What a device with these limits and ports is to hold, and what of the file's needs can be tried from here
 * (at the address that @host stands for, else the one the host is reached at). From host to host only names,
 * management, there and version of the binding may differ; those for which it comes to the same share the
 * set. NULL: invalid-argument (names not bound, rules that hardware cannot say) or limit-exceeded, with the
 * first reason and how many more. Loop's thread only. */
struct filter_set *filter_source_compile(struct filter_source *source, const struct filter_binding *binding,
                                         const struct sd_state *state, struct reach_try *reach,
                                         struct err *err);

#endif
