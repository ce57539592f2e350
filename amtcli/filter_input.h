/* What the filter commands have in common: a filter file as the command line names it, read, and bound to
 * names. */
#ifndef AMTCLI_FILTER_INPUT_H
#define AMTCLI_FILTER_INPUT_H

#include <jansson.h>

#include "amtcli/args.h"
#include "filters/file.h"

extern const struct option_row options_filter_names[];  /* --set */
extern const struct option_row options_filter_output[]; /* -o, of what is no table of rows */

struct filter_input {
    char *path;
    struct findings findings;
    struct names *names;
    json_t *addresses;        /* of host names, as they were looked up */
    struct filter_file *file; /* NULL: findings say why */
    struct ruleset *rules;    /* NULL: findings say why */
};

/* Finds, reads and binds the file a word means, with the values of --set, and below them `names` {name:
 * value} or NULL; names without one get placeholders. Every mistake is among the findings. 0; or the exit
 * code after a message, when not even a file was found. Free with filter_input_clear in any case. */
int filter_input_open(struct filter_input *input, const struct args *args, const char *word,
                      const json_t *names);
void filter_input_clear(struct filter_input *input);
/* A name of --set that neither file has is a mistake: says so on stderr, once. `also`: another file, or NULL.
 * Returns EXIT_USAGE then, else 0. filter_input_open asks this of commands without --needs. */
int filter_names_check(const struct filter_file *file, const struct filter_file *also, const char *name);
int filter_input_check_names(const struct filter_input *input, const struct args *args,
                             const struct filter_file *also);

/* Prints findings of that level and worse to stderr, one a line. Returns EXIT_USAGE when there are errors,
 * else 0. */
int filter_input_tell(const struct filter_input *input, enum finding_level least);
/* Says on stderr which addresses host names have, and which names had a placeholder only. */
void filter_input_tell_names(const struct filter_input *input);

/* The host's own addresses as --set host says; false when it does not. Free with nets_free. */
bool filter_input_own(const struct filter_input *input, struct nets *out);

json_t *filter_findings_json(const struct findings *findings);
/* [{name, stands_for}]: the names with placeholders. */
json_t *filter_placeholders_json(const struct filter_input *input);

#endif
