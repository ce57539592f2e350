/* What amtd answers a call with: lines of JSON, events and then one reply or failure; a long list comes as
 * rows (docs/mux.md, kind call). A core without I/O. */
#ifndef AMTCLI_REPLY_H
#define AMTCLI_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* For those who take rows as they come: as the text that amtd wrote, an object without line breaks; borrowed.
 */
struct reply_rows {
    void *arg;
    void (*row)(void *arg, const char *json, size_t n);
    void (*event)(void *arg, const json_t *event); /* that come among them; NULL: of no interest */
};

struct reply {
    json_t *value;      /* the reply, or the details of a failure; owned; NULL: none */
    struct err failure; /* when it failed */
    bool failed;
    bool over;
    /* private */
    struct buf line;
    void (*on_event)(void *arg, const json_t *event);
    void *arg;
    struct reply_rows rows; /* row NULL: they are gathered in value */
    json_t *list;           /* these; borrowed from value */
    json_int_t count;
};

/* on_event may be NULL. */
void reply_begin(struct reply *reply, void (*on_event)(void *arg, const json_t *event), void *arg);
/* Rows go there, and are not gathered. So do the elements of a reply that is a list itself. */
void reply_rows_to(struct reply *reply, const struct reply_rows *rows);
void reply_clear(struct reply *reply);
/* Bytes of the channel; what comes behind the end is dropped. */
void reply_feed(struct reply *reply, const uint8_t *p, size_t n);
/* The channel is gone; why: for people. A call that is over stays what it was. */
void reply_broken(struct reply *reply, const char *why);

#endif
