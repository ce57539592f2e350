#include "amtd/fleet/link.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uthash.h>
#include <utlist.h>

#include "base/xalloc.h"

#define LINK_WARM_MS 15000 /* firmware closes idle connections after some tens of seconds (wsman.md 1.2) */

union end { /* of the way to a host */
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct link {
    struct links *links;
    int64_t host_id; /* hash key */
    char *basis;     /* all settings but the password: a changed profile or address makes a new session */
    size_t basis_size;
    struct secret *password;
    struct http_session *session;
    int64_t used_ms;
    bool held;
    bool worked;
    bool meant; /* link_note_meant */
    union end here, there;
    bool pin_stored, realm_stored; /* the store has what the session learned */
    UT_hash_handle hh;
    struct link *prev, *next; /* unused ones, oldest first */
};

struct links {
    uv_loop_t *loop;
    struct http *http;
    const struct clock *clock;
    int64_t idle_ms;
    size_t most;
    size_t unused_count;
    struct link *by_host;
    struct link *unused;
    struct buf basis; /* of the host in question */
    uv_timer_t timer;
};

void link_note_ends(struct link *link, int fd)
{
    union end here = {0}, there = {0};
    socklen_t here_len = sizeof(here), there_len = sizeof(there);

    if (getsockname(fd, &here.any, &here_len) != 0 || getpeername(fd, &there.any, &there_len) != 0)
        return;
    link->here = here;
    link->there = there;
}

static void put_address(const union end *end, char out[INET6_ADDRSTRLEN])
{
    out[0] = 0;
    if (end->any.sa_family == AF_INET || end->any.sa_family == AF_INET6)
        uv_ip_name(&end->any, out, INET6_ADDRSTRLEN);
}

struct link_ends link_ends(const struct link *link)
{
    struct link_ends ends;

    put_address(&link->here, ends.here);
    put_address(&link->there, ends.there);
    return ends;
}

bool link_is_numeric(const char *address)
{
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;

    return uv_ip4_addr(address, 0, &v4) == 0 || uv_ip6_addr(address, 0, &v6) == 0;
}

/* The name that the device's certificate must carry: a DNS name where there is one, else the address. Names
 * of hosts may be mere labels; only Kerberos knows machines by name alone. */
static const char *certified_name(const struct host *host, const struct profile *profile)
{
    if (!host->address || profile->auth == PROFILE_AUTH_KERBEROS)
        return host->name;
    return !link_is_numeric(host->address) || !strchr(host->name, '.') ? host->address : host->name;
}

struct http_settings link_settings(const struct host *host, const struct login *login)
{
    static const enum http_tls tls[] = {
        [PROFILE_TLS_NONE] = HTTP_TLS_NONE,
        [PROFILE_TLS_CA] = HTTP_TLS_CA,
        [PROFILE_TLS_PIN] = HTTP_TLS_PIN,
        [PROFILE_TLS_OWN] = HTTP_TLS_CA,
    };
    const struct profile *profile = login->profile;
    struct http_settings s = {
        .name = certified_name(host, profile),
        .address = host->address,
        .port = profile->port,
        .tls = tls[profile->tls],
        .ca_file = profile->ca_file,
        .pin = pairs_get(&host->facts, "tls.pin"),
        .pin_next = pairs_get(&host->facts, "tls.pin.next"),
        .pinned_may_end = profile->tls == PROFILE_TLS_OWN, /* amtd gave it, and is to renew it */
        .client_cert_file = profile->client_cert_file,
        .client_key_file = profile->client_key_file,
        .old_tls = profile->old_tls,
        .kerberos = profile->auth == PROFILE_AUTH_KERBEROS,
        .ccache = profile->ccache,
        .user = profile->user,
        .password = login->password,
        .realm = pairs_get(&host->facts, "amt.realm"),
        .connect_ms = profile->connect_ms > 0 ? profile->connect_ms : 5000,
        .request_ms = profile->request_ms > 0 ? profile->request_ms : 15000,
    };

