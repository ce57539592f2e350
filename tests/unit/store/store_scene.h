/* A store on a real database in a temporary directory, for tests of what is kept. */
#ifndef TESTS_STORE_SCENE_H
#define TESTS_STORE_SCENE_H

#include <stdbool.h>

#include "amtd/store/store.h"

struct scene {
    char dir[64];
    char *path;
    char *key;
    struct seal *seal;
    struct store *store;
    bool over;
    struct err failure;
};

/* Fixture of cmocka: *state is the scene. */
int scene_setup(void **state);
int scene_teardown(void **state);
/* Opens the store, again when it was closed. */
void scene_open(struct scene *s);
/* A store_done for a scene as data: it is over, with this failure. */
void scene_done(void *data, const struct err *failure);
void wait_for_commit(struct scene *s);

/* Work for the store that ends in the scene: what in_store submits. */
struct scene_job {
    struct scene *scene;
    int (*work)(struct tx *tx, void *arg, struct err *err);
    void *arg;
};
int scene_do_job(struct tx *tx, void *data, struct err *err);
void scene_job_done(void *data, const struct err *failure);
/* Runs work in the store and waits for its commit; returns its cause. */
enum cause in_store(struct scene *s, int (*work)(struct tx *tx, void *arg, struct err *err), void *arg);

/* The same for what must go well; else the test fails with what it says. */
void well_in_store(struct scene *s, int (*work)(struct tx *tx, void *arg, struct err *err), void *arg);
/* Within such work: what must be so. */
#define WANT(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            return err_set(err, CAUSE_FAULT, "line %d: %s", __LINE__, #condition);                           \
    } while (0)

#endif
