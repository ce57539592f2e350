/* Importers: any bytes, in the format they look like; what comes out is written and read again. */
#include <stdint.h>
#include <stdlib.h>

#include "filters/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct findings findings = {0};
    struct buf text = buf_init(64 * INPUT_MAX);
    struct filter_file *file, *again;

    if (size > INPUT_MAX)
        return 0;
    file = filter_import(IMPORT_GUESS, "input", "fuzz", data, size, &findings);
    if (file) {
        findings_clear(&findings);
        filter_file_write(file, &text);
        again = filter_file_parse("again", buf_str(&text), text.len, NULL, NULL, &findings);
        /* names of variables are not declared in files of others */
        if (!again && findings.count > 0 && findings.items[0].rule[0] == '\0')
            abort();
        filter_file_free(again);
    }
    filter_file_free(file);
    findings_clear(&findings);
    buf_free(&text);
    return 0;
}
