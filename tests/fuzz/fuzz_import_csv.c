#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "amtcli/import_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Either rows that all have a name and a line, or at least one mistake. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct import_known known = {NULL, NULL};
    struct buf mistakes = buf_init(1 << 20);
    FILE *file = size > 0 ? fmemopen((void *)data, size, "rb") : NULL;
    json_t *rows, *lines, *row;
    size_t i;

    if (file) {
        rows = import_csv_read(file, "f", &known, &lines, &mistakes);
        if (!rows != (mistakes.len > 0) || !rows != !lines || json_array_size(rows) != json_array_size(lines))
            abort();
        json_array_foreach(rows, i, row) if (json_string_length(json_object_get(row, "name")) == 0 ||
                                             json_integer_value(json_array_get(lines, i)) < 2) abort();
        json_decref(rows);
        json_decref(lines);
        fclose(file);
    }
    buf_free(&mistakes);
    return 0;
}
