/* Secrets in memory and at rest.
 *
 * In memory: kept in OpenSSL's secure heap (locked, not in core files) where it fits, wiped when freed. At
 * rest: AES-256-GCM under a 32-byte key (NIST SP 800-38D), with the owner's name as additional data, so that
 * a sealed secret moved to another owner does not open. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct secret; /* opaque; holds bytes followed by NUL */

/* Once, at program start, before any secret: secure heap, no core files, not dumpable, no ptrace by others.
 * Failures are logged, not fatal. */
void secret_process_init(void);

struct secret *secret_new(const void *p, size_t n);
/* The same once more, for an owner of his own: a password of thousands of hosts is there once. NULL gives
 * NULL. Thread-safe. */
struct secret *secret_share(const struct secret *s);
void secret_free(struct secret *s);             /* the last owner wipes; NULL is fine. Thread-safe */
const char *secret_str(const struct secret *s); /* borrowed; "" for NULL */
size_t secret_len(const struct secret *s);
bool secret_equal(const struct secret *a, const struct secret *b); /* NULL is as "" */

/* Reads a secret from a file (one trailing newline is dropped; at most 4096 bytes; "-" reads stdin).
 * NULL and err: names the file. */
struct secret *secret_from_file(const char *path, struct err *err);

void secret_wipe(void *p, size_t n);

/* --- sealing --- */

#define SEAL_KEY_LEN 32
struct seal; /* a key ready for use */

/* Loads the key from a file that must be a regular file, owned by us or root, mode 0600 or stricter, 32 bytes
 * long. With create set a missing file is made (0600, random, synced with its directory). NULL and err else.
 */
struct seal *seal_open(const char *path, int create, struct err *err);
void seal_free(struct seal *seal);

/* Appends version byte, nonce, ciphertext and tag to out. owner: "profile:lab/password". Thread-safe. */
int seal_secret(const struct seal *seal, const char *owner, const struct secret *s, struct buf *out,
                struct err *err);
/* The reverse. NULL and err (seal-broken) when key, owner or bytes do not fit. Thread-safe. */
struct secret *seal_unseal(const struct seal *seal, const char *owner, const void *p, size_t n,
                           struct err *err);

#endif
