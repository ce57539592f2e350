/* profile add, list, show, set, remove. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "amtcli/cmd_profile.h"
#include "amtcli/output.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/xalloc.h"

static const struct option_row settings[] = {
    {"user", 'u', "NAME", "the device's user, for digest"},
    {"password-file", 0, "FILE",
     "file with the password, '-' for standard input; asked for when it is needed and not given"},
    {"auth", 0, "SCHEME", "digest (default) or kerberos"},
    {"ccache", 0, "NAME", "Kerberos credential cache; default that of amtd"},
    {"tls", 0, "MODE", "none (default), ca: certificate by a CA, pin: the one first seen, recorded"},
    {"ca-file", 0, "FILE", "PEM file of CAs; default those of the system"},
    {"client-cert", 0, "FILE", "PEM file of our certificate, for devices that ask for one"},
    {"client-key", 0, "FILE", "PEM file of its key"},
    {"old-tls", 0, "on|off", "allow TLS 1.0 and old ciphers; only with --tls pin"},
    {"port", 0, "PORT", "default 16992, with TLS 16993"},
    {"position", 0, "N", "place in the order in which profiles are tried"},
    {"connect-timeout", 0, "T", "time for a connection (default 5s)"},
    {"request-timeout", 0, "T", "time for an answer (default 15s)"},
    {NULL},
};

/* --- the password: never from the command line --- */

static struct secret *ask_password(const char *name)
{
    struct termios kept, quiet;
    char text[1024];
    struct secret *secret = NULL;

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &kept) != 0) {
        fprintf(stderr, "amtcli: give the password with --password-file FILE, '-' for standard input\n");
        return NULL;
    }
    fprintf(stderr, "password of profile %s: ", name);
    quiet = kept;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    if (fgets(text, sizeof(text), stdin))
        secret = secret_new(text, strcspn(text, "\n"));
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &kept);
    fputc('\n', stderr);
    secret_wipe(text, sizeof(text));
    return secret;
}

static int add_password(json_t *params, const struct args *args, bool needed)
{
    const char *file = args_value(args, "password-file");
    struct err err = ERR_INIT;
    struct secret *secret;

    if (!file && !needed)
        return 0;
    secret = file ? secret_from_file(file, &err) : ask_password(args->operands[0]);
    if (!secret) {
        if (file)
            fprintf(stderr, "amtcli: %s\n", err.text);
        return EXIT_USAGE;
    }
    json_object_set_new(params, "password", json_string(secret_str(secret)));
    secret_free(secret);
    if (json_is_string(json_object_get(params, "password")))
        return 0;
    fprintf(stderr, "amtcli: the password is not UTF-8 text\n");
    return EXIT_USAGE;
}

/* --- settings --- */

static int wrong(const char *option, const char *expected)
{
    fprintf(stderr, "amtcli: --%s expects %s\n", option, expected);
    return EXIT_USAGE;
}

/* amtd stands in another directory: it gets whole paths. */
static void add_path(json_t *params, const char *name, const char *path)
{
    char *cwd, *whole;

    if (path[0] == '/' || path[0] == '\0') {
        json_object_set_new(params, name, json_string(path));
        return;
    }
    cwd = getcwd(NULL, 0);
    whole = xasprintf("%s/%s", cwd ? cwd : "", path);
    json_object_set_new(params, name, json_string(whole));
    free(cwd);
    free(whole);
}

static int add_number(json_t *params, const struct args *args, const char *option, const char *name,
                      uint64_t max)
{
    const char *text = args_value(args, option);
    uint64_t value;

    if (!text)
        return 0;
    if (!text_u64(text, 0, max, &value))
        return wrong(option, "a whole number");
    json_object_set_new(params, name, json_integer((json_int_t)value));
    return 0;
}

static int add_time(json_t *params, const struct args *args, const char *option, const char *name)
{
    const char *text = args_value(args, option);
    int64_t value;

    if (!text)
        return 0;
    if (!text_duration_ms(text, 1, 3600000, &value))
        return wrong(option, "a time such as 5s or 500ms");
    json_object_set_new(params, name, json_integer(value));
    return 0;
}

static int add_settings(json_t *params, const struct args *args)
{
    static const char *const texts[][2] = {
        {"user", "user"}, {"auth", "auth"}, {"ccache", "ccache"}, {"tls", "tls"}};
    static const char *const paths[][2] = {
        {"ca-file", "ca_file"}, {"client-cert", "client_cert_file"}, {"client-key", "client_key_file"}};
    const char *old = args_value(args, "old-tls");
    int code;

    for (size_t i = 0; i < 4; i++)
        if (args_value(args, texts[i][0]))
            json_object_set_new(params, texts[i][1], json_string(args_value(args, texts[i][0])));
    for (size_t i = 0; i < 3; i++)
        if (args_value(args, paths[i][0]))
            add_path(params, paths[i][1], args_value(args, paths[i][0]));
    if (old && strcmp(old, "on") != 0 && strcmp(old, "off") != 0)
        return wrong("old-tls", "on or off");
    if (old)
        json_object_set_new(params, "old_tls", json_boolean(strcmp(old, "on") == 0));
    code = add_number(params, args, "port", "port", 65535);
    code = code ? code : add_number(params, args, "position", "position", 1000000);
    code = code ? code : add_time(params, args, "connect-timeout", "connect_ms");
    return code ? code : add_time(params, args, "request-timeout", "request_ms");
}

static int put(struct context *ctx, bool replace)
{
    const char *auth = args_value(&ctx->args, "auth");
    bool digest = !auth || strcmp(auth, "digest") == 0;
    json_t *params = json_pack("{s:s, s:b}", "name", ctx->args.operands[0], "replace", (int)replace);
    int code = add_settings(params, &ctx->args);

    if (code == 0)
        code = add_password(params, &ctx->args, digest && !replace);
    if (code == 0)
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

static int profile_list(struct context *ctx)
{
    static const struct column columns[] = {
        {"PROFILE", "name"},    {"AUTH", "auth"}, {"USER", "user"},         {"TLS", "tls"},
        {"OLD TLS", "old_tls"}, {"PORT", "port"}, {"POSITION", "position"}, {NULL}};
    enum format format;
    json_t *reply;
    int code;

    if (output_format(&ctx->args, &format) != 0)
        return EXIT_USAGE;
    code = context_call(ctx, "profile.list", NULL, &reply);
    if (code != 0)
        return code;
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
                                           {"port", "port"},
                                           {"connect ms", "connect_ms"},
                                           {"request ms", "request_ms"},
                                           {NULL}};
    enum format format;
    json_t *reply;
    int code;

    if (output_format(&ctx->args, &format) != 0)
        return EXIT_USAGE;
    code = context_call(ctx, "profile.show", json_pack("{s:s}", "name", ctx->args.operands[0]), &reply);
    if (code != 0)
        return code;
    output_object(format, reply, fields);
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
    "profile show",     "NAME",      1, 1, "show a profile (never its password)", output_tables,
    "profile show lab", profile_show};
const struct command command_profile_set = {"profile set",
                                            "NAME",
                                            1,
                                            1,
                                            "change a profile: what is not given stays",
                                            put_tables,
                                            "profile set lab --tls pin\nprofile set lab --password-file new",
                                            profile_set};
const struct command command_profile_remove = {
    "profile remove", "NAME", 1, 1, "forget a profile", NULL, "profile remove lab", profile_remove};
