/* Sessions played from tapes: what the client must send, and what the device says, in the notation of the
 * reference ("10 00 00 00 'SOL '"). What the session does otherwise is written into a log as text. */
#ifndef TESTS_UNIT_SOL_TAPE_H
#define TESTS_UNIT_SOL_TAPE_H

#include <stdbool.h>

#include "sol/ider.h"
#include "sol/kvm.h"
#include "sol/sol.h"

enum tape_kind { TAPE_SOL, TAPE_IDER, TAPE_KVM };

struct tape {
    struct redir *redir;
    struct sol *sol;
    struct ider *ider;
    struct kvm *kvm;
    struct buf log; /* one line for each event */
    int64_t now_ms;
    size_t piece;   /* the device's bytes come in pieces of so many */
    bool no_token;  /* the event for a token is left unanswered */
    bool no_blocks; /* reads are left open */
    bool bad_proof;
    uint32_t op; /* the last read asked for */
    enum ider_drive op_drive;
    uint32_t op_lba, op_count;
};

/* admin, P@ssw0rd, the client nonce of the reference's example. */
struct redir_login tape_login(unsigned methods);

void tape_begin(struct tape *tape, enum tape_kind kind, const struct redir_login *login, size_t piece);
void tape_end(struct tape *tape);

/* Lines of "C bytes" (the client sends exactly that) and "D bytes" (the device does), up to NULL. Returns 0,
 * or -1 and err when a feed did. Fails the test when the client sends anything else, or more at the end. */
int tape_play(struct tape *tape, const char *const *lines, struct err *err);
/* The same with lines that must not fail. */
void tape_run(struct tape *tape, const char *const *lines);
/* Start and digest login up to the kind's first message, not included. */
void tape_login_by_digest(struct tape *tape, const char *start);
/* Bytes in the notation, appended. */
void tape_bytes(struct buf *out, const char *text);
/* The log so far must be this; it is emptied. */
void tape_logged(struct tape *tape, const char *text);
/* Nothing waits for the device. */
void tape_silent(struct tape *tape);
/* All output of the session is taken away. */
void tape_drain(struct tape *tape);
/* Block `lba` of a test image: every byte of it. */
uint8_t tape_block_byte(enum ider_drive drive, uint32_t lba);

#define TAPE_START_SOL  "C 10 00 00 00 'SOL '"
#define TAPE_START_IDER "C 10 00 00 00 'IDER'"
#define TAPE_START_KVM  "C 10 01 00 00 'KVMR'"
/* AMT 12.0 as recorded. */
#define TAPE_STARTED "D 11 00 00 00 01 00 0c 00 57 01 00 00 00"

#endif
