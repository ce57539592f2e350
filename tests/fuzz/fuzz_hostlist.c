#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hostlist.h"
#include "base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What parses folds, and what was folded names the same set. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xstrndup((const char *)data, size < 300 ? size : 300);
    struct hostlist *list = hostlist_parse(text, NULL);

    if (list && hostlist_count(list) <= 20000) {
        struct buf folded = buf_init(64 << 20);
        struct hostlist *again;

        hostlist_fold(list, &folded);
        again = hostlist_parse(buf_str(&folded), NULL);
        if (!again || hostlist_count(again) != hostlist_count(list))
            abort();
        for (size_t i = 0; i < hostlist_count(list); i++)
            if (!hostlist_contains(again, hostlist_name(list, i)))
                abort();
        hostlist_free(again);
        buf_free(&folded);
    }
    hostlist_free(list);
    free(text);
    return 0;
}
