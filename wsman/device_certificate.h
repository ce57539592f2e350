/* The certificate of a device's TLS: looking at it, giving it a new one, removing it. (reference
 * wsman.md, 3.12)
 *
 * The sequence reads what the device has (certificates, keys, which of them is used for what, the settings of
 * TLS) and takes one step after the other until it is as wanted: a key (made by the device, or given to it),
 * a certificate for it, the roots of mutual TLS, the binding of the certificate to TLS, the settings, and the
 * commit that puts them in force. It decides by what is there: one that was cut off at any step is finished
 * by beginning it again. What was used before is removed only when a new connection has shown the new
 * certificate: the old one, its key, and the owner's old roots. What others use is left alone: certificates
 * in the context of another protocol, and what is neither the owner's nor was in use for TLS.
 *
 * Firmware takes no roots while mutual TLS is on (Intel's guide: 'A trusted root certificate cannot be added
 * if Network or Local Authentication modes are set to Mutual Authentication'), and gives none up that is in
 * use. Where it refuses, mutual TLS is switched off, the roots are changed, and it is switched on again.
 *
 * It knows no cryptography: its owner judges certificates, and does what the sequence holds on for. */
#ifndef WSMAN_DEVICE_CERTIFICATE_H
#define WSMAN_DEVICE_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "wsman/seq.h"

#define CERTIFICATE_OBJECTS_MAX 32   /* certificates, keys: more are left out; firmware has up to 16 */
#define CERTIFICATE_ID_MAX      96   /* with NUL */
#define CERTIFICATE_DER_MAX     8192 /* bytes of one */
#define CERTIFICATE_NAMES_MAX   8    /* TrustedCN of a setting */

enum certificate_action { CERTIFICATE_LOOK, CERTIFICATE_INSTALL, CERTIFICATE_REMOVE };

enum certificate_kind {
    CERTIFICATE_FOREIGN, /* somebody else's */
    CERTIFICATE_FORMER,  /* the owner's, to be replaced */
    CERTIFICATE_FIT,     /* the owner's, good as it is */
};

enum certificate_switch { CERTIFICATE_KEEP, CERTIFICATE_ON, CERTIFICATE_OFF };

struct certificate_root {
    const void *der;
    size_t n;
};

/* What a root that the device has is to the owner. */
enum certificate_root_kind {
    CERTIFICATE_ROOT_STAYS,  /* somebody else's, or the owner's own of today */
    CERTIFICATE_ROOT_NEEDED, /* the owner's, of before: stays, as the owner shows certificates of it still */
    CERTIFICATE_ROOT_FORMER, /* the same, not shown any more: goes */
};

/* What is wanted. Borrowed for the time of the sequence. */
struct certificate_request {
    enum certificate_action action;
    enum certificate_switch mutual; /* clients must show a certificate */
    enum certificate_switch plain;  /* connections without TLS are taken besides; with TLS switched on for the
                                       first time they are, unless they are to be off */
    bool push_key;                  /* the key is made by the owner, not by the device */
    bool unfinished;                /* an earlier one was cut off: what is put may not have been committed */
    bool mutual_was;                /* and it had found, or was to switch on, mutual TLS */
    bool add_roots;                 /* the roots are needed also without mutual TLS */
    const struct certificate_root *roots; /* that clients of mutual TLS may come from */
    size_t root_count;
    const struct clock *clock; /* a device that is off by more than CERTIFICATE_CLOCK_S is set */
    void *arg;
    /* What a certificate of the device is. Its public key as PKCS#1 is appended to key, where it has one. */
    enum certificate_kind (*judge)(void *arg, const void *der, size_t n, struct buf *key);
    /* A key that no certificate belongs to is of an earlier sequence of the owner: made by one that was cut
     * off, or left behind by it. */
    bool (*owns_key)(void *arg, const void *key, size_t n);
    /* It was bound to TLS before an earlier sequence of the owner replaced it. */
    bool (*replaced)(void *arg, const void *der, size_t n);
    enum certificate_root_kind (*judge_root)(void *arg, const void *der, size_t n);
    /* A request without signature for this key, which the device signs to prove that it has it. */
    int (*request)(void *arg, const void *key, size_t n, struct buf *out, struct err *err);
};
#define CERTIFICATE_CLOCK_S 300

