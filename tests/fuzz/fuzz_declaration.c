/* Declared configurations: any bytes are read, and either every value is one that settings can have, or there
 * is a mistake with a text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/declaration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 65536

static void check(const struct declaration *d)
{
    size_t count = 0;
    json_t *json;

    if (!d->name || strlen(d->hash) != 64)
        abort();
    for (size_t i = 0; i < SETTINGS; i++) {
        count += d->values[i] != NULL;
        if (settings[i].type == SETTING_IS_CHOICE && d->values[i]) {
            size_t k = 0;

            while (settings[i].choices[k] && strcmp(settings[i].choices[k], d->values[i]) != 0)
                k++;
            if (!settings[i].choices[k])
                abort();
        }
    }
    json = declaration_json(d);
    if (!json || json_object_size(json_object_get(json, "settings")) != count || count == 0)
        abort();
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct declaration *d;
    const json_t *mistake;
    json_t *mistakes;
    size_t i;

    if (size > INPUT_MAX)
        return 0;
    d = declaration_read("configuration", data, size, &mistakes);
    if (!d == !json_array_size(mistakes))
        abort();
    json_array_foreach(mistakes, i, mistake)
    {
        if (!json_string_value(json_object_get(mistake, "text")))
            abort();
    }
    if (d)
        check(d);
    declaration_free(d);
    json_decref(mistakes);
    return 0;
}
