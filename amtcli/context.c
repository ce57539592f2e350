/* What commands have in common: the connection, failures, questions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/cmd.h"
#include "amtcli/interrupt.h"
#include "amtcli/near_name.h"
#include "amtcli/wrap.h"
#include "base/text.h"
#include "base/xalloc.h"

/* --- failures --- */

static int exit_code(enum cause cause)
{
    switch (cause) {
    case CAUSE_NO_DAEMON:
    case CAUSE_PROTOCOL:
        return EXIT_NO_DAEMON;
    case CAUSE_DENIED:
    case CAUSE_REFUSED_UNCONFIRMED:
        return EXIT_REFUSED;
    case CAUSE_INVALID_ARGUMENT:
    case CAUSE_NOT_FOUND:
    case CAUSE_EXISTS:
        return EXIT_USAGE;
    default:
        return EXIT_SOME_FAILED;
    }
}

/* A line of stderr, which goes on indented where the terminal ends. Takes text. */
static void say(const char *title, char *text)
{
    fputs(title, stderr);
    wrap_print(stderr, text, strlen(title), wrap_columns(stderr, WRAP_ANY));
    free(text);
}

static void print_error(const struct err *err)
{
    say("amtcli: ", xasprintf("%s%s%s%s (%s)", err->text, err->code[0] ? " [" : "", err->code,
                              err->code[0] ? "]" : "", cause_name(err->cause)));
}

int print_failure(const struct err *err)
{
    const char *hint = err_hint(err);

    print_error(err);
    if (hint[0])
        say("hint: ", xstrdup(hint));
    return exit_code(err->cause);
}

int context_failure(struct context *ctx, const struct err *err)
{
    const char *hint = err_hint(err);
    char *near = err->cause == CAUSE_NOT_FOUND ? near_name(ctx, err->text) : NULL;

    if (near) {
        print_error(err);
        say("hint: ", xasprintf("did you mean '%s'? %s", near, hint));
    } else if (err->cause == CAUSE_INVALID_ARGUMENT && strcmp(hint, cause_hint(err->cause)) == 0) {
        print_error(err);
        say("hint: ", xasprintf("see 'amtcli %s --help'", ctx->command->name));
    } else {
        print_failure(err);
    }
    free(near);
    return exit_code(err->cause);
}

/* --- the connection --- */

struct client *context_client(struct context *ctx)
{
    struct err err = ERR_INIT;

    if (ctx->client && !client_alive(ctx->client)) {
        client_close(ctx->client);
        ctx->client = NULL;
    }
    if (!ctx->client)
        ctx->client = client_open(ctx->server, true, &err);
    if (!ctx->client)
        print_failure(&err);
    return ctx->client;
}

void context_drop(struct context *ctx, const struct err *err)
{
    if (err->cause != CAUSE_NO_DAEMON && err->cause != CAUSE_PROTOCOL)
        return;
    client_close(ctx->client);
    ctx->client = NULL;
}

/* In the shell, Ctrl-C leaves a call that hangs; elsewhere it ends the program. */
static void leave_when_interrupted(void *arg)
{
    struct context *ctx = arg;

    if (interrupt_count() > 0)
        client_leave(ctx->client);
}

/* And nobody reads on what is printed: there is nothing left to be done. */
static void leave_when_unwanted(void *arg)
{
    struct context *ctx = arg;

    if (interrupt_count() > 0 || ferror(stdout))
        client_leave(ctx->client);
}

static int call_failed(struct context *ctx, const struct err *err)
{
    context_drop(ctx, err);
    if (interrupt_count() == 0 || err->cause != CAUSE_NO_DAEMON)
        return context_failure(ctx, err);
    fputs("amtcli: left; amtd may have done it all the same\n", stderr);
    return EXIT_SOME_FAILED;
}

int context_call_details(struct context *ctx, const char *name, json_t *params, json_t **reply)
{
    struct err err = ERR_INIT;

    if (reply)
        *reply = NULL;
    if (!context_client(ctx)) {
        json_decref(params);
        return EXIT_NO_DAEMON;
    }
    if (client_call(ctx->client, name, params, NULL, leave_when_interrupted, ctx, reply, &err) == 0)
        return 0;
    return call_failed(ctx, &err);
}

int context_rows(struct context *ctx, const char *name, json_t *params, const struct reply_rows *rows,
                 json_t **reply)
{
    struct err err = ERR_INIT;

    if (reply)
        *reply = NULL;
    if (!context_client(ctx)) {
        json_decref(params);
        return EXIT_NO_DAEMON;
    }
    if (client_rows(ctx->client, name, params, rows, leave_when_unwanted, ctx, reply, &err) == 0)
        return EXIT_ALL;
    return call_failed(ctx, &err);
}

int context_call(struct context *ctx, const char *name, json_t *params, json_t **reply)
{
    int code = context_call_details(ctx, name, params, reply);

    if (code != 0 && reply) {
        json_decref(*reply);
        *reply = NULL;
    }
    return code;
}

/* --- questions --- */

bool can_ask(void)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* On the terminal; anything but "y" and "yes" is no. */
static bool ask(const char *question)
{
    char *answer = NULL;
    size_t size = 0;
    ssize_t n;
    bool yes;

    fprintf(stderr, "%s [y/N] ", question);
    n = getline(&answer, &size, stdin);
    if (n < 0) {
        clearerr(stdin);
        fputc('\n', stderr);
    }
    yes = n > 0 && (strcasecmp(answer, "y\n") == 0 || strcasecmp(answer, "yes\n") == 0);
    free(answer);
    return yes;
}

static int resolve(struct context *ctx, const char *target, json_t **reply)
{
    json_t *params = json_pack("{s:s}", "target", target);

    return context_call(ctx, "target.resolve", params, reply);
}

int confirm_hosts(struct context *ctx, const char *target, const char *what)
{
    json_t *shown = NULL, *now = NULL;
    bool yes = true, same = false;
    int code = EXIT_ALL;
    size_t count;

    while (code == EXIT_ALL && yes && !same) {
        if (!now)
            code = resolve(ctx, target, &now);
        if (code != EXIT_ALL)
            break;
        json_decref(shown);
        shown = now;
        now = NULL;
        count = json_array_size(json_object_get(shown, "hosts"));
        fprintf(stderr, "%s would change %zu %s:\n  %s\n", what, count, text_plural(count, "host", "hosts"),
                json_string_value(json_object_get(shown, "folded")));
        if (!can_ask())
            fputs("hint: answer on a terminal, or give --yes\n", stderr);
        yes = can_ask() && ask("Go on?");
        if (yes)
            code = resolve(ctx, target, &now); /* a query may name others by now */
        same = json_equal(json_object_get(shown, "hosts"), json_object_get(now, "hosts"));
        if (code == EXIT_ALL && yes && !same)
            fputs("amtcli: meanwhile these are other hosts\n", stderr);
    }
    json_decref(shown);
    json_decref(now);
    if (code == EXIT_ALL && !yes)
        fputs("amtcli: nothing was done\n", stderr);
    return code != EXIT_ALL ? code : yes ? EXIT_ALL : EXIT_REFUSED;
}
