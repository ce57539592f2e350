#include "amtd/discover/found.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/discover/addrset.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "wsman/http.h"

static const struct {
    const char *name, *text;
} kinds[FOUND_KINDS] = {
    [FOUND_NOTHING_YET] = {"unknown", "not looked at yet"},
    [FOUND_AMT] = {"amt", "AMT"},
    [FOUND_NOT_PROVISIONED] = {"not-provisioned", "AMT, not provisioned"},
    [FOUND_OTHER] = {"other-service", "AMT not detected: something else answers"},
    [FOUND_REFUSED] = {"refused", "AMT not detected: the address is alive and refuses"},
    [FOUND_DROPPED] = {"dropped", "AMT not detected: no answer"},
    [FOUND_NO_ROUTE] = {"no-route", "AMT not detected: the network says that the address is not there"},
};

const char *found_kind_name(enum found_kind kind)
{
    return kinds[kind < FOUND_KINDS ? kind : FOUND_NOTHING_YET].name;
}

const char *found_kind_text(enum found_kind kind)
{
    return kinds[kind < FOUND_KINDS ? kind : FOUND_NOTHING_YET].text;
}

void found_clear(struct found *f)
{
    for (int i = 0; i < FOUND_PORTS; i++) {
        struct found_port *p = &f->port[i];
        char *const texts[] = {p->text, p->server, p->realm,       p->title,
                               p->pin,  p->names,  p->certificate, p->tls_version};

        for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
            free(texts[k]);
    }
    memset(f, 0, sizeof(*f));
}

#define TITLE_WITHIN 4096 /* bytes of a page in which its title stands */
#define TITLE_MAX    120

char *found_title(const void *p, size_t n)
{
    static const char head[] = "<title>", tail[] = "</title>";
    const char *from, *to;
    struct buf title = buf_init(4 * TITLE_MAX + 1);
    size_t within = n < TITLE_WITHIN ? n : TITLE_WITHIN;

    from = n > 0 ? memmem(p, within, head, sizeof(head) - 1) : NULL;
    if (!from)
        return NULL;
    from += sizeof(head) - 1;
    to = memmem(from, within - (size_t)(from - (const char *)p), tail, sizeof(tail) - 1);
    if (!to)
        return NULL;
    text_printable(&title, from, (size_t)(to - from) < TITLE_MAX ? (size_t)(to - from) : TITLE_MAX);
    return buf_take(&title);
}

/* --- judging --- */

#define REALM_LEN 32

/* "Digest:" and 32 hex digits: AMT's, also where no header and no page names it. */
static bool is_amt_realm(const char *realm)
{
    static const char head[] = "Digest:";

    return realm && strncmp(realm, head, sizeof(head) - 1) == 0 &&
           strlen(realm) == sizeof(head) - 1 + REALM_LEN &&
           strspn(realm + sizeof(head) - 1, "0123456789ABCDEFabcdef") == REALM_LEN;
}

static bool is_amt_title(const char *title)
{
    return title && strstr(title, "Active Management Technology") != NULL;
}

static const char *text_of(const char *text)
{
    return text ? text : "";
}

static bool port_is_amt(struct found *f, const struct found_port *p)
{
    char version[sizeof(f->version)] = "";
    bool amt = p->server && http_server_version(p->server, version, sizeof(version));

    if (version[0])
        memcpy(f->version, version, sizeof(version));
    if (is_amt_realm(p->realm))
        f->realm = p->realm;
    return amt || is_amt_realm(p->realm) || is_amt_title(p->title);
}

/* The reason why an open port of what answers pings told nothing; NULL: none is open. */
static const struct found_port *unheard(const struct found *f)
{
    const struct found_port *found = NULL;

    for (int i = 0; i < FOUND_PORTS; i++)
        if (f->port[i].open && f->port[i].text && (!found || found->mute))
            found = &f->port[i];
    return found;
}

static void say_amt(struct found *f, bool by_port)
{
    const struct found_port *p = f->port[FOUND_PLAIN].server && f->port[FOUND_PLAIN].server[0]
                                     ? &f->port[FOUND_PLAIN]
                                     : &f->port[FOUND_TLS];
    const struct found_port *mute = unheard(f);

    if (by_port && p->server && p->server[0])
        snprintf(f->why, sizeof(f->why), "port %u: %s", p->number, p->server);
    else if (by_port)
        snprintf(f->why, sizeof(f->why), "answers as AMT does, without naming itself");
    else if (mute)
        snprintf(f->why, sizeof(f->why), "answers presence pings as Intel's; port %u is open, but: %.230s",
                 mute->number, mute->text);
    else
        snprintf(f->why, sizeof(f->why), "answers presence pings as Intel's, %s",
                 f->pong.port != 0 ? "but its management port was not heard" : "no management port is open");
}

static void say_other(struct found *f)
{
    for (int i = 0; i < FOUND_PORTS; i++) {
        const struct found_port *p = &f->port[i];

        const char *name = p->server && p->server[0] ? p->server : text_of(p->title);

        if (p->open && p->failure == CAUSE_NONE && !name[0])
            snprintf(f->why, sizeof(f->why), "port %u: what answers speaks HTTP and does not name itself",
                     p->number);
        else if (p->open && p->failure == CAUSE_NONE)
            snprintf(f->why, sizeof(f->why), "port %u: what answers calls itself '%.200s'", p->number, name);
        else if (p->open && !p->mute)
            snprintf(f->why, sizeof(f->why), "port %u is open, but: %.250s", p->number, text_of(p->text));
        if (p->open && !p->mute)
            return;
    }
    snprintf(f->why, sizeof(f->why), "answers presence pings as enterprise %u, which is not Intel",
             f->pong.iana);
}

