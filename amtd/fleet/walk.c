#include "amtd/fleet/walk.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtd/fleet/arrival.h"
#include "amtd/net/dial.h"
#include "base/xalloc.h"
#include "wsman/http.h"

/* The ports of AMT on the network (wsman.md 1.1); a profile may name another for management. */
static const struct {
    uint16_t number;
    const char *use;
} ports[] = {
    {16992, "management, plain"},
    {16993, "management, TLS"},
    {16994, "redirection, plain"},
    {16995, "redirection, TLS"},
};
enum { PORT_PLAIN, PORT_TLS, PORT_COUNT = sizeof(ports) / sizeof(ports[0]) };

struct port {
    struct walk *walk;
    struct dial *dial;
    uint16_t number;
    bool open;
    struct err failure;
};

/* resolving -> knocking at all ports at once -> asking the open management ports, one after the other, that
 * of TLS again with old TLS where it has no other (nothing secret is told) -> done */
struct walk {
    const struct run_parts *parts;
    struct http *http;
    const struct host *host;
    bool old_allowed; /* the profile has the exception for old TLS */
    bool old;         /* the TLS port is looked at with old TLS: it knows no other */
    int64_t timeout_ms;
    walk_done *done;
    void *arg;
    json_t *checks;
    struct port port[PORT_COUNT];
    size_t knocking;
    size_t asking; /* index of the port being asked */
    struct http_session *session;
    bool is_amt;
    struct lookup *lookup;
};

struct lookup { /* outlives a cancelled walk */
    uv_getaddrinfo_t req;
    struct walk *walk;
};

void check_add(json_t *checks, const char *check, const char *result, const char *finding, const char *hint)
{
    json_t *line = json_pack("{s:s, s:s, s:s}", "check", check, "result", result, "finding", finding);

    if (hint && hint[0])
        json_object_set_new(line, "hint", json_string(hint));
    json_array_append_new(checks, line);
}

void walk_cancel(struct walk *walk)
{
    if (!walk)
        return;
    for (size_t i = 0; i < PORT_COUNT; i++)
        dial_cancel(walk->port[i].dial);
    if (walk->lookup) {
        walk->lookup->walk = NULL;
        uv_cancel((uv_req_t *)&walk->lookup->req);
    }
    http_session_free(walk->session);
    json_decref(walk->checks);
    free(walk);
}

static void finish(struct walk *walk, const struct err *failure)
{
    json_t *checks = walk->checks;
    walk_done *done = walk->done;
    void *arg = walk->arg;
    struct err copy = failure ? *failure : (struct err)ERR_INIT;

    walk->checks = NULL;
    walk_cancel(walk);
    done(arg, checks, failure ? &copy : NULL);
}

/* --- is it AMT? --- */

static void ask_next(struct walk *walk);

static void add_amt(struct walk *walk, const struct http_facts *facts)
{
    char version[32] = "";
    char *finding;

    if (!facts->server[0] && !facts->realm[0])
        return;
    if (http_server_version(facts->server, version, sizeof(version)) ||
        strncmp(facts->realm, "Digest:", 7) == 0) {
        walk->is_amt = true;
        finding = xasprintf("port %u: %s", walk->port[walk->asking].number,
                            facts->server[0] ? facts->server : "answers with a digest realm as AMT does");
        check_add(walk->checks, "is it AMT", "ok", finding, NULL);
    } else {
        finding = xasprintf("port %u: what answers calls itself '%s'", walk->port[walk->asking].number,
                            facts->server);
        check_add(walk->checks, "is it AMT", "fail", finding, cause_hint(CAUSE_NOT_AMT));
    }
    free(finding);
}

static void add_tls(struct walk *walk, const struct http_facts *facts, const struct err *failure)
{
    const char *pinned = pairs_get(&walk->host->facts, "tls.pin");
    char *finding;

    if (walk->asking != PORT_TLS)
        return;
    if (!facts->pin[0]) {
        check_add(walk->checks, "TLS", "fail", failure ? failure->text : "no certificate was shown",
                  failure ? cause_hint(failure->cause) : NULL);
        return;
    }
    finding = xasprintf("%s, %s, SHA-256 %s", facts->tls_version, facts->certificate, facts->pin);
    if (pinned && strcmp(pinned, facts->pin) != 0)
        check_add(walk->checks, "TLS", "fail", finding, cause_hint(CAUSE_TLS_CHANGED));
    else if (walk->old && !walk->old_allowed)
        check_add(walk->checks, "TLS", "fail", finding, cause_hint(CAUSE_TLS_VERSION));
    else if (walk->old && !pinned)
        check_add(walk->checks, "TLS", "fail", finding,
                  "old TLS is spoken only with a certificate that is known: compare this fingerprint at the "
                  "machine, then amtcli host set HOST --pin SHA256");
    else if (facts->not_after_ms > 0 && facts->not_after_ms < clock_wall(walk->parts->clock))
        check_add(walk->checks, "TLS", "warn", finding, cause_hint(CAUSE_TLS_EXPIRED));
    else
        check_add(walk->checks, "TLS", "ok", finding, NULL);
    free(finding);
}

