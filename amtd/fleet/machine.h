/* Which machine answers: the host meant, or another one that came to its address, or to its name, by chance
 * (a board that was replaced, a lease that another machine got). What a password lets in alone is no proof,
 * since many devices may have it. */
#ifndef AMTD_FLEET_MACHINE_H
#define AMTD_FLEET_MACHINE_H

#include "amtd/fleet/login.h"

/* Whoever lets this login in is the host: its digest realm or its pin is known, which no other device has
 * (wsman/http.h compares them before a password is used), a certificate carries its name, or a ticket was
 * made for it. A certificate for an address proves nothing: addresses are what machines change. */
bool machine_is_proved(const struct host *host, const struct login *login);
/* The UUID that is known of it; NULL: none was read. Borrowed. */
const char *machine_uuid(const struct host *host);
/* uuid is what the machine that answers says of itself; "": it does not tell, because of `why` (NULL: it told
 * nothing). 0: it is the host, or nothing is known that speaks against it; -1 with err (wrong-machine). */
int machine_compare(const struct host *host, const char *uuid, const struct err *why, struct err *err);

#endif
