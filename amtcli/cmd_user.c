/* user: the accounts of devices. */
#include "amtcli/cmd_user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/run_view.h"
#include "base/xalloc.h"

static const struct option_row user_options[] = {
    {"account", 'a', OPTION_TEXT, "NAME[=REALMS[@ACCESS]]",
     "an account (to rotate: its name) that is to be there, with what it may do (realms, joined by ',') and "
     "from where: local, "
     "network (the standard) or any; may be given several times; realms: redirection, administrator, "
     "hardware-asset, remote-control, storage, event-manager, storage-admin, agent-presence-local, "
     "agent-presence-remote, circuit-breaker, network-time, general-info, firmware-update, eit, "
     "local-user-notification, endpoint-access-control, endpoint-access-control-admin, event-log-reader, "
     "audit-log, user-access-control, local-system"},
    {"exact", 0, OPTION_FLAG, NULL, "there may be no other accounts but those of Kerberos"},
    {NULL},
};

static int user(struct context *ctx)
{
    const char *action = ctx->args.operand_count > 1 ? ctx->args.operands[1] : "show", *text;
    bool exact = args_has(&ctx->args, "exact");
    json_t *accounts = json_array(), *args;

    for (size_t i = 0; (text = args_value_at(&ctx->args, "account", i)); i++)
        json_array_append_new(accounts, json_string(text));
    if (strcmp(action, "show") == 0 && (exact || json_array_size(accounts) > 0)) {
        fputs("amtcli user: show goes without accounts; check compares, apply corrects, rotate gives new "
              "passwords\n",
              stderr);
        json_decref(accounts);
        return EXIT_USAGE;
    }
    args = json_pack("{s:s, s:b, s:o}", "action", action, "exact", (int)exact, "accounts", accounts);
    return run_and_show(ctx, run_params("user", args, ctx->args.operands[0]), RESULT_USER);
}

static const struct option_row *const tables[] = {user_options, options_output, options_yes, options_run,
                                                  NULL};

const struct command command_user = {
    "user",
    "TARGET [show|check|apply|rotate]",
    1,
    2,
    "the accounts of devices: show them, check whether they are as given, make them so, or give them new "
    "passwords; new and changed ones get passwords of their own (amtcli password show)",
    tables,
    "user @lab -b\n"
    "user @lab check -a helpdesk=remote-control,redirection -a audit=audit-log,event-log-reader --exact -b\n"
    "user @lab apply -a helpdesk=remote-control,redirection --yes\n"
    "user @lab rotate -a helpdesk --yes",
    user};
