#include "amtcli/cmd_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/remotes.h"
#include "amtd/peer/token.h"
#include "base/buf.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/xalloc.h"

#define ANSWER_MAX 4096
#define JOIN_MS    20000

/* --- tokens --- */

static int invite(struct context *ctx, const char *call, const char *then)
{
    static const struct param map[] = {{"address", "address"}, {"valid", "valid_ms"}, {"replace", "replace"},
                                       {"user", "user"},       {"role", "role"},      {NULL}};
    json_t *params = json_pack("{s:s}", "name", ctx->args.operands[0]), *reply;
    int code;

    params_take(params, &ctx->args, map);
    code = context_call(ctx, call, params, &reply);
    if (code != 0)
        return code;
    if (output_format(&ctx->args) == FORMAT_JSON) {
        output_json(reply);
    } else {
        puts(json_string_value(json_object_get(reply, "token")));
        fprintf(stderr, "It works once, until %s. There: %s TOKEN\n",
                json_string_value(json_object_get(reply, "expires")), then);
    }
    json_decref(reply);
    return EXIT_ALL;
}

static int node_invite(struct context *ctx)
{
    return invite(ctx, "node.invite", "amtd node join");
}

static int client_invite(struct context *ctx)
{
    return invite(ctx, "client.invite", "amtcli join");
}

/* The token, also from standard input, so that it is in no list of processes. */
static struct secret *read_token(const struct context *ctx)
{
    const char *operand = ctx->args.operands[0];
    struct err err = ERR_INIT;
    struct secret *token =
        strcmp(operand, "-") == 0 ? secret_from_file("-", &err) : secret_new(operand, strlen(operand));

    if (!token)
        print_failure(&err);
    return token;
}

/* --- what is known --- */

static int list(struct context *ctx, const char *call, const struct column *columns)
{
    json_t *reply;
    int code = context_call(ctx, call, NULL, &reply);

    if (code != 0)
        return code;
    output_rows(output_format(&ctx->args), reply, columns);
    json_decref(reply);
    return EXIT_ALL;
}

static int node_list(struct context *ctx)
{
    static const struct column columns[] = {{"NODE", "name"},
                                            {"CONNECTED", "connected"},
                                            {"FROM", "from"},
                                            {"CONSOLES", "consoles"},
                                            {"CONFIGURATION", "configuration"},
                                            {"JOINED", "added"},
                                            {NULL}};

    return list(ctx, "node.list", columns);
}

static int client_list(struct context *ctx)
{
    static const struct column columns[] = {
        {"CLIENT", "name"}, {"USER", "user"}, {"ROLE", "role"}, {"JOINED", "added"}, {NULL}};

    return list(ctx, "client.list", columns);
}

static int server_list(struct context *ctx)
{
    static const struct column columns[] = {{"SERVER", "name"},
                                            {"ADDRESS", "address"},
                                            {"PORT", "port"},
                                            {"CONNECTED", "connected"},
                                            {"CONFIGURES", "configures"},
                                            {"JOINED", "added"},
                                            {NULL}};

    return list(ctx, "server.list", columns);
}

static int node_show(struct context *ctx)
{
    static const struct column fields[] = {{"node", "name"}, {"connected", "connected"}, {"from", "from"},
                                           {"pin", "pin"},   {"joined", "added"},        {NULL}};
    json_t *params = json_pack("{s:s}", "name", ctx->args.operands[0]), *reply;
    int code = context_call(ctx, "node.show", params, &reply);

    if (code != 0)
        return code;
    output_object(output_format(&ctx->args), reply, fields);
    json_decref(reply);
    return EXIT_ALL;
}

static int remove_one(struct context *ctx, const char *call)
{
    return context_call(ctx, call, json_pack("{s:s}", "name", ctx->args.operands[0]), NULL);
}

static int node_remove(struct context *ctx)
{
    return remove_one(ctx, "node.remove");
}

static int client_remove(struct context *ctx)
{
    return remove_one(ctx, "client.remove");
}

static int server_remove(struct context *ctx)
{
    return remove_one(ctx, "server.remove");
}

/* --- joining --- */