    if (s.port == 0)
        s.port = s.tls == HTTP_TLS_NONE ? 16992 : 16993;
    return s;
}

/* --- what a session is made of --- */

static void put_text(struct buf *basis, const char *text)
{
    buf_add(basis, text ? text : "", text ? strlen(text) + 1 : 1);
}

/* A session keeps the CAs that it began with: with others in the file another one is wanted. */
static void note_file(const char *path, int64_t mark[3])
{
    struct stat st;

    if (!path || stat(path, &st) != 0)
        return;
    mark[0] = (int64_t)st.st_ino;
    mark[1] = st.st_size;
    mark[2] = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
}

/* The pins and the realm are left out: they are learned while the session lives, which keeps to its own. */
static void put_basis(const struct http_settings *s, struct buf *basis)
{
    struct {
        int64_t connect_ms, request_ms, ca[3];
        int tls, old_tls, kerberos, port, pinned_may_end;
    } numbers;

    memset(&numbers, 0, sizeof(numbers));
    numbers.connect_ms = s->connect_ms;
    numbers.request_ms = s->request_ms;
    note_file(s->ca_file, numbers.ca);
    numbers.tls = s->tls;
    numbers.old_tls = s->old_tls;
    numbers.kerberos = s->kerberos;
    numbers.port = s->port;
    numbers.pinned_may_end = s->pinned_may_end;
    buf_reset(basis);
    buf_add(basis, &numbers, sizeof(numbers));
    put_text(basis, s->name);
    put_text(basis, s->address);
    put_text(basis, s->ca_file);
    put_text(basis, s->client_cert_file);
    put_text(basis, s->client_key_file);
    put_text(basis, s->ccache);
    put_text(basis, s->user);
}

static void keep_basis(struct link *link, const struct http_settings *settings)
{
    const struct buf *basis = &link->links->basis;

    link->basis = xmalloc(basis->len);
    link->basis_size = basis->len;
    memcpy(link->basis, basis->p, basis->len);
    link->password = secret_share(settings->password);
}

static bool has_basis(const struct link *link, const struct http_settings *settings)
{
    const struct buf *basis = &link->links->basis;

    return link->basis_size == basis->len && memcmp(link->basis, basis->p, basis->len) == 0 &&
           secret_equal(link->password, settings->password);
}

/* --- keeping --- */

static void link_destroy(struct link *link)
{
    struct links *links = link->links;

    if (!link->held) {
        DL_DELETE(links->unused, link);
        links->unused_count--;
    }
    HASH_DEL(links->by_host, link);
    http_session_free(link->session);
    secret_free(link->password);
    free(link->basis);
    free(link);
}

static void links_expire(uv_timer_t *timer)
{
    struct links *links = timer->data;
    int64_t now = clock_mono(links->clock);

    while (links->unused && now - links->unused->used_ms >= links->idle_ms)
        link_destroy(links->unused);
    if (links->unused)
        uv_timer_start(timer, links_expire, (uint64_t)(links->unused->used_ms + links->idle_ms - now), 0);
}

/* What the session learned of the device and what the store says of it have parted: an administrator changed
 * or forgot it there, so the session must learn anew. */
static bool parted(const char *stored, const char *learned, bool *was_stored)
{
    if (!stored)
        return *was_stored;
    if (!learned[0])
        return false;
    *was_stored = true;
    return strcmp(stored, learned) != 0;
}

static bool link_is_stale(struct link *link, const struct http_settings *settings)
{
    struct http_facts facts = http_session_facts(link->session);

    return !has_basis(link, settings) || parted(settings->pin, facts.pin, &link->pin_stored) ||
           parted(settings->realm, facts.realm, &link->realm_stored);
}

struct link *link_hold(struct links *links, int64_t host_id, const struct http_settings *settings,
                       struct err *err)
{
    struct link *link;

    HASH_FIND(hh, links->by_host, &host_id, sizeof(host_id), link);
    if (link && link->held) {
        err_set(err, CAUSE_BUSY, "another operation of amtd is talking to this host");
        return NULL;
    }
    put_basis(settings, &links->basis);
    if (link && link_is_stale(link, settings)) {
        link_destroy(link);
        link = NULL;
    }
    if (!link) {
        struct http_session *session = http_session_new(links->http, settings, err);

        if (!session)
            return NULL;
        link = xcalloc(1, sizeof(*link));
        link->links = links;
        link->host_id = host_id;
        link->session = session;
        keep_basis(link, settings);
        HASH_ADD(hh, links->by_host, host_id, sizeof(link->host_id), link);
    } else {
        DL_DELETE(links->unused, link);
        links->unused_count--;
    }
    link->held = true;
    return link;
}

struct http_session *link_session(const struct link *link)
{
    return link->session;
}

void link_note_stored(struct link *link)
{
    struct http_facts facts = http_session_facts(link->session);

    link->pin_stored |= facts.pin[0] != '\0';
    link->realm_stored |= facts.realm[0] != '\0';
}

void link_note_meant(struct link *link)
{
    link->meant = true;
}

bool link_is_meant(const struct link *link)
{
    return link->meant;
}

bool link_is_warm(const struct link *link)
{
    return link->worked && clock_mono(link->links->clock) - link->used_ms < LINK_WARM_MS;
}

void link_release(struct link *link, bool keep)
{
    struct links *links;

    if (!link)
        return;
    links = link->links;
    link->held = false;
    link->worked = keep;
    link->used_ms = clock_mono(links->clock);
    DL_APPEND(links->unused, link);
    links->unused_count++;
    if (!keep)
        link_destroy(link);
    else if (links->unused_count > links->most)
        link_destroy(links->unused);
    if (links->unused && !uv_is_active((uv_handle_t *)&links->timer))
        uv_timer_start(&links->timer, links_expire, (uint64_t)links->idle_ms, 0);
}

struct links *links_new(uv_loop_t *loop, struct http *http, const struct clock *clock, int64_t idle_ms,
                        size_t most)
{
    struct links *links = xcalloc(1, sizeof(*links));

    links->loop = loop;
    links->http = http;
    links->clock = clock;
    links->idle_ms = idle_ms;
    links->most = most;
    links->basis = buf_init(SIZE_MAX / 4); /* of our own settings */
    uv_timer_init(loop, &links->timer);
    links->timer.data = links;
    return links;
}

static void links_closed(uv_handle_t *handle)
{
    struct links *links = handle->data;

    buf_free(&links->basis);
    free(links);
}

void links_free(struct links *links)
{
    if (!links)
        return;
    while (links->unused)
        link_destroy(links->unused);
    uv_close((uv_handle_t *)&links->timer, links_closed);
}
