#include "amtd/fleet/machine.h"

#include <string.h>

#include "amtd/fleet/link.h"

bool machine_is_proved(const struct host *host, const struct login *login)
{
    const struct profile *profile = login->profile;
    struct http_settings settings;

    if (profile->auth == PROFILE_AUTH_KERBEROS || pairs_get(&host->facts, "amt.realm"))
        return true;
    settings = link_settings(host, login);
    return settings.tls == HTTP_TLS_PIN  ? settings.pin != NULL
           : settings.tls == HTTP_TLS_CA ? !link_is_numeric(settings.name)
                                         : false;
}

const char *machine_uuid(const struct host *host)
{
    return pairs_get(&host->facts, "amt.uuid");
}

int machine_compare(const struct host *host, const char *uuid, const struct err *why, struct err *err)
{
    const char *known = machine_uuid(host);

    if (!known)
        return 0;
    if (strcmp(known, uuid) == 0)
        return host_uuid_is_shared(host)
                   ? err_set(err, CAUSE_WRONG_MACHINE,
                             "it cannot be told whether %s answers, since its realm is not known and other "
                             "machines have its UUID, too: nothing was changed",
                             host->name)
                   : 0;
    if (uuid[0])
        return err_set(err, CAUSE_WRONG_MACHINE,
                       "the machine that answers has the UUID %s, that of %s is %s: nothing was changed",
                       uuid, host->name, known);
    return err_set(err, CAUSE_WRONG_MACHINE,
                   "it cannot be told whether %s answers, since its realm is not known and the device does "
                   "not tell its UUID (%s): nothing was changed",
                   host->name, why ? why->text : "it says nothing");
}
