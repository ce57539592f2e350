#include "amtd/compat/yaml_write.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/utf8.h"
#include "base/xalloc.h"

#define TEXT_MAX (1 << 20)

struct yaml_write {
    yaml_emitter_t emitter;
    struct buf *out;
};

static int on_write(void *arg, unsigned char *bytes, size_t n)
{
    struct yaml_write *yaml = arg;

    buf_add(yaml->out, bytes, n);
    return 1; /* the buffer remembers that it is full */
}

/* An event that cannot be made means that there is no memory, as in xmalloc. */
static void emit(struct yaml_write *yaml, yaml_event_t *event, int made)
{
    if (!made || !yaml_emitter_emit(&yaml->emitter, event))
        abort();
}

struct yaml_write *yaml_write_new(struct buf *out)
{
    struct yaml_write *yaml = xcalloc(1, sizeof(*yaml));
    yaml_event_t event;

    yaml->out = out;
    if (!yaml_emitter_initialize(&yaml->emitter))
        abort();
    yaml_emitter_set_output(&yaml->emitter, on_write, yaml);
    yaml_emitter_set_unicode(&yaml->emitter, 1);
    yaml_emitter_set_width(&yaml->emitter, -1);
    emit(yaml, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    emit(yaml, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
    return yaml;
}

void yaml_write_free(struct yaml_write *yaml)
{
    yaml_event_t event;

    emit(yaml, &event, yaml_document_end_event_initialize(&event, 1));
    emit(yaml, &event, yaml_stream_end_event_initialize(&event));
    yaml_emitter_delete(&yaml->emitter);
    free(yaml);
}

void yaml_write_map(struct yaml_write *yaml, bool in_line)
{
    yaml_event_t event;

    emit(yaml, &event,
         yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
                                             in_line ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE));
}

void yaml_write_end_map(struct yaml_write *yaml)
{
    yaml_event_t event;

    emit(yaml, &event, yaml_mapping_end_event_initialize(&event));
}

void yaml_write_list(struct yaml_write *yaml)
{
    yaml_event_t event;

    emit(yaml, &event,
         yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
}

void yaml_write_end_list(struct yaml_write *yaml)
{
    yaml_event_t event;

    emit(yaml, &event, yaml_sequence_end_event_initialize(&event));
}

static void scalar(struct yaml_write *yaml, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;

    emit(yaml, &event,
         yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), 1, 1,
                                      style));
}

/* YAML 1.1 reads some words as truth values or nothing, and what begins like a number as one. */
static bool means_more(const char *text)
{
    static const char *const words[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", ""};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasecmp(words[i], text) == 0)
            return true;
    return strchr("0123456789.+-=<", text[0]) != NULL;
}

static void add_character(void *whole, const uint8_t *bytes, size_t n)
{
    buf_add(whole, bytes, n);
}

void yaml_write_text(struct yaml_write *yaml, const char *text)
{
    struct buf whole = buf_init(TEXT_MAX);
    yaml_scalar_style_t style = means_more(text) ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_ANY_SCALAR_STYLE;
    struct utf8 utf8 = {0};

    utf8_feed(&utf8, text, strlen(text), add_character, &whole);
    utf8_end(&utf8, add_character, &whole);
    scalar(yaml, buf_str(&whole), style);
    buf_free(&whole);
}

void yaml_write_plain(struct yaml_write *yaml, const char *text)
{
    scalar(yaml, text, YAML_PLAIN_SCALAR_STYLE);
}
