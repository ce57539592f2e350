/* Bytes that come in portions, as characters (RFC 3629). What is not UTF-8 becomes U+FFFD, one for each byte.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

struct utf8 {
    uint8_t part[4]; /* a character that is cut short */
    size_t n;
};

/* Gets one character in UTF-8, n is 1 to 4. Borrowed. */
typedef void (*utf8_each)(void *arg, const uint8_t *bytes, size_t n);

/* A zeroed struct is a beginning. */
void utf8_feed(struct utf8 *utf8, const void *p, size_t n, utf8_each each, void *arg);
/* What was cut short is not continued. */
void utf8_end(struct utf8 *utf8, utf8_each each, void *arg);

#endif
