/* profile add, list, show, set, remove. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "amtcli/cmd_profile.h"
#include "amtcli/forms.h"
#include "amtcli/interrupt.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/password.h"
#include "base/secret.h"
#include "base/text.h"

static const struct option_row settings[] = {
    {"user", 'u', OPTION_TEXT, "NAME", "the device's user, for digest"},
    {"password-file", 0, OPTION_FILE, "FILE",
     "file with the password, '-' for standard input; asked for when it is needed and not given"},
    {"auth", 0, OPTION_CHOICE, "SCHEME", "how to log in", .choices = "digest kerberos", .standard = "digest"},
    {"ccache", 0, OPTION_TEXT, "NAME", "Kerberos credential cache", .standard = "that of amtd"},
    {"tls", 0, OPTION_CHOICE, "MODE",
     "whom to trust: nobody, without TLS; a CA; amtd's own CA, also when it is renewed; or the certificate "
     "first "
     "seen, which is recorded",
     .choices = "none ca own pin", .standard = "none"},
    {"ca-file", 0, OPTION_FILE, "FILE", "PEM file of CAs", .standard = "those of the system"},
    {"client-cert", 0, OPTION_FILE, "FILE", "PEM file of our certificate, for devices that ask for one"},
    {"client-key", 0, OPTION_FILE, "FILE", "PEM file of its key"},
    {"old-tls", 0, OPTION_CHOICE, "HOW", "TLS 1.0 and old ciphers; only with --tls pin", .choices = "on off",
     .standard = "off"},
    {"clear-text", 0, OPTION_CHOICE, "HOW",
     "consoles and drives of old devices that know no digest, or none with qop: log in all the same, if need "
     "be in clear text",
     .choices = "on off", .standard = "off"},
    {"port", 0, OPTION_NUMBER, "PORT", "the port of the device", .min = 0, .max = 65535,
     .standard = "16992, with TLS 16993"},
    {"position", 0, OPTION_NUMBER, "N", "place in the order in which profiles are tried", .min = 1,
     .max = 1000000},
    {"connect-timeout", 0, OPTION_TIME, "T", "time for a connection", .min = 100, .max = 300000,
     .standard = "5s"},
    {"request-timeout", 0, OPTION_TIME, "T", "time for an answer", .min = 100, .max = 600000,
     .standard = "15s"},
    {NULL},
};

/* --- changing --- */

/* A new profile of scheme digest needs a password; a change takes one when it is given. */
static int put(struct context *ctx, bool replace)
{
    static const struct param map[] = {{"user", "user"},
                                       {"auth", "auth"},
                                       {"ccache", "ccache"},
                                       {"tls", "tls"},
                                       {"ca-file", "ca_file"},
                                       {"client-cert", "client_cert_file"},
                                       {"client-key", "client_key_file"},
                                       {"port", "port"},
                                       {"position", "position"},
                                       {"connect-timeout", "connect_ms"},
                                       {"request-timeout", "request_ms"},
                                       {NULL}};
    const struct args *args = &ctx->args;
    const char *auth = args_value(args, "auth"), *old = args_value(args, "old-tls");
    const char *clear = args_value(args, "clear-text");
    bool digest = !auth || strcmp(auth, "digest") == 0;
    json_t *params = json_pack("{s:s, s:b}", "name", args->operands[0], "replace", (int)replace);
    int code = EXIT_ALL;

    params_take(params, args, map);
    if (old)
        json_object_set_new(params, "old_tls", json_boolean(strcmp(old, "on") == 0));
    if (clear)
        json_object_set_new(params, "clear_text", json_boolean(strcmp(clear, "on") == 0));
    if (args_has(args, "password-file") || (digest && !replace))
        code = password_take(params, args_value(args, "password-file"), "profile", args->operands[0]);
    if (code == EXIT_ALL && replace && json_object_size(params) == 2) {
        fputs("amtcli profile set: nothing to change is given; see 'amtcli profile set --help'\n", stderr);
        code = EXIT_USAGE;
    }
    if (code == EXIT_ALL)
        return context_call(ctx, "profile.put", params, NULL);
    json_decref(params);
    return code;
}

static int profile_add(struct context *ctx)
{
    return put(ctx, false);
}

static int profile_set(struct context *ctx)
{
    return put(ctx, true);
}

/* For people; programs read 0. */
static void name_port(enum format format, json_t *profile)
{
    if (format == FORMAT_TABLE && json_integer_value(json_object_get(profile, "port")) == 0)
        json_object_set_new(profile, "port", json_string("default"));
}

static int profile_list(struct context *ctx)
{
    static const struct column columns[] = {
        {"PROFILE", "name"},    {"AUTH", "auth"}, {"USER", "user"},         {"TLS", "tls"},
        {"OLD TLS", "old_tls"}, {"PORT", "port"}, {"POSITION", "position"}, {NULL}};
    enum format format = output_format(&ctx->args);
    json_t *reply, *profile;
    size_t i;
    int code;

    code = context_call(ctx, "profile.list", NULL, &reply);
    if (code != 0)
        return code;
    json_array_foreach(reply, i, profile) name_port(format, profile);
    output_rows(format, reply, columns);
    json_decref(reply);
    return EXIT_ALL;
}

static int profile_show(struct context *ctx)
{
    static const struct column fields[] = {{"profile", "name"},
                                           {"position", "position"},
                                           {"auth", "auth"},
                                           {"user", "user"},
                                           {"password", "password"},
                                           {"ccache", "ccache"},
                                           {"tls", "tls"},
                                           {"CA file", "ca_file"},
                                           {"client cert", "client_cert_file"},
                                           {"client key", "client_key_file"},
                                           {"old TLS", "old_tls"},
                                           {"clear text", "clear_text"},
                                           {"port", "port"},
                                           {"connect time-out", "connect_ms", form_ms},
                                           {"request time-out", "request_ms", form_ms},
                                           {NULL}};
    json_t *reply;
    int code;

    code = context_call(ctx, "profile.show", json_pack("{s:s}", "name", ctx->args.operands[0]), &reply);
    if (code != 0)
        return code;
    name_port(output_format(&ctx->args), reply);
    output_object(output_format(&ctx->args), reply, fields);
    json_decref(reply);
    return EXIT_ALL;
}

static int profile_remove(struct context *ctx)
{
    return context_call(ctx, "profile.remove", json_pack("{s:s}", "name", ctx->args.operands[0]), NULL);
}

static const struct option_row *const put_tables[] = {settings, NULL};
static const struct option_row *const output_tables[] = {options_output, NULL};

const struct command command_profile_add = {
    "profile add",
    "NAME",
    1,
    1,
    "add credentials and connection settings",
    put_tables,
    "profile add lab --user admin --password-file pw\n"
    "profile add hq --auth kerberos --tls ca --ca-file /etc/ssl/hq.pem",
    profile_add};
const struct command command_profile_list = {
    "profile list", "",          0, 0, "list profiles in the order in which they are tried", output_tables,
    "profile list", profile_list};
const struct command command_profile_show = {
    "profile show", "PROFILE",          1,           1, "show a profile (never its password)",
    output_tables,  "profile show lab", profile_show};
const struct command command_profile_set = {"profile set",
                                            "PROFILE",
                                            1,
                                            1,
                                            "change a profile: what is not given stays",
                                            put_tables,
                                            "profile set lab --tls pin\nprofile set lab --password-file new",
                                            profile_set};
const struct command command_profile_remove = {
    "profile remove", "PROFILE", 1, 1, "forget a profile", NULL, "profile remove lab", profile_remove};
