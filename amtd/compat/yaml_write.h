/* Writing YAML (libyaml): what a person would write by hand, texts quoted where they must be. */
#ifndef AMTD_COMPAT_YAML_WRITE_H
#define AMTD_COMPAT_YAML_WRITE_H

#include <stdbool.h>

#include "base/buf.h"

struct yaml_write;

/* One document, appended to out as it grows; out's bound is the limit. */
struct yaml_write *yaml_write_new(struct buf *out);
/* Ends the document; every map and list must be ended. */
void yaml_write_free(struct yaml_write *yaml);

/* In a map: names and values in turn. */
void yaml_write_map(struct yaml_write *yaml, bool in_line);
void yaml_write_end_map(struct yaml_write *yaml);
void yaml_write_list(struct yaml_write *yaml);
void yaml_write_end_list(struct yaml_write *yaml);
/* Text: quoted where it would be read as something else. Bytes that are not UTF-8 become U+FFFD. */
void yaml_write_text(struct yaml_write *yaml, const char *text);
/* A number or a truth value, never quoted. */
void yaml_write_plain(struct yaml_write *yaml, const char *text);

#endif
