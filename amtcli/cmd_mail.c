/* mail: the login at the mail server, and a try of it. */
#include "amtcli/cmd_mail.h"

#include <stdio.h>

#include "amtcli/password.h"

static int mail_login(struct context *ctx)
{
    const char *user = args_value(&ctx->args, "user");
    json_t *params = json_object();
    int code = EXIT_ALL;

    if (!user == !args_has(&ctx->args, "none")) {
        fputs("amtcli mail login: expected either --user or --none\n", stderr);
        json_decref(params);
        return EXIT_USAGE;
    }
    if (user) {
        json_object_set_new(params, "user", json_string(user));
        code = password_take(params, args_value(&ctx->args, "password-file"), "mail user", user);
    }
    if (code == EXIT_ALL)
        return context_call(ctx, "mail.login", params, NULL);
    json_decref(params);
    return code;
}

static int mail_test(struct context *ctx)
{
    int code = context_call(ctx, "mail.send",
                            json_pack("{s:[s], s:s, s:s}", "to", ctx->args.operands[0], "subject",
                                      "Mail from amtd", "text", "This is how mail from amtd arrives.\n"),
                            NULL);

    if (code == EXIT_ALL)
        fputs("the mail server took it\n", stderr);
    return code;
}

static const struct option_row login_options[] = {
    {"user", 'u', OPTION_TEXT, "USER", "who amtd is at the mail server"},
    {"password-file", 0, OPTION_FILE, "FILE",
     "file with the password, '-' for standard input; asked for when it is not given"},
    {"none", 0, OPTION_FLAG, NULL, "forget the login: none is needed"},
    {NULL}};
static const struct option_row *const login_tables[] = {login_options, NULL};

const struct command command_mail_login = {"mail login",
                                           "",
                                           0,
                                           0,
                                           "keep the login at the mail server, sealed",
                                           login_tables,
                                           "mail login --user amtd --password-file pw\nmail login --none",
                                           mail_login};
const struct command command_mail_test = {"mail test",
                                          "ADDRESS",
                                          1,
                                          1,
                                          "send a mail, and say whether the server took it",
                                          NULL,
                                          "mail test ops@example.com",
                                          mail_test};
