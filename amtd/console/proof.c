#include "amtd/console/proof.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "amtd/console/chain.h"
#include "amtd/console/log_dir.h"
#include "amtd/console/time_index.h"
#include "base/file.h"
#include "base/text.h"
#include "base/xalloc.h"

#define KEY_FILE_MAX 4096

static char *origin_path(const char *path, const char *name)
{
    return xasprintf("%s/origin/%s", path, name);
}

static bool is_replica(const char *path)
{
    char *key = origin_path(path, "key");
    bool there = access(key, F_OK) == 0;

    free(key);
    return there;
}

/* --- whose log it is --- */

int origin_read(const char *directory, struct origin *origin, struct err *err)
{
    char *file = xasprintf("%s/key", directory);
    json_t *json = json_load_file(file, JSON_REJECT_DUPLICATES, NULL);
    json_int_t from = json_integer_value(json_object_get(json, "from"));
    const char *name = json_string_value(json_object_get(json, "console"));
    const char *key = json_string_value(json_object_get(json, "key"));
    struct buf raw = buf_init(KEY_FILE_MAX);
    int status = -1;

    memset(origin, 0, sizeof(*origin));
    if (name && console_name_ok(name) && key && text_base64_decode(&raw, key, strlen(key)) &&
        raw.len == NODE_PUBLIC_LEN && from >= 0) {
        memcpy(origin->console, name, strlen(name) + 1);
        memcpy(origin->key, raw.p, NODE_PUBLIC_LEN);
        origin->from = (uint64_t)from;
        status = 0;
    } else {
        err_set(err, CAUSE_BAD_ANSWER, "%s: not what amtd wrote there", file);
    }
    buf_free(&raw);
    json_decref(json);
    free(file);
    return status;
}

static int read_origin(const char *path, struct origin *origin, struct err *err)
{
    char *directory = xasprintf("%s/origin", path);
    int status = origin_read(directory, origin, err);

    free(directory);
    return status;
}

int origin_of(const char *path, const char *name, const struct node_key *own, struct origin *origin,
              struct err *err)
{
    memset(origin, 0, sizeof(*origin));
    if (is_replica(path))
        return read_origin(path, origin, err) == 0 ? 1 : -1;
    if (!own)
        return 0;
    snprintf(origin->console, sizeof(origin->console), "%s", name);
    node_key_public(own, origin->key);
    return 0;
}

void origin_id(const struct origin *origin, char id[NODE_ID_LEN + 1])
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    struct buf hex = buf_init(NODE_ID_LEN);

    EVP_Digest(origin->key, sizeof(origin->key), digest, NULL, EVP_sha256(), NULL);
    text_hex(&hex, digest, NODE_ID_LEN / 2, false);
    memcpy(id, buf_str(&hex), NODE_ID_LEN + 1);
    buf_free(&hex);
}

/* --- from a log --- */

struct proof_reader {
    char *path;
    bool replica; /* what it has comes from `origin` */
    struct proof_place place;
    bool whole;                  /* the segment is closed, and all of it was read */
    uint8_t signature[HASH_LEN]; /* digest of the newest that was read */
};

struct proof_reader *proof_reader_new(const char *path, const struct proof_place *place)
{
    struct proof_reader *r = xcalloc(1, sizeof(*r));

    r->path = xstrdup(path);
    r->replica = is_replica(path);
    r->place = *place;
    return r;
}

void proof_reader_free(struct proof_reader *r)
{
    if (!r)
        return;
    free(r->path);
    free(r);
}

/* The smallest first offset of a segment, at least `from`, that has times. False: there is none. */
static bool find_segment(const struct proof_reader *r, uint64_t from, uint64_t *found)
{
    char *path = r->replica ? xasprintf("%s/origin", r->path) : xstrdup(r->path);
    DIR *dir = opendir(path);
    const struct dirent *entry;
    int64_t open_first = r->replica ? -1 : log_dir_open_first(r->path);
    bool any = open_first >= 0 && (uint64_t)open_first >= from;

    if (any)
        *found = (uint64_t)open_first;
    while (dir && (entry = readdir(dir))) {
        uint64_t first;
        int n = 0;

        if (sscanf(entry->d_name, "%20" SCNu64 ".idx%n", &first, &n) != 1 || n != 24 ||
            entry->d_name[24] != '\0' || first < from || (any && first >= *found))
            continue;
        *found = first;
        any = true;
    }
    if (dir)
        closedir(dir);
    free(path);
    return any;
}

