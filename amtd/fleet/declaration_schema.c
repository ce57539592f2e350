/* The form of a declared configuration as JSON Schema, out of the table that reads it. */
#include <string.h>

#include "amtd/fleet/declaration.h"

static json_t *names_of(const struct setting *s)
{
    json_t *names = json_array();

    for (size_t i = 0; s->choices[i]; i++) {
        bool off = strcmp(s->choices[i], "off") == 0, on = strcmp(s->choices[i], "on") == 0;

        json_array_append_new(names, json_string(s->choices[i]));
        if (off || on) /* what YAML 1.1 makes of them */
            json_array_append_new(names, json_boolean(on));
        if (strcmp(s->choices[0], "off") == 0 && on) {
            json_array_append_new(names, json_string("yes"));
            json_array_append_new(names, json_string("no"));
        }
    }
    return names;
}

static json_t *value_schema(const struct setting *s)
{
    switch (s->type) {
    case SETTING_IS_CHOICE:
        return json_pack("{s:o}", "enum", names_of(s));
    case SETTING_IS_SET:
        return json_pack("{s:s, s:{s:o}}", "type", "array", "items", "enum", names_of(s));
    case SETTING_IS_TIME:
        return json_pack("{s:[s, s], s:s}", "type", "string", "integer", "pattern", "^[0-9]+(ms|s|m|h|d)?$");
    case SETTING_IS_IPV4:
        return json_pack("{s:s, s:s}", "type", "string", "pattern",
                         s->own ? "^(own|[0-9]+(\\.[0-9]+){3})$" : "^[0-9]+(\\.[0-9]+){3}$");
    case SETTING_IS_IPV6:
        return json_pack("{s:s, s:s}", "type", "string", "pattern",
                         s->own ? "^(own|none|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$"
                                : "^(none|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$");
    case SETTING_IS_VLAN: /* 'off' is false to YAML 1.1 */
        return json_pack("{s:[{s:s, s:I, s:I}, {s:[s, b]}]}", "anyOf", "type", "integer", "minimum",
                         (json_int_t)s->min, "maximum", (json_int_t)s->max, "enum", "off", 0);
    case SETTING_IS_NAME:
        break;
    }
    return json_pack("{s:s, s:i, s:I}", "type", "string", "minLength", 1, "maxLength", (json_int_t)s->max);
}

static json_t *object_schema(json_t *properties)
{
    return json_pack("{s:s, s:b, s:o}", "type", "object", "additionalProperties", 0, "properties",
                     properties);
}

json_t *declaration_schema(void)
{
    json_t *root = json_pack("{s:{s:s}, s:{s:s}}", "name", "type", "string", "description", "type", "string");
    json_t *schema;

    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting *s = &settings[i];
        json_t *value = value_schema(s), *section = json_object_get(root, s->section);

        if (!section) {
            section = object_schema(json_object());
            json_object_set_new(root, s->section, section);
        }
        json_object_set_new(value, "description", json_string(s->text));
        json_object_set_new(json_object_get(section, "properties"), s->name, value);
    }
    schema = object_schema(root);
    json_object_set_new(schema, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(schema, "title", json_string("A declared configuration of AMT devices"));
    return schema;
}
