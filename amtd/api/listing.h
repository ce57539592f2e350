/* Long lists: their rows are read and written in portions, each in a transaction of its own, while the ones
 * before are on their way to the caller. So memory does not grow with the rows, the caller has the first of
 * them at once, and other works of the store come in between. A row is whole and was so at some time; the
 * rows of a list need not be of the same moment. */
#ifndef AMTD_API_LISTING_H
#define AMTD_API_LISTING_H

#include "amtd/api/rows.h"
#include "amtd/store/store.h"

struct listing {
    struct rows *rows;
    const json_t *params; /* borrowed */
    void *state;          /* of the list's own: where it is */
    json_t *head;         /* what the reply has beside the list; owned. NULL: the reply is the list */
    const char *member;   /* the list in it */
    bool over;
};

/* All on the store's thread, in a transaction and as the caller; 0, or -1 and err. */
struct api_list {
    /* Finds out what is to be listed, and sets state, and head and member where there are some. */
    int (*open)(struct tx *tx, struct listing *listing, struct err *err);
    /* Writes some rows, about a hundred, or sets over. */
    int (*more)(struct tx *tx, struct listing *listing, struct err *err);
    void (*clear)(void *state); /* any thread; NULL is never given */
};

extern const struct api_list list_hosts, list_inventory, list_sweep, list_job, list_run, list_device_log;

/* Of lists with a row (or none) for each of many things with ids: hosts of a target mostly. The state is the
 * ids, and how far it has come. */
struct listing_ids {
    int64_t *ids;
    size_t count, at;
};
void listing_ids_free(void *state);
/* Some of them, each by `write`, which gets the listing's state. */
typedef int listing_write(struct tx *tx, void *state, int64_t id, struct rows *rows, struct err *err);
int listing_some(struct tx *tx, struct listing *listing, listing_write *write, struct err *err);
/* The hosts of the parameter `target`, or all. */
int listing_ids_find(struct tx *tx, const json_t *params, struct listing_ids *ids, struct err *err);
/* `open` of lists that need no more than that. */
int listing_open_target(struct tx *tx, struct listing *listing, struct err *err);

/* --- for request.c --- */
struct api_request;

/* A portion. */
int listing_work(struct tx *tx, struct api_request *rq, struct err *err);
/* Loop's thread: one was done; it goes on, waits for the caller to read, or ends the request. */
void listing_worked(struct api_request *rq);
void listing_free(struct listing *listing, const struct api_list *list); /* NULL is fine */

#endif
