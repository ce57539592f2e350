#include "amtd/console/log_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "amtd/console/blocks.h"
#include "amtd/console/chain.h"
#include "amtd/console/lives.h"
#include "amtd/console/log_dir.h"
#include "amtd/console/segment.h"
#include "base/xalloc.h"

#define CHAIN_MAX (256 * 1024 * 1024) /* bytes of a chain that is read */
#define TRIES     5                   /* on a log whose segments are closed and compressed meanwhile */

static const char *const names[VERIFY_STATES] = {"intact", "unsigned", "expired",
                                                 "gap",    "history",  "damaged"};

const char *verify_state_name(enum verify_state state)
{
    return names[state];
}

struct line {
    struct chain_record record;
    uint8_t digest[HASH_LEN]; /* of the line itself */
};

struct verifier {
    const char *path, *name;
    const struct node_key *key;
    struct log_dir dir;
    struct line *lines;
    size_t count;
    uint64_t at; /* everything in front of it is reported */
    void (*found)(void *arg, const struct verify_finding *finding);
    void *arg;
    struct verify_result *result;
};

static void find(struct verifier *v, enum verify_state state, uint64_t first, uint64_t end, const char *file,
                 const char *text)
{
    const struct verify_finding finding = {state, first, end, file, text};

    if (state == VERIFY_DAMAGED)
        v->result->damages++;
    v->found(v->arg, &finding);
}

/* --- the chain --- */

static int read_file(const char *path, struct buf *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    uint8_t *room;
    ssize_t n;

    if (fd < 0)
        return errno == ENOENT ? 0 : err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    do {
        room = buf_room(out, 65536);
        n = room ? read(fd, room, 65536) : -1;
        buf_added(out, n > 0 ? (size_t)n : 0);
    } while (n > 0);
    close(fd);
    if (!buf_ok(out))
        return err_set(err, CAUSE_TOO_LARGE, "%s", path);
    return n == 0 ? 0 : err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
}

/* Is the line a record of this console, signed by this node, and the next one after `previous`? NULL: it is;
 * else what is wrong (chain_check). */
static const char *check_line(const struct verifier *v, const char *text, size_t n, const uint8_t *previous,
                              struct line *line)
{
    const char *wrong = chain_check(text, n, v->name, v->key, &line->record);

    hash_bytes(text, n, line->digest);
    if (!wrong && previous && memcmp(line->record.previous, previous, HASH_LEN) != 0)
        return "does not follow the line before: a line was removed, inserted or moved";
    return wrong;
}

static int read_chain(struct verifier *v, struct err *err)
{
    char *path = xasprintf("%s/chain", v->path);
    struct buf text = buf_init(CHAIN_MAX);
    uint8_t previous[HASH_LEN] = {0};
    const char *p, *end, *wrong;
    char what[160];
    int status = read_file(path, &text, err);

    for (p = buf_str(&text); status == 0 && (end = memchr(p, '\n', text.len - (size_t)(p - buf_str(&text))));
         p = end + 1) {
        struct line line;

        wrong = check_line(v, p, (size_t)(end - p), previous, &line);
        memcpy(previous, line.digest, sizeof(previous));
        if (wrong == chain_foreign) {
            status = chain_refuse("chain", err);
        } else if (wrong) {
            snprintf(what, sizeof(what), "line %zu %s", v->count + 1, wrong);
            find(v, VERIFY_DAMAGED, line.record.first, line.record.end, "chain", what);
        }
        if ((v->count & (v->count + 1)) == 0)
            v->lines = xreallocarray(v->lines, 2 * (v->count + 1), sizeof(*v->lines));
        v->lines[v->count++] = line;
    }
    buf_free(&text);
    free(path);
    return status;
}

/* --- one closed segment --- */

struct hashing {
    struct hash *all;
    struct buf known;            /* digests of the blocks as they were when it was closed */
    uint64_t block;              /* the next one's number */
    uint64_t bad_first, bad_end; /* the first stretch whose blocks differ from those */
    bool differs;
};

static void hash_block(struct hashing *h, const uint8_t *p, size_t n, uint64_t first)
{
    uint8_t digest[HASH_LEN];
    uint64_t at = h->block * HASH_LEN;

    hash_bytes(p, n, digest);
    hash_add(h->all, digest, sizeof(digest));
    if (n == BLOCK_SIZE && at + HASH_LEN <= h->known.len && memcmp(h->known.p + at, digest, HASH_LEN) != 0) {
        if (!h->differs)
            h->bad_first = first;
        h->differs = true;
        h->bad_end = first + n;
    }
    h->block++;
}

