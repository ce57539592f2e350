/* Channels of the kind `console` (docs/mux.md): an attachment at the other end of a connection. */
#ifndef AMTD_API_CHANNEL_CONSOLE_H
#define AMTD_API_CHANNEL_CONSOLE_H

#include "amtd/api/channel.h"
#include "amtd/console/console.h"

extern const struct channel_kind channel_console;

/* The attachment that the parameter `channel` of a call names. NULL and err (not-found). */
struct attachment *channel_attachment(const struct api_request *rq, struct err *err);
/* console.events for an attachment: takes the request over. */
void channel_console_events(struct api_request *rq);

#endif
