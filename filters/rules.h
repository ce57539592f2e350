/* Rules with everything bound: what the evaluator judges by, the compiler compiles and the checker checks.
 *
 * A rule is written from the host's side: `local` is the managed PC, `remote` the other end. What a rule
 * means is defined in evaluate.h. Made from a file by filter_bind (file.h). */
#ifndef FILTERS_RULES_H
#define FILTERS_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "filters/findings.h"
#include "filters/net.h"

#define RULE_NAME_MAX      12     /* leaves room for "-tx" and a number in the 16 characters of a device */
#define RULES_MAX          16384  /* of one file with all it includes */
#define RULE_COMBINED_MAX  4096   /* addresses times ports of one rule */
#define RULES_COMBINED_MAX 262144 /* of all rules */

enum rule_action {
    RULE_PASS,
    RULE_DROP,
    RULE_LIMIT, /* `rate` packets pass each second, in each direction and IP version on its own */
};

struct side {
    bool any; /* every address; else those of `nets` */
    struct nets nets;
    struct ranges ports; /* empty: every port, and none */
};

/* Which packets. An ethertype stands alone. Without protocol, addresses and ports a rule fits by EtherType,
 * also packets whose IP header is broken. */
struct match {
    bool out, in;       /* leaving the host, entering it */
    uint16_t ethertype; /* 0: IP, as below */
    bool v4, v6;        /* versions with at least one address on either side */
    int protocol;       /* -1: any */
    struct side local, remote;
    uint8_t tcp_on, tcp_off; /* enum sd_tcp_flag */
};

struct rule {
    char name[RULE_NAME_MAX + 1];
    struct place place;
    const char *comment; /* or NULL; borrowed from the file */
    enum rule_action action;
    uint32_t rate; /* RULE_LIMIT only */
    bool count, event;
    struct match match;
};

/* What must work whatever the rules say: these packets pass, both ways. */
struct need {
    char name[RULE_NAME_MAX + 1];
    struct place place;
    const char *comment;
    struct match match;
};

struct rules_default {
    bool drop;
    bool count;
    bool event;
};

struct rules_policy {
    struct place place;
    uint32_t precedence;
    struct rules_default out, in; /* for packets that no rule fits */
    uint32_t anti_spoof;          /* enum sd_anti_spoof */
    uint32_t timeout_minutes;     /* 0: none; in hardware */
};

struct ruleset {
    char name[RULE_NAME_MAX + 1];
    uint32_t version;
    struct rules_policy policy;
    struct rule *rules;
    size_t count;
    struct need *needs;
    size_t need_count;
};

/* Frees and forgets the content of a match. */
void match_clear(struct match *match);
/* Addresses times ports, as they multiply when every combination is written out. */
size_t match_combinations(const struct match *match);
/* True when the match says nothing but an EtherType, and which: its own, or that of an IP version. */
bool match_is_ethertype(const struct match *match, uint8_t version, uint16_t *ethertype);
/* True when the rule can fit packets of that version (4, 6; 0: by its own EtherType). */
bool match_has_version(const struct match *match, uint8_t version);
void ruleset_free(struct ruleset *rules); /* NULL is fine */

#endif