/* Reads [first, end) and hashes it. 0; -1: a stretch cannot be read (next: behind it), and err says why. */
static int hash_segment(struct segment *s, uint64_t first, uint64_t end, struct hashing *h, uint64_t *next,
                        struct err *err)
{
    uint8_t *block = xmalloc(BLOCK_SIZE);
    uint64_t at = first;
    int status = 0;

    while (status == 0 && at < end) {
        size_t want = end - at < BLOCK_SIZE ? (size_t)(end - at) : BLOCK_SIZE, have = 0;

        while (status == 0 && have < want) {
            ssize_t n = segment_read(s, at + have, block + have, want - have, next, err);

            if (n > 0)
                have += (size_t)n;
            else
                status = n < 0 ? -1 : err_set(err, CAUSE_BAD_ANSWER, "ends too early");
            if (n == 0)
                *next = end;
        }
        if (status == 0)
            hash_block(h, block, want, at);
        else
            h->bad_first = at + have;
        at += want;
    }
    free(block);
    return status;
}

/* Is [first, end) of the file what the digest says? Reports the finding. */
static bool check_bytes(struct verifier *v, const struct log_file *file, uint64_t end,
                        const uint8_t expected[HASH_LEN])
{
    char *path = log_dir_segment(v->path, file), *sum = log_dir_name(v->path, file, "blake3");
    const char *name = strrchr(path, '/') + 1;
    struct hashing h = {.all = hash_new(), .known = buf_init(CHAIN_MAX)};
    struct err err = ERR_INIT;
    struct segment *s = segment_open(path, file->first, file->form == LOG_COMPRESSED, &err);
    uint8_t got[HASH_LEN];
    uint64_t next = end;
    bool intact = false;

    read_file(sum, &h.known, NULL);
    if (!s) {
        find(v, VERIFY_DAMAGED, file->first, end, name, err.text);
    } else if (segment_end(s) < end) {
        find(v, VERIFY_DAMAGED, segment_end(s), end, name, "is cut: it was longer when it was signed");
    } else if (file->form != LOG_OPEN && segment_end(s) > end) {
        find(v, VERIFY_DAMAGED, end, segment_end(s), name,
             "has bytes that were not there when it was signed");
    } else if (hash_segment(s, file->first, end, &h, &next, &err) != 0) {
        find(v, VERIFY_DAMAGED, h.bad_first, next < end ? next : end, name, err.text);
    } else {
        hash_end(h.all, got);
        intact = memcmp(got, expected, HASH_LEN) == 0;
        if (intact)
            find(v, VERIFY_INTACT, file->first, end, name, "");
        else
            find(v, VERIFY_DAMAGED, h.differs ? h.bad_first : end - (end - file->first) % BLOCK_SIZE,
                 h.differs ? h.bad_end : end, name, "was changed: its hash is not the signed one");
    }
    segment_close(s);
    hash_free(h.all);
    buf_free(&h.known);
    free(path);
    free(sum);
    return intact;
}

static void check_side(struct verifier *v, const struct log_file *file, const char *kind,
                       const uint64_t *limit, const uint8_t expected[HASH_LEN], uint64_t end)
{
    char *path = log_dir_name(v->path, file, kind);
    uint8_t got[HASH_LEN];
    uint64_t size;
    struct err err = ERR_INIT;

    if (chain_hash_file(path, limit, got, &size, &err) != 0)
        find(v, VERIFY_DAMAGED, file->first, end, strrchr(path, '/') + 1, err.text);
    else if (memcmp(got, expected, HASH_LEN) != 0)
        find(v, VERIFY_DAMAGED, file->first, end, strrchr(path, '/') + 1,
             "was changed: its hash is not the signed one");
    free(path);
}

static const struct log_file *file_at(const struct verifier *v, uint64_t first, bool open_too)
{
    for (size_t i = 0; i < v->dir.count; i++)
        if (v->dir.files[i].first == first && (open_too || v->dir.files[i].form != LOG_OPEN))
            return &v->dir.files[i];
    return NULL;
}

