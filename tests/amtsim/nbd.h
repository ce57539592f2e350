/* A network block device, the server's side, without I/O: fed bytes, yields bytes and read requests.
 *
 * One read-only export, whatever name is asked for; fixed newstyle negotiation, simple replies. Enough for
 * QEMU. (NetworkBlockDevice/nbd, doc/proto.md) */
#ifndef AMTSIM_NBD_H
#define AMTSIM_NBD_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#define NBD_READ_MAX (1u << 20) /* bytes of one read; announced to the client */
#define NBD_PENDING  64         /* reads not answered yet */

enum nbd_error { NBD_OK = 0, NBD_EPERM = 1, NBD_EIO = 5, NBD_EINVAL = 22, NBD_ENOTSUP = 95 };

struct nbd; /* opaque; one connection */

struct nbd_config {
    uint64_t size;       /* bytes; a multiple of the block size */
    uint32_t block_size; /* a power of two, at least 512 */
    void *arg;
    /* The client wants these bytes, aligned to blocks, inside the export; answer with nbd_answer, now or
     * later. */
    void (*read)(void *arg, uint64_t handle, uint64_t offset, uint32_t n);
};

/* The greeting is in its output. config is copied. */
struct nbd *nbd_new(const struct nbd_config *config);
void nbd_free(struct nbd *nbd); /* NULL is fine */

/* -1 and err (protocol, or dropped when the client has said goodbye): drop the connection. */
int nbd_feed(struct nbd *nbd, const void *p, size_t n, struct err *err);
/* data: n bytes as asked for when error is NBD_OK, else not looked at. */
void nbd_answer(struct nbd *nbd, uint64_t handle, enum nbd_error error, const void *data, size_t n);
/* Bytes for the client, borrowed until the next call; nbd_sent says how many were taken. */
struct view nbd_output(const struct nbd *nbd);
void nbd_sent(struct nbd *nbd, size_t n);

#endif
