/* What happens at consoles, as events: patterns that were found, logs that are paused. Loop's thread only. */
#ifndef AMTD_CONSOLE_EVENTS_H
#define AMTD_CONSOLE_EVENTS_H

#include "amtd/console/hub.h"
#include "amtd/store/event.h"

struct console_events;

/* Listens to the hub until it is freed, which is before the hub's end. Both are borrowed. */
struct console_events *console_events_new(struct hub *hub, struct events *events);
void console_events_free(struct console_events *ce); /* NULL is fine */

#endif