static void move_to(struct verifier *v, uint64_t first)
{
    if (first > v->at && first / HISTORY_STEP > v->at / HISTORY_STEP)
        find(v, VERIFY_HISTORY, v->at, first, "chain", "left out: a new history begins behind it");
    else if (first > v->at)
        find(v, VERIFY_GAP, v->at, first, "chain", "");
    v->at = first;
}

/* --- all of it --- */

static uint64_t expired_to(const struct verifier *v)
{
    uint64_t end = 0;

    for (size_t i = 0; i < v->count; i++)
        if (v->lines[i].record.kind == CHAIN_EXPIRED && v->lines[i].record.end > end)
            end = v->lines[i].record.end;
    return end;
}

static void check_closed(struct verifier *v)
{
    uint64_t expired = expired_to(v);

    if (expired > 0)
        find(v, VERIFY_EXPIRED, 0, expired, "chain", "");
    v->at = expired;
    for (size_t i = 0; i < v->count; i++) {
        const struct chain_record *r = &v->lines[i].record;
        const struct log_file *file;
        char name[40];

        if (r->kind != CHAIN_SEGMENT || r->end <= expired)
            continue;
        if (r->first < v->at) {
            find(v, VERIFY_DAMAGED, r->first, r->end, "chain", "segments overlap or are out of order");
            continue;
        }
        move_to(v, r->first);
        v->at = r->end;
        file = file_at(v, r->first, false);
        if (!file) {
            snprintf(name, sizeof(name), "%020llu.log.zst", (unsigned long long)r->first);
            find(v, VERIFY_DAMAGED, r->first, r->end, name, "is missing");
            continue;
        }
        check_bytes(v, file, r->end, r->bytes);
        check_side(v, file, "jnl", NULL, r->journal, r->end);
        check_side(v, file, "idx", NULL, r->index, r->end);
        v->result->signed_to = r->end;
    }
}

static bool has_record(const struct verifier *v, uint64_t first)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->lines[i].record.kind == CHAIN_SEGMENT && v->lines[i].record.first == first)
            return true;
    return false;
}

/* Closed segments of which the chain does not know: about to be signed, or put there by somebody. */
static void check_unknown(struct verifier *v)
{
    for (size_t i = 0; i < v->dir.count; i++) {
        const struct log_file *file = &v->dir.files[i];
        char *path;
        struct err err = ERR_INIT;
        struct segment *s;
        uint64_t end;

        if (file->form == LOG_OPEN || has_record(v, file->first))
            continue;
        path = log_dir_segment(v->path, file);
        s = segment_open(path, file->first, file->form == LOG_COMPRESSED, &err);
        end = s ? segment_end(s) : file->first;
        if (file->form == LOG_PLAIN && file->first >= v->at) {
            move_to(v, file->first);
            find(v, VERIFY_UNSIGNED, file->first, end, strrchr(path, '/') + 1,
                 "closed, and about to be signed");
            v->at = end;
        } else {
            find(v, VERIFY_DAMAGED, file->first, end, strrchr(path, '/') + 1,
                 "no record of the chain speaks of it");
        }
        segment_close(s);
        free(path);
    }
}

/* The signature of the open segment, if it is one of the segment that is open now: 1; else 0. -1 and err: it
 * is of another version. */
static int read_signature(struct verifier *v, struct line *line, const struct log_file *file, struct err *err)
{
    char *path = xasprintf("%s/console.sig", v->path);
    struct buf text = buf_init(2 * CHAIN_LINE_MAX);
    const uint8_t none[HASH_LEN] = {0}, *last = v->count > 0 ? v->lines[v->count - 1].digest : none;
    const char *wrong = NULL;
    bool there = false;

    if (chain_last_line(path, &text, NULL) == 0 && text.len > 0) {
        wrong = check_line(v, buf_str(&text), text.len, NULL, line);
        there = !wrong && line->record.kind == CHAIN_OPEN;
        if (there && has_record(v, line->record.first)) {
            there = false; /* of a segment that was closed since */
        } else if (there && memcmp(line->record.previous, last, HASH_LEN) != 0 &&
                   !(v->count > 0 && v->lines[v->count - 1].record.kind == CHAIN_EXPIRED)) {
            find(v, VERIFY_DAMAGED, 0, line->record.first, "chain",
                 "is cut: a newer signature speaks of another last line");
        } else if (there && (!file || line->record.first != file->first)) {
            const struct log_file *closed = file_at(v, line->record.first, false);

            if (!closed)
                find(v, VERIFY_DAMAGED, line->record.first, line->record.end, "console.log", "is missing");
            there = false;
        }
    }
    if (wrong && wrong != chain_foreign)
        find(v, VERIFY_DAMAGED, v->at, v->at, "console.sig", wrong);
    buf_free(&text);
    free(path);
    return wrong == chain_foreign ? chain_refuse("console.sig", err) : there;
}