/* What the sequence holds on for; the owner does it, and then lets it go on. */
enum certificate_want {
    CERTIFICATE_WANTS_NOTHING,
    CERTIFICATE_WANTS_KEY,  /* fill private_key (PKCS#1) */
    CERTIFICATE_WANTS_LEAF, /* fill leaf: for public_key, and what `signed_request` proves when it is there */
    CERTIFICATE_WANTS_PROOF, /* set proved: a new connection shows `leaf` */
};

struct certificate_object {
    char id[CERTIFICATE_ID_MAX];
    struct buf der; /* of a key: its public half */
    struct buf key; /* of a certificate: its public key */
    enum certificate_kind kind;
    enum certificate_root_kind root_kind; /* of a root */
    bool root, read_only;
    bool elsewhere; /* another protocol uses it */
    bool leftover;  /* to be removed at the end */
};

struct certificate_objects {
    struct certificate_object items[CERTIFICATE_OBJECTS_MAX];
    size_t count;
};

/* AMT_TLSSettingData. */
struct certificate_setting {
    char id[CERTIFICATE_ID_MAX];
    bool enabled, mutual, accept_plain;
    bool no_plain; /* the firmware has no ports without TLS */
    char names[CERTIFICATE_NAMES_MAX][CERTIFICATE_ID_MAX];
    size_t name_count;
    bool spoilt; /* the device refused to change it */
};
#define CERTIFICATE_SETTINGS 2

struct certificate_seq {
    struct seq seq; /* first */
    struct certificate_request request;
    /* what the device has */
    int64_t clock_off_s;
    bool clock_was_set;
    struct certificate_objects certificates, keys;
    char bound[CERTIFICATE_ID_MAX]; /* the certificate of TLS; "" none */
    struct certificate_setting settings[CERTIFICATE_SETTINGS];
    size_t setting_count;
    /* between the sequence and its owner */
    enum certificate_want wants;
    struct err failure; /* of the owner; cause none: it did what was wanted */
    struct buf public_key, signed_request, private_key, leaf;
    bool proved;
    /* what came of it */
    bool changed; /* the device got a new certificate, or lost it */
    uint32_t removed;
    /* private */
    char key_id[CERTIFICATE_ID_MAX];
    bool clock_known, have_key, pushing, committed, commit_due, commit_lost, cleaned, no_request;
    bool barred;        /* the device takes and gives up no roots while mutual TLS is on */
    bool opened;        /* so it is off while that is done */
    bool mutual_was;    /* and is switched on again */
    bool may_drop;      /* the new certificate was proved */
    bool roots_stay;    /* the device keeps the old ones */
    struct err no_root; /* it did not take a new one; cause none: it did */
    unsigned tries, key_tries, list_tries;
    size_t at;
};

/* Causes of its own: unsupported (no TLS), limit-exceeded (the device is full), bad-answer, timeout. */
void certificate_seq_init(struct certificate_seq *cs, const struct certificate_request *request);
void certificate_seq_clear(struct certificate_seq *cs);

/* The certificate in use for TLS, NULL: none. Borrowed. */
const struct certificate_object *certificate_bound(const struct certificate_seq *cs);
/* The setting of the network's side, NULL: it has none. */
const struct certificate_setting *certificate_remote(const struct certificate_seq *cs);
/* Clients are to show a certificate in the end. */
bool certificate_mutual(const struct certificate_seq *cs);
/* Roots of the owner, of before, that the device has (still). */
size_t certificate_old_roots(const struct certificate_seq *cs);

#endif
