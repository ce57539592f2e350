#include "amtd/api/listing.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/api/server_internal.h"
#include "base/xalloc.h"

#define PORTION 131072 /* bytes */
#define SOME    32     /* rows between two looks at their size */

int listing_work(struct tx *tx, struct api_request *rq, struct err *err)
{
    const struct api_list *list = rq->call->list;
    struct listing *l = rq->listing;
    int status = 0;

    if (!l) {
        l = rq->listing = xcalloc(1, sizeof(*l));
        l->params = rq->params;
        l->rows = rows_new(json_object_get(rq->params, "fields"));
        status = list->open(tx, l, err);
    }
    while (status == 0 && !l->over && rows_size(l->rows) < PORTION)
        status = list->more(tx, l, err);
    return status;
}

void listing_free(struct listing *l, const struct api_list *list)
{
    if (!l)
        return;
    if (l->state)
        list->clear(l->state);
    json_decref(l->head);
    rows_free(l->rows);
    free(l);
}

/* --- to the caller --- */

static void send_json(struct api_request *rq, json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT);

    request_write(rq, text, strlen(text));
    request_write(rq, "\n", 1);
    free(text);
    json_decref(line);
}

static void send_head(struct api_request *rq)
{
    struct listing *l = rq->listing;

    if (!l->head)
        return;
    send_json(rq, json_pack("{s:o, s:s}", "head", l->head, "list", l->member));
    l->head = NULL;
}

static void drained(struct api_request *rq, void *arg)
{
    (void)arg;
    api_on_drained(rq, NULL, NULL);
    api_on_gone(rq, NULL, NULL);
    request_work(rq);
}

static void gone(struct api_request *rq, void *arg)
{
    (void)arg;
    request_free(rq);
}

void listing_worked(struct api_request *rq)
{
    struct listing *l = rq->listing;
    struct buf lines = buf_init(SIZE_MAX / 4);
    bool over = l->over, waits = api_backlog(rq) > API_HIGH_WATER;
    int64_t count = rows_count(l->rows);

    if (!rq->client) {
        request_free(rq);
        return;
    }
    send_head(rq);
    rows_take(l->rows, &lines);
    if (waits && !over) {
        api_on_drained(rq, drained, NULL);
        api_on_gone(rq, gone, NULL);
    } else if (!over) {
        request_work(rq); /* while this portion goes out */
    }
    request_write(rq, lines.p, lines.len);
    buf_free(&lines);
    if (over) {
        send_json(rq, json_pack("{s:I}", "rows", (json_int_t)count));
        request_done(rq);
    }
}

/* --- things with ids --- */

void listing_ids_free(void *state)
{
    struct listing_ids *s = state;

    free(s->ids);
    free(s);
}

int listing_some(struct tx *tx, struct listing *l, listing_write *write, struct err *err)
{
    struct listing_ids *s = l->state;
    size_t end = s->count - s->at > SOME ? s->at + SOME : s->count;
    int status = 0;

    while (status == 0 && s->at < end)
        status = write(tx, l->state, s->ids[s->at++], l->rows, err);
    l->over = s->at == s->count;
    return status;
}

int listing_ids_find(struct tx *tx, const json_t *params, struct listing_ids *ids, struct err *err)
{
    const char *target = json_string_value(json_object_get(params, "target"));

    return tx_target_ids(tx, target ? target : "all", &ids->ids, &ids->count, err);
}

int listing_open_target(struct tx *tx, struct listing *l, struct err *err)
{
    l->state = xcalloc(1, sizeof(struct listing_ids));
    return listing_ids_find(tx, l->params, l->state, err);
}
