#include "tests/unit/store/store_scene.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"

void scene_open(struct scene *s)
{
    struct err err = ERR_INIT;

    s->store = store_open(s->path, s->seal, NULL, NULL, &err);
    if (!s->store)
        fail_msg("%s", err.text);
}

int scene_setup(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));

    strncpy(s->dir, "/tmp/amtd-test-store.XXXXXX", sizeof(s->dir) - 1);
    assert_non_null(mkdtemp(s->dir));
    s->path = xasprintf("%s/amtd.db", s->dir);
    s->key = xasprintf("%s/key", s->dir);
    s->seal = seal_open(s->key, 1, NULL);
    assert_non_null(s->seal);
    scene_open(s);
    *state = s;
    return 0;
}

int scene_teardown(void **state)
{
    struct scene *s = *state;
    static const char *const names[] = {"amtd.db", "amtd.db-wal", "amtd.db-shm", "key"};

    store_close(s->store);
    seal_free(s->seal);
    for (size_t i = 0; i < 4; i++) {
        char *path = xasprintf("%s/%s", s->dir, names[i]);

        unlink(path);
        free(path);
    }
    rmdir(s->dir);
    free(s->path);
    free(s->key);
    free(s);
    return 0;
}

void scene_done(void *data, const struct err *failure)
{
    struct scene *s = data;

    s->over = true;
    s->failure = failure ? *failure : (struct err)ERR_INIT;
}

int scene_do_job(struct tx *tx, void *data, struct err *err)
{
    struct scene_job *job = data;

    return job->work(tx, job->arg, err);
}

void scene_job_done(void *data, const struct err *failure)
{
    scene_done(((struct scene_job *)data)->scene, failure);
}

void wait_for_commit(struct scene *s)
{
    while (!s->over) {
        store_reap(s->store);
        poll(NULL, 0, 1);
    }
}

enum cause in_store(struct scene *s, int (*work)(struct tx *tx, void *arg, struct err *err), void *arg)
{
    struct scene_job job = {s, work, arg};

    s->over = false;
    store_submit(s->store, scene_do_job, scene_job_done, &job);
    wait_for_commit(s);
    return s->failure.cause;
}

void well_in_store(struct scene *s, int (*work)(struct tx *tx, void *arg, struct err *err), void *arg)
{
    if (in_store(s, work, arg) != CAUSE_NONE)
        fail_msg("%s", s->failure.text);
}
