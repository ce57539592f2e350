/* JSON of consoles, and who may do what with them (docs/api.md, consoles). */
#ifndef AMTD_API_CONSOLE_JSON_H
#define AMTD_API_CONSOLE_JSON_H

#include <jansson.h>

#include "amtd/api/api.h"
#include "amtd/console/console.h"

/* What a user may do with a console of these settings: what its list `access` says, else what he may do with
 * its host, or with every host where it belongs to none. Administrators may all. */
enum console_right console_right_of(const struct user *user, const struct reach *reach,
                                    const struct console_settings *settings);
/* The same with the role that he has on its host. */
enum console_right console_right_with(const struct user *user, enum api_role role,
                                      const struct console_settings *settings);
/* 0, or -1 and err (denied). */
int console_require(const struct api_request *rq, struct console *console, enum console_right right,
                    struct err *err);
/* The console that the parameter `name` names; -1 and err: not-found, also when it may not even be watched.
 */
int console_param(const struct api_request *rq, enum console_right right, struct console **out,
                  struct err *err);
/* Is it among `names` (shell patterns)? NULL: all are. */
bool console_is_named(const json_t *names, const char *name);
/* 0, or -1 and err (invalid-argument): an array of strings. */
int console_check_names(const json_t *names, struct err *err);

/* New references. `me`: the attachment for which it is, 0: none. */
json_t *console_json(struct console *console);
json_t *console_event_json(struct console *console, const struct console_event *event, uint64_t me);
json_t *console_state_json(struct console *console);
json_t *console_who_json(struct console *console, uint64_t me);
/* Bytes as `text` or `data` (docs/api.md). */
void json_put_bytes(json_t *object, const void *p, size_t n);
json_t *json_time_ms(int64_t wall_ms);

#endif
