/* filter_bind: a file's rules for one host. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "filters/item.h"
#include "filters/words.h"

/* --- variables --- */

/* Appends a default with the names in it replaced; -1 when one has no value. */
static int expand(const char *text, struct names *names, struct buf *out, struct err *err)
{
    while (*text) {
        size_t n = strcspn(text, "@");
        char name[NAME_MAX_LENGTH + 1];
        const char *value;

        buf_add(out, text, n);
        text += n;
        if (*text != '@')
            continue;
        n = strcspn(++text, " \t\r\n,");
        snprintf(name, sizeof(name), "%.*s", (int)(n < sizeof(name) ? n : sizeof(name) - 1), text);
        text += n;
        value = names_get_or_placeholder(names, name);
        if (!value)
            return err_set(err, CAUSE_INVALID_ARGUMENT, "@%s is not set", name_canonical(name));
        buf_puts(out, value);
    }
    return 0;
}

/* Defaults in the order written: one may name those before it. */
static void bind_variables(const struct filter_file *file, struct names *names, struct findings *findings)
{
    names_forget_defaults(names);
    for (size_t i = 0; i < file->count; i++) {
        const struct filter_item *item = &file->items[i];
        const char *name = item->values[ATTRIBUTE_NAME], *text = item->values[ATTRIBUTE_DEFAULT];
        struct buf value = buf_init(65536);
        struct err err = ERR_INIT;

        if (item->element == ELEMENT_VARIABLE && text && !names_get(names, name) &&
            (expand(text, names, &value, &err) != 0 ||
             names_set_default(names, name, buf_str(&value), &err) != 0))
            findings_add(findings, FINDING_ERROR, item->place, NULL, "variable '%s': %s", name, err.text);
        buf_free(&value);
    }
}

/* --- rules --- */

static void bind_item(const struct filter_item *item, struct names *names, struct ruleset *rules,
                      struct findings *findings)
{
    struct rule rule = {0};

    item_rule(item, names, &rule, findings);
    if (item->element == ELEMENT_RULE) {
        rules->rules[rules->count++] = rule;
    } else {
        struct need *need = &rules->needs[rules->need_count++];

        *need = (struct need){.place = rule.place, .comment = rule.comment, .match = rule.match};
        memcpy(need->name, rule.name, sizeof(need->name));
    }
}

/* Lists of addresses and ports multiply: what a few lines say must stay bounded. */
static void check_total(const struct ruleset *rules, struct findings *findings)
{
    size_t total = 0;

    for (size_t i = 0; i < rules->count; i++)
        total += match_combinations(&rules->rules[i].match);
    if (total > RULES_COMBINED_MAX)
        findings_add(findings, FINDING_ERROR, rules->policy.place, NULL,
                     "%zu combinations of addresses and ports in all; expected at most %d", total,
                     RULES_COMBINED_MAX);
}

struct ruleset *filter_bind(const struct filter_file *file, struct names *names, struct findings *findings)
{
    struct ruleset *rules = xcalloc(1, sizeof(*rules));
    size_t errors = findings->errors;

    memcpy(rules->name, file->name, sizeof(rules->name));
    rules->version = file->version;
    rules->policy = file->policy;
    rules->rules = xcalloc(file->count + 1, sizeof(*rules->rules));
    rules->needs = xcalloc(file->count + 1, sizeof(*rules->needs));
    bind_variables(file, names, findings);
    for (size_t i = 0; i < file->count; i++) {
        const struct filter_item *item = &file->items[i];

        if ((item->element == ELEMENT_RULE || item->element == ELEMENT_NEED) && !item_is_off(item))
            bind_item(item, names, rules, findings);
    }
    check_total(rules, findings);
    if (findings->errors == errors)
        return rules;
    ruleset_free(rules);
    return NULL;
}
