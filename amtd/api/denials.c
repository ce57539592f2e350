#include "amtd/api/denials.h"

#include <stdlib.h>
#include <uthash.h>

#include "base/xalloc.h"

struct denied {
    char *who; /* hash key */
    uint32_t count;
    UT_hash_handle hh;
};

struct denials {
    uv_timer_t timer; /* first: freed in its close callback; runs while there is anybody */
    struct denied *all;
    void (*left_out)(void *arg, const char *who, uint32_t count);
    void *arg;
};

struct denials *denials_new(uv_loop_t *loop, void (*left_out)(void *arg, const char *who, uint32_t count),
                            void *arg)
{
    struct denials *d = xcalloc(1, sizeof(*d));

    uv_timer_init(loop, &d->timer);
    uv_unref((uv_handle_t *)&d->timer);
    d->left_out = left_out;
    d->arg = arg;
    return d;
}

static void window_over(uv_timer_t *timer)
{
    struct denials *d = (struct denials *)timer;
    struct denied *one, *next;

    HASH_ITER(hh, d->all, one, next)
    {
        HASH_DEL(d->all, one);
        if (one->count > DENIALS_MOST)
            d->left_out(d->arg, one->who, one->count - DENIALS_MOST);
        free(one->who);
        free(one);
    }
}

static void closed(uv_handle_t *handle)
{
    free(handle);
}

void denials_free(struct denials *d)
{
    if (!d)
        return;
    window_over(&d->timer);
    uv_close((uv_handle_t *)&d->timer, closed);
}

bool denials_pass(struct denials *d, const char *who)
{
    struct denied *one;

    HASH_FIND_STR(d->all, who, one);
    if (!one) {
        one = xcalloc(1, sizeof(*one));
        one->who = xstrdup(who);
        HASH_ADD_KEYPTR(hh, d->all, one->who, strlen(one->who), one);
    }
    if (!uv_is_active((uv_handle_t *)&d->timer))
        uv_timer_start(&d->timer, window_over, DENIALS_WINDOW_MS, 0);
    if (one->count < UINT32_MAX)
        one->count++;
    return one->count <= DENIALS_MOST;
}
