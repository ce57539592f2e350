/* What comes from outside in a sweep: datagrams, pages, and the words of addresses that people give. The
 * first byte says which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/discover/addrset.h"
#include "amtd/discover/found.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void datagram(const uint8_t *data, size_t size)
{
    struct found f = {.pong_seen = true};

    if (rmcp_pong_read(data, size, &f.pong) != DECODE_DONE)
        return;
    if (f.pong.state < 0 || f.pong.state > 3 || f.pong.major > 255)
        abort();
    found_judge(&f);
    json_decref(found_json(&f));
    found_clear(&f);
}

static void page(const uint8_t *data, size_t size)
{
    free(found_title(data, size));
}

/* A set goes through exactly what it says it holds. */
static void words(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size), *rest = text, *word;
    struct addrset *set = addrset_new();
    uint64_t cursor = 0;
    uint32_t address;
    size_t n = 0;
    int status = 0;

    while (status == 0 && (word = strsep(&rest, " ")))
        status = addrset_add(set, word, NULL);
    if (status == 0 && addrset_finish(set, NULL) == 0 && addrset_count(set) <= 4096) {
        for (; addrset_next(set, &cursor, &address); cursor++)
            n += addrset_contain(set, address);
        if (n != addrset_count(set))
            abort();
    }
    addrset_free(set);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parts[])(const uint8_t *data, size_t size) = {datagram, page, words};

    if (size > 0)
        parts[data[0] % 3](data + 1, size - 1);
    return 0;
}
