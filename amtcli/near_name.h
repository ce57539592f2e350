/* The name that somebody meant who typed one that is not there. */
#ifndef AMTCLI_NEAR_NAME_H
#define AMTCLI_NEAR_NAME_H

#include "amtcli/cmd.h"

/* text: an error of amtd such as "there is no host pc1" or "there is no collection 'lb'". Asks amtd for the
 * names there are. The nearest one of the kind, a new string; NULL: none is near, or the error is another. */
char *near_name(struct context *ctx, const char *text);

#endif
