/* Kerberos logins (SPNEGO) with GSS-API. (reference wsman.md, 1.4)
 *
 * The keys of the devices' services, HTTP/name:port, come from the process's key table (KRB5_KTNAME).
 * Firmware knows accounts by SID, which a domain controller puts into tickets; here a file says which SID a
 * principal has. */
#ifndef AMTSIM_KERBEROS_H
#define AMTSIM_KERBEROS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "tests/amtsim/device.h"

struct kerberos;

/* Lines "PRINCIPAL SID": alice@TEST.EXAMPLE S-1-5-21-1-2-3-1104; blank ones and those that begin with # are
 * skipped. NULL and err (invalid-argument: file and line). */
struct kerberos *kerberos_new(const char *path, struct err *err);
void kerberos_free(struct kerberos *kerberos); /* NULL is fine */

/* True when the Authorization header is a ticket's, whether or not it is any good. */
bool kerberos_is(struct view authorization);
/* Lets an account in by its ticket: *realms is what it may do, and the device's proof in base64 is appended
 * to proof. False: the fleet has no Kerberos, the ticket is none of ours, or no account has the SID. */
bool kerberos_check(const struct device *device, struct view authorization, uint32_t *realms,
                    struct buf *proof);

#endif
