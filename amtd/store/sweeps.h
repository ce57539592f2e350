/* What is kept of sweeps (amtd/discover): how far each came, and what it found. Inside store work only; all
 * return 0 or -1 with err. */
#ifndef AMTD_STORE_SWEEPS_H
#define AMTD_STORE_SWEEPS_H

#include <stddef.h>
#include <stdint.h>

#include "amtd/store/store.h"

/* The numbers are kept: append, never change. */
enum sweep_state { SWEEP_RUNNING, SWEEP_OVER, SWEEP_STOPPED };

struct sweep_record { /* strings and kinds are owned */
    int64_t id;
    char *words; /* JSON array: the addresses as they were given */
    char *order; /* JSON object: limits, ports, what becomes of what is found */
    char *who;
    int64_t began_ms, ended_ms; /* wall clock; 0: not yet */
    enum sweep_state state;     /* running, without one that runs: amtd has ended */
    int64_t addresses;
    uint64_t cursor; /* everything before this place is done (amtd/discover/addrset.h) */
    uint8_t *kinds;  /* per slot an enum found_kind; NULL: none yet */
    size_t kinds_size;
};
void sweep_record_clear(struct sweep_record *record);

/* What is more than a kind: AMT, and other services. Strings are owned. */
struct sweep_found {
    uint32_t address;
    int kind;
    char *realm;   /* or NULL */
    char *detail;  /* JSON (amtd/discover/found.h) */
    char *host;    /* of the fleet, at the end of the sweep; NULL none */
    char *outcome; /* what became of it: "known", "added", "moved", "duplicate", ...; NULL nothing */
};
struct sweep_founds { /* owned array */
    struct sweep_found *items;
    size_t count, room;
};
/* Takes the strings of found over. */
void sweep_founds_add(struct sweep_founds *founds, const struct sweep_found *found);
void sweep_founds_clear(struct sweep_founds *founds);

int tx_sweep_add(struct tx *tx, struct sweep_record *record, struct err *err); /* sets record->id */
/* Cursor, kinds, state and end of the record; and what was found since, which replaces what was there. */
int tx_sweep_save(struct tx *tx, const struct sweep_record *record, const struct sweep_founds *founds,
                  struct err *err);
/* Sets host and outcome alone. */
int tx_sweep_outcomes(struct tx *tx, int64_t id, const struct sweep_founds *founds, struct err *err);
/* id 0: the newest; not-found. With kinds. */
int tx_sweep_get(struct tx *tx, int64_t id, struct sweep_record *record, struct err *err);
/* Newest first, without kinds. Caller's array. */
int tx_sweeps(struct tx *tx, size_t limit, struct sweep_record **records, size_t *count, struct err *err);
/* The newest finished sweep before this one through the same addresses; 0: there is none. */
int tx_sweep_before(struct tx *tx, const struct sweep_record *record, int64_t *id, struct err *err);
/* Of addresses from `from` to `to`, by address: the detail with the members host and outcome, where there are
 * some; borrowed. */
typedef void tell_found(void *arg, uint32_t address, const char *json);
int tx_sweep_tell(struct tx *tx, int64_t id, uint32_t from, uint32_t to, tell_found *tell, void *arg,
                  struct err *err);
/* By address. */
int tx_sweep_founds(struct tx *tx, int64_t id, struct sweep_founds *founds, struct err *err);

#endif
