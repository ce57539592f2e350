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
/* Does all but the capture. */
void firing_act(const struct firing *firing);
/* Begins a command with the event in its environment (command.c). */
void command_start(const struct firing *firing);
/* Those that run go on, and nobody waits for them any more. */
void commands_abandon(struct reactions *reactions);

#endif
