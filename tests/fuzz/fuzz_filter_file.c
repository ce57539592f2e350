/* Filter files: whatever is read can be bound, written, and read again. */
#include <stdint.h>
#include <stdlib.h>

#include "filters/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 65536

/* Every include is the smallest document there is. */
static int read_include(void *arg, const char *path, struct buf *out, struct err *err)
{
    (void)arg;
    (void)path;
    (void)err;
    buf_puts(out, "<network-filters xmlns=\"" FILTER_NAMESPACE "\" name=\"i\"/>");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct findings findings = {0};
    struct buf text = buf_init(64 * INPUT_MAX);
    struct names *names;
    struct filter_file *file, *again;

    if (size > INPUT_MAX)
        return 0;
    file = filter_file_parse("input.xml", data, size, read_include, NULL, &findings);
    if (file) {
        names = names_new();
        names_use_placeholders(names);
        ruleset_free(filter_bind(file, names, &findings));
        names_free(names);
        filter_file_write(file, &text);
        findings_clear(&findings);
        again = filter_file_parse("again.xml", buf_str(&text), text.len, NULL, NULL, &findings);
        if (!again)
            abort();
        filter_file_free(again);
    }
    filter_file_free(file);
    findings_clear(&findings);
    buf_free(&text);
    return 0;
}
