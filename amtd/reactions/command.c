/* Commands of reactions. What came from outside goes into their environment only, never into their text. */
#include <stdlib.h>
#include <unistd.h>
#include <utlist.h>

#include "amtd/reactions/reaction_internal.h"
#include "base/process.h"
#include "base/xalloc.h"

#define VARIABLES 12

struct command {
    uv_process_t process;
    struct reactions *reactions;
    char *what;
    struct command *prev, *next;
};

static void command_closed(uv_handle_t *handle)
{
    struct command *c = handle->data;
    struct reactions *reactions = c->reactions;

    DL_DELETE(reactions->commands, c);
    free(c->what);
    free(c);
    reactions->command_count--;
    reactions_release(reactions);
}

static void command_ended(uv_process_t *process, int64_t status, int signal)
{
    const struct command *c = process->data;

    if (signal != 0)
        log_warn(c->what, "command killed by signal %d", signal);
    else if (status != 0)
        log_warn(c->what, "command ended with exit status %d", (int)status);
    uv_close((uv_handle_t *)process, command_closed);
}

static char *variable(const char *name, const char *value)
{
    return xasprintf("AMTD_%s=%s", name, value ? value : "");
}

static const char *data_text(const struct event *event, const char *name)
{
    return json_string_value(json_object_get(event->data, name));
}

static char **environment(const struct firing *f)
{
    const struct event *e = &f->event;
    size_t n = 0;
    char **env;

    while (environ[n])
        n++;
    env = xcalloc(n + VARIABLES, sizeof(*env));
    for (size_t i = 0; i < n; i++)
        env[i] = xstrdup(environ[i]);
    env[n++] = variable("REACTION", f->rule.name);
    env[n++] = variable("KIND", e->kind);
    env[n++] = variable("SEVERITY", severity_name((enum severity)e->severity));
    env[n++] = variable("CONSOLE", e->console);
    env[n++] = variable("HOST", e->host);
    env[n++] = variable("TEXT", e->text);
    env[n++] = variable("PATTERN", data_text(e, "pattern"));
    env[n++] = variable("LINE", data_text(e, "line"));
    env[n++] = xasprintf("AMTD_EVENT=%lld", (long long)e->id);
    env[n++] =
        xasprintf("AMTD_OFFSET=%lld", (long long)json_integer_value(json_object_get(e->data, "offset")));
    return env;
}

void command_start(const struct firing *f)
{
    struct reactions *reactions = f->reactions;
    char *args[] = {(char *)"sh", (char *)"-c", f->rule.action.command, NULL};
    uv_process_options_t options = {.exit_cb = command_ended, .file = "/bin/sh", .args = args};
    uv_stdio_container_t none[3] = {{.flags = UV_IGNORE}, {.flags = UV_IGNORE}, {.flags = UV_IGNORE}};
    struct command *c;
    int status;

    if (reactions->command_count >= REACTION_COMMANDS_MAX) {
        reactions_failed(reactions, f->rule.name, &f->event,
                         "too many commands run already; this one is left out");
        return;
    }
    c = xcalloc(1, sizeof(*c));
    c->reactions = reactions;
    c->what = xasprintf("reaction %s", f->rule.name);
    c->process.data = c;
    DL_APPEND(reactions->commands, c);
    reactions->command_count++;
    reactions->used++;
    options.env = environment(f);
    options.stdio = none;
    options.stdio_count = 3;
    process_keep_descriptors();
    status = uv_spawn(reactions->parts.loop, &c->process, &options);
    if (status != 0) {
        reactions_failed(reactions, f->rule.name, &f->event, uv_strerror(status));
        uv_close((uv_handle_t *)&c->process, command_closed);
    }
    for (size_t i = 0; options.env[i]; i++)
        free(options.env[i]);
    free(options.env);
}

void commands_abandon(struct reactions *reactions)
{
    struct command *c;

    DL_FOREACH(reactions->commands, c)
    {
        if (!uv_is_closing((uv_handle_t *)&c->process))
            uv_close((uv_handle_t *)&c->process, command_closed);
    }
}
