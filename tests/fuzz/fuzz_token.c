/* A token as somebody typed it. */
#include <stdlib.h>
#include <string.h>

#include "amtd/peer/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct buf again = buf_init(4096);
    struct token token, same;

    memcpy(text, data, size);
    text[size] = '\0';
    if (token_read(&token, text, NULL) == 0) {
        token_write(&again, &token);
        if (token_read(&same, buf_str(&again), NULL) != 0 ||
            memcmp(token.secret, same.secret, sizeof(same.secret)) != 0 ||
            strcmp(token.host, same.host) != 0 || token.port != same.port ||
            token.expires_ms != same.expires_ms)
            abort();
    }
    buf_free(&again);
    free(text);
    return 0;
}
