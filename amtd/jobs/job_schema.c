/* The form of a job file as JSON Schema, out of the same tables that read it. */
#include <string.h>

#include "amtd/jobs/job.h"
#include "amtd/jobs/job_file.h"

/* YAML's `on` and `3` are texts to us, and something else to others. */
static json_t *scalar_schema(void)
{
    return json_pack("{s:[s, s, s]}", "type", "string", "number", "boolean");
}

static json_t *duration_schema(void)
{
    return json_pack("{s:[s, s], s:s}", "type", "string", "integer", "pattern", "^[0-9]+(ms|s|m|h|d)?$");
}

static json_t *number_schema(int64_t min, int64_t max)
{
    return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)min, "maximum",
                     (json_int_t)max);
}

static json_t *boolean_schema(void)
{
    return json_pack("{s:[b, b, s, s, s, s]}", "enum", 1, 0, "yes", "no", "on", "off");
}

/* What YAML 1.1 makes of `on` and `off` is allowed in their place. */
static json_t *choice_schema(const char *const *choices)
{
    json_t *names = json_array();

    for (size_t i = 0; choices[i]; i++) {
        json_array_append_new(names, json_string(choices[i]));
        if (strcmp(choices[i], "on") == 0 || strcmp(choices[i], "off") == 0)
            json_array_append_new(names, json_boolean(choices[i][1] == 'n'));
    }
    return json_pack("{s:o}", "enum", names);
}

static json_t *object_schema(json_t *properties)
{
    return json_pack("{s:s, s:b, s:o}", "type", "object", "additionalProperties", 0, "properties",
                     properties);
}

static json_t *params_schema(const struct job_param *params);

static json_t *param_schema(const struct job_param *p)
{
    switch (p->type) {
    case JOB_PARAM_CHOICE:
        return choice_schema(p->choices);
    case JOB_PARAM_NUMBER:
        return number_schema(p->min, p->max);
    case JOB_PARAM_DURATION:
        return duration_schema();
    case JOB_PARAM_BOOL:
        return boolean_schema();
    case JOB_PARAM_WORDS:
        return json_pack("{s:[o, {s:s, s:o, s:i, s:I}]}", "anyOf", scalar_schema(), "type", "array", "items",
                         scalar_schema(), "minItems", 1, "maxItems", (json_int_t)p->max);
    case JOB_PARAM_PAIRS:
        return json_pack("{s:s, s:o, s:I}", "type", "object", "additionalProperties", scalar_schema(),
                         "maxProperties", (json_int_t)p->max);
    case JOB_PARAM_STEPS:
        return json_pack("{s:s, s:o, s:i, s:I}", "type", "array", "items", params_schema(p->steps),
                         "minItems", 1, "maxItems", (json_int_t)p->max);
    case JOB_PARAM_TEXT:
    case JOB_PARAM_FILE:
        break;
    }
    return scalar_schema();
}

/* An object of the parameters; or the main one's value alone; or nothing. */
static json_t *params_schema(const struct job_param *params)
{
    const struct job_param *main_param = job_param_find(params, NULL);
    json_t *properties = json_object(), *required = json_array(), *object, *forms;

    for (const struct job_param *p = params; p->name; p++) {
        json_t *schema = param_schema(p);

        json_object_set_new(schema, "description",
                            p->standard ? json_sprintf("%s (default: %s)", p->text, p->standard)
                                        : json_string(p->text));
        json_object_set_new(properties, p->name, schema);
        if (p->required)
            json_array_append_new(required, json_string(p->name));
    }
    object = object_schema(properties);
    forms = json_pack("[O]", object);
    if (json_array_size(required) > 0)
        json_object_set(object, "required", required);
    else
        json_array_append_new(forms, json_pack("{s:s}", "type", "null"));
    if (main_param)
        json_array_append_new(forms, param_schema(main_param));
    json_decref(required);
    json_decref(object);
    return json_pack("{s:o}", "anyOf", forms);
}

static json_t *options_schema(const struct option *table);

static json_t *option_schema(const struct option *o)
{
    switch (o->type) {
    case OPTION_CHOICE:
        return choice_schema(o->choices);
    case OPTION_NUMBER:
        return number_schema(o->min, o->max);
    case OPTION_DURATION:
        return duration_schema();
    default:
        return scalar_schema();
    }
}

static json_t *options_schema(const struct option *table)
{
    json_t *properties = json_object();

    for (; table->name; table++)
        if (table->type != OPTION_OTHER)
            json_object_set_new(properties, table->name, option_schema(table));
    return properties;
}

static json_t *task_schema(void)
{
    json_t *properties = options_schema(job_task_options), *kinds = json_array();
    const struct job_kind *kind;
    json_t *task;

    json_object_set_new(properties, "retry",
                        json_pack("{s:[o, o]}", "anyOf", number_schema(0, JOB_RETRIES_MAX),
                                  object_schema(options_schema(job_retry_options))));
    for (size_t i = 0; (kind = job_kind_at(i)); i++) {
        json_t *schema = params_schema(kind->params);

        json_object_set_new(schema, "description", json_string(kind->text));
        json_object_set_new(properties, kind->name, schema);
        json_array_append_new(kinds, json_pack("{s:[s]}", "required", kind->name));
    }
    task = object_schema(properties);
    json_object_set_new(task, "oneOf", kinds);
    return task;
}

json_t *job_schema(void)
{
    json_t *properties = options_schema(job_options), *schema;

    json_object_set_new(properties, "rollout", object_schema(options_schema(job_rollout_options)));
    json_object_set_new(properties, "tasks",
                        json_pack("{s:s, s:o, s:i, s:i}", "type", "array", "items", task_schema(), "minItems",
                                  1, "maxItems", JOB_TASKS_MAX));
    schema = object_schema(properties);
    json_object_set_new(schema, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(schema, "title", json_string("A job file of amtd"));
    json_object_set_new(schema, "required", json_pack("[s]", "tasks"));
    return schema;
}
