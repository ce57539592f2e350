/* What the files of this folder share: sessions made of stages (login, then the kind's own), stages made of a
 * table of messages by states. For redir*.c and the kinds only. */
#ifndef SOL_REDIR_INTERNAL_H
#define SOL_REDIR_INTERNAL_H

#include "base/buf.h"
#include "sol/redir.h"

#define REDIR_STATES   6
#define REDIR_END      0x12
#define REDIR_CLOSE_MS 2000 /* patience with a device that does not answer the end */

/* One whole message, or a piece of its variable part; owner is that of the stage. -1 and err: the session is
 * over. */
typedef int redir_handler(void *owner, struct view message, struct err *err);

/* A message the device may send: size and what it does in each state. */
struct redir_message {
    uint8_t code;
    const char *name;
    uint16_t size;       /* bytes before its variable part */
    uint8_t count_at;    /* where the length of that part stands, */
    uint8_t count_width; /* in so many bytes, little-endian; 0: there is none */
    uint32_t count_max;
    uint8_t refusal; /* so many bytes are enough when its status, [1], is not 0; 0: always all */
    bool pieces;     /* the variable part is handled in pieces as they come, the head not at all */
    redir_handler *on[REDIR_STATES]; /* NULL: out of turn */
};

/* Handlers that every kind can name. */
redir_handler redir_on_life; /* a sign of life and nothing more */
redir_handler redir_on_end;  /* the device's end, or its answer to ours */

struct redir_state {
    const char *name; /* "while NAME" */
    int limit_ms;     /* 0: may last for ever; after it the session fails */
    /* We asked for the end: that of the device, its closing the connection and the limit all are it. */
    bool ending;
    bool living;        /* heartbeats are made and expected */
    redir_handler *raw; /* bytes here are no messages; NULL: they are */
    enum cause lost;    /* what it means that the device closes here; none while ending */
    const char *lost_text;
};

struct redir_stage {
    const struct redir_message *messages;
    size_t count;
    /* Each whole message before its handler; NULL: not wanted. */
    void (*seen)(void *owner, struct view message);
    struct redir_state states[REDIR_STATES];
};

struct redir_kind {
    const char *name; /* "SOL" */
    uint8_t option;   /* of StartRedirectionSession */
    char type[4];
    const struct redir_stage *stage;
    bool no_end;                /* EndRedirectionSession cannot be said within it */
    size_t out_max;             /* most bytes that may wait for the connection; more ends the session */
    void (*begin)(void *owner); /* login is done */
    void (*beat)(void *owner);  /* a sign of life is due; NULL: there is none */
    void (*fill)(void *owner);  /* output is looked at: add what waits; NULL: nothing ever does */
    void (*sent)(void *owner);  /* output was taken */
    void (*stop)(void *owner);  /* the end is wanted; the stage is the kind's */
    void (*destroy)(void *owner);
    size_t (*memory)(const void *owner);
};

/* A session of a kind; the start message is in its output. NULL and err (invalid-argument). events is
 * borrowed from the owner, for its life. */
struct redir *redir_new(const struct redir_kind *kind, void *owner, const struct redir_login *login,
                        const struct redir_events *events, int64_t now_ms, struct err *err);

struct buf *redir_out(struct redir *redir); /* append whole messages here */
size_t redir_waiting(const struct redir *redir);
void redir_set_now(struct redir *redir, int64_t now_ms);
void redir_set_state(struct redir *redir, unsigned state);
/* True in that state of the kind's stage, unless the end is near. */
bool redir_is_in(const struct redir *redir, unsigned state);
uint8_t redir_status(struct view message); /* [1] of a message, which every one has */
/* Heartbeats: send one after `idle_ms` without output; the device is dead after `dead_ms` of silence. */
void redir_set_life(struct redir *redir, int64_t idle_ms, int64_t dead_ms);
/* The session is there: tells the owner. */
void redir_up(struct redir *redir);
/* The end was agreed on: nothing more is heard; tells the owner. say: the device is told so. */
void redir_ended(struct redir *redir, bool say);
/* The same, but from the next tick. */
void redir_end_soon(struct redir *redir);
void redir_note(struct redir *redir, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- login (redir_login.c) --- */

struct redir_secrets; /* what a login needs and a session does not */
extern const struct redir_stage redir_login_stage;
enum { LOGIN_STARTING, LOGIN_ASKING, LOGIN_TOKEN, LOGIN_CHALLENGED, LOGIN_PROVING, LOGIN_TOKEN_PROVING };

struct redir_secrets *redir_secrets_new(const struct redir_login *login, struct err *err);
void redir_secrets_free(struct redir_secrets *secrets); /* wipes; NULL is fine */
size_t redir_secrets_memory(const struct redir_secrets *secrets);
struct redir_secrets *redir_secrets(struct redir *redir); /* NULL after login */
bool redir_login_in(const struct redir *redir, unsigned state);
struct redir_info *redir_info_edit(struct redir *redir);
const struct redir_events *redir_events(const struct redir *redir);
const char *redir_kind_name(const struct redir *redir);
void redir_login_start(struct redir *redir, const struct redir_kind *kind);
/* Login succeeded: forgets the secrets and goes on to the kind's stage. */
void redir_login_done(struct redir *redir);

/* --- messages (redir_message.c) --- */

/* What stands at the front of a stream. */
struct redir_frame {
    const struct redir_message *message;
    size_t need;    /* MORE: bytes to have before anything more can be said. DONE: those of the message (of
                       its head, when it comes in pieces) */
    uint32_t count; /* DONE: length of the variable part */
};
/* BAD: err (bad-answer) names message and reason. */
enum decode redir_frame_read(const struct redir_stage *stage, unsigned state, const uint8_t *p, size_t n,
                             struct redir_frame *frame, struct err *err);

#endif
