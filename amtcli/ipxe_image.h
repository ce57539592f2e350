/* A CD image with iPXE on it that goes on with what is at an HTTP address, made from Debian's packages. */
#ifndef AMTCLI_IPXE_IMAGE_H
#define AMTCLI_IPXE_IMAGE_H

#include "base/err.h"

/* The path of a new file, owned by the caller, who removes it. NULL and err: invalid-argument (url), system
 * (a package is missing: which). */
char *ipxe_image_make(const char *url, struct err *err);

#endif
