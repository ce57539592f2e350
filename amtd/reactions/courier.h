/* Brings mail (SMTP) and posts (HTTPS) to others, with retries, by libcurl on a thread of its own.
 *
 * What cannot be brought is tried again, with growing waits, up to COURIER_TRIES times in about an hour; what
 * is refused for good (SMTP 5xx, most of HTTP 4xx) is not. At most COURIER_WAITING_MAX letters are on their
 * way. Redirections are not followed. courier_ functions on the loop's thread only. */
#ifndef AMTD_REACTIONS_COURIER_H
#define AMTD_REACTIONS_COURIER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/secret.h"

#define COURIER_TRIES       6
#define COURIER_WAITING_MAX 1000

struct letter {
    char *what; /* for people: "mail to ops@example.com" */
    char *url;  /* smtp://, smtps://, http://, https:// */
    bool once;  /* not tried again */
    /* mail */
    bool starttls; /* of smtp://: without it nothing is sent */
    char *from;
    char **to; /* at least one: it is mail; NULL: a post of JSON */
    size_t to_count;
    char *user;              /* NULL: no login */
    struct secret *password; /* with user */
    /* both */
    char *ca_file; /* PEM; NULL: the system's */
    char *body;
    size_t body_len;
};
void letter_clear(struct letter *letter);

struct courier;

/* NULL and err. */
struct courier *courier_new(uv_loop_t *loop, struct err *err);
/* What is on its way is given up: its done is called with a failure. NULL is fine. */
void courier_free(struct courier *courier);
/* Takes the letter over. done, once, from the loop or courier_free, never from inside: failure NULL when it
 * was delivered. False: too many are on their way; done is not called. */
bool courier_send(struct courier *courier, struct letter *letter,
                  void (*done)(void *arg, const struct err *failure), void *arg);

#endif