/* Journal or times of the current segment; *closed: they do not grow any more. */
static char *side_path(const struct proof_reader *r, const char *part, bool *closed)
{
    char *path =
        xasprintf("%s/%s%020" PRIu64 ".%s", r->path, r->replica ? "origin/" : "", r->place.segment, part);
    char *times =
        xasprintf("%s/%s%020" PRIu64 ".idx", r->path, r->replica ? "origin/" : "", r->place.segment);
    uint64_t next;

    *closed = access(times, F_OK) == 0;
    free(times);
    if (*closed) {
        if (r->replica)
            *closed = find_segment(r, r->place.segment + 1, &next);
        return path;
    }
    free(path);
    if (r->replica || log_dir_open_first(r->path) != (int64_t)r->place.segment)
        return NULL;
    return xasprintf("%s/console.%s", r->path, part);
}

/* From *position on into bytes, whole records or lines only (unit 1: lines). False: nothing. */
static bool read_piece(const char *path, uint64_t *position, size_t unit, struct buf *bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    uint8_t *room = buf_room(bytes, PROOF_PIECE_MAX);
    struct stat st;
    ssize_t n = -1;
    const uint8_t *end;

    if (fd >= 0 && fstat(fd, &st) == 0 && (uint64_t)st.st_size < *position)
        *position = 0; /* it was begun anew */
    if (fd >= 0)
        n = pread(fd, room, PROOF_PIECE_MAX, (off_t)*position);
    if (fd >= 0)
        close(fd);
    if (n > 0 && unit == 1) {
        end = memrchr(room, '\n', (size_t)n);
        n = end ? end - room + 1 : 0;
    } else if (n > 0) {
        n -= n % (ssize_t)unit;
    }
    buf_added(bytes, n > 0 ? (size_t)n : 0);
    return n > 0;
}

/* The next piece of journals and times. */
static bool next_side(struct proof_reader *r, struct proof_piece *piece, struct buf *bytes)
{
    for (int i = 0; i < 1000; i++) {
        bool closed = false, found;
        char *journal = side_path(r, "jnl", &closed), *times = side_path(r, "idx", &closed);

        piece->segment = r->place.segment;
        piece->file = PROOF_INDEX;
        piece->position = r->place.index;
        found = times && read_piece(times, &piece->position, TIME_INDEX_RECORD, bytes);
        if (found) {
            r->place.index = piece->position + bytes->len;
        } else if (journal) {
            piece->file = PROOF_JOURNAL;
            piece->position = r->place.journal;
            found = read_piece(journal, &piece->position, 1, bytes);
            if (found)
                r->place.journal = piece->position + bytes->len;
        }
        free(journal);
        free(times);
        r->whole = closed && !found;
        if (found)
            return true;
        if (times && !closed)
            return false;
        if (!find_segment(r, r->place.segment + (r->whole ? 1 : 0), &r->place.segment) ||
            (!r->whole && !closed && r->place.segment == piece->segment))
            return false;
        r->place.journal = r->place.index = 0;
        r->whole = false;
    }
    return false;
}

/* As many lines as are covered by what has gone. A replica got the line of a segment behind all that it
 * covers, so there it says that the segment is whole. */
static bool next_chain(struct proof_reader *r, uint64_t sent, struct proof_piece *piece, struct buf *bytes)
{
    char *path = xasprintf("%s/%schain", r->path, r->replica ? "origin/" : "");
    const char *line, *end;
    size_t keep = 0;

    piece->file = PROOF_CHAIN;
    piece->segment = 0;
    piece->position = r->place.chain;
    if (read_piece(path, &piece->position, 1, bytes)) {
        for (line = buf_str(bytes); (end = strchr(line, '\n')); line = end + 1) {
            uint8_t signature[NODE_SIGNATURE_LEN];
            struct chain_record record;
            struct view body;

            if (chain_read(line, (size_t)(end - line), &record, &body, signature, NULL) == 0 &&
                (record.end > sent || (record.kind == CHAIN_SEGMENT &&
                                       (record.first > r->place.segment ||
                                        (record.first == r->place.segment && !r->whole && !r->replica)))))
                break;
            keep = (size_t)(end + 1 - buf_str(bytes));
        }
    }
    bytes->len = keep;
    if (keep > 0)
        r->place.chain = piece->position + keep;
    free(path);
    return keep > 0;
}

