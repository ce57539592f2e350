/* A request as a client sends it: its name, and parameters of whatever kind. What the activity log tells of
 * it begins with the call, ends with JSON, and can be told to people. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/deed.h"
#include "amtd/api/call_deed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct api_call *find_call(const char *name)
{
    for (const struct api_call *call = api_calls; name && call->name; call++)
        if (strcmp(call->name, name) == 0)
            return call;
    return NULL;
}

/* What is marked as a secret is told as hidden, or not at all. */
static void look_for_secrets(const struct api_call *call, const char *what)
{
    const char *object = strchr(what, '{');
    json_t *told = object ? json_loads(object, 0, NULL) : NULL;

    for (const struct api_param *p = call->params; p->name; p++) {
        const char *text = json_string_value(json_object_get(told, p->name));

        if (p->told == API_SECRET && json_object_get(told, p->name) &&
            (!text || strcmp(text, "(hidden)") != 0))
            abort();
    }
    json_decref(told);
}

static void tell(const struct api_call *call, const json_t *params)
{
    char *what = call_deed_text(call, params), *words, *detail = call_deed_detail(params, false);

    if (strncmp(what, call->name, strlen(call->name)) != 0)
        abort();
    look_for_secrets(call, what);
    words = deed_text(what);
    if (!words)
        abort();
    call_deed_target(params);
    free(words);
    free(detail);
    free(what);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *request =
        json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, NULL);
    const struct api_call *call = find_call(json_string_value(json_object_get(request, "call")));
    json_t *params = json_object_get(request, "params");
    struct err err = ERR_INIT;

    /* What is refused is written down as it came, when it was denied. */
    if (call && json_is_object(params)) {
        tell(call, params);
        if (api_check(call->params, params, &err) == 0)
            tell(call, params);
    }
    json_decref(request);
    return 0;
}
