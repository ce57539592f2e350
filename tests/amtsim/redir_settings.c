#include "tests/amtsim/redir_settings.h"

#include "base/log.h"
#include "tests/amtsim/fault.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/listener.h"
#include "tests/amtsim/redir_session.h"
#include "tests/amtsim/setup.h"

enum { ENABLED_IDER = 1, ENABLED_SOL = 2 }; /* bits of EnabledState */

bool redir_listens(const struct device *d)
{
    return d->redirection.listener && (d->redirection.enabled_state & (ENABLED_IDER | ENABLED_SOL)) != 0 &&
           setup_done(d);
}

void redir_settings_changed(struct device *d)
{
    struct err err = ERR_INIT;
    if (d->fleet->listener != NULL && listener_device_changed(d->fleet->listener, d, &err) != 0)
        log_warn(NULL, "%s", err.text);
    if ((d->redirection.enabled_state & ENABLED_IDER) == 0)
        redir_terminate(d, REDIR_IDER);
    if ((d->redirection.enabled_state & ENABLED_SOL) == 0)
        redir_terminate(d, REDIR_SOL);
}
