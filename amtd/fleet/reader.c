#include "amtd/fleet/reader.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/xalloc.h"
#include "wsman/answer.h"

#define GROUP 16 /* answers handed over together, and back; fewer at the end of a turn */
#define FEW   4  /* so many of one turn are not worth waking a thread for */

/* fresh -> waiting -> (the thread) -> finished -> done called, freed; of a few at once: fresh -> done called,
 * freed. */
struct reading {
    runner_read_done *done; /* NULL: nobody wants to know any more. Loop's thread only */
    void *arg;
    struct wsman_answer answer;
    struct err *failure; /* NULL: none */
    struct reading *prev, *next;
    size_t n;
    char bytes[];
};

struct reader {
    struct runner_reader for_runners;
    uv_timer_t turn; /* the next one, when there are fresh ones */
    uv_async_t back; /* some have come back; keeps the loop while any are away */
    unsigned open;   /* of these two, at the end */
    struct reading *fresh;
    size_t fresh_count, away;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct reading *waiting, *finished;
    bool ending;
};

static void read_one(struct reading *reading)
{
    struct err failure = ERR_INIT;

    if (wsman_answer_parse(&reading->answer, reading->bytes, reading->n, &failure) == 0)
        return;
    reading->failure = xmalloc(sizeof(*reading->failure));
    *reading->failure = failure;
}

static void reading_free(struct reading *reading)
{
    wsman_answer_clear(&reading->answer);
    free(reading->failure);
    free(reading);
}

/* --- the thread --- */

static struct reading *take_some(struct reading **list)
{
    struct reading *some = NULL, *reading, *next;
    size_t count = 0;

    DL_FOREACH_SAFE(*list, reading, next)
    {
        if (count++ == GROUP)
            break;
        DL_DELETE(*list, reading);
        DL_APPEND(some, reading);
    }
    return some;
}

static void *reader_thread(void *arg)
{
    struct reader *reader = arg;
    struct reading *some, *reading;

    pthread_mutex_lock(&reader->lock);
    while (!reader->ending) {
        some = take_some(&reader->waiting);
        if (!some) {
            pthread_cond_wait(&reader->more, &reader->lock);
            continue;
        }
        pthread_mutex_unlock(&reader->lock);
        DL_FOREACH(some, reading)
        read_one(reading);
        pthread_mutex_lock(&reader->lock);
        DL_CONCAT(reader->finished, some);
        uv_async_send(&reader->back);
    }
    pthread_mutex_unlock(&reader->lock);
    return NULL;
}

/* --- the other side --- */

static void deliver(struct reading *list)
{
    struct reading *reading, *next;

    DL_FOREACH_SAFE(list, reading, next)
    {
        if (reading->done)
            reading->done(reading->arg, &reading->answer, reading->failure);
        reading_free(reading);
    }
}

static struct reading *take_fresh(struct reader *reader)
{
    struct reading *fresh = reader->fresh;

    reader->fresh = NULL;
    reader->fresh_count = 0;
    return fresh;
}

static void hand_over(struct reader *reader)
{
    reader->away += reader->fresh_count;
    uv_ref((uv_handle_t *)&reader->back);
    pthread_mutex_lock(&reader->lock);
    DL_CONCAT(reader->waiting, reader->fresh);
    pthread_cond_signal(&reader->more);
    pthread_mutex_unlock(&reader->lock);
    take_fresh(reader);
}

static void turn_begins(uv_timer_t *turn)
{
    struct reader *reader = turn->data;
    struct reading *few, *reading;

    if (!reader->fresh)
        return;
    if (reader->away > 0 || reader->fresh_count > FEW) {
        hand_over(reader);
        return;
    }
    few = take_fresh(reader);
    DL_FOREACH(few, reading)
    read_one(reading);
    deliver(few);
}

static void come_back(uv_async_t *back)
{
    struct reader *reader = back->data;
    struct reading *list, *reading;

    pthread_mutex_lock(&reader->lock);
    list = reader->finished;
    reader->finished = NULL;
    pthread_mutex_unlock(&reader->lock);
    DL_FOREACH(list, reading)
    reader->away--;
    if (reader->away == 0)
        uv_unref((uv_handle_t *)&reader->back);
    deliver(list);
}

static struct reading *begin(void *arg, const void *p, size_t n, runner_read_done *done, void *done_arg)
{
    struct reader *reader = arg;
    struct reading *reading = xmalloc(sizeof(*reading) + n);

    *reading = (struct reading){.done = done, .arg = done_arg, .n = n};
    memcpy(reading->bytes, p, n);
    DL_APPEND(reader->fresh, reading);
    if (++reader->fresh_count == GROUP)
        hand_over(reader);
    else if (reader->fresh_count == 1)
        uv_timer_start(&reader->turn, turn_begins, 0, 0);
    return reading;
}

static void forget(struct reading *reading)
{
    reading->done = NULL;
}

const struct runner_reader *reader_for_runners(const struct reader *reader)
{
    return &reader->for_runners;
}

struct reader *reader_new(uv_loop_t *loop, struct err *err)
{
    struct reader *reader = xcalloc(1, sizeof(*reader));
    int status;

    reader->for_runners = (struct runner_reader){reader, begin, forget};
    pthread_mutex_init(&reader->lock, NULL);
    pthread_cond_init(&reader->more, NULL);
    status = pthread_create(&reader->thread, NULL, reader_thread, reader);
    if (status != 0) {
        err_set_errno(err, CAUSE_SYSTEM, status, "a thread that reads answers");
        pthread_cond_destroy(&reader->more);
        pthread_mutex_destroy(&reader->lock);
        free(reader);
        return NULL;
    }
    uv_timer_init(loop, &reader->turn);
    if (uv_async_init(loop, &reader->back, come_back) != 0)
        abort(); /* a mistake of the program: loops of amtd have the descriptor that it takes */
    uv_unref((uv_handle_t *)&reader->back);
    reader->turn.data = reader->back.data = reader;
    return reader;
}

static void drop(struct reading *list)
{
    struct reading *reading, *next;

    DL_FOREACH_SAFE(list, reading, next)
    reading_free(reading);
}

static void closed(uv_handle_t *handle)
{
    struct reader *reader = handle->data;

    if (--reader->open == 0)
        free(reader);
}

void reader_free(struct reader *reader)
{
    if (!reader)
        return;
    pthread_mutex_lock(&reader->lock);
    reader->ending = true;
    pthread_cond_signal(&reader->more);
    pthread_mutex_unlock(&reader->lock);
    pthread_join(reader->thread, NULL);
    pthread_cond_destroy(&reader->more);
    pthread_mutex_destroy(&reader->lock);
    drop(reader->fresh);
    drop(reader->waiting);
    drop(reader->finished);
    reader->open = 2;
    uv_close((uv_handle_t *)&reader->turn, closed);
    uv_close((uv_handle_t *)&reader->back, closed);
}