static int node_join(struct context *ctx)
{
    const char *configuration = args_value(&ctx->args, "configuration");
    struct secret *token = read_token(ctx);
    json_t *params, *reply;
    int code;

    if (!token)
        return EXIT_USAGE;
    params = json_pack("{s:s}", "token", secret_str(token));
    secret_free(token);
    if (configuration)
        json_object_set_new(params, "configuration", json_boolean(strcmp(configuration, "take") == 0));
    code = context_call(ctx, "node.join", params, &reply);
    if (code != 0)
        return code;
    printf("joined %s\n", json_string_value(json_object_get(reply, "name")));
    json_decref(reply);
    return EXIT_ALL;
}

struct joining {
    struct buf answer;
    char *refused;
    bool over;
};

static void on_data(void *arg, const uint8_t *p, size_t n)
{
    struct joining *j = arg;

    buf_add(&j->answer, p, n);
}

static void on_ended(void *arg, const char *reason)
{
    struct joining *j = arg;

    j->over = true;
    if (reason[0] != '\0')
        j->refused = xstrdup(reason);
}

static int ask_server(struct client *client, const struct token *token, const uint8_t pin[PEER_PIN],
                      struct buf *answer, struct err *err)
{
    struct joining j = {.answer = buf_init(ANSWER_MAX)};
    const struct client_channel_events events = {.arg = &j, .data = on_data, .ended = on_ended};
    struct buf id = buf_init(2 * TOKEN_ID), hex = buf_init(2 * TOKEN_PROOF);
    uint8_t proof[TOKEN_PROOF];
    int status = 0, turns = 0;

    token_proof(token->secret, token->pin, pin, proof);
    text_hex(&id, token->id, TOKEN_ID, false);
    text_hex(&hex, proof, sizeof(proof), false);
    client_channel_open(client, "join", json_pack("{s:s, s:s}", "id", buf_str(&id), "proof", buf_str(&hex)),
                        &events);
    while (status == 0 && !j.over && turns++ < JOIN_MS / 100)
        status = client_turn(client, NULL, 0, 100, err);
    if (status == 0 && j.refused)
        status = err_set(err, CAUSE_DENIED, "the server says: %s", j.refused);
    else if (status == 0 && !j.over)
        status = err_set(err, CAUSE_TIMEOUT, "the server does not answer");
    *answer = j.answer;
    free(j.refused);
    buf_free(&id);
    buf_free(&hex);
    return status;
}

/* What the server said: its name, which is kept with its address and pin. */
static int remember(struct context *ctx, const struct token *token, const struct buf *answer, struct err *err)
{
    json_t *json = json_loadb((const char *)answer->p, answer->len,
                              JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, NULL);
    const char *server = json_string_value(json_object_get(json, "server"));
    struct remote remote = {.port = token->port};
    int status;

    if (!server || !peer_name_ok(server)) {
        json_decref(json);
        return err_set(err, CAUSE_PROTOCOL, "the server's answer cannot be understood");
    }
    remote.name = xstrdup(server);
    remote.host = xstrdup(token->host);
    memcpy(remote.pin, token->pin, PEER_PIN);
    status = remotes_add(&remote, args_has(&ctx->args, "default"), err);
    if (status == 0)
        printf("joined %s; use it with: amtcli --server %s\n", server, server);
    remote_clear(&remote);
    json_decref(json);
    return status;
}

static int join(struct context *ctx)
{
    struct secret *text = read_token(ctx);
    struct buf answer = buf_init(ANSWER_MAX);
    struct client *client = NULL;
    struct token token;
    uint8_t pin[PEER_PIN];
    struct err err = ERR_INIT;
    int status;

    if (!text)
        return EXIT_USAGE;
    status = token_read(&token, secret_str(text), &err);
    secret_free(text);
    if (status == 0 && token.kind != PEER_CLIENT)
        status = err_set(&err, CAUSE_INVALID_ARGUMENT, "the token is for a node: amtd node join");
    if (status == 0 && !(client = client_open_token(&token, pin, &err)))
        status = -1;
    if (status == 0)
        status = ask_server(client, &token, pin, &answer, &err);
    if (status == 0)
        status = remember(ctx, &token, &answer, &err);
    client_close(client);
    buf_free(&answer);
    token_wipe(&token);
    return status == 0 ? EXIT_ALL : print_failure(&err);
}

