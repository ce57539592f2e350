/* What reaction.c and reaction_act.c share. Nothing else includes this. */
#ifndef AMTD_REACTIONS_REACTION_INTERNAL_H
#define AMTD_REACTIONS_REACTION_INTERNAL_H

#include <stdbool.h>

#include "amtd/reactions/capture.h"
#include "amtd/reactions/reaction.h"
#include "base/log.h"

/* A rule, and how often it was followed lately. */
struct watch_rule {
    struct reaction_rule rule;
    struct log_limit limit;
};

struct reactions {
    struct reaction_parts parts;
    struct event_listener listener;
    struct watch_rule *rules;
    size_t count;
    struct firing *firings;   /* that capture */
    size_t used;              /* by firings, deliveries, commands and runs */
    struct command *commands; /* that run */
    size_t command_count;
    bool freed;
};

/* An event on its way through the actions of a rule. */
struct firing {
    struct reactions *reactions;
    struct reaction_rule rule;
    struct event event;
    struct capture *capture;
    char *lines; /* captured, or NULL */
    struct firing *prev, *next;
};

/* Somebody less needs the reactions; frees them when they are to be and nobody does. */
void reactions_release(struct reactions *reactions);
/* An action failed, or was left out. */
void reactions_failed(struct reactions *reactions, const char *rule, const struct event *event,
                      const char *why);
/* The names of the reactions that led to the event, and this one: what a run of a job that it begins has as
 * `reactions`, so that no circle of them goes on for ever. New reference. */
json_t *reactions_led(const struct event *event, const char *rule);
bool reactions_led_by(const struct event *event, const char *rule);

/* Something that is on its way, and what to say when it does not arrive. */
struct delivery {
    struct reactions *reactions;
    char *rule;
    struct event event; /* of what it takes to report: kind, host, console, id, data */
};
struct delivery *delivery_new(const struct firing *f);
/* A courier's, and a run's, done: frees it. failure NULL: all went well. */
void delivered(void *arg, const struct err *failure);
/* Begins the job (reaction_job.c). */
void job_start(const struct firing *firing);

/* Does all but the capture. */
void firing_act(const struct firing *firing);
/* Begins a command with the event in its environment (command.c). */
void command_start(const struct firing *firing);
/* Those that run go on, and nobody waits for them any more. */
void commands_abandon(struct reactions *reactions);

#endif
