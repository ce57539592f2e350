#include "tests/amtsim/network.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "tests/amtsim/conn.h"
#include "tests/amtsim/fleet.h"

#define LEASE_MASK 0xff000000u
#define LEASE_OWN  0x7f000001u /* router and name server of the leases */

static uint32_t lease(const struct device *d)
{
    return d->fleet->options->address + d->index;
}

bool network_moved(const struct device *d)
{
    return !d->network.stays && d->network.address != 0 && d->network.address != lease(d);
}

struct network_port network_port(const struct device *d)
{
    const struct device_network *n = &d->network;
    if (d->settings.dhcp || n->address == 0)
        return (struct network_port){d->settings.dhcp, lease(d), LEASE_MASK, LEASE_OWN, LEASE_OWN, 0};
    return (struct network_port){false, n->address, n->mask, n->gateway, n->dns, n->dns2};
}

bool network_port_ok(const struct network_port *p)
{
    uint32_t holes = ~p->mask;
    bool mask = p->mask != 0 && (holes & (holes + 1)) == 0;
    bool host = p->address >> 24 != 0 && p->address >> 28 != 0xe && p->address >> 28 != 0xf;
    bool router = p->gateway == 0 || ((p->gateway ^ p->address) & p->mask) == 0;
    return p->dhcp || (mask && host && router);
}

/* --- when it holds --- */

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void drop_timer(struct device *d)
{
    if (d->network.restart != NULL)
        uv_close((uv_handle_t *)d->network.restart, on_closed);
    d->network.restart = NULL;
}

static void hold(struct device *d)
{
    bool before = network_moved(d);
    d->settings.dhcp = d->network.next_dhcp;
    d->network.address = d->network.next_dhcp ? 0 : d->network.next_address;
    d->fleet->moved += (size_t)network_moved(d);
    d->fleet->moved -= (size_t)before;
    conn_reset_all(d->fleet, d);
}

static void on_restart(uv_timer_t *timer)
{
    struct device *d = timer->data;
    drop_timer(d);
    hold(d);
}

void network_port_set(struct device *d, const struct network_port *p)
{
    struct device_network *n = &d->network;
    n->next_dhcp = p->dhcp;
    n->next_address = p->address;
    n->mask = p->mask;
    n->gateway = p->gateway;
    n->dns = p->dns;
    n->dns2 = p->dns2;
    if (n->restart == NULL) {
        n->restart = xcalloc(1, sizeof(*n->restart));
        uv_timer_init(d->fleet->loop, n->restart);
        n->restart->data = d;
    }
    uv_timer_start(n->restart, on_restart, NETWORK_RESTART_MS, 0);
}

void network_free(struct device *d)
{
    drop_timer(d);
}

struct device *network_at(struct fleet *f, uint32_t address)
{
    for (size_t i = 0; f->moved > 0 && i < f->count; i++) {
        if (f->devices[i].network.address == address && !f->devices[i].network.stays)
            return &f->devices[i];
    }
    return NULL;
}
