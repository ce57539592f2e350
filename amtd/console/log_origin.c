#include "amtd/console/log_origin.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/console/blocks.h"
#include "amtd/console/chain.h"
#include "amtd/console/log_dir.h"
#include "base/xalloc.h"

struct checker {
    const char *path;
    const char *part; /* "origin", or that of an earlier history */
    struct origin origin;
    struct node_key *key;
    struct log_reader *reader;
    uint64_t first, end; /* of the bytes that are here */
    uint8_t previous[HASH_LEN];
    uint64_t at; /* everything in front of it is reported */
    size_t lines;
    void (*found)(void *arg, const struct verify_finding *finding);
    void *arg;
    struct verify_result *result;
};

static void find(struct checker *c, enum verify_state state, uint64_t first, uint64_t end, const char *file,
                 const char *text)
{
    const struct verify_finding finding = {state, first, end, file, text};

    if (state == VERIFY_DAMAGED)
        c->result->damages++;
    c->found(c->arg, &finding);
}

/* The digest of the digests of the blocks of [first, end). -1: a byte of it is not here; *at: which. */
static int hash_range(struct checker *c, uint64_t first, uint64_t end, uint8_t sum[HASH_LEN], uint64_t *at)
{
    uint8_t *block = xmalloc(BLOCK_SIZE), digest[HASH_LEN];
    struct hash *all = hash_new();
    int status = 0;

    for (*at = first; status == 0 && *at < end;) {
        size_t want = end - *at < BLOCK_SIZE ? (size_t)(end - *at) : BLOCK_SIZE, have = 0;

        while (status == 0 && have < want) {
            uint64_t got_at = *at + have;
            long n = log_reader_read(c->reader, got_at, &got_at, block + have, want - have, NULL);

            if (n <= 0 || got_at != *at + have)
                status = -1;
            else
                have += (size_t)n;
        }
        if (status == 0) {
            hash_bytes(block, want, digest);
            hash_add(all, digest, sizeof(digest));
            *at += want;
        }
    }
    hash_end(all, sum);
    hash_free(all);
    free(block);
    return status;
}

static bool check_bytes(struct checker *c, const struct chain_record *r, const char *file)
{
    uint8_t sum[HASH_LEN];
    uint64_t at;

    if (hash_range(c, r->first, r->end, sum, &at) != 0) {
        find(c, VERIFY_DAMAGED, at, r->end, file, "cannot be read whole, and it was when it was signed");
        return false;
    }
    if (memcmp(sum, r->bytes, sizeof(sum)) != 0) {
        find(c, VERIFY_DAMAGED, r->first, r->end, file,
             "was changed: its hash is not the one the node signed");
        return false;
    }
    find(c, VERIFY_INTACT, r->first, r->end, file, "");
    return true;
}

/* The name of a file of this part, as it is told. */
static char *file_of(const struct checker *c, const char *name)
{
    return xasprintf("%s/%s", c->part, name);
}

static void check_side(struct checker *c, const struct chain_record *r, const char *kind,
                       const uint64_t *limit, const uint8_t expected[HASH_LEN])
{
    char *file = xasprintf("%s/%020" PRIu64 ".%s", c->part, r->first, kind);
    char *path = xasprintf("%s/%s", c->path, file);
    uint8_t sum[HASH_LEN];
    struct err err = ERR_INIT;
    uint64_t size;

    if (chain_hash_file(path, limit, sum, &size, &err) != 0)
        find(c, VERIFY_DAMAGED, r->first, r->end, file, err.text);
    else if (memcmp(sum, expected, sizeof(sum)) != 0)
        find(c, VERIFY_DAMAGED, r->first, r->end, file,
             "was changed: its hash is not the one the node signed");
    free(path);
    free(file);
}

/* In front of `first` are no bytes that this part speaks of. */
static void move_to(struct checker *c, uint64_t first)
{
    char *file = file_of(c, "chain");

    if (first > c->at)
        find(c, VERIFY_GAP, c->at, first, file, "");
    c->at = first;
    free(file);
}

static void check_segment(struct checker *c, const struct chain_record *r, const char *file)
{
    if (r->kind != CHAIN_SEGMENT || r->first < c->origin.from)
        return;
    move_to(c, r->first);
    c->at = r->end;
    if (r->first < c->first) { /* not kept here any more, or gone at the node before this replica began */
        find(c, VERIFY_EXPIRED, r->first, r->end, file, "");
        return;
    }
    check_bytes(c, r, file);
    check_side(c, r, "jnl", NULL, r->journal);
    check_side(c, r, "idx", NULL, r->index);
    c->result->signed_to = r->end;
}

/* One line of it. -1 and err: of another version. */
static int check_line(struct checker *c, const char *line, size_t n, const char *file, struct err *err)
{
    struct chain_record r = {0};
    const char *wrong = chain_check(line, n, c->origin.console, c->key, &r);
    char what[160];

    if (!wrong && memcmp(r.previous, c->previous, HASH_LEN) != 0)
        wrong = "does not follow the line before: a line was removed, inserted or moved";
    hash_bytes(line, n, c->previous);
    c->lines++;
    if (wrong == chain_foreign)
        return chain_refuse(file, err);
    if (wrong) {
        snprintf(what, sizeof(what), "line %zu %s", c->lines, wrong);
        find(c, VERIFY_DAMAGED, r.first, r.end, file, what);
    } else {
        check_segment(c, &r, file);
    }
    return 0;
}

