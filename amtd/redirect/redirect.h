/* What the redirection sessions of one daemon share, and who of them holds which host. Loop's thread only. */
#ifndef AMTD_REDIRECT_REDIRECT_H
#define AMTD_REDIRECT_REDIRECT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "amtd/fleet/engine.h"
#include "amtd/net/stream.h"
#include "amtd/store/store.h"
#include "base/clock.h"

struct redirect;
struct session;

struct redirect_parts { /* borrowed, outlive it */
    uv_loop_t *loop;
    struct store *store;
    struct engine *engine;
    struct streams *streams;
    const struct clock *clock;
};

struct redirect *redirect_new(const struct redirect_parts *parts);
/* The daemon ends: all sessions come down (interrupted). */
void redirect_stop(struct redirect *redirect);
/* What runs ask about sessions; borrowed from it. */
const struct session_guard *redirect_guard(const struct redirect *redirect);
/* All sessions must be closed before. NULL is fine. */
void redirect_free(struct redirect *redirect);
const struct redirect_parts *redirect_parts(const struct redirect *redirect);

/* --- for session.c: which sessions there are --- */
void redirect_add(struct redirect *redirect, struct session *session);
void redirect_remove(struct redirect *redirect, struct session *session);

#endif
