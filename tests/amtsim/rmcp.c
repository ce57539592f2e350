#include "tests/amtsim/rmcp.h"
#include "tests/amtsim/setup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/xalloc.h"

#define RMCP_VERSION  6
#define CLASS_ASF     6
#define IANA_ASF      4542
#define IANA_INTEL    343
#define PRESENCE_PING 0x80
#define PRESENCE_PONG 0x40
#define PONG_DATA_LEN 16

#define STATE_PRE  0
#define STATE_POST 2
#define BOTH_PORTS 4

#define INTERACTION_DASH 0x20
#define NIBBLE_MAJOR_MAX 15 /* newer versions stand in bytes of their own */

#define DATAGRAM_MAX 512

/* --- messages --- */

/* A ping's tag, or -1. */
static int ping_tag(const void *p, size_t n)
{
    struct rd r = rd_init(p, n);
    uint8_t version = rd_u8(&r);
    rd_skip(&r, 2); /* reserved, sequence */
    uint8_t class = rd_u8(&r);
    uint32_t iana = rd_be32(&r);
    uint8_t type = rd_u8(&r);
    uint8_t tag = rd_u8(&r);
    rd_skip(&r, 2); /* reserved, data length */
    bool ping =
        !r.bad && version == RMCP_VERSION && class == CLASS_ASF && iana == IANA_ASF && type == PRESENCE_PING;
    return ping ? tag : -1;
}

/* Before it is set up, a device answers while its host is up and has an address of a DHCP server. */
static bool answers(const struct device *d, bool set_up)
{
    if (fault_pending(d, FAULT_UNREACHABLE) != NULL || fault_pending(d, FAULT_NOT_AMT) != NULL)
        return false;
    if (set_up)
        return d->settings.rmcp_ping;
    return d->machine->state == MACHINE_ON && d->settings.dhcp;
}

size_t rmcp_answer(const struct device *d, const void *p, size_t n, uint8_t out[RMCP_PONG_LEN])
{
    int tag = ping_tag(p, n);
    bool set_up = setup_done(d);
    if (tag < 0 || !answers(d, set_up))
        return 0;
    unsigned port = d->fleet->options->port + (d->tls != DEVICE_TLS_NONE ? 1 : 0);
    unsigned major = d->generation->number, minor = 0;
    sscanf(d->generation->version, "%u.%u", &major, &minor);
    bool small = major <= NIBBLE_MAJOR_MAX;
    memset(out, 0, RMCP_PONG_LEN);
    out[0] = RMCP_VERSION;
    out[3] = CLASS_ASF;
    out[6] = IANA_ASF >> 8;
    out[7] = IANA_ASF & 255;
    out[8] = PRESENCE_PONG;
    out[9] = (uint8_t)tag;
    out[11] = PONG_DATA_LEN;
    out[14] = IANA_INTEL >> 8;
    out[15] = IANA_INTEL & 255;
    out[16] = set_up ? (uint8_t)(port >> 8) : 0;
    out[17] = set_up ? (uint8_t)port : 0;
    out[18] = small ? (uint8_t)(major << 4 | (minor & 15)) : 0;
    out[19] = (set_up ? STATE_POST : STATE_PRE) |
              (device_serves(d, false) && device_serves(d, true) ? BOTH_PORTS : 0);
    out[21] = INTERACTION_DASH;
    out[22] = small ? 0 : (uint8_t)major;
    out[23] = small ? 0 : (uint8_t)minor;
    return RMCP_PONG_LEN;
}

/* --- the port --- */

struct rmcp {
    uv_poll_t poll; /* first */
    struct fleet *fleet;
    int fd;
};

/* One datagram with the address it was sent to. */
struct datagram {
    uint8_t bytes[DATAGRAM_MAX];
    struct sockaddr_in peer;
    struct iovec iov;
    struct msghdr head;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static void ready(struct datagram *d, size_t n)
{
    d->iov = (struct iovec){d->bytes, n};
    d->head = (struct msghdr){.msg_name = &d->peer,
                              .msg_namelen = sizeof(d->peer),
                              .msg_iov = &d->iov,
                              .msg_iovlen = 1,
                              .msg_control = d->control,
                              .msg_controllen = sizeof(d->control)};
}

static struct in_pktinfo *address_of(struct datagram *d)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&d->head); c != NULL; c = CMSG_NXTHDR(&d->head, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
            return (struct in_pktinfo *)(void *)CMSG_DATA(c);
    }
    return NULL;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct rmcp *r = (struct rmcp *)poll;
    struct datagram in, out = {0};
    (void)status;
    (void)events;
    ready(&in, sizeof(in.bytes));
    ssize_t n = recvmsg(r->fd, &in.head, 0);
    const struct in_pktinfo *info = n < 0 ? NULL : address_of(&in);
    if (info == NULL || ntohl(in.peer.sin_addr.s_addr) >> 24 != 127)
        return;
    struct device *d = fleet_at(r->fleet, ntohl(info->ipi_addr.s_addr));
    size_t length = d != NULL ? rmcp_answer(d, in.bytes, (size_t)n, out.bytes) : 0;
    if (length == 0 || fault_strike(d, FAULT_LOST_PONG, NULL, NULL) != NULL)
        return;
    out.peer = in.peer;
    ready(&out, length);
    struct cmsghdr *c = CMSG_FIRSTHDR(&out.head);
    *c = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(*info)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
    *address_of(&out) = (struct in_pktinfo){.ipi_spec_dst = info->ipi_addr};
    (void)sendmsg(r->fd, &out.head, 0); /* pings are sent twice because answers get lost */
}

static int open_port(uint16_t port, struct err *err)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) == 0 &&
        bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    err_set_errno(err, CAUSE_SYSTEM, errno, "UDP port %u", port);
    if (fd >= 0)
        close(fd);
    return -1;
}

struct rmcp *rmcp_new(struct fleet *fleet, struct err *err)
{
    int fd = open_port(fleet->options->rmcp_port, err);
    if (fd < 0)
        return NULL;
    struct rmcp *r = xcalloc(1, sizeof(*r));
    r->fleet = fleet;
    r->fd = fd;
    uv_poll_init(fleet->loop, &r->poll, fd);
    uv_poll_start(&r->poll, UV_READABLE, on_readable);
    return r;
}

static void on_closed(uv_handle_t *handle)
{
    struct rmcp *r = (struct rmcp *)handle;
    close(r->fd);
    free(r);
}

void rmcp_free(struct rmcp *r)
{
    if (r != NULL)
        uv_close((uv_handle_t *)&r->poll, on_closed);
}