static bool any_failed(const struct found *f, enum cause cause)
{
    return f->port[FOUND_PLAIN].failure == cause || f->port[FOUND_TLS].failure == cause;
}

/* Nothing is open and nothing answered a ping. A network that says 'not here' gives another system error than
 * a connection that is merely not answered. */
static void judge_silence(struct found *f)
{
    const char *text = text_of(f->port[FOUND_PLAIN].text);

    if (f->port[FOUND_PLAIN].mute || f->port[FOUND_TLS].mute) {
        f->kind = FOUND_REFUSED;
        snprintf(f->why, sizeof(f->why),
                 "connections to ports %u and %u are refused, or ended before anything is said",
                 f->port[FOUND_PLAIN].number, f->port[FOUND_TLS].number);
    } else if (any_failed(f, CAUSE_REFUSED)) {
        f->kind = FOUND_REFUSED;
        snprintf(f->why, sizeof(f->why), "ports %u and %u are closed", f->port[FOUND_PLAIN].number,
                 f->port[FOUND_TLS].number);
    } else if (any_failed(f, CAUSE_SYSTEM)) { /* ours, not the device's */
        f->kind = FOUND_OTHER;
        snprintf(f->why, sizeof(f->why), "could not be examined: %.250s", text);
    } else if (f->port[FOUND_PLAIN].unanswered || f->port[FOUND_TLS].unanswered) {
        f->kind = FOUND_DROPPED;
        snprintf(f->why, sizeof(f->why), "%.250s", text);
    } else {
        f->kind = FOUND_NO_ROUTE;
        snprintf(f->why, sizeof(f->why), "%.250s", text);
    }
}

/* Or may yet: one that takes a connection and keeps silent is somebody. */
static bool says_something(const struct found_port *p)
{
    return p->open && !p->mute;
}

void found_judge(struct found *f)
{
    bool plain = port_is_amt(f, &f->port[FOUND_PLAIN]), tls = port_is_amt(f, &f->port[FOUND_TLS]);
    bool pong = f->pong_seen && f->pong.intel;

    if (plain || tls || pong) {
        /* Firmware before 6.1 is silent before set-up: a port of 0 with a state of 0 is of those after. */
        f->kind = pong && f->pong.state < 2 && (f->pong.port == 0 || !(plain || tls)) ? FOUND_NOT_PROVISIONED
                                                                                      : FOUND_AMT;
        if (!f->version[0] && pong && f->pong.major > 0)
            snprintf(f->version, sizeof(f->version), "%u.%u", f->pong.major, f->pong.minor);
        say_amt(f, plain || tls);
    } else if (says_something(&f->port[FOUND_PLAIN]) || says_something(&f->port[FOUND_TLS]) || f->pong_seen) {
        f->kind = FOUND_OTHER;
        say_other(f);
    } else {
        judge_silence(f);
    }
}

/* --- JSON --- */

static void set(json_t *json, const char *name, const char *value)
{
    if (value && value[0])
        json_object_set_new(json, name, json_string(value));
}

static json_t *port_json(const struct found_port *p)
{
    json_t *json = json_pack("{s:i, s:s}", "port", (int)p->number, "state",
                             p->mute                       ? "reset"
                             : p->open                     ? "open"
                             : p->failure == CAUSE_REFUSED ? "refused"
                                                           : "dropped");

    if (p->open && p->failure != CAUSE_NONE)
        set(json, "failure", cause_name(p->failure));
    set(json, "server", p->server);
    set(json, "title", p->title);
    return json;
}

static json_t *tls_json(const struct found_port *p)
{
    json_t *json = json_object();
    char text[CLOCK_TEXT_MAX];

    set(json, "version", p->tls_version);
    set(json, "names", p->names);
    set(json, "certificate", p->certificate);
    set(json, "pin", p->pin);
    if (p->not_after_ms > 0)
        set(json, "not_after", clock_text(p->not_after_ms, text));
    return json;
}

json_t *found_json(const struct found *f)
{
    static const char *const states[] = {"pre", "in", "post", "unknown"};
    char address[ADDRSET_TEXT_MAX];
    json_t *json = json_pack("{s:s, s:s, s:b, s:s}", "address", addrset_text(f->address, address), "finding",
                             found_kind_name(f->kind), "amt", (int)found_is_amt(f->kind), "why", f->why);

    set(json, "message", found_kind_text(f->kind));
    set(json, "version", f->version);
    set(json, "realm", f->realm);
    if (f->pong_seen && f->pong.intel)
        set(json, "provisioning", states[f->pong.state]);
    else if (f->kind == FOUND_AMT)
        set(json, "provisioning", "post"); /* before set-up its port is closed */
    if (f->pong_seen)
        json_object_set_new(json, "rmcp",
                            json_pack("{s:I, s:i, s:s, s:b}", "iana", (json_int_t)f->pong.iana, "port",
                                      (int)f->pong.port, "state", states[f->pong.state], "dash",
                                      (int)f->pong.dash));
    json_object_set_new(
        json, "ports", json_pack("[o, o]", port_json(&f->port[FOUND_PLAIN]), port_json(&f->port[FOUND_TLS])));
    if (f->port[FOUND_TLS].pin && f->port[FOUND_TLS].pin[0])
        json_object_set_new(json, "tls", tls_json(&f->port[FOUND_TLS]));
    return json;
}