/* That of the open segment, when all that it covers has gone. */
static bool next_signature(struct proof_reader *r, uint64_t sent, struct proof_piece *piece,
                           struct buf *bytes)
{
    char *path = xasprintf("%s/%sconsole.sig", r->path, r->replica ? "origin/" : "");
    uint8_t digest[HASH_LEN], signature[NODE_SIGNATURE_LEN];
    struct chain_record record;
    struct view body;
    uint64_t position = 0;
    bool fits = false;

    *piece = (struct proof_piece){.file = PROOF_SIGNATURE};
    if (read_piece(path, &position, 1, bytes)) {
        hash_bytes(bytes->p, bytes->len, digest);
        fits = memcmp(digest, r->signature, sizeof(digest)) != 0 &&
               chain_read(buf_str(bytes), bytes->len - 1, &record, &body, signature, NULL) == 0 &&
               record.first == r->place.segment && record.end <= sent &&
               record.journal_end <= r->place.journal;
    }
    if (fits)
        memcpy(r->signature, digest, sizeof(digest));
    free(path);
    return fits;
}

bool proof_reader_next(struct proof_reader *r, uint64_t sent, struct proof_piece *piece, struct buf *bytes)
{
    buf_reset(bytes);
    if (next_side(r, piece, bytes))
        return true;
    buf_reset(bytes);
    if (next_chain(r, sent, piece, bytes))
        return true;
    buf_reset(bytes);
    return next_signature(r, sent, piece, bytes);
}

/* --- to a replica --- */

static uint64_t file_size(const char *path, const char *name)
{
    char *file = origin_path(path, name);
    struct stat st;
    uint64_t size = lstat(file, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;

    free(file);
    return size;
}

/* The newest segment of which there is something. */
static uint64_t newest_segment(const char *path)
{
    char *directory = xasprintf("%s/origin", path);
    DIR *dir = opendir(directory);
    const struct dirent *entry;
    uint64_t newest = 0, first;

    while (dir && (entry = readdir(dir)))
        if (sscanf(entry->d_name, "%20" SCNu64 ".", &first) == 1 && first > newest)
            newest = first;
    if (dir)
        closedir(dir);
    free(directory);
    return newest;
}

void proof_place_read(const char *path, struct proof_place *place)
{
    char name[40];

    memset(place, 0, sizeof(*place));
    place->segment = newest_segment(path);
    snprintf(name, sizeof(name), "%020" PRIu64 ".jnl", place->segment);
    place->journal = file_size(path, name);
    snprintf(name, sizeof(name), "%020" PRIu64 ".idx", place->segment);
    place->index = file_size(path, name);
    place->chain = file_size(path, "chain");
}

static int write_key(const char *path, const struct origin *origin, struct err *err)
{
    char *file = origin_path(path, "key"), *fresh = origin_path(path, "key.new");
    struct buf key = buf_init(2 * NODE_PUBLIC_LEN);
    json_t *json;
    int status = 0;

    text_base64(&key, origin->key, sizeof(origin->key));
    json = json_pack("{s:s, s:s, s:I}", "console", origin->console, "key", buf_str(&key), "from",
                     (json_int_t)origin->from);
    if (json_dump_file(json, fresh, 0) != 0 || rename(fresh, file) != 0)
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", file);
    json_decref(json);
    buf_free(&key);
    free(file);
    free(fresh);
    return status;
}

/* What proves an earlier history. One of which no byte came has a name of its own, too. */
static int put_aside(const char *path, uint64_t offset, struct err *err)
{
    char *directory = xasprintf("%s/origin", path),
         *aside = xasprintf("%s-until-%" PRIu64, directory, offset);

    for (int i = 1; access(aside, F_OK) == 0 && i < 1000; i++) {
        free(aside);
        aside = xasprintf("%s-until-%" PRIu64 ".%d", directory, offset, i);
    }
    if (rename(directory, aside) != 0)
        err_set_errno(err, CAUSE_SYSTEM, errno, "%s", aside);
    free(directory);
    free(aside);
    return is_replica(path) ? -1 : 0;
}

int proof_begin(const char *path, const struct origin *origin, uint64_t offset, bool *changed,
                struct err *err)
{
    char *directory = xasprintf("%s/origin", path);
    struct origin there;
    int status = 0;

    *changed = false;
    if (is_replica(path) && read_origin(path, &there, NULL) == 0 &&
        memcmp(there.key, origin->key, sizeof(there.key)) == 0 &&
        strcmp(there.console, origin->console) == 0 && there.from >= origin->from) {
        free(directory);
        return 0;
    }
    if (is_replica(path)) {
        *changed = true;
        status = put_aside(path, offset, err);
    }
    if (status == 0 && mkdir(path, 0700) != 0 && errno != EEXIST)
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    if (status == 0 && mkdir(directory, 0700) != 0 && errno != EEXIST)
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", directory);
    free(directory);
    return status == 0 ? write_key(path, origin, err) : -1;
}

int proof_lives_read(const char *path, struct lives *lives, struct err *err)
{
    char *file = origin_path(path, "lives");
    struct buf text = buf_init(LIVES_TEXT_MAX);
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), status = 0;
    ssize_t n = fd >= 0 ? read(fd, buf_room(&text, LIVES_TEXT_MAX), LIVES_TEXT_MAX) : -1;

    *lives = (struct lives){0};
    if (n >= 0) {
        buf_added(&text, (size_t)n);
        status = lives_read(lives, buf_str(&text), text.len, err);
    } else if (errno != ENOENT) {
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", file);
    }
    if (fd >= 0)
        close(fd);
    buf_free(&text);
    free(file);
    return status;
}

