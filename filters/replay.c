#include "filters/replay.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "filters/capture.h"
#include "filters/matcher.h"

#define HOST_TEXT_MAX 1000

static void judge(struct matcher *matcher, struct capture *capture, const struct captured *captured,
                  struct replay *out)
{
    struct replay_count *way = &out->ways[captured->direction];
    struct verdict verdict =
        matcher_judge(matcher, captured->direction, &captured->packet, captured->time_ms);

    way->packets++;
    way->bytes += captured->bytes;
    if (!verdict.drop)
        return;
    way->dropped++;
    way->dropped_bytes += captured->bytes;
    capture_write(capture);
}

static int run(struct matcher *matcher, struct capture *capture, struct replay *out, struct err *err)
{
    struct captured captured;
    int rc;

    while ((rc = capture_next(capture, &captured, err)) == 1) {
        if (out->packets++ == 0)
            out->first_ms = captured.time_ms;
        out->last_ms = captured.time_ms;
        if (captured.ours)
            judge(matcher, capture, &captured, out);
        else
            out->others++;
    }
    return rc;
}

static void take_counts(const struct matcher *matcher, const struct ruleset *rules, struct replay *out)
{
    for (enum sd_direction d = SD_TX; d <= SD_RX; d++) {
        out->ways[d].by_default = matcher_default_hits(matcher, d);
        for (size_t i = 0; i < rules->count; i++) {
            out->rules[i].hits[d] = matcher_hits(matcher, i, d);
            out->rules[i].drops[d] = matcher_drops(matcher, i, d);
        }
    }
    out->spoofed = matcher_spoofed(matcher);
}

/* Writing over what is being read would destroy it. */
static bool same_file(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int replay_capture(const struct ruleset *rules, const char *path, const struct nets *own, const char *lost,
                   struct replay *out, struct err *err)
{
    const struct nets *known = own && own->count > 0 ? own : NULL;
    struct capture *capture;
    struct matcher *matcher;
    int rc = 0;

    *out = (struct replay){.host = buf_init(HOST_TEXT_MAX)};
    out->rules = xcalloc(rules->count + 1, sizeof(*out->rules));
    if (lost && same_file(path, lost))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'%s' is the capture itself: expected another file for what is lost", lost);
    capture = capture_open(path, known, err);
    if (!capture)
        return -1;
    matcher = matcher_new(rules, known);
    capture_host(capture, &out->host);
    out->host_guessed = capture_host_guessed(capture);
    if (lost)
        rc = capture_write_to(capture, lost, err);
    if (rc == 0)
        rc = run(matcher, capture, out, err);
    if (capture_write_end(capture, rc == 0 ? err : NULL) != 0)
        rc = -1;
    take_counts(matcher, rules, out);
    matcher_free(matcher);
    capture_close(capture);
    return rc;
}

void replay_clear(struct replay *replay)
{
    free(replay->rules);
    buf_free(&replay->host);
    *replay = (struct replay){0};
}
