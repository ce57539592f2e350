/* AMT_RedirectionService: its one instance read and changed. For the sequences that need it so or so.
 * (reference wsman.md, section 3.4) */
#ifndef WSMAN_REDIRECTION_SERVICE_H
#define WSMAN_REDIRECTION_SERVICE_H

#include "wsman/call.h"
#include "wsman/redirection.h"

/* Requests belong to the caller. */
struct wsman_request *redirection_service_get(void);
/* 0; -1 and err (bad-answer): it does not tell its state. A listener that is not told is off. */
int redirection_service_read(struct wsman_obj service, enum redirection_state *state, bool *listener,
                             struct err *err);
/* What is enabled; ReturnValue tells whether it worked. */
struct wsman_request *redirection_service_switch(enum redirection_state state);
/* The instance as it was read, with another state and listener: firmware wants all of it back. */
struct wsman_request *redirection_service_put(struct wsman_obj service, enum redirection_state state,
                                              bool listener);

#endif
