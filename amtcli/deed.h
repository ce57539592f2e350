/* What was done, as the activity log has it, in the words in which it is asked for: "filter apply
 * quarantine.xml for=1h". For people; programs get the log's own text. */
#ifndef AMTCLI_DEED_H
#define AMTCLI_DEED_H

#include <jansson.h>

/* `what` of activity.list (docs/api.md): the name of a call, of a run with its task, and an object of what it
 * was given behind it. Returns a new string; what is not of that form comes back as it is. */
char *deed_text(const char *what);
/* The same of a run, by its task and its arguments, an object or NULL. Returns a new string. */
char *deed_of_run(const char *task, const json_t *args);

#endif
