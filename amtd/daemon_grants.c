/* Grants as far as the daemon has to do with them: its socket, and who is connected. */
#include <stdlib.h>

#include "amtd/api/server.h"
#include "amtd/daemon.h"
#include "amtd/store/rights.h"
#include "base/xalloc.h"

struct counting {
    struct daemon *daemon;
    size_t count;
};

static int count_grants(struct tx *tx, void *data, struct err *err)
{
    struct counting *c = data;
    struct grant *all;
    int status = tx_grants(tx, &all, &c->count, err);

    for (size_t i = 0; i < c->count; i++)
        grant_clear(&all[i]);
    free(all);
    return status;
}

static void grants_counted(void *data, const struct err *failure)
{
    struct counting *c = data;

    if (!failure && c->count > 0 && daemon_server(c->daemon))
        server_open_to_all(daemon_server(c->daemon));
    free(c);
}

void daemon_revoked(struct daemon *d, const struct grant *grant)
{
    if (daemon_server(d))
        server_revoked(daemon_server(d), grant);
}

void daemon_rights_moved(struct daemon *d)
{
    if (daemon_server(d))
        server_look_at_rights(daemon_server(d));
}

/* The socket is open to other users once there is one who may do something. */
void daemon_granted(struct daemon *d)
{
    struct counting *c = xcalloc(1, sizeof(*c));

    c->daemon = d;
    store_submit(daemon_store(d), count_grants, grants_counted, c);
}
