#include "filters/import.h"

#include <string.h>

#include "filters/import_row.h"

static const struct {
    const char *name;
    int (*read)(struct import *import, const void *text, size_t n);
} formats[] = {
    [IMPORT_GUESS] = {"", NULL},
    [IMPORT_XML] = {"xml", import_xml},
    [IMPORT_CSV] = {"csv", import_csv},
    [IMPORT_NFTABLES] = {"nftables", import_nftables},
};

const char *import_format_name(enum import_format format)
{
    return formats[format].name;
}

enum import_format import_format_by_name(const char *name)
{
    for (size_t i = IMPORT_XML; i <= IMPORT_NFTABLES; i++)
        if (strcmp(formats[i].name, name) == 0)
            return (enum import_format)i;
    return IMPORT_GUESS;
}

/* By the first character that means something. */
static enum import_format guess(const char *text, size_t n)
{
    size_t i = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    while (i < n && strchr(" \t\r\n", text[i]) && text[i] != '\0')
        i++;
    if (i < n && text[i] == '<')
        return IMPORT_XML;
    return i < n && text[i] == '{' ? IMPORT_NFTABLES : IMPORT_CSV;
}

struct filter_file *filter_import(enum import_format format, const char *path, const char *name,
                                  const void *text, size_t n, struct findings *findings)
{
    struct import import = {.file = filter_file_new(path), .findings = findings};
    int rc;

    if (format == IMPORT_GUESS)
        format = guess(text, n);
    if (!name_is_valid(name) || strlen(name) > RULE_NAME_MAX) {
        findings_add(findings, FINDING_ERROR, (struct place){path, 0}, NULL,
                     "name '%s': expected 1 to %d letters, digits, '.', '_' or '-'", name, RULE_NAME_MAX);
        filter_file_free(import.file);
        return NULL;
    }
    memcpy(import.file->name, name, strlen(name) + 1);
    import.file->has_policy = true;
    rc = formats[format].read(&import, text, n);
    import_end(&import);
    if (rc == 0 && import.file->count == 0) {
        findings_add(findings, FINDING_ERROR, (struct place){path, 0}, NULL,
                     "no rule could be read: expected addresses or ports");
        rc = -1;
    }
    if (rc == 0)
        return import.file;
    filter_file_free(import.file);
    return NULL;
}
