/* Reactions: rules that say on which events what is done. Loop's thread only.
 *
 * An action's own failure is an event of the kind `action`, on which only rules act that name that kind; what
 * goes wrong there is no event again. */
#ifndef AMTD_REACTIONS_REACTION_H
#define AMTD_REACTIONS_REACTION_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "amtd/console/hub.h"
#include "amtd/fleet/engine.h"
#include "amtd/jobs/job_source.h"
#include "amtd/jobs/jobs.h"
#include "amtd/reactions/courier.h"
#include "amtd/reactions/mailer.h"
#include "amtd/store/event.h"
#include "base/clock.h"

#define REACTION_COMMANDS_MAX 32

/* One of file and schedule. Owned. */
struct reaction_job {
    char *file;
    struct job_source source; /* what it holds, and what it names */
    char *schedule;           /* the job that is kept there */
    char *target;             /* NULL: the event's host */
};
void reaction_job_clear(struct reaction_job *job);

/* Any of these, in this order: the capture first, so that the others have it and a run does not destroy what
 * is to be captured. */
struct reaction_action {
    int64_t capture_lines; /* 0: none */
    int64_t capture_wait_ms;
    json_t *mail;  /* array of addresses, or NULL */
    char *webhook; /* URL, or NULL */
    char *webhook_ca_file;
    char *command; /* of /bin/sh, or NULL */
    char *task;    /* of the engine (task.h), or NULL */
    json_t *args;  /* of the task, or NULL */
    char *host;    /* on which it is done; NULL: the event's */
    struct reaction_job job;
    /* No more than so many in such a time, over all consoles and hosts. */
    int64_t most;
    int64_t most_ms;
};

struct reaction_rule {
    char *name;
    struct event_filter filter; /* kinds, hosts, consoles (owned here), severity */
    char *pattern;              /* only events of this pattern; NULL: of any */
    struct reaction_action action;
};
void reaction_rule_init(struct reaction_rule *rule); /* the defaults of docs/amtd.yaml.5 */
void reaction_rule_clear(struct reaction_rule *rule);
void reaction_rule_copy(struct reaction_rule *to, const struct reaction_rule *from);

struct reactions;

/* All borrowed; reactions are freed before any of these, but the courier. */
struct reaction_parts {
    uv_loop_t *loop;
    const struct clock *clock;
    struct events *events;
    struct hub *hub;
    struct engine *engine;
    struct jobs *jobs;
    struct store *store;
    struct courier *courier;
    struct mailer *mailer;
};

/* Rules are copied. */
struct reactions *reactions_new(const struct reaction_parts *parts, const struct reaction_rule *rules,
                                size_t count);
/* Nothing new is done. After courier_free, before hub_free; the rest goes with the loop. NULL is fine. */
void reactions_free(struct reactions *reactions);
/* Jobs end: no more are begun. */
void reactions_end_jobs(struct reactions *reactions);
/* What is under way goes on by the rules it began with; limits go on for rules of the same name. */
void reactions_configure(struct reactions *reactions, const struct reaction_rule *rules, size_t count);

#endif
