#include "amtd/console/lives.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"

#define OFFSET_MAX ((uint64_t)1 << 62)

void lives_clear(struct lives *lives)
{
    free(lives->all);
    *lives = (struct lives){0};
}

static struct life *append(struct lives *lives)
{
    lives->all = xreallocarray(lives->all, lives->count + 1, sizeof(*lives->all));
    memset(&lives->all[lives->count], 0, sizeof(*lives->all));
    return &lives->all[lives->count++];
}

/* --- as text --- */

static bool read_life(struct life *life, char *line)
{
    char *id = strchr(line, ' '), *mark;

    if (!id)
        return false;
    *id++ = '\0';
    mark = strchr(id, ' ');
    if (mark)
        *mark++ = '\0';
    if (!text_u64(line, 0, OFFSET_MAX, &life->first) || strlen(id) != LIFE_ID_LEN ||
        strspn(id, "0123456789abcdef") != LIFE_ID_LEN || (mark && strcmp(mark, "history") != 0))
        return false;
    memcpy(life->id, id, LIFE_ID_LEN + 1);
    life->history = mark != NULL;
    return true;
}

/* Those that begin at `first` or behind wrote nothing; and there are never too many. */
static void make_place(struct lives *lives, uint64_t first)
{
    while (lives->count > 0 && lives->all[lives->count - 1].first >= first)
        lives->count--;
    if (lives->count >= LIVES_MAX) {
        lives->count = LIVES_MAX - 1;
        memmove(lives->all, lives->all + 1, lives->count * sizeof(*lives->all));
    }
}

static int read_lines(struct lives *lives, const char *text, size_t n, bool added, struct err *err)
{
    const char *end;
    bool good = true;

    *lives = (struct lives){0};
    while (good && n > 0) {
        char line[80] = "";
        size_t length;
        struct life life = {0};

        end = memchr(text, '\n', n);
        length = end ? (size_t)(end - text) : n;
        good = end && length < sizeof(line) && (added || lives->count < LIVES_MAX);
        if (!good)
            break;
        memcpy(line, text, length);
        good = strlen(line) == length && read_life(&life, line) &&
               (added || lives->count == 0 || life.first > lives->all[lives->count - 1].first);
        if (added)
            make_place(lives, life.first);
        *append(lives) = life;
        text += length + 1;
        n -= length + 1;
    }
    if (good)
        return 0;
    lives_clear(lives);
    return err_set(err, CAUSE_BAD_ANSWER, "a list of lives that makes no sense");
}

int lives_read(struct lives *lives, const char *text, size_t n, struct err *err)
{
    return read_lines(lives, text, n, false, err);
}

int lives_read_added(struct lives *lives, const char *text, size_t n, struct err *err)
{
    while (n > 0 && text[n - 1] != '\n')
        n--;
    return read_lines(lives, text, n, true, err);
}

void lives_write(const struct lives *lives, struct buf *out)
{
    for (size_t i = 0; i < lives->count; i++)
        buf_printf(out, "%" PRIu64 " %s%s\n", lives->all[i].first, lives->all[i].id,
                   lives->all[i].history ? " history" : "");
}

/* --- what they say --- */

int lives_add(struct lives *lives, uint64_t first, bool history, struct err *err)
{
    uint8_t random[LIFE_ID_LEN / 2];
    struct buf id = buf_init(LIFE_ID_LEN);
    struct life *life;

    if (RAND_bytes(random, sizeof(random)) != 1)
        return err_set(err, CAUSE_SYSTEM, "there are no random numbers");
    make_place(lives, first);
    text_hex(&id, random, sizeof(random), false);
    life = append(lives);
    life->first = first;
    life->history = history;
    memcpy(life->id, buf_str(&id), LIFE_ID_LEN + 1);
    buf_free(&id);
    return 0;
}

static const struct life *find(const struct lives *lives, const struct life *life)
{
    for (size_t i = lives->count; i > 0; i--)
        if (lives->all[i - 1].first == life->first && strcmp(lives->all[i - 1].id, life->id) == 0)
            return &lives->all[i - 1];
    return NULL;
}

/* Where the life after that one begins. */
static uint64_t end_of(const struct lives *lives, const struct life *life)
{
    return life + 1 < lives->all + lives->count ? life[1].first : UINT64_MAX;
}

uint64_t lives_differ(const struct lives *ours, const struct lives *theirs, uint64_t upto)
{
    for (size_t i = theirs->count; i > 0; i--) {
        const struct life *there = &theirs->all[i - 1];
        const struct life *here = there->first < upto ? find(ours, there) : NULL;
        uint64_t end;

        if (!here)
            continue;
        end = end_of(ours, here) < end_of(theirs, there) ? end_of(ours, here) : end_of(theirs, there);
        return end < upto ? end : upto;
    }
    return 0;
}

uint64_t lives_history(const struct lives *lives, uint64_t offset)
{
    for (size_t i = 0; i < lives->count; i++)
        if (lives->all[i].history && lives->all[i].first >= offset)
            return lives->all[i].first;
    return 0;
}

bool lives_begins(const struct lives *lives, uint64_t offset)
{
    return offset > 0 && lives_history(lives, offset) == offset;
}
