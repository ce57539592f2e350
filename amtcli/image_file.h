/* An image file that amtcli has open and serves to amtd over a channel of the kind `image` (docs/mux.md). */
#ifndef AMTCLI_IMAGE_FILE_H
#define AMTCLI_IMAGE_FILE_H

#include <stdint.h>

#include "amtcli/client.h"
#include "base/err.h"

struct image_file;

/* Opens it: a regular file or a block device of 1 byte to 4 GiB. NULL and err (invalid-argument, or system),
 * with its name. */
struct image_file *image_file_open(const char *path, struct err *err);
/* Closes the file and its channel. NULL is fine. */
void image_file_close(struct image_file *file);

/* Opens the channel on which the file is served from now on. Its number; 0: too many. */
uint32_t image_file_serve(struct image_file *file, struct client *client);
/* Tells amtd to end the session in good order. */
void image_file_end(struct image_file *file);

#endif
