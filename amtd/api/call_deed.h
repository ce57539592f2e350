/* A call as the activity log tells it. */
#ifndef AMTD_API_CALL_DEED_H
#define AMTD_API_CALL_DEED_H

#include "amtd/api/api.h"

/* What the call is about, as the log's column has it: the target, else the hosts, the host or the name that
 * were given. Borrowed from params; NULL: about none of these. */
const char *call_deed_target(const json_t *params);
/* What was asked for: the call, and what of its parameters is to be told (api.h) that the target does not say
 * already, as JSON: 'grant.add {"role":"operate","user":"anna"}'. A task of a run, and the name of what is
 * done to a target, stand in front: 'run.start power {"action":"cycle"}', 'job.run nightly'. Of files only
 * their names are told, of secrets that they were given, of what is long how long. The caller's. */
char *call_deed_text(const struct api_call *call, const json_t *params);
/* What came of it, by its reply: 'run 7: 3 hosts, 2 ok, 1 failed', of what is no run its numbers: 'added 3'.
 * NULL: it says nothing of that. begun: it is under way. The caller's. */
char *call_deed_detail(const json_t *reply, bool begun);

#endif
