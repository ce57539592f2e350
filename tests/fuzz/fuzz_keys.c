#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/escape.h"
#include "amtcli/keys.h"
#include "amtcli/prompt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void type_keys(const char *name, const uint8_t *data, size_t size)
{
    struct keys *whole = keys_new(name, NULL), *parts = keys_new(name, NULL);
    struct buf a = buf_init(1 << 24), b = buf_init(1 << 24);

    keys_feed(whole, data, size, 0, &a);
    for (size_t i = 0; i < size; i++)
        keys_feed(parts, data + i, 1, 0, &b);
    keys_tick(whole, KEYS_WAIT_MS, &a);
    keys_tick(parts, KEYS_WAIT_MS, &b);
    if (a.len != b.len || (a.len > 0 && memcmp(a.p, b.p, a.len) != 0))
        abort();
    if (strcmp(name, "plain") == 0 && (a.len != size || (size > 0 && memcmp(a.p, data, size) != 0)))
        abort();
    buf_free(&a);
    buf_free(&b);
    keys_free(whole);
    keys_free(parts);
}

static void type_escapes(const uint8_t *data, size_t size)
{
    struct buf out = buf_init(1 << 24);
    struct escape e;

    if (escape_init(&e, "^Ec", NULL) != 0)
        abort();
    while (size > 0) {
        enum escape_command command;
        uint8_t detail;
        size_t n = escape_feed(&e, data, size, &out, &command, &detail);

        if (n == 0 || n > size || (command == ESCAPE_NONE && n != size))
            abort();
        data += n;
        size -= n;
    }
    buf_free(&out);
}

static void type_line(const uint8_t *data, size_t size)
{
    struct buf echo = buf_init(1 << 24);
    struct prompt prompt;
    size_t taken;

    prompt_begin(&prompt);
    if (prompt_feed(&prompt, data, size, &taken, &echo) == PROMPT_MORE && taken != size)
        abort();
    if (prompt.text.len >= PROMPT_MAX)
        abort();
    prompt_clear(&prompt);
    buf_free(&echo);
}

/* What is typed: a byte at a time is as good as all at once, and nothing is lost. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    type_keys("plain", data, size);
    type_keys("vt100+", data, size);
    type_escapes(data, size);
    type_line(data, size);
    return 0;
}
