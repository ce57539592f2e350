/* Links: HTTP sessions with devices, kept for a while between operations so that the digest nonce and the
 * open connection serve more than one of them. */
#ifndef AMTD_FLEET_LINK_H
#define AMTD_FLEET_LINK_H

#include <netinet/in.h>
#include <uv.h>

#include "amtd/fleet/login.h"
#include "base/clock.h"
#include "wsman/http.h"

struct links;
struct link;

/* idle_ms: how long an unused link is kept; most: how many unused ones. Loop's thread only. */
struct links *links_new(uv_loop_t *loop, struct http *http, const struct clock *clock, int64_t idle_ms,
                        size_t most);
void links_free(struct links *links); /* no link may be held; NULL is fine */

/* What a host's settings are with this login; strings are borrowed from both. */
struct http_settings link_settings(const struct host *host, const struct login *login);

/* The link to a host with its settings, held until link_release. One holder at a time: NULL and err (busy)
 * while another operation holds it; invalid-argument when the settings contradict each other. */
struct link *link_hold(struct links *links, int64_t host_id, const struct http_settings *settings,
                       struct err *err);
struct http_session *link_session(const struct link *link);
/* Both ends of the way to the host, numeric; "" while not known. */
struct link_ends {
    char here[INET6_ADDRSTRLEN], there[INET6_ADDRSTRLEN];
};
/* Remembers those of a connected socket. */
void link_note_ends(struct link *link, int fd);
struct link_ends link_ends(const struct link *link);
/* Its other end was found to be the host's machine; it stays so for as long as the link is kept. */
void link_note_meant(struct link *link);
bool link_is_meant(const struct link *link);
/* What its session learned of the device goes to the store: when that has not got it, somebody forgot it. */
void link_note_stored(struct link *link);
/* It is an address, not a name. */
bool link_is_numeric(const char *address);
/* An open connection is likely: no need to dial. */
bool link_is_warm(const struct link *link);
/* keep: it worked and may serve the next operation; else it is closed. */
void link_release(struct link *link, bool keep);

#endif
