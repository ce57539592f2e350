#include "amtcli/params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/cmd.h"
#include "base/err.h"
#include "base/text.h"

#define MS_YEARS ((int64_t)36500 * 86400000)

static json_t *file_json(const char *path)
{
    char *cwd = path[0] == '/' || path[0] == '\0' ? NULL : getcwd(NULL, 0);
    json_t *json = cwd ? json_sprintf("%s/%s", cwd, path) : json_string(path);

    free(cwd);
    return json;
}

static json_t *arg_json(const struct arg *arg)
{
    switch (arg->row->kind) {
    case OPTION_FLAG:
        return json_true();
    case OPTION_NUMBER:
    case OPTION_TIME:
        return arg->value ? json_integer(arg->number) : NULL;
    case OPTION_FILE:
        return arg->value ? file_json(arg->value) : NULL;
    case OPTION_TEXT:
    case OPTION_CHOICE:
        break;
    }
    return arg->value ? json_string(arg->value) : NULL;
}

void params_take(json_t *params, const struct args *args, const struct param *map)
{
    for (; map->option; map++) {
        for (size_t i = 0; i < args->option_count; i++) {
            json_t *json;

            if (strcmp(args->options[i].row->name, map->option) != 0)
                continue;
            json = arg_json(&args->options[i]);
            if (json)
                json_object_set_new(params, map->field, json);
        }
    }
}

int params_take_tags(json_t *params, const struct args *args, bool removes)
{
    json_t *tags = json_object();
    struct err err = ERR_INIT;
    const char *text;

    for (size_t i = 0; (text = args_value_at(args, "tag", i)); i++) {
        const char *equals = strchr(text, '=');

        if (!equals || equals == text) {
            err_set(&err, CAUSE_INVALID_ARGUMENT, "--tag expects NAME=VALUE, not '%s'", text);
            fprintf(stderr, "amtcli: %s\n", err.text);
            json_decref(tags);
            return EXIT_USAGE;
        }
        json_object_setn_new(tags, text, (size_t)(equals - text),
                             removes && !equals[1] ? json_null() : json_string(equals + 1));
    }
    if (json_object_size(tags) > 0)
        json_object_set(params, "tags", tags);
    json_decref(tags);
    return 0;
}

void params_take_when(json_t *params, const struct args *args, const char *option, const char *ago)
{
    const char *text = args_value(args, option);
    int64_t ms;

    if (!text)
        return;
    if (text_duration_ms(text, 0, MS_YEARS, &ms))
        json_object_set_new(params, ago, json_integer(ms));
    else
        json_object_set_new(params, option, json_string(text));
}
