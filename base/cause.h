/* The cause table: every way in which an operation can fail, once, for all programs.
 *
 * A cause has a stable name (scripts compare it, so it never changes), one sentence for people and one hint
 * of what to do next. CLI, API, web page, activity log and metrics print these and nothing else. A failure
 * that fits no entry wants a new entry here, never a 'generic error'. */
#ifndef BASE_CAUSE_H
#define BASE_CAUSE_H

enum cause {
    CAUSE_NONE, /* no failure */
#define CAUSE(id, name, sentence, hint) CAUSE_##id,
#include "base/cause.def"
#undef CAUSE
    CAUSE_COUNT
};

/* The stable name ("auth-failed"), "" for CAUSE_NONE. Never NULL; the string is static. */
const char *cause_name(enum cause cause);

/* One sentence for people, without a full stop's worth of blame. Never NULL; static. */
const char *cause_sentence(enum cause cause);

/* What to do next, one sentence. Never NULL; static. */
const char *cause_hint(enum cause cause);

/* The cause of that name; CAUSE_NONE when there is none (or name is NULL). */
enum cause cause_by_name(const char *name);

/* True when the same request may succeed if repeated a little later without anybody's help. */
int cause_is_passing(enum cause cause);

#endif
