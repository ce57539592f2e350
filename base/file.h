/* Files that are there whole or not at all. Any thread. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the whole file. -1 and err (system; limit-exceeded: more than the buffer takes). */
int file_read(const char *path, struct buf *out, struct err *err);
/* Writes all of it, however many calls that takes. path: for the error. 0, or -1 and err (system); a part may
 * be written then. */
int file_write(int fd, const void *p, size_t n, const char *path, struct err *err);
/* Puts these bytes there, readable by this user alone: under its name only when it is whole and on the disk
 * (by way of PATH.new). 0, or -1 and err (system), with what was there before left as it was. */
int file_replace(const char *path, const void *p, size_t n, struct err *err);
/* The same without waiting for the disk: for what is soon written again, or can be found out anew. When the
 * power fails, the file system says which of the two files is there. */
int file_put(const char *path, const void *p, size_t n, struct err *err);

#endif
