#include "filters/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"

#define TEXT_MAX 2000

void findings_add(struct findings *list, enum finding_level level, struct place place, const char *rule,
                  const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    findings_vadd(list, level, place, rule, fmt, ap);
    va_end(ap);
}

void findings_vadd(struct findings *list, enum finding_level level, struct place place, const char *rule,
                   const char *fmt, va_list ap)
{
    struct buf text = buf_init(5 * TEXT_MAX);
    char raw[TEXT_MAX]; /* of what is longer, the beginning */
    int n;
    struct finding *finding;

    *(level == FINDING_ERROR     ? &list->errors
      : level == FINDING_WARNING ? &list->warnings
                                 : &list->notes) += 1;
    if (list->count >= FINDINGS_MAX)
        return;
    if (list->count == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 8;
        list->items = xreallocarray(list->items, list->cap, sizeof(*list->items));
    }
    n = vsnprintf(raw, sizeof(raw), fmt, ap);
    text_printable(&text, raw, strlen(raw));
    if (n >= TEXT_MAX)
        buf_puts(&text, "...");
    finding = &list->items[list->count++];
    *finding = (struct finding){.level = level,
                                .file = xstrdup(place.file ? place.file : ""),
                                .line = place.line,
                                .rule = xstrdup(rule ? rule : ""),
                                .text = xstrdup(buf_str(&text))};
    buf_free(&text);
}

void findings_clear(struct findings *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].file);
        free(list->items[i].rule);
        free(list->items[i].text);
    }
    free(list->items);
    *list = (struct findings){0};
}

void findings_move(struct findings *to, struct findings *from)
{
    for (size_t i = 0; to && i < from->count; i++)
        findings_add(to, from->items[i].level, (struct place){from->items[i].file, from->items[i].line},
                     from->items[i].rule, "%s", from->items[i].text);
    findings_clear(from);
}

const char *finding_level_name(enum finding_level level)
{
    static const char *const names[] = {"error", "warning", "note"};

    return names[level];
}

void finding_text(const struct finding *finding, struct buf *out)
{
    if (finding->file[0] != '\0')
        buf_puts(out, finding->file);
    if (finding->line > 0)
        buf_printf(out, ":%d", finding->line);
    if (finding->file[0] != '\0')
        buf_puts(out, ": ");
    if (finding->rule[0] != '\0')
        buf_printf(out, "rule '%s': ", finding->rule);
    buf_puts(out, finding->text);
}

int findings_err(const struct findings *list, struct err *err)
{
    struct buf text = buf_init(TEXT_MAX);

    if (list->errors == 0)
        return 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].level == FINDING_ERROR) {
            finding_text(&list->items[i], &text);
            break;
        }
    }
    if (text.len == 0)
        err_set(err, CAUSE_INVALID_ARGUMENT, "%zu errors in a file with more findings than are kept",
                list->errors);
    else if (list->errors == 1)
        err_set(err, CAUSE_INVALID_ARGUMENT, "%s", buf_str(&text));
    else
        err_set(err, CAUSE_INVALID_ARGUMENT, "%.250s (and %zu more)", buf_str(&text), list->errors - 1);
    buf_free(&text);
    return -1;
}
