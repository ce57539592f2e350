/* What the parts of the log on the loop's side share. For clog*.c only. */
#ifndef AMTD_CONSOLE_CLOG_INTERNAL_H
#define AMTD_CONSOLE_CLOG_INTERNAL_H

#include <sys/types.h>

#include "amtd/console/blocks.h"
#include "amtd/console/clog.h"
#include "amtd/console/keeper.h"
#include "amtd/console/lives.h"
#include "amtd/console/log_dir.h"
#include "amtd/console/spool.h"
#include "base/buf.h"

#define INDEX_STEP_MS  1000 /* between two records of the time index */
#define INDEX_BATCH    32   /* records that are written together */
#define INDEX_DELAY_MS 5000 /* for which they wait at most */
#define CHECK_MS       1000 /* between two looks whether the file is still under its name */
#define RETRY_MS       1000 /* between two tries of a paused log */
#define CLOSE_RETRY_MS 30000
#define HELD_MAX       (256 * 1024) /* bytes that one paused log holds in memory */
#define JOURNAL_HELD   (64 * 1024)  /* the same of its journal */
#define IDLE_FREE_MS   5000         /* after which an idle log gives its buffers back */

/* Journals of logs that were not used yet are made by and by, so that a file system that takes its time costs
 * readers of other logs none. */
#define SWEEP_DELAY_MS 1000 /* after the first event that waits */
#define SWEEP_PAUSE_MS 10   /* between two rounds */
#define SWEEP_ROUND_MS 2    /* that a round takes, and the last log of it */
#define SWEEP_AT_ONCE  32   /* logs in a round at most */
#define SWEEP_RETRY_MS 1000 /* after one could not be made */
#define WAITING_MAX    32   /* events of one log that wait */

struct clog_store {
    char *dir;
    const struct clock *clock;
    const struct node_key *key;
    struct clog_worker worker;
    size_t files_max;
    int64_t sync_ms;
    uint64_t held_max, held;
    struct clog *open; /* those with a descriptor, lately used last */
    size_t open_count;
    struct clog *unsynced;
    size_t unsynced_count;
    bool syncing;
    int64_t sync_due;
    size_t busy;
    struct keeper_gone gone; /* of all logs, since somebody asked */
    struct clog *reading;    /* whose reader is kept */
    uint32_t scatter;        /* a pseudo-random number, the last one */
    struct spool *spool;
    struct clog *waiting; /* those with events in it, the longest waiting first */
    int64_t sweep_due;
    bool sweep_failed; /* it was said */
};

enum clog_work { WORK_NONE, WORK_CLOSE, WORK_SIGN, WORK_RESCUE, WORK_EXPIRE };

struct clog_job {
    struct clog *log;
    enum clog_work work;
    char *path;
    struct keeper keeper;
    int fd;
    uint64_t first, end, journal_end;
    struct keeper_gone gone;
    int status;
    struct err err;
};

struct clog {
    struct clog_store *store;
    char *name;
    char *path;
    struct log_settings settings;
    struct clog_events events;
    bool known; /* the directory was read: what follows is true */
    bool begun; /* the open segment has its files */
    bool off;   /* logging is off by request */
    bool dying;
    uint64_t first;     /* of the open segment */
    uint64_t oldest;    /* of all that is kept */
    uint64_t holes;     /* left out where a history begins */
    bool oldest_known;  /* both of them are true */
    uint64_t end;       /* behind the last byte written */
    int64_t created_ms; /* wall clock: when the open segment began */
    int fd;             /* of console.log, -1: not held */
    dev_t dev;
    ino_t ino;
    struct clog *prev, *next;           /* in store->open */
    struct clog *sync_prev, *sync_next; /* in store->unsynced */
    bool unsynced;
    bool fresh; /* its files are new: their names are to be synced, too */

    struct blocks blocks;   /* of the open segment */
    struct buf closed_seen; /* what was seen of the blocks of the segment that was closed last */
    uint64_t closed_first;

    struct buf pending; /* bytes that wait to be written */
    int64_t flush_due;
    int64_t given_ms; /* wall clock of bytes of another log; 0: now */
    bool used;        /* there was an append in this life */
    int64_t used_ms;  /* monotonic, of the last one */
    struct buf index; /* records that wait */
    int64_t index_last_ms, index_due;
    struct buf journal; /* lines that wait */
    uint64_t journal_end;
    struct spooled *early;              /* events from before it was known */
    size_t spooled;                     /* events in the spool: these, or among the lines that wait */
    struct clog *wait_prev, *wait_next; /* in store->waiting, while there are such */

