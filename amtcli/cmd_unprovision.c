/* unprovision: machines' AMT is set up no more. */
#include "amtcli/cmd_unprovision.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/params.h"
#include "amtcli/run_view.h"
#include "base/text.h"
#include "base/xalloc.h"

static const struct option_row unprovision_options[] = {
    {"full", 0, OPTION_FLAG, NULL,
     "everything as a factory leaves it; without: the administrator, names and addresses stay"},
    {"filters", 0, OPTION_FLAG, NULL, "also machines with active filters, which are gone with it"},
    {"confirm", 0, OPTION_TEXT, "NUMBER",
     "for scripts: the exact number of hosts, or the name of the one; without it is asked for"},
    {NULL},
};

static const char *folded(const json_t *reply)
{
    const char *text = json_string_value(json_object_get(reply, "folded"));

    return text ? text : "";
}

/* What is typed on the terminal, without the end of its line; NULL: nothing. */
static char *ask_for(const json_t *reply, const char *how)
{
    size_t count = json_array_size(json_object_get(reply, "hosts")), size = 0;
    char *line = NULL;

    fprintf(
        stderr,
        "%zu %s would be unprovisioned %s, and not be managed any more until somebody sets them up:\n  %s\n"
        "Type %s: ",
        count, text_plural(count, "host", "hosts"), how, folded(reply),
        text_plural(count, "its name", "how many they are"));
    if (getline(&line, &size, stdin) < 0) {
        clearerr(stdin);
        fputc('\n', stderr);
        free(line);
        return NULL;
    }
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

static bool is_right(const json_t *reply, const char *typed)
{
    const json_t *hosts = json_object_get(reply, "hosts");
    char *count = xasprintf("%zu", json_array_size(hosts));
    bool right =
        typed &&
        (strcmp(typed, count) == 0 ||
         (json_array_size(hosts) == 1 && strcmp(typed, json_string_value(json_array_get(hosts, 0))) == 0));

    free(count);
    return right;
}

/* The number of hosts, or the name of the one, as it was typed or given; NULL and *code. */
static char *confirmed(struct context *ctx, const json_t *reply, int *code)
{
    const char *given = args_value(&ctx->args, "confirm");
    char *typed;

    if (args_has(&ctx->args, "dry-run"))
        return xasprintf("%zu", json_array_size(json_object_get(reply, "hosts")));
    if (given)
        return xstrdup(given);
    *code = EXIT_REFUSED;
    if (!can_ask()) {
        size_t count = json_array_size(json_object_get(reply, "hosts"));

        fprintf(stderr, "amtcli: unprovisioning %zu %s is confirmed on a terminal, or by --confirm with %s\n",
                count, text_plural(count, "host", "hosts"),
                text_plural(count, "its name", "their exact number"));
        return NULL;
    }
    typed = ask_for(reply, args_has(&ctx->args, "full") ? "fully" : "partially");
    if (is_right(reply, typed)) {
        *code = EXIT_ALL;
        return typed;
    }
    fputs("amtcli: that is not it; nothing was done\n", stderr);
    free(typed);
    return NULL;
}

static int unprovision(struct context *ctx)
{
    static const struct param map[] = {{"full", "full"}, {"filters", "filters"}, {NULL}};
    const char *target = ctx->args.operands[0];
    json_t *args = json_object(), *params, *reply = NULL;
    int code = context_call(ctx, "target.resolve", json_pack("{s:s}", "target", target), &reply);
    char *confirm = code == EXIT_ALL ? confirmed(ctx, reply, &code) : NULL;

    json_decref(reply);
    if (!confirm) {
        json_decref(args);
        return code;
    }
    params_take(args, &ctx->args, map);
    json_object_set_new(args, "confirm", json_string(confirm));
    free(confirm);
    params = run_params("unprovision", args, target);
    json_object_set_new(params, "confirmed", json_true());
    return run_and_show(ctx, params, RESULT_PLAIN);
}

static const struct option_row *const unprovision_tables[] = {unprovision_options, options_output,
                                                              options_run, NULL};

const struct command command_unprovision = {
    "unprovision",
    "TARGET",
    1,
    1,
    "take the set-up of AMT back: who does it types the exact number of hosts, or the one's name",
    unprovision_tables,
    "unprovision pc7\n"
    "unprovision pc7 --full --confirm pc7\n"
    "unprovision @retired --dry-run\n"
    "unprovision @retired --full --confirm 120 --canary 2 --batch 20 --max-failures 1 -o json",
    unprovision};
