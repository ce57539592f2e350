#include "amtd/console/journal.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

static const char *const names[JOURNAL_KINDS] = {
    [JOURNAL_UP] = "up",           [JOURNAL_DOWN] = "down",       [JOURNAL_ATTACH] = "attach",
    [JOURNAL_DETACH] = "detach",   [JOURNAL_LEASE] = "lease",     [JOURNAL_BREAK] = "break",
    [JOURNAL_POWER] = "power",     [JOURNAL_BOOT] = "boot",       [JOURNAL_MESSAGE] = "message",
    [JOURNAL_NOTE] = "note",       [JOURNAL_SIGNALS] = "signals", [JOURNAL_GAP] = "gap",
    [JOURNAL_LOGGING] = "logging", [JOURNAL_IDLE] = "idle",       [JOURNAL_PATTERN] = "pattern",
    [JOURNAL_ROLL] = "roll",       [JOURNAL_REPAIR] = "repair",   [JOURNAL_ACTIVITY] = "activity",
    [JOURNAL_HISTORY] = "history",
};

const char *journal_kind_name(enum journal_kind kind)
{
    return names[kind];
}

/* A copy that is safe for people and fits. */
static json_t *shown(const char *text, size_t max)
{
    struct buf out = buf_init(4 * max);
    json_t *json;

    text_printable(&out, text, strnlen(text, max - 1));
    json = json_stringn(buf_str(&out), out.len < max ? out.len : max - 1);
    if (!json) /* cut in the middle of a character */
        json = json_string("?");
    buf_free(&out);
    return json;
}

void journal_write(struct buf *out, const struct journal_entry *entry)
{
    char at[CLOCK_TEXT_MAX];
    json_t *json = json_pack("{s:I, s:s, s:s}", "offset", (json_int_t)entry->offset, "at",
                             clock_text_ms(entry->at_ms, at), "event", names[entry->kind]);
    char *line;

    if (entry->who[0])
        json_object_set_new(json, "who", shown(entry->who, sizeof(entry->who)));
    if (entry->text[0])
        json_object_set_new(json, "text", shown(entry->text, sizeof(entry->text)));
    line = json_dumps(json, JSON_COMPACT);
    buf_puts(out, line);
    buf_putc(out, '\n');
    free(line);
    json_decref(json);
}

bool journal_kind_find(const char *name, enum journal_kind *kind)
{
    for (int i = 0; name && i < JOURNAL_KINDS; i++) {
        if (strcmp(names[i], name) == 0) {
            *kind = (enum journal_kind)i;
            return true;
        }
    }
    return false;
}

int journal_read(const char *line, size_t n, struct journal_entry *entry, struct err *err)
{
    json_error_t where;
    json_t *json = json_loadb(line, n, JSON_REJECT_DUPLICATES, &where);
    const char *at = json_string_value(json_object_get(json, "at"));
    const char *event = json_string_value(json_object_get(json, "event"));
    const char *who = json_string_value(json_object_get(json, "who"));
    const char *text = json_string_value(json_object_get(json, "text"));
    const json_t *offset = json_object_get(json, "offset");
    int status = -1;

    memset(entry, 0, sizeof(*entry));
    if (!json)
        err_set(err, CAUSE_BAD_ANSWER, "journal: not JSON: %s", where.text);
    else if (!json_is_integer(offset) || json_integer_value(offset) < 0)
        err_set(err, CAUSE_BAD_ANSWER, "journal: 'offset' is missing or no offset");
    else if (!at || !clock_from_text(at, &entry->at_ms))
        err_set(err, CAUSE_BAD_ANSWER, "journal: 'at' is missing or no time");
    else if (!journal_kind_find(event, &entry->kind))
        err_set(err, CAUSE_BAD_ANSWER, "journal: 'event' is missing or unknown");
    else
        status = 0;
    if (status == 0) {
        entry->offset = (uint64_t)json_integer_value(offset);
        snprintf(entry->who, sizeof(entry->who), "%s", who ? who : "");
        snprintf(entry->text, sizeof(entry->text), "%s", text ? text : "");
    }
    json_decref(json);
    return status;
}
