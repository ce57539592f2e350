/* status, stop, activity, completion. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/cmd_daemon.h"
#include "amtcli/output.h"
#include "base/text.h"

static int status(struct context *ctx)
{
    static const struct column fields[] = {{"version", "version"}, {"pid", "pid"},
                                           {"state", "state_dir"}, {"socket", "socket"},
                                           {"hosts", "hosts"},     {"active runs", "runs_active"},
                                           {"started", "started"}, {NULL}};
    enum format format;
    json_t *reply;
    int code;

    if (output_format(&ctx->args, &format) != 0)
        return EXIT_USAGE;
    code = context_call(ctx, "daemon.status", NULL, &reply);
    if (code != 0)
        return code;
    output_object(format, reply, fields);
    json_decref(reply);
    return EXIT_ALL;
}

static int stop(struct context *ctx)
{
    struct err err = ERR_INIT;

    if (!ctx->client)
        ctx->client = client_open(false, &err); /* not started only to be stopped */
    if (!ctx->client)
        return print_failure(&err);
    if (client_stop_daemon(ctx->client, &err) != 0)
        return print_failure(&err);
    client_close(ctx->client);
    ctx->client = NULL;
    return EXIT_ALL;
}

static int activity(struct context *ctx)
{
    static const struct column columns[] = {
        {"AT", "at"},   {"WHO", "who"}, {"WHAT", "what"}, {"TARGET", "target"}, {"RESULT", "result"},
        {"", "detail"}, {NULL}};
    const char *since = args_value(&ctx->args, "since"), *limit = args_value(&ctx->args, "limit");
    json_t *params = json_object(), *reply;
    enum format format;
    uint64_t number = 0;
    int64_t ms = 0;
    int code;

    if (output_format(&ctx->args, &format) != 0 ||
        (since && !text_duration_ms(since, 1, INT64_MAX / 2, &ms)) ||
        (limit && !text_u64(limit, 1, 100000, &number))) {
        if (since && ms == 0)
            fprintf(stderr, "amtcli: --since expects a time such as 2h or 7d\n");
        else if (limit && number == 0)
            fprintf(stderr, "amtcli: --limit expects a number from 1 to 100000\n");
        json_decref(params);
        return EXIT_USAGE;
    }
    if (since)
        json_object_set_new(params, "since_ms", json_integer(ms));
    if (limit)
        json_object_set_new(params, "limit", json_integer((json_int_t)number));
    if (args_value(&ctx->args, "host"))
        json_object_set_new(params, "host", json_string(args_value(&ctx->args, "host")));
    code = context_call(ctx, "activity.list", params, &reply);
    if (code != 0)
        return code;
    output_rows(format, reply, columns);
    json_decref(reply);
    return EXIT_ALL;
}

/* A completion function for bash, made from the tables. */
static int completion(struct context *ctx)
{
    if (strcmp(ctx->args.operands[0], "bash") != 0) {
        fprintf(stderr, "amtcli: completion is made for bash\n");
        return EXIT_USAGE;
    }
    puts("# source this, or put it into /etc/bash_completion.d/amtcli\n_amtcli() {\n"
         "    local line=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\" words=\n    case $line in");
    for (size_t i = 0; commands[i]; i++) {
        printf("    '%s'*) words='", commands[i]->name);
        for (size_t k = 0; commands[i]->options && commands[i]->options[k]; k++)
            for (const struct option_row *row = commands[i]->options[k]; row->name; row++)
                printf("--%s ", row->name);
        puts("--help' ;;");
    }
    fputs("    *) words='", stdout);
    for (size_t i = 0; commands[i]; i++)
        printf("%s\n", commands[i]->name);
    puts("'\n       words=$(printf '%s' \"$words\" | sed -n \"s/^${line:+$line }\\([^ ]*\\).*/\\1/p\" | sort "
         "-u) ;;\n"
         "    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
         "complete -o default -F _amtcli amtcli");
    return EXIT_ALL;
}

static const struct option_row activity_options[] = {
    {"since", 's', "T", "only the last T, such as 2h or 7d"},
    {"host", 0, "HOST", "only what touched this host"},
    {"limit", 'n', "N", "the newest N (default 50)"},
    {NULL},
};
static const struct option_row *const output_tables[] = {options_output, NULL};
static const struct option_row *const activity_tables[] = {activity_options, options_output, NULL};

const struct command command_status = {
    "status", "", 0, 0, "show how amtd is", output_tables, "status\nstatus -o json", status};
const struct command command_stop = {"stop", "", 0, 0, "end amtd", NULL, "stop", stop};
const struct command command_activity = {"activity",
                                         "",
                                         0,
                                         0,
                                         "who did what, when, to which hosts, with which result",
                                         activity_tables,
                                         "activity --since 2h\nactivity --host pc7 -o csv",
                                         activity};
const struct command command_completion = {"completion",
                                           "SHELL",
                                           1,
                                           1,
                                           "print a completion function",
                                           NULL,
                                           "completion bash > /etc/bash_completion.d/amtcli",
                                           completion};