static void asked(void *arg, const struct http_answer *answer, const struct err *failure)
{
    struct walk *walk = arg;
    struct http_facts facts = http_session_facts(walk->session);
    bool again = failure && failure->cause == CAUSE_TLS_VERSION && !walk->old;

    (void)answer;
    if (!again) {
        add_tls(walk, &facts, failure);
        add_amt(walk, &facts);
        walk->asking++;
    }
    http_session_free(walk->session);
    walk->session = NULL;
    walk->old |= again;
    ask_next(walk);
}

static void ask_next(struct walk *walk)
{
    struct http_settings settings = {.name = walk->host->name,
                                     .address = walk->host->address,
                                     .look = true,
                                     .connect_ms = walk->timeout_ms,
                                     .request_ms = walk->timeout_ms};
    struct err err = ERR_INIT;

    while (walk->asking <= PORT_TLS && !walk->port[walk->asking].open)
        walk->asking++;
    if (walk->asking > PORT_TLS) {
        if (!walk->is_amt) {
            check_add(walk->checks, "is it AMT", "fail", "nothing that answered is AMT",
                      cause_hint(CAUSE_NOT_AMT));
            err_set(&err, CAUSE_NOT_AMT, "nothing that answered is AMT");
        }
        finish(walk, walk->is_amt ? NULL : &err);
        return;
    }
    settings.port = walk->port[walk->asking].number;
    settings.tls = walk->asking == PORT_TLS ? HTTP_TLS_PIN : HTTP_TLS_NONE;
    settings.old_tls = walk->old;
    walk->session = http_session_new(walk->http, &settings, &err);
    if (!walk->session) {
        finish(walk, &err);
        return;
    }
    http_session_send(walk->session, "/", NULL, 0, asked, walk);
}

/* --- ports --- */

static void judge_ports(struct walk *walk)
{
    bool management = walk->port[PORT_PLAIN].open || walk->port[PORT_TLS].open;
    bool refused = false;

    for (size_t i = 0; i < PORT_COUNT; i++) {
        char *check = xasprintf("port %u", walk->port[i].number);
        char *finding = xasprintf("%s: %s", ports[i].use,
                                  walk->port[i].open                             ? "open"
                                  : walk->port[i].failure.cause == CAUSE_REFUSED ? "refused"
                                                                                 : "no answer");

        refused |= walk->port[i].failure.cause == CAUSE_REFUSED;
        check_add(walk->checks, check,
                  walk->port[i].open ? "ok"
                  : management       ? "skip"
                                     : "fail",
                  finding, NULL);
        free(check);
        free(finding);
    }
    if (!management) {
        struct err err = walk->port[PORT_TLS].failure;

        if (refused)
            err =
                walk->port[PORT_PLAIN].failure.cause == CAUSE_REFUSED ? walk->port[PORT_PLAIN].failure : err;
        check_add(walk->checks, "AMT reachable", "fail",
                  refused
                      ? "the address is alive, but no management port is open: AMT is not provisioned, or off"
                      : "no port answers at all",
                  cause_hint(refused ? CAUSE_NOT_PROVISIONED : CAUSE_UNREACHABLE));
        finish(walk, &err);
        return;
    }
    walk->asking = PORT_PLAIN;
    ask_next(walk);
}

static void knocked(void *arg, int fd, const struct err *failure)
{
    struct port *port = arg;
    struct walk *walk = port->walk;

    port->dial = NULL;
    port->open = fd >= 0;
    if (fd >= 0)
        close(fd);
    if (failure)
        port->failure = *failure;
    if (--walk->knocking == 0)
        judge_ports(walk);
}

static void knock(struct walk *walk)
{
    const char *where = walk->host->address ? walk->host->address : walk->host->name;

    walk->knocking = PORT_COUNT;
    for (size_t i = 0; i < PORT_COUNT; i++)
        walk->port[i].dial = dialer_connect(walk->parts->dialer, where, walk->port[i].number,
                                            walk->timeout_ms, 0, knocked, &walk->port[i]);
}

