/* What happens to a link before its log was ever used in this life: thousands of consoles come up together
 * when amtd starts, and most of them say nothing for hours. Their events wait in the store's spool, and
 * journals are made of them by and by. */
#include <utlist.h>

#include "amtd/console/clog_internal.h"
#include "base/log.h"

static void wait(struct clog *log, int64_t due)
{
    struct clog_store *store = log->store;

    if (!store->waiting)
        store->sweep_due = due;
    DL_APPEND2(store->waiting, log, wait_prev, wait_next);
}

static void wait_again(struct clog *log)
{
    DL_DELETE2(log->store->waiting, log, wait_prev, wait_next);
    DL_APPEND2(log->store->waiting, log, wait_prev, wait_next);
}

static void wait_no_more(struct clog *log)
{
    if (log->spooled > 0)
        DL_DELETE2(log->store->waiting, log, wait_prev, wait_next);
    log->spooled = 0;
}

void clog_early_begin(struct clog *log)
{
    const struct spooled *e;

    log->early = spool_take(log->store->spool, log->name);
    LL_FOREACH(log->early, e)
    log->spooled++;
    if (log->early)
        wait(log, clog_now(log) + SWEEP_DELAY_MS);
}

bool clog_event_early(struct clog *log, enum journal_kind kind, const char *text)
{
    if (log->known || log->used || log->spooled >= WAITING_MAX) {
        clog_event(log, kind, NULL, text);
        return false;
    }
    if (log->spooled++ == 0)
        wait(log, clog_now(log) + SWEEP_DELAY_MS);
    spool_add(log->store->spool, log->name, &log->early, clock_wall(log->store->clock), kind, text);
    return true;
}

/* Sudden death came between the journal and the spool's word that it has them. */
void clog_early_seen(struct clog *log, const struct journal_entry *entry)
{
    struct spooled *e, *next;

    LL_FOREACH_SAFE(log->early, e, next)
    {
        if (e->at_ms != entry->at_ms || e->kind != entry->kind)
            continue;
        LL_DELETE(log->early, e);
        e->next = NULL;
        spooled_free(e);
    }
}

void clog_early_end(struct clog *log)
{
    const struct spooled *e;

    LL_FOREACH(log->early, e)
    clog_add_entry(log, log->end, e->at_ms, e->kind, NULL, e->text);
    spooled_free(log->early);
    log->early = NULL;
}

void clog_early_written(struct clog *log)
{
    if (log->spooled == 0)
        return;
    spool_moved(log->store->spool, log->name, log->spooled);
    wait_no_more(log);
}

void clog_early_free(struct clog *log)
{
    wait_no_more(log);
    spooled_free(log->early);
    log->early = NULL;
}

int64_t clog_early_sweep(struct clog_store *store, int64_t now_ms)
{
    struct err err = ERR_INIT;
    struct clog *log;

    if (!store->waiting)
        return INT64_MAX;
    if (now_ms < store->sweep_due)
        return store->sweep_due;
    store->sweep_due = now_ms + SWEEP_PAUSE_MS;
    for (int i = 0;
         i < SWEEP_AT_ONCE && (log = store->waiting) && clock_mono(store->clock) - now_ms < SWEEP_ROUND_MS;
         i++) {
        if (clog_write_journal(log, &err) != 0) {
            if (!store->sweep_failed)
                log_warn(log->name, "log: events wait for their journal: %s", err.text);
            store->sweep_failed = true;
            wait_again(log); /* behind those with which nothing may be wrong */
            store->sweep_due = now_ms + SWEEP_RETRY_MS;
            break;
        }
        store->sweep_failed = false;
        if (log->events.worked) /* what an earlier life left to be done was found */
            log->events.worked(log->events.arg);
    }
    return store->waiting ? store->sweep_due : INT64_MAX;
}
