/* Mail, reactions and the actions of patterns in the configuration. For config*.c only. */
#ifndef AMTD_CONFIG_REACTIONS_H
#define AMTD_CONFIG_REACTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "amtd/config.h"
#include "amtd/config_reader.h"

/* The rows of an action that lies `at` so many bytes in what is read. */
#define CONFIG_ACTION_OPTIONS(at)                                                                            \
    {"capture", OPTION_NUMBER, (at) + offsetof(struct reaction_action, capture_lines), 1, 10000},            \
        {"capture-wait", OPTION_DURATION, (at) + offsetof(struct reaction_action, capture_wait_ms), 0,       \
         600000},                                                                                            \
        {"mail", OPTION_OTHER, (at) + offsetof(struct reaction_action, mail), .read = config_read_mail_to},  \
        {"webhook", OPTION_OTHER, (at) + offsetof(struct reaction_action, webhook),                          \
         .read = config_read_webhook},                                                                       \
        {"webhook-ca-file", OPTION_TEXT, (at) + offsetof(struct reaction_action, webhook_ca_file)},          \
        {"command", OPTION_TEXT, (at) + offsetof(struct reaction_action, command)},                          \
        {"run", OPTION_OTHER, (at), .read = config_read_run},                                                \
        {"job", OPTION_OTHER, (at) + offsetof(struct reaction_action, job), .read = config_read_job},        \
        {"most", OPTION_NUMBER, (at) + offsetof(struct reaction_action, most), 1, 1000000},                  \
    {                                                                                                        \
        "within", OPTION_DURATION, (at) + offsetof(struct reaction_action, most_ms), 1000, 864000000         \
    }

void config_read_mail_to(struct config_reader *reader, const yaml_node_t *node, void *base);
void config_read_webhook(struct config_reader *reader, const yaml_node_t *node, void *base);
void config_read_run(struct config_reader *reader, const yaml_node_t *node, void *base);
/* base is the struct reaction_job. A job file is read, with what it names. */
void config_read_job(struct config_reader *reader, const yaml_node_t *node, void *base);

bool config_action_any(const struct reaction_action *action);
/* A rule with defaults at the end of the list. Borrowed until the next one. */
struct reaction_rule *config_add_reaction(struct config *config);

/* What `reactions` and `mail` say; base is the struct config, the struct mail_settings. */
void config_read_reactions(struct config_reader *reader, const yaml_node_t *node, void *base);
void config_read_mail(struct config_reader *reader, const yaml_node_t *node, void *base);

#endif
