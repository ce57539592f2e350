/* The decisions of an adoption, on plain data: no I/O. */
#ifndef AMTD_DISCOVER_ADOPT_PLAN_H
#define AMTD_DISCOVER_ADOPT_PLAN_H

#include <stdbool.h>

#include "amtd/store/model.h"
#include "amtd/store/sweeps.h"

enum adopt_verdict {
    ADOPT_NEW,       /* nobody else has its UUID, or it could not be read */
    ADOPT_MOVED,     /* `other` is this device, and is not where it was */
    ADOPT_SAME,      /* `other` is this very device under another address that also answers */
    ADOPT_DUPLICATE, /* `other` is another device with the same UUID, or may be */
    ADOPT_ASK, /* `other` has the UUID and lies outside the sweep: it must be asked whether it is there */
};

/* Hosts by address and by UUID. Hosts and their facts may change after; they are borrowed. */
struct adopt_index;
struct adopt_index *adopt_index_new(const struct hosts *hosts);
void adopt_index_free(struct adopt_index *index); /* NULL is fine */

/* The host whose address is this one (its address, or its name when that is numeric); NULL: none. */
const struct host *adopt_host_at(const struct adopt_index *index, uint32_t address);
/* The host that is this device as far as its realm tells, and that the sweep did not find at its own address:
 * it may have moved. NULL: none, or several. */
const struct host *adopt_moved_by_realm(const struct adopt_index *index, const struct sweep_founds *rows,
                                        const struct sweep_found *row);
/* A host that was known before is the device found at its address: the realms tell. */
bool adopt_is_it(const struct host *host, const struct sweep_found *row);

/* Judges the host that was added for a row. *other: the host it is about, or NULL. rows: all that the sweep
 * found, by address; inside(arg, address): the sweep looked at that address. */
enum adopt_verdict adopt_judge(const struct adopt_index *index, const struct host *newcomer,
                               const struct sweep_founds *rows,
                               bool (*inside)(const void *arg, uint32_t address), const void *arg,
                               const struct host **other);

/* The name a device gives itself, when it can be a host's and no host has it; else NULL. */
const char *adopt_free_name(const struct hosts *hosts, const struct host *newcomer);

#endif
