#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "wsman/http_internal.h"

struct http_lookup {
    struct http_session *session; /* NULL: abandoned */
    char *name;
    uint16_t port;
    /* the outcome, written by the working thread */
    int rc; /* EAI_ number */
    struct http_addr addrs[HTTP_ADDRS_MAX];
    size_t count;
};

static bool take_addr(struct http_addr *addr, const struct addrinfo *info, uint16_t port)
{
    if (info->ai_addrlen > sizeof(addr->u))
        return false;
    addr->len = info->ai_addrlen;
    memcpy(&addr->u, info->ai_addr, info->ai_addrlen);
    if (info->ai_family == AF_INET)
        addr->u.in.sin_port = htons(port);
    else if (info->ai_family == AF_INET6)
        addr->u.in6.sin6_port = htons(port);
    else
        return false;
    return true;
}

/* On another thread: touches nothing but the lookup. */
static void work(void *data)
{
    struct http_lookup *lookup = data;
    struct addrinfo hints = {.ai_flags = AI_ADDRCONFIG, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;

    lookup->rc = getaddrinfo(lookup->name, NULL, &hints, &list);
    if (lookup->rc)
        return;
    for (const struct addrinfo *info = list; info && lookup->count < HTTP_ADDRS_MAX; info = info->ai_next)
        if (take_addr(&lookup->addrs[lookup->count], info, lookup->port))
            lookup->count++;
    freeaddrinfo(list);
    if (!lookup->count)
        lookup->rc = EAI_NONAME;
}

static void done(void *data)
{
    struct http_lookup *lookup = data;
    struct http_session *session = lookup->session;
    struct err err = ERR_INIT;

    if (session) {
        session->lookup = NULL;
        if (lookup->rc) {
            err_set(&err, CAUSE_NAME_UNKNOWN, "looking up '%s': %s", lookup->name, gai_strerror(lookup->rc));
        } else {
            memcpy(session->addrs, lookup->addrs, sizeof(session->addrs));
            session->addr_count = (uint8_t)lookup->count;
        }
    }
    int failed = lookup->rc;
    free(lookup->name);
    free(lookup);
    if (session)
        http_session_looked_up(session, failed ? &err : NULL);
}

struct http_lookup *http_lookup_start(struct http_session *session)
{
    struct http *http = session->http;
    struct http_lookup *lookup = xcalloc(1, sizeof(*lookup));

    lookup->session = session;
    lookup->name = xstrdup(session->where);
    lookup->port = session->port;
    http->owner.offload(http->owner.arg, work, done, lookup);
    return lookup;
}

void http_lookup_abandon(struct http_lookup *lookup)
{
    lookup->session = NULL;
}

bool http_addr_parse(struct http_addr *addr, const char *text, uint16_t port)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;

    if (getaddrinfo(text, NULL, &hints, &list))
        return false;
    bool taken = take_addr(addr, list, port);
    freeaddrinfo(list);
    return taken;
}

const char *http_addr_text(const struct http_addr *addr, char *out)
{
    char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 1] = "?";
    bool v6 = addr->u.sa.sa_family == AF_INET6;

    if (addr->len)
        (void)getnameinfo(&addr->u.sa, addr->len, host, sizeof(host), NULL, 0, NI_NUMERICHOST);
    snprintf(out, HTTP_ADDR_TEXT_MAX, v6 ? "[%s] port %u" : "%s port %u", host,
             ntohs(v6 ? addr->u.in6.sin6_port : addr->u.in.sin_port));
    return out;
}