static int check_chain(struct checker *c, struct err *err)
{
    char *name = file_of(c, "chain"), *path = xasprintf("%s/%s", c->path, name);
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    int status = 0;

    while (file && status == 0 && (n = getline(&line, &size, file)) > 0) {
        if (line[n - 1] != '\n')
            break; /* still on its way */
        status = check_line(c, line, (size_t)n - 1, name, err);
    }
    free(line);
    if (file)
        fclose(file);
    free(path);
    free(name);
    return status;
}

/* The signature of the segment that was open at the node. */
static int check_signature(struct checker *c, const char *line, size_t n, const char *file, struct err *err)
{
    struct chain_record r;
    const char *wrong = chain_check(line, n, c->origin.console, c->key, &r);

    if (wrong == chain_foreign)
        return chain_refuse(file, err);
    if (wrong) {
        find(c, VERIFY_DAMAGED, c->at, c->at, file, wrong);
    } else if (r.kind == CHAIN_OPEN && r.first >= c->at && r.first >= c->first) {
        move_to(c, r.first);
        if (check_bytes(c, &r, file)) {
            check_side(c, &r, "jnl", &r.journal_end, r.journal);
            c->result->signed_to = r.end;
        }
        c->at = r.end;
    }
    return 0;
}

static int check_open(struct checker *c, bool ended, struct err *err)
{
    char *name = file_of(c, "console.sig"), *path = xasprintf("%s/%s", c->path, name);
    struct buf line = buf_init(2 * CHAIN_LINE_MAX);
    int status = 0;

    if (chain_last_line(path, &line, NULL) == 0 && line.len > 0)
        status = check_signature(c, buf_str(&line), line.len, name, err);
    if (status == 0 && c->end > c->at && c->end > c->first)
        find(c, VERIFY_UNSIGNED, c->at > c->first ? c->at : c->first, c->end, c->part,
             ended ? "never signed by the node: it was put back to an older state before it did"
                   : "not signed by the node yet");
    c->result->end = c->end;
    buf_free(&line);
    free(path);
    free(name);
    return status;
}

/* --- histories --- */

/* What one directory proves: up to `until`, where that history ended for this replica; UINT64_MAX: it goes
 * on. */
static int check_part(const char *path, const char *part, uint64_t until, const struct checker *like,
                      struct origin *origin, struct err *err)
{
    struct checker c = *like;
    char *directory = xasprintf("%s/%s", path, part);
    int status = origin_read(directory, &c.origin, err);

    c.path = path;
    c.part = part;
    if (status == 0 && !(c.key = node_key_from_public(c.origin.key, err)))
        status = -1;
    c.reader = log_reader_new(path);
    if (status == 0)
        status = log_reader_range(c.reader, &c.first, &c.end, err);
    if (c.end > until)
        c.end = until;
    c.at = c.origin.from;
    if (status == 0 && c.end >= c.at) {
        status = check_chain(&c, err);
        if (status == 0)
            status = check_open(&c, until != UINT64_MAX, err);
    }
    log_reader_free(c.reader);
    node_key_free(c.key);
    free(directory);
    *origin = c.origin;
    return status;
}

static int by_offset(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Where earlier histories ended here, in order. Free them. Those of which no byte came are not among them. */
static uint64_t *earlier(const char *path, size_t *count)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    uint64_t *all = NULL, until;
    int n;

    *count = 0;
    while (dir && (entry = readdir(dir))) {
        n = 0;
        if (sscanf(entry->d_name, "origin-until-%20" SCNu64 "%n", &until, &n) != 1 ||
            entry->d_name[n] != '\0')
            continue;
        all = xreallocarray(all, *count + 1, sizeof(*all));
        all[(*count)++] = until;
    }
    if (dir)
        closedir(dir);
    if (*count > 1)
        qsort(all, *count, sizeof(*all), by_offset);
    return all;
}

int log_origin_verify(const char *path, struct origin *origin,
                      void (*found)(void *arg, const struct verify_finding *finding), void *arg,
                      struct verify_result *result, struct err *err)
{
    const struct checker c = {.found = found, .arg = arg, .result = result};
    int status = origin_of(path, "", NULL, origin, err);
    uint64_t ended = 0, begins = origin->from;
    uint64_t *all;
    size_t count;

    memset(result, 0, sizeof(*result));
    if (status <= 0)
        return status;
    all = earlier(path, &count);
    for (size_t i = 0; i < count && status > 0; i++) {
        char *part = xasprintf("origin-until-%" PRIu64, all[i]);

        status = check_part(path, part, all[i], &c, origin, err) == 0 ? 1 : -1;
        ended = all[i];
        free(part);
    }
    free(all);
    if (status > 0 && begins > 0 && count == 0) /* this replica began later, as one of another replica */
        found(arg,
              &(struct verify_finding){VERIFY_UNSIGNED, 0, begins, "origin",
                                       "of an earlier history, which is proved where it was replicated"});
    else if (status > 0 && begins > ended)
        found(arg, &(struct verify_finding){VERIFY_HISTORY, ended, begins, "origin",
                                            "the node was put back to an older state, or set up anew: a new "
                                            "history of its log begins behind it"});
    if (status > 0)
        status = check_part(path, "origin", UINT64_MAX, &c, origin, err) == 0 ? 1 : -1;
    return status;
}
