#include "tests/amtsim/cable.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/xalloc.h"
#include "tests/amtsim/defense_judge.h"
#include "tests/amtsim/fleet.h"

#define FRAME_MAX     65536
#define FRAMES_AT_ONE 64 /* of one side, before others get their turn */

struct cable {
    struct device *device;
    int pc_end;  /* QEMU's */
    int own_end; /* ours of the pair */
    int tap;
    uv_poll_t pc, net;
    unsigned open; /* handles */
    uint64_t passed, dropped;
};

/* A frame that finds the other side full is lost, as on any cable. */
static void carry(struct cable *c, int from, int to, enum defense_direction direction)
{
    static uint8_t frame[FRAME_MAX];
    for (int i = 0; i < FRAMES_AT_ONE; i++) {
        ssize_t n = read(from, frame, sizeof(frame));
        if (n <= 0)
            return;
        if (!defense_judge(c->device, 0, direction, frame, (size_t)n)) {
            c->dropped++;
            continue;
        }
        c->passed++;
        if (write(to, frame, (size_t)n) < 0 && errno == EBADF)
            return;
    }
}

static void on_pc(uv_poll_t *poll, int status, int events)
{
    struct cable *c = poll->data;
    (void)events;
    if (status == 0)
        carry(c, c->own_end, c->tap, DEFENSE_TX);
}

static void on_net(uv_poll_t *poll, int status, int events)
{
    struct cable *c = poll->data;
    (void)events;
    if (status == 0)
        carry(c, c->tap, c->own_end, DEFENSE_RX);
}

static int open_tap(const char *name, struct err *err)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0)
        return fd;
    err_set_errno(err, CAUSE_SYSTEM, errno, "tap interface %s", name);
    if (fd >= 0)
        close(fd);
    return -1;
}

static void on_closed(uv_handle_t *handle)
{
    struct cable *c = handle->data;
    if (--c->open > 0)
        return;
    close(c->pc_end);
    close(c->own_end);
    close(c->tap);
    free(c);
}

struct cable *cable_new(struct device *device, const char *tap, struct err *err)
{
    int pair[2], fd = open_tap(tap, err);
    if (fd < 0)
        return NULL;
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "network cable");
        close(fd);
        return NULL;
    }
    struct cable *c = xcalloc(1, sizeof(*c));
    c->device = device;
    c->own_end = pair[0];
    c->pc_end = pair[1];
    c->tap = fd;
    c->open = 2;
    uv_poll_init(device->fleet->loop, &c->pc, c->own_end);
    uv_poll_init(device->fleet->loop, &c->net, c->tap);
    c->pc.data = c->net.data = c;
    uv_poll_start(&c->pc, UV_READABLE, on_pc);
    uv_poll_start(&c->net, UV_READABLE, on_net);
    uv_unref((uv_handle_t *)&c->pc);
    uv_unref((uv_handle_t *)&c->net);
    return c;
}

void cable_free(struct cable *c)
{
    if (c == NULL)
        return;
    uv_close((uv_handle_t *)&c->pc, on_closed);
    uv_close((uv_handle_t *)&c->net, on_closed);
}

int cable_pc_end(const struct cable *c)
{
    return c->pc_end;
}

void cable_counts(const struct cable *c, uint64_t *passed, uint64_t *dropped)
{
    *passed = c->passed;
    *dropped = c->dropped;
}
