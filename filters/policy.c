#include "filters/policy.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "filters/words.h"
#include "wsman/system_defense_objects.h"

struct rules_policy policy_default(void)
{
    return (struct rules_policy){
        .precedence = 100, .out = {.drop = true, .count = true}, .in = {.drop = true, .count = true}};
}

/* --- one attribute each --- */

static const char *const anti_spoof_words[] = {
    [SD_ANTI_SPOOF_OFF] = "no",
    [SD_ANTI_SPOOF_EVENT] = "event",
    [SD_ANTI_SPOOF_COUNT] = "count",
    [SD_ANTI_SPOOF_EVENT | SD_ANTI_SPOOF_COUNT] = "yes",
};

const char *anti_spoof_name(uint32_t anti_spoof)
{
    return anti_spoof_words[anti_spoof & 3];
}

static int read_precedence(const char *text, struct rules_policy *out, struct err *err)
{
    uint64_t number;

    if (!text_u64(text, 0, UINT32_MAX, &number))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected a number up to %u", text, UINT32_MAX);
    out->precedence = (uint32_t)number;
    return 0;
}

static int read_default(const char *text, struct rules_default *out, struct err *err)
{
    out->drop = strcmp(text, "drop") == 0;
    if (out->drop || strcmp(text, "pass") == 0)
        return 0;
    return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected pass or drop", text);
}

static int read_default_out(const char *text, struct rules_policy *out, struct err *err)
{
    return read_default(text, &out->out, err);
}

static int read_default_in(const char *text, struct rules_policy *out, struct err *err)
{
    return read_default(text, &out->in, err);
}

static int read_count(const char *text, struct rules_policy *out, struct err *err)
{
    if (words_yesno(text, &out->out.count, err) != 0)
        return -1;
    out->in.count = out->out.count;
    return 0;
}

static int read_event(const char *text, struct rules_policy *out, struct err *err)
{
    if (words_yesno(text, &out->out.event, err) != 0)
        return -1;
    out->in.event = out->out.event;
    return 0;
}

static int read_anti_spoofing(const char *text, struct rules_policy *out, struct err *err)
{
    for (uint32_t i = 0; i < 4; i++) {
        if (strcmp(anti_spoof_words[i], text) == 0) {
            out->anti_spoof = i;
            return 0;
        }
    }
    return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected no, yes, count or event", text);
}

static int read_timeout(const char *text, struct rules_policy *out, struct err *err)
{
    uint64_t number;

    if (!text_u64(text, 0, SD_TIMEOUT_MAX, &number))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected 0 (none) to %d minutes", text,
                       SD_TIMEOUT_MAX);
    out->timeout_minutes = (uint32_t)number;
    return 0;
}

static const struct {
    const char *name;
    int (*read)(const char *text, struct rules_policy *out, struct err *err);
} attributes[] = {
    {"precedence", read_precedence},
    {"default-out", read_default_out},
    {"default-in", read_default_in},
    {"count", read_count},
    {"event", read_event},
    {"anti-spoofing", read_anti_spoofing},
    {"timeout-minutes", read_timeout},
};
#define COUNT (sizeof(attributes) / sizeof(attributes[0]))

void policy_read(struct xml_doc *doc, struct xml_el el, struct place place, struct rules_policy *out,
                 struct findings *findings)
{
    struct xml_attribute at = {NULL};

    out->place = place;
    while (xml_attr_next(doc, el, &at)) {
        struct err err = ERR_INIT;
        size_t i = 0;

        while (i < COUNT && (at.ns[0] != '\0' || strcmp(attributes[i].name, at.name) != 0))
            i++;
        if (i == COUNT)
            findings_add(
                findings, FINDING_ERROR, place, NULL,
                "<policy> has no attribute '%s': expected precedence, default-out, default-in, count, "
                "event, anti-spoofing or timeout-minutes",
                at.name);
        else if (attributes[i].read(at.value, out, &err) != 0)
            findings_add(findings, FINDING_ERROR, place, NULL, "policy: %s: %s", at.name, err.text);
    }
}

void policy_write(const struct rules_policy *policy, struct buf *out)
{
    static const char *const yesno[] = {"no", "yes"}, *const actions[] = {"pass", "drop"};

    buf_printf(out, "  <policy precedence=\"%" PRIu32 "\" default-out=\"%s\" default-in=\"%s\" count=\"%s\"",
               policy->precedence, actions[policy->out.drop], actions[policy->in.drop],
               yesno[policy->out.count]);
    if (policy->out.event)
        buf_puts(out, " event=\"yes\"");
    if (policy->anti_spoof != SD_ANTI_SPOOF_OFF)
        buf_printf(out, " anti-spoofing=\"%s\"", anti_spoof_name(policy->anti_spoof));
    if (policy->timeout_minutes > 0)
        buf_printf(out, " timeout-minutes=\"%" PRIu32 "\"", policy->timeout_minutes);
    buf_puts(out, "/>\n");
}
