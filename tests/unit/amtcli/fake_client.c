#include "tests/unit/amtcli/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtcli/client.h"
#include "amtcli/reply.h"
#include "base/buf.h"
#include "base/xalloc.h"

struct client {
    bool left;
};

static const struct fake_answer *next;
static struct buf asked;

void fake_client_script(const struct fake_answer *answers)
{
    next = answers;
    buf_free(&asked);
    asked = buf_init(1 << 20);
}

const char *fake_client_asked(void)
{
    return buf_str(&asked);
}

static void note(const char *name, json_t *params)
{
    char *text = json_dumps(params ? params : json_null(), JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

    buf_printf(&asked, "%s %s\n", name, text);
    free(text);
    json_decref(params);
}

struct client *client_open_token(const struct token *token, uint8_t pin[32], struct err *err)
{
    (void)token;
    memset(pin, 0, 32);
    err_set(err, CAUSE_NO_DAEMON, "there is no server");
    return NULL;
}

struct client *client_open(const char *server, bool start, struct err *err)
{
    (void)server;
    (void)start;
    (void)err;
    return xcalloc(1, sizeof(struct client));
}

void client_close(struct client *client)
{
    free(client);
}

bool client_alive(const struct client *client)
{
    return !client->left;
}

int client_call(struct client *client, const char *name, json_t *params, client_event *on_event,
                void (*on_idle)(void *arg), void *arg, json_t **reply, struct err *err)
{
    const struct fake_answer *answer = next;
    json_t *events, *event, *result;
    size_t i;

    note(name, params);
    if (reply)
        *reply = NULL;
    if (!answer->call || strcmp(answer->call, name) != 0)
        fail_msg("%s was called, not %s", name, answer->call ? answer->call : "nothing");
    next++;
    events = json_loads(answer->events ? answer->events : "[]", 0, NULL);
    json_array_foreach(events, i, event) if (on_event) on_event(arg, event);
    json_decref(events);
    if (on_idle)
        on_idle(arg);
    if (client->left)
        return err_set(err, CAUSE_NO_DAEMON, "left");
    result = answer->reply ? json_loads(answer->reply, JSON_DECODE_ANY, NULL) : NULL;
    assert_true(result || !answer->reply);
    if (reply)
        *reply = result;
    else
        json_decref(result);
    return answer->cause != CAUSE_NONE ? err_set(err, answer->cause, "as the script says") : 0;
}

static void give_row(const struct reply_rows *rows, const json_t *row)
{
    char *text = json_dumps(row, JSON_COMPACT);

    rows->row(rows->arg, text, strlen(text));
    free(text);
}

/* A script's event {"row": …} is one. */
static const struct reply_rows *taking;

static void take_event(void *arg, const json_t *event)
{
    const json_t *row = json_object_get(event, "row");

    (void)arg;
    if (row)
        give_row(taking, row);
    else if (taking->event)
        taking->event(taking->arg, event);
}

int client_rows(struct client *client, const char *name, json_t *params, const struct reply_rows *rows,
                void (*on_idle)(void *arg), void *arg, json_t **reply, struct err *err)
{
    json_t *list, *row;
    size_t i;
    int status;

    taking = rows;
    status = client_call(client, name, params, take_event, on_idle, arg, &list, err);
    json_array_foreach(list, i, row) give_row(rows, row);
    if (reply)
        *reply = json_incref(list);
    json_decref(list);
    return status;
}

void client_post(struct client *client, const char *name, json_t *params)
{
    (void)client;
    note(name, params);
}

void client_leave(struct client *client)
{
    client->left = true;
}

int client_stop_daemon(struct client *client, struct err *err)
{
    return client_call(client, "daemon.stop", NULL, NULL, NULL, NULL, NULL, err);
}

uint32_t client_channel_open(struct client *client, const char *kind, json_t *params,
                             const struct client_channel_events *events)
{
    (void)client;
    (void)kind;
    (void)events;
    json_decref(params);
    return 1;
}

void client_channel_write(struct client *client, uint32_t channel, const void *p, size_t n)
{
    (void)client;
    (void)channel;
    (void)p;
    (void)n;
}

void client_channel_signal(struct client *client, uint32_t channel, uint32_t number)
{
    (void)client;
    (void)channel;
    (void)number;
}

void client_channel_close(struct client *client, uint32_t channel)
{
    (void)client;
    (void)channel;
}

size_t client_channel_backlog(const struct client *client, uint32_t channel)
{
    (void)client;
    (void)channel;
    return 0;
}

uint32_t client_start(struct client *client, const char *name, json_t *params,
                      const struct client_call_events *events)
{
    (void)client;
    (void)events;
    note(name, params);
    return 1;
}

int client_turn(struct client *client, struct pollfd *also, size_t count, int timeout_ms, struct err *err)
{
    (void)client;
    (void)also;
    (void)count;
    (void)timeout_ms;
    return err_set(err, CAUSE_NO_DAEMON, "there is no amtd");
}
