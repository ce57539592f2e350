/* The first words of commands, by what people want to do: what 'amtcli help' begins with. */
#ifndef AMTCLI_TOPICS_H
#define AMTCLI_TOPICS_H

struct topic {
    const char *noun;    /* "host"; NULL ends the table */
    const char *summary; /* of all its commands */
    const char *group;   /* a heading that stands before this one, or NULL */
};

/* The most used first. Every command's first word is there once (a test). */
extern const struct topic topics[];

#endif
