/* The proof that a device shows a certificate: connections of its own with TLS, until one shows it or the
 * time is over. Loop's thread only. */
#ifndef AMTD_FLEET_CERTIFICATE_PROOF_H
#define AMTD_FLEET_CERTIFICATE_PROOF_H

#include "amtd/fleet/task.h"

struct certificate_proof;

/* failure NULL: it was seen. Called once, never from inside certificate_proof_start; the proof is over then.
 */
typedef void certificate_proof_done(void *arg, const struct err *failure);

/* The pause is borrowed for the time of the call, its host and login for that of the proof. */
struct certificate_proof *certificate_proof_start(const struct task_pause *pause, const char *pin,
                                                  certificate_proof_done *done, void *arg);
/* Ends it without calling back; NULL is fine. */
void certificate_proof_cancel(struct certificate_proof *proof);

#endif
