/* A segment of a console's log as a file, for reading: plain, or compressed with zstd in independent frames
 * with the seek table of zstd's seekable format (contrib/seekable_format in zstd's sources). Everything read
 * is untrusted. One thread at a time per object; any thread. */
#ifndef AMTD_CONSOLE_SEGMENT_H
#define AMTD_CONSOLE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define SEGMENT_FRAME (256 * 1024) /* bytes in one frame, before compression */

struct segment;

/* first: offset of its first byte. A plain file may go on growing. NULL and err (not-found, system,
 * bad-answer: the seek table does not fit the file). */
struct segment *segment_open(const char *path, uint64_t first, bool compressed, struct err *err);
void segment_close(struct segment *segment); /* NULL is fine */
/* Behind its last byte, now. */
uint64_t segment_end(struct segment *segment);
/* Up to n bytes from `offset` on; 0 at the end or outside. -1 and err (bad-answer: a frame is damaged;
 * system); *next is then the offset behind the damage. */
ssize_t segment_read(struct segment *segment, uint64_t offset, void *p, size_t n, uint64_t *next,
                     struct err *err);

/* Compresses a plain file: `size` bytes of fd from its beginning, to a new file at path, synced. -1 and err
 * (system: also when the file has fewer bytes); no file is left then. Takes memory of a few MiB meanwhile. */
int segment_compress(int fd, uint64_t size, const char *path, int level, struct err *err);

#endif
