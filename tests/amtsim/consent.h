/* User consent. (reference wsman.md, 3.5) */
#ifndef AMTSIM_CONSENT_H
#define AMTSIM_CONSENT_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/amtsim/device.h"

#define CONSENT_ALL UINT32_MAX

/* OptInRequired as it holds now: client mode always asks for all. */
uint32_t consent_required(const struct device *device);
/* OptInState now; time-outs are counted when asked. */
uint8_t consent_state(struct device *device);
/* A redirection session that stands on the consent given has been opened, or has ended. */
void consent_session(struct device *device, bool open);
/* True when what is about to be done needs a consent that is not there. redirection: boot options, IDE-R,
 * SOL; else KVM. */
bool consent_missing(struct device *device, bool redirection);

#endif