/* --- the commands --- */

#define TOKEN_OPTIONS                                                                                        \
    {"address",                                                                                              \
     0,                                                                                                      \
     OPTION_TEXT,                                                                                            \
     "HOST[:PORT]",                                                                                          \
     "where this amtd is reached from there",                                                                \
     .standard = "as configured, or this machine's name"},                                                   \
        {"valid",                                                                                            \
         0,                                                                                                  \
         OPTION_TIME,                                                                                        \
         "T",                                                                                                \
         "how long the token is good",                                                                       \
         .min = 1000,                                                                                        \
         .max = (int64_t)30 * 24 * 3600 * 1000,                                                              \
         .standard = "1h"},                                                                                  \
    {                                                                                                        \
        "replace", 0, OPTION_FLAG, NULL, "it is there already, and gets a new key"                           \
    }

static const struct option_row node_invite_options[] = {TOKEN_OPTIONS, {NULL}};
static const struct option_row client_invite_options[] = {
    {"user", 'u', OPTION_TEXT, "USER", "who that is, in the lists of who may do what",
     .standard = "the name"},
    {"role", 0, OPTION_CHOICE, "ROLE", "what that may do", .choices = "watch operate quarantine administer",
     .standard = "watch"},
    TOKEN_OPTIONS,
    {NULL}};
static const struct option_row node_join_options[] = {
    {"configuration", 0, OPTION_CHOICE, "HOW", "whether the consoles' configuration comes from that server",
     .choices = "take leave",
     .standard = "take, from the first server, when this amtd has no consoles of its own"},
    {NULL}};
static const struct option_row join_options[] = {
    {"default", 0, OPTION_FLAG, NULL, "use this server whenever none is named"}, {NULL}};

static const struct option_row *const node_invite_tables[] = {node_invite_options, options_output, NULL};
static const struct option_row *const client_invite_tables[] = {client_invite_options, options_output, NULL};
static const struct option_row *const node_join_tables[] = {node_join_options, NULL};
static const struct option_row *const join_tables[] = {join_options, NULL};
static const struct option_row *const output_tables[] = {options_output, NULL};

const struct command command_node_invite = {
    "node invite",
    "NAME",
    1,
    1,
    "print a token with which another amtd joins as a node of this one",
    node_invite_tables,
    "node invite rack7\nnode invite rack7 --address amtd.example.com --valid 10m",
    node_invite};
const struct command command_node_list = {
    "node list", "", 0, 0, "list the nodes of this amtd", output_tables, "node list\nnode list -o json",
    node_list};
const struct command command_node_show = {"node show",       "NAME",   1, 1, "show one node", output_tables,
                                          "node show rack7", node_show};
const struct command command_node_remove = {
    "node remove",       "NAME",     1, 1, "forget a node; the replicas of its consoles stay", NULL,
    "node remove rack7", node_remove};
const struct command command_node_join = {
    "node join",
    "TOKEN",
    1,
    1,
    "make the amtd of this machine a node of the server that gave the token",
    node_join_tables,
    "node join amtd1-...\nnode join - < token",
    node_join};
const struct command command_client_invite = {"client invite",
                                              "NAME",
                                              1,
                                              1,
                                              "print a token with which amtcli on another machine joins",
                                              client_invite_tables,
                                              "client invite anna-laptop --user anna --role operate",
                                              client_invite};
const struct command command_client_list = {
    "client list", "", 0, 0, "list the clients on other machines", output_tables, "client list", client_list};
const struct command command_client_remove = {
    "client remove", "NAME", 1, 1, "forget a client; its connections end", NULL, "client remove anna-laptop",
    client_remove};
const struct command command_server_list = {
    "server list", "",         0, 0, "list the servers that this amtd is a node of", output_tables,
    "server list", server_list};
const struct command command_server_remove = {
    "server remove", "NAME", 1, 1, "leave a server", NULL, "server remove central", server_remove};
const struct command command_join = {"join",
                                     "TOKEN",
                                     1,
                                     1,
                                     "make this user a client of the server that gave the token",
                                     join_tables,
                                     "join amtd1-... --default\njoin - < token",
                                     join};
