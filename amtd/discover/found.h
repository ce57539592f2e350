/* What a sweep found at one address. */
#ifndef AMTD_DISCOVER_FOUND_H
#define AMTD_DISCOVER_FOUND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "amtd/discover/rmcp.h"
#include "base/err.h"

/* The numbers are kept in the store: append, never change. */
enum found_kind {
    FOUND_NOTHING_YET,
    FOUND_AMT,             /* AMT, ready for credentials */
    FOUND_NOT_PROVISIONED, /* AMT, not (or not completely) provisioned */
    FOUND_OTHER,           /* something else answers there, or something does not say what it is */
    FOUND_REFUSED,  /* alive, the ports of AMT are closed, or end connections before they say a thing */
    FOUND_DROPPED,  /* no answer at all */
    FOUND_NO_ROUTE, /* the network says that nothing is there */
    FOUND_KINDS
};

/* "amt", "not-provisioned", "other-service", "refused", "dropped", "no-route"; static. */
const char *found_kind_name(enum found_kind kind);
/* One sentence for people; static. */
const char *found_kind_text(enum found_kind kind);
static inline bool found_is_amt(enum found_kind kind)
{
    return kind == FOUND_AMT || kind == FOUND_NOT_PROVISIONED;
}
/* Kinds of which nothing more is to be said than what they are: kept by number only. */
static inline bool found_is_bare(enum found_kind kind)
{
    return kind >= FOUND_REFUSED;
}

enum { FOUND_PLAIN, FOUND_TLS, FOUND_PORTS };

/* What was seen at one of the two ports. */
struct found_port {
    uint16_t number;
    bool open;
    enum cause failure; /* why it is not open, or why nothing was heard there; CAUSE_NONE: an answer came */
    bool unanswered;    /* it failed because nothing came at all, not because the system said so */
    bool mute;          /* open, but the connection was ended before a byte came: the same as closed */
    char *text;         /* of the failure; NULL none */
    char *server;       /* Server header, "" none */
    char *realm;        /* of the digest challenge, "" none */
    char *title;        /* of the page that answered, "" none */
    char *tls_version;  /* the rest: of the certificate, "" none */
    char *pin;
    char *names;       /* common name and alternative names, parted by ", " */
    char *certificate; /* in one line */
    int64_t not_after_ms;
};

struct found {
    uint32_t address;
    bool pong_seen;
    struct rmcp_pong pong;
    struct found_port port[FOUND_PORTS];
    /* the judgement: */
    enum found_kind kind;
    char version[32]; /* of the firmware, "" unknown */
    const char *realm;
    char why[ERR_TEXT_MAX]; /* what speaks for it, or against AMT */
};

/* The title of a page of n bytes of HTML, printable and cut to what is worth showing; NULL when it has none.
 * Caller's. */
char *found_title(const void *p, size_t n);
/* From what was seen to the judgement. */
void found_judge(struct found *found);
void found_clear(struct found *found);
/* docs/api.md, discover.start. New reference. */
json_t *found_json(const struct found *found);

#endif
