#include "amtd/console/log_origin.h"

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

static void check_side(struct checker *c, const struct chain_record *r, const char *part,
                       const uint64_t *limit, const uint8_t expected[HASH_LEN])
{
    char *file = xasprintf("origin/%020" PRIu64 ".%s", r->first, part);
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

static void move_to(struct checker *c, uint64_t first)
{
    if (first > c->at)
        find(c, VERIFY_GAP, c->at, first, "origin/chain", "");
    c->at = first;
}

static void check_segment(struct checker *c, const struct chain_record *r)
{
    if (r->kind != CHAIN_SEGMENT)
        return;
    move_to(c, r->first);
    c->at = r->end;
    if (r->first < c->first) { /* not kept here any more, or gone at the node before this replica began */
        find(c, VERIFY_EXPIRED, r->first, r->end, "origin/chain", "");
        return;
    }
    check_bytes(c, r, "origin/chain");
    check_side(c, r, "jnl", NULL, r->journal);
    check_side(c, r, "idx", NULL, r->index);
    c->result->signed_to = r->end;
}

static int check_chain(struct checker *c, struct err *err)
{
    char *path = xasprintf("%s/origin/chain", c->path);
    FILE *file = fopen(path, "re");
    char *line = NULL, what[160];
    size_t size = 0;
    ssize_t n;
    int status = 0;

    while (file && status == 0 && (n = getline(&line, &size, file)) > 0) {
        struct chain_record r = {0};
        const char *wrong;

        if (line[n - 1] != '\n')
            break; /* still on its way */
        wrong = chain_check(line, (size_t)n - 1, c->origin.console, c->key, &r);
        if (!wrong && memcmp(r.previous, c->previous, HASH_LEN) != 0)
            wrong = "does not follow the line before: a line was removed, inserted or moved";
        hash_bytes(line, (size_t)n - 1, c->previous);
        c->lines++;
        if (wrong == chain_foreign) {
            status = chain_refuse("origin/chain", err);
        } else if (wrong) {
            snprintf(what, sizeof(what), "line %zu %s", c->lines, wrong);
            find(c, VERIFY_DAMAGED, r.first, r.end, "origin/chain", what);
        } else {
            check_segment(c, &r);
        }
    }
    free(line);
    if (file)
        fclose(file);
    free(path);
    return status;
}

/* The signature of the segment that was open at the node, and what no signature covers yet. */
static int check_open(struct checker *c, struct err *err)
{
    char *path = xasprintf("%s/origin/console.sig", c->path);
    struct buf line = buf_init(2 * CHAIN_LINE_MAX);
    struct chain_record r;
    const char *wrong;
    int status = 0;

    if (chain_last_line(path, &line, NULL) == 0 && line.len > 0) {
        wrong = chain_check(buf_str(&line), line.len, c->origin.console, c->key, &r);
        if (wrong == chain_foreign) {
            status = chain_refuse("origin/console.sig", err);
        } else if (wrong) {
            find(c, VERIFY_DAMAGED, c->at, c->at, "origin/console.sig", wrong);
        } else if (r.kind == CHAIN_OPEN && r.first >= c->at && r.first >= c->first) {
            move_to(c, r.first);
            if (check_bytes(c, &r, "origin/console.sig")) {
                check_side(c, &r, "jnl", &r.journal_end, r.journal);
                c->result->signed_to = r.end;
            }
            c->at = r.end;
        }
    }
    if (c->end > c->at && c->end > c->first)
        find(c, VERIFY_UNSIGNED, c->at > c->first ? c->at : c->first, c->end, "origin",
             "not signed by the node yet");
    c->result->end = c->end;
    buf_free(&line);
    free(path);
    return status;
}

int log_origin_verify(const char *path, struct origin *origin,
                      void (*found)(void *arg, const struct verify_finding *finding), void *arg,
                      struct verify_result *result, struct err *err)
{
    struct checker c = {.path = path, .found = found, .arg = arg, .result = result};
    int status = origin_of(path, "", NULL, &c.origin, err);

    memset(result, 0, sizeof(*result));
    if (status <= 0)
        return status;
    *origin = c.origin;
    c.key = node_key_from_public(c.origin.key, err);
    c.reader = log_reader_new(path);
    if (c.key && log_reader_range(c.reader, &c.first, &c.end, err) == 0 && check_chain(&c, err) == 0)
        status = check_open(&c, err) == 0 ? status : -1;
    else
        status = -1;
    log_reader_free(c.reader);
    node_key_free(c.key);
    return status;
}
