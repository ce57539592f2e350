#include "base/cause.h"

#include <stddef.h>
#include <string.h>

struct row {
    const char *name;
    const char *sentence;
    const char *hint;
};

static const struct row table[CAUSE_COUNT] = {
    [CAUSE_NONE] = {"", "nothing failed", ""},
#define CAUSE(id, name, sentence, hint) [CAUSE_##id] = {name, sentence, hint},
#include "base/cause.def"
#undef CAUSE
};

static const struct row *row_of(enum cause cause)
{
    return (unsigned)cause < CAUSE_COUNT ? &table[cause] : &table[CAUSE_NONE];
}

const char *cause_name(enum cause cause)
{
    return row_of(cause)->name;
}

const char *cause_sentence(enum cause cause)
{
    return row_of(cause)->sentence;
}

const char *cause_hint(enum cause cause)
{
    return row_of(cause)->hint;
}

enum cause cause_by_name(const char *name)
{
    for (size_t i = CAUSE_NONE + 1; name && i < CAUSE_COUNT; i++)
        if (strcmp(table[i].name, name) == 0)
            return (enum cause)i;
    return CAUSE_NONE;
}

int cause_is_passing(enum cause cause)
{
    return cause == CAUSE_DROPPED || cause == CAUSE_TIMEOUT || cause == CAUSE_BUSY;
}
