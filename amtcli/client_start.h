/* Where amtd is, and starting a private one. For client.c. */
#ifndef AMTCLI_CLIENT_START_H
#define AMTCLI_CLIENT_START_H

#include "base/err.h"

struct client_place {
    char *socket;
    char *state_dir; /* NULL: amtd's own default */
};

/* $AMTD_SOCKET, else $AMTD_STATE_DIR's, else the system's when its socket is there, else this user's own. */
int client_find_place(struct client_place *place, struct err *err);
void client_place_clear(struct client_place *place);

/* Starts a private amtd there and waits until it is ready or has failed. -1 and err only when it could not be
 * run at all; when it ran and failed, err is set and 0 returned, since another amtd may be the reason. */
int client_start_daemon(const struct client_place *place, struct err *err);

#endif