    bool paused;
    uint64_t lost; /* bytes that are not in the log, since it paused */
    int64_t retry_due;
    int64_t check_due;

    enum clog_work working;
    struct clog_job *waiting; /* a rescue that failed and will be tried again */
    bool close_wanted, roll_wanted, rescue_wanted, expire_wanted;
    const char *roll_why;
    int64_t work_due; /* not before */
    uint64_t signed_end, signed_journal;
    int64_t sign_due;
    struct log_reader *reader;

    struct lives lives;  /* none: the log was never followed, or follows another one */
    bool lives_unsaved;  /* the last one is not in the file yet */
    size_t lives_bytes;  /* of the file, when all others are in it and one may be added; else 0 */
    unsigned generation; /* of its lives: changes with them */

    uint64_t promised; /* replicas may have what is before; 0: no promise in this life */
    bool promise_left; /* there is one of an earlier life */
    uint64_t promise_step;
    int64_t promise_ms, promise_due; /* when the last began; not before, 0: at any time */
    bool promising;
};

/* clog_files.c: the directory, and descriptors. All: 0, or -1 and err. */
/* What is there: nothing is made. */
int clog_know(struct clog *log, struct err *err);
/* Makes the directory when it is not there (*made, which may be NULL). */
int clog_make_dir(const struct clog *log, bool *made, struct err *err);
/* True: the directory was deleted, with all that is not held open, and what follows is a new beginning. */
bool clog_begin_again(struct clog *log);
int clog_open_file(struct clog *log, struct err *err);
void clog_close_file(struct clog *log);
int clog_append_file(const struct clog *log, const char *name, const struct buf *content, bool create,
                     struct err *err);
/* Gives the open segment's files their closed names; the next segment begins at `next`. Nothing is renamed
 * when it is empty. Not while it is being signed. */
int clog_roll_files(struct clog *log, uint64_t next, struct err *err);
int clog_begin_segment(struct clog *log, struct err *err);
/* A file that is not ours and stands in the way is moved aside. */
void clog_move_stray(const struct clog *log);
void clog_drop_reader(struct clog *log);
bool clog_file_is_there(const struct clog *log);
/* What was seen of the open segment's blocks counts only while nobody else writes to the file. */
void clog_doubt_blocks(struct clog *log);

/* clog_early.c */
/* An earlier life may have left events. */
void clog_early_begin(struct clog *log);
/* The journal has that event already. */
void clog_early_seen(struct clog *log, const struct journal_entry *entry);
/* The log is known now: its early events go to the lines that wait. */
void clog_early_end(struct clog *log);
/* The lines that waited are in the journal. */
void clog_early_written(struct clog *log);
void clog_early_free(struct clog *log);
/* Time passes; when it wants to be called next, INT64_MAX: not before something waits. */
int64_t clog_early_sweep(struct clog_store *store, int64_t now_ms);

/* clog_work.c */
bool clog_start_work(struct clog *log, int64_t now_ms);
int64_t clog_work_deadline(const struct clog *log);

/* clog_promise.c */
/* What an earlier life promised, of an earlier boot: the log goes on there. 0: nothing. */
uint64_t clog_promise_read(struct clog *log);
/* Time passes: what could not be promised is tried again. */
void clog_promise_tick(struct clog *log, int64_t now_ms);
/* The log is closed in good order. */
void clog_promise_end(struct clog *log);

/* clog_lives.c */
/* The directory is being read: this is another life of a log that was followed once. */
int clog_lives_know(struct clog *log, struct err *err);
/* Writes down that this life begins, unless that is done. Before anything else is written in it. */
int clog_lives_save(struct clog *log, struct err *err);
char *clog_lives_path(const struct clog *log);
/* Bytes that were left out where a history begins. */
uint64_t clog_holes(const struct clog *log, const struct log_dir *dir);

/* clog.c */
void clog_write_index(struct clog *log);
/* Also what waits from before the log was known. -1 and err: it is kept for the next time. */
int clog_write_journal(struct clog *log, struct err *err);
void clog_add_entry(struct clog *log, uint64_t offset, int64_t at_ms, enum journal_kind kind, const char *who,
                    const char *text);
void clog_repair_note(struct clog *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void clog_release(struct clog *log);
int64_t clog_now(const struct clog *log);

#endif
