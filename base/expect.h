/* A script on a stream: wait for a text, send one, and so on in the order given. A core without I/O.
 *
 * Matched is the text as a person reads it, without carriage returns and without the sequences that move the
 * cursor and colour; by POSIX extended regular expressions, where ^ and $ are the ends of lines. Each
 * expectation looks at what came behind the one before it; text older than EXPECT_WINDOW bytes is forgotten.
 */
#ifndef BASE_EXPECT_H
#define BASE_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define EXPECT_WINDOW 65536

struct expect;

struct expect *expect_new(int64_t timeout_ms); /* for each expectation */
void expect_free(struct expect *e);            /* NULL is fine */
/* The steps. -1 and err (invalid-argument): no regular expression; text that text_unescape does not take. */
int expect_add(struct expect *e, const char *regex, struct err *err);
int expect_add_send(struct expect *e, const char *text, struct err *err);

/* The first one begins; what is to be sent at once is appended to send. */
void expect_begin(struct expect *e, int64_t now_ms, struct buf *send);
/* Bytes of the stream; what is to be sent because of them is appended. */
void expect_feed(struct expect *e, const void *p, size_t n, int64_t now_ms, struct buf *send);

bool expect_done(const struct expect *e); /* every step is through */
/* What is waited for now; NULL: nothing. Borrowed. */
const char *expect_waits(const struct expect *e);
int64_t expect_deadline(const struct expect *e); /* INT64_MAX: nothing is waited for */

#endif
