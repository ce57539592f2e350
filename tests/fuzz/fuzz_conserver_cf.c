/* conserver.cf: what parses is translated, and the translation is YAML. */
#include <stdint.h>
#include <stdlib.h>
#include <yaml.h>

#include "amtd/compat/conserver_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void load(const struct buf *text)
{
    yaml_document_t document;
    yaml_parser_t parser;

    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, text->p, text->len);
    if (!yaml_parser_load(&parser, &document))
        abort();
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf mistakes = buf_init(1 << 20), yaml = buf_init(8 << 20), notes = buf_init(8 << 20);
    struct import_result result;
    struct cf cf;

    if (cf_read_text(&cf, "cf", (const char *)data, size, &mistakes) == 0 &&
        conserver_import(&cf, &yaml, &notes, &result, NULL) == 0)
        load(&yaml);
    cf_clear(&cf);
    buf_free(&mistakes);
    buf_free(&yaml);
    buf_free(&notes);
    return 0;
}