static int check_open(struct verifier *v, struct err *err)
{
    const struct log_file *file = v->dir.count > 0 ? &v->dir.files[v->dir.count - 1] : NULL;
    struct segment *s;
    struct line line;
    uint64_t end;
    char *path;
    int signature;

    if (file && file->form != LOG_OPEN)
        file = NULL;
    signature = read_signature(v, &line, file, err);
    v->result->end = v->at;
    if (!file || signature < 0)
        return signature < 0 ? -1 : 0;
    if (file->first < v->at)
        find(v, VERIFY_DAMAGED, file->first, v->at, "console.idx",
             "says that the open segment overlaps a closed one");
    else
        move_to(v, file->first);
    if (signature) {
        if (check_bytes(v, file, line.record.end, line.record.bytes))
            v->at = line.record.end;
        check_side(v, file, "jnl", &line.record.journal_end, line.record.journal, line.record.end);
        v->result->signed_to = line.record.end;
    }
    path = log_dir_segment(v->path, file);
    s = segment_open(path, file->first, false, NULL);
    end = s ? segment_end(s) : file->first;
    segment_close(s);
    free(path);
    if (signature && line.record.end > v->at)
        v->at = line.record.end;
    if (end > v->at)
        find(v, VERIFY_UNSIGNED, v->at, end, "console.log", "not signed yet");
    v->result->end = end > v->at ? end : v->at;
    return 0;
}

/* --- a log that goes on meanwhile --- */

struct kept_finding {
    struct verify_finding finding; /* its texts are its own */
    struct kept_finding *next;
};

struct findings {
    struct kept_finding *first, **end;
};

static void keep(void *arg, const struct verify_finding *finding)
{
    struct findings *f = arg;
    struct kept_finding *kept = xmalloc(sizeof(*kept));

    *kept = (struct kept_finding){*finding, NULL};
    kept->finding.file = xstrdup(finding->file);
    kept->finding.text = xstrdup(finding->text);
    *f->end = kept;
    f->end = &kept->next;
}

static void forget(struct findings *f)
{
    for (struct kept_finding *kept = f->first, *next; kept; kept = next) {
        next = kept->next;
        free((char *)kept->finding.file);
        free((char *)kept->finding.text);
        free(kept);
    }
    *f = (struct findings){.end = &f->first};
}

/* A segment was closed, compressed or removed since. */
static bool has_moved(const struct log_dir *before)
{
    struct log_dir now;
    bool moved = log_dir_read(&now, before->path, NULL) != 0 || now.count != before->count;

    for (size_t i = 0; !moved && i < now.count; i++)
        moved = now.files[i].first != before->files[i].first || now.files[i].form != before->files[i].form;
    log_dir_clear(&now);
    return moved;
}

/* *again: what is said of damages may come of files that became others while they were looked at. */
static int verify_once(struct verifier *v, bool *again, struct err *err)
{
    int status;

    memset(v->result, 0, sizeof(*v->result));
    v->lines = NULL;
    v->count = v->at = 0;
    status = log_dir_read(&v->dir, v->path, err);
    if (status == 0)
        status = read_chain(v, err);
    if (status == 0) {
        check_closed(v);
        check_unknown(v);
        status = check_open(v, err);
    }
    *again = status == 0 && v->result->damages > 0 && has_moved(&v->dir);
    log_dir_clear(&v->dir);
    free(v->lines);
    return status;
}

int log_verify(const char *path, const char *name, const struct node_key *key,
               void (*found)(void *arg, const struct verify_finding *finding), void *arg,
               struct verify_result *result, struct err *err)
{
    struct findings findings = {.end = &findings.first};
    struct verifier v = {
        .path = path, .name = name, .key = key, .found = keep, .arg = &findings, .result = result};
    bool again = true;
    int status = 0;

    for (int i = 0; again && i < TRIES; i++) {
        forget(&findings);
        status = verify_once(&v, &again, err);
    }
    for (const struct kept_finding *kept = findings.first; kept; kept = kept->next)
        found(arg, &kept->finding);
    forget(&findings);
    return status;
}
