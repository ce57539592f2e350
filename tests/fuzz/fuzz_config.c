/* amtd's configuration: any bytes are read, and either they are one or there is a mistake that names a place;
 * what is in the configuration then keeps to its limits. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 65536

static void check(const struct config *config)
{
    if (config->dial_limit < 1 || config->private_idle_ms < 1000 || config->log_level < LOG_LEVEL_ERR ||
        config->log_level > LOG_LEVEL_DEBUG)
        abort();
    for (size_t i = 0; i < config->allow_count; i++)
        if (!config->allow[i].user == !config->allow[i].group)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf mistakes = buf_init(INPUT_MAX);
    struct config config;

    if (size > INPUT_MAX)
        return 0;
    config_init(&config);
    if (config_parse(&config, "input", data, size, &mistakes) == 0)
        check(&config);
    else if (buf_ok(&mistakes) && strncmp(buf_str(&mistakes), "input:", 6) != 0)
        abort();
    config_clear(&config);
    buf_free(&mistakes);
    return 0;
}
