/* What a console prints, in portions: a boot is found at the same place however the bytes are cut. */
#include <stdlib.h>
#include <string.h>

#include "amtd/console/boots.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The offset at which a boot begins; -1: none. */
static int64_t look(const uint8_t *p, size_t n, size_t portion)
{
    struct boots *boots = NULL;
    const char *found = NULL;
    uint64_t begin = 0;

    boots_begin(&boots);
    for (size_t at = 0; at < n && !found && boots; at += portion)
        found = boots_bytes(&boots, at, p + at, n - at < portion ? n - at : portion, &begin);
    if (found && (strlen(found) == 0 || begin >= n || boots))
        abort();
    boots_free(boots);
    return found ? (int64_t)begin : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t whole = look(data, size, size + 1);

    if (look(data, size, 1) != whole || look(data, size, 7) != whole)
        abort();
    return 0;
}