/* --- name --- */

static void add_addresses(struct walk *walk, const char *where, const struct addrinfo *list)
{
    struct buf text = buf_init(1024);
    char number[64];

    buf_printf(&text, "%s is", where);
    for (; list; list = list->ai_next) {
        if (list->ai_family == AF_INET)
            uv_ip4_name((const struct sockaddr_in *)(const void *)list->ai_addr, number, sizeof(number));
        else
            uv_ip6_name((const struct sockaddr_in6 *)(const void *)list->ai_addr, number, sizeof(number));
        buf_printf(&text, " %s", number);
    }
    check_add(walk->checks, "name resolves", "ok", buf_str(&text), NULL);
    buf_free(&text);
}

static void resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct lookup *lookup = req->data;
    struct walk *walk = lookup->walk;
    struct err err = ERR_INIT;

    free(lookup);
    if (walk && status == 0) {
        const char *where = walk->host->address ? walk->host->address : walk->host->name;

        walk->lookup = NULL;
        add_addresses(walk, where, list);
        knock(walk);
    } else if (walk) {
        walk->lookup = NULL;
        err_set(&err, CAUSE_NAME_UNKNOWN, "%s", uv_strerror(status));
        check_add(walk->checks, "name resolves", "fail", uv_strerror(status), cause_hint(CAUSE_NAME_UNKNOWN));
        finish(walk, &err);
    }
    uv_freeaddrinfo(list);
}

static void name_ports(struct walk *walk, const struct profile *profile)
{
    for (size_t i = 0; i < PORT_COUNT; i++) {
        walk->port[i].walk = walk;
        walk->port[i].number = ports[i].number;
    }
    if (profile && profile->port != 0)
        walk->port[profile->tls == PROFILE_TLS_NONE ? PORT_PLAIN : PORT_TLS].number = (uint16_t)profile->port;
}

/* What amtd did to it says more than any port. */
static void note_unprovisioned(struct walk *walk)
{
    const struct pairs *facts = &walk->host->facts;
    const char *how = pairs_get(facts, "unprovisioned"), *at = pairs_get(facts, "unprovisioned.at"),
               *state = pairs_get(facts, "amt.state");
    bool full = how && strcmp(how, "full") == 0;
    char *text;

    if (!how || (state && strcmp(state, "post") == 0))
        return;
    text = xasprintf("this amtd unprovisioned it (%s) at %s", how, at ? at : "an unknown time");
    check_add(walk->checks, "set up", "warn", text,
              full ? "set it up anew, with a password of a profile; then forget what it was (amtcli host set "
                     "HOST --forget-realm --forget-pin), and look: amtcli info HOST"
                   : "set it up anew: its administrator and his password are still there; then look: amtcli "
                     "info HOST");
    free(text);
}

/* A change of its address was broken off, or it never came there. */
static void note_moving(struct walk *walk)
{
    const char *to = pairs_get(&walk->host->facts, MOVING_FACT), *is = walk->host->address;
    char *text, *hint;

    if (!to || (is && strcmp(to, is) == 0))
        return;
    text = xasprintf("this amtd gave it the address %s, and did not see it there", to);
    hint = xasprintf("if it does not answer where it was, it may be there: amtcli host set HOST --address %s",
                     to);
    check_add(walk->checks, "address", "warn", text, hint);
    free(hint);
    free(text);
}

struct walk *walk_start(const struct run_parts *parts, struct http *http, const struct host *host,
                        const struct profile *profile, int64_t timeout_ms, walk_done *done, void *arg)
{
    struct walk *walk = xcalloc(1, sizeof(*walk));
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const char *where = host->address ? host->address : host->name;

    walk->parts = parts;
    walk->http = http;
    walk->host = host;
    walk->timeout_ms = timeout_ms;
    walk->done = done;
    walk->arg = arg;
    walk->checks = json_array();
    walk->old_allowed = profile && profile->old_tls;
    note_unprovisioned(walk);
    note_moving(walk);
    name_ports(walk, profile);
    walk->lookup = xcalloc(1, sizeof(*walk->lookup));
    walk->lookup->walk = walk;
    walk->lookup->req.data = walk->lookup;
    if (uv_getaddrinfo(parts->loop, &walk->lookup->req, resolved, where, NULL, &hints) != 0) {
        free(walk->lookup); /* only for want of memory or with a name of false form: the ports will tell */
        walk->lookup = NULL;
        knock(walk);
    }
    return walk;
}