int proof_lives_write(const char *path, const struct lives *lives, struct err *err)
{
    char *file = origin_path(path, "lives");
    struct buf text = buf_init(LIVES_TEXT_MAX);
    int status;

    lives_write(lives, &text);
    status = file_put(file, text.p, text.len, err);
    buf_free(&text);
    free(file);
    return status;
}

/* At `position`, which is the file's end; 0 begins it anew. Whole or not at all. */
static int append(const char *file, uint64_t position, const void *p, size_t n, struct err *err)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (position == 0 ? O_TRUNC : 0), 0600);
    struct stat st;
    int status = 0;

    if (fd < 0 || fstat(fd, &st) != 0)
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", file);
    else if ((uint64_t)st.st_size != position)
        status = err_set(err, CAUSE_PROTOCOL, "%s has %lld bytes; the node goes on at %" PRIu64, file,
                         (long long)st.st_size, position);
    else if (pwrite(fd, p, n, (off_t)position) != (ssize_t)n) {
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", file);
        if (ftruncate(fd, (off_t)position) != 0)
            err_context(err, "half a record stays");
    }
    if (fd >= 0)
        close(fd);
    return status;
}

int proof_add(const char *path, const struct proof_piece *piece, const void *p, size_t n, struct err *err)
{
    static const char *const parts[PROOF_FILES] = {[PROOF_JOURNAL] = "jnl",
                                                   [PROOF_INDEX] = "idx",
                                                   [PROOF_CHAIN] = "chain",
                                                   [PROOF_SIGNATURE] = "console.sig"};
    char *file, *fresh;
    int status;

    if (piece->file <= PROOF_INDEX)
        file = xasprintf("%s/origin/%020" PRIu64 ".%s", path, piece->segment, parts[piece->file]);
    else
        file = origin_path(path, parts[piece->file]);
    if (piece->file == PROOF_CHAIN && piece->position == 0 && file_size(path, "chain") > 0) {
        status = err_set(err, CAUSE_PROTOCOL, "%s is longer than the node's; it stays as it is", file);
    } else if (piece->file == PROOF_SIGNATURE) { /* replaced whole */
        fresh = xasprintf("%s.new", file);
        status = append(fresh, 0, p, n, err);
        if (status == 0 && rename(fresh, file) != 0)
            status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", file);
        free(fresh);
    } else {
        status = append(file, piece->position, p, n, err);
    }
    free(file);
    return status;
}
