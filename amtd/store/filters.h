/* What is kept of filters: what is active on which host since when and by whom, who is at it now, and which
 * file was tried on which generation. Inside store work only; all return 0 or -1 with err. */
#ifndef AMTD_STORE_FILTERS_H
#define AMTD_STORE_FILTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/store/moment.h"
#include "amtd/store/store.h"
#include "wsman/system_defense.h"

/* What is active on a host as far as amtd knows, or waits there for what the device watches: one row for each
 * owner of a policy. Strings are owned. */
struct filter_row {
    int64_t host_id;
    enum sd_owner owner; /* SD_CONSOLE: active */
    char *host;          /* its name; set by reading only */
    char *set;           /* JSON (filter_set.h) */
    char *before;        /* JSON of the row that comes back when it is undone; NULL: nothing */
    char *who;
    int64_t since_ms;
    int64_t run;
    struct moment confirm; /* undone then unless somebody confirms; never: confirmed, or not asked for */
    struct moment until;   /* undone then; never: stays */
};
void filter_row_clear(struct filter_row *row);

/* Somebody is at a host, or was and did not come to an end. */
struct filter_claim {
    int64_t host_id;
    char *host; /* its name; set by reading only */
    int64_t run;
    char *who;
    char *what; /* "filter apply quarantine" */
    int64_t since_ms;
    char *journal;      /* JSON; NULL: nothing was changed yet */
    struct moment next; /* when it is tried again */
    uint32_t tries;
};
void filter_claim_clear(struct filter_claim *claim);

int tx_filter_put(struct tx *tx, const struct filter_row *row, struct err *err);
int tx_filter_drop(struct tx *tx, int64_t host_id, enum sd_owner owner, struct err *err);
/* Those of all owners. */
int tx_filter_drop_all(struct tx *tx, int64_t host_id, struct err *err);
/* *found false: nothing of ours is there. */
int tx_filter_get(struct tx *tx, int64_t host_id, enum sd_owner owner, struct filter_row *row, bool *found,
                  struct err *err);
/* All of them, by name of host in natural order, then by owner. Caller's array. */
int tx_filters(struct tx *tx, struct filter_row **rows, size_t *count, struct err *err);
int tx_filter_claims(struct tx *tx, struct filter_claim **claims, size_t *count, struct err *err);

/* Takes the host for a run: in-use, with who and what, when another run that is not over is at it, or when
 * one left it half-done (over, or, of a job, going on with other hosts); the latter only unless `anyway`,
 * then *journal (owned, may be NULL) is what it left. */
int tx_filter_claim(struct tx *tx, const struct filter_claim *claim, bool anyway, char **journal,
                    struct err *err);
/* From now on something is changed; what the journal holds is needed to finish or undo it. */
int tx_filter_note(struct tx *tx, int64_t host_id, int64_t run, const char *journal, struct err *err);
int tx_filter_release(struct tx *tx, int64_t host_id, int64_t run, struct err *err);
/* The run has ended with this host. *half_done: something was changed and not finished; it is then due again,
 * later each time, else the host is let go. Nothing happens when the host is another run's. */
int tx_filter_leave(struct tx *tx, int64_t host_id, int64_t run, const struct moment *now, bool *half_done,
                    struct err *err);
/* After a start of amtd: what nothing was changed for is let go, the rest is due at once. */
int tx_filter_recover(struct tx *tx, struct err *err);

/* The host's generation by what is known of it now; 0: nothing is. */
int tx_filter_generation(struct tx *tx, int64_t host_id, uint32_t *generation, struct err *err);
/* A file (by its hash) was applied to a host of that generation; 0: of any. */
int tx_filter_tried(struct tx *tx, const char *hash, uint32_t generation, bool *tried, struct err *err);
int tx_filter_tried_add(struct tx *tx, const char *hash, uint32_t generation, struct err *err);

#endif
