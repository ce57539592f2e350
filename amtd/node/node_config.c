#include "amtd/node/node_config.h"

#include <errno.h>
#include <jansson.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/daemon.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

#define ANSWER_MAX 262144

struct node_config {
    char *node;
    char *state;
    struct client *client;
    uint32_t channel; /* 0: none */
    struct buf answer;
};

static void set_state(struct node_config *c, const char *text)
{
    struct buf shown = buf_init(2048);

    text_printable(&shown, text, strnlen(text, 500));
    xreplace(&c->state, buf_str(&shown));
    buf_free(&shown);
}

struct node_config *node_config_new(const char *node)
{
    struct node_config *c = xcalloc(1, sizeof(*c));

    c->node = xstrdup(node);
    c->state = xstrdup("");
    c->answer = buf_init(ANSWER_MAX);
    return c;
}

void node_config_free(struct node_config *c)
{
    if (!c)
        return;
    free(c->node);
    free(c->state);
    buf_free(&c->answer);
    free(c);
}

const char *node_config_state(const struct node_config *c)
{
    return c->state;
}

void node_config_forget(struct node_config *c)
{
    c->client = NULL;
    c->channel = 0;
}

static void on_data(void *arg, const uint8_t *p, size_t n)
{
    struct node_config *c = arg;

    client_consumed(c->client, c->channel, n);
    buf_add(&c->answer, p, n);
}

static void on_ended(void *arg, const char *reason)
{
    struct node_config *c = arg;
    json_t *json = json_loadb(buf_str(&c->answer), c->answer.len, JSON_DISABLE_EOF_CHECK, NULL);
    const char *mistakes = json_string_value(json_object_get(json, "mistakes"));

    c->channel = 0;
    if (json_is_true(json_object_get(json, "taken")))
        set_state(c, "taken");
    else if (reason) /* else the next connection tries again */
        set_state(c, mistakes ? mistakes : reason[0] ? reason : "no answer");
    if (reason && strcmp(c->state, "taken") != 0)
        log_err(c->node, "node: its configuration is not taken: %s", c->state);
    json_decref(json);
    buf_free(&c->answer);
}

static int load(const char *path, struct buf *text, struct err *err)
{
    FILE *file = fopen(path, "re");
    uint8_t *room;
    size_t n;

    if (!file)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    while ((room = buf_room(text, 65536)) && (n = fread(room, 1, 65536, file)) > 0)
        buf_added(text, n);
    fclose(file);
    return buf_ok(text) ? 0 : err_set(err, CAUSE_TOO_LARGE, "%s", path);
}

void node_config_send(struct node_config *c, struct client *client, const char *file, const char *base)
{
    const struct channel_events events = {.arg = c, .data = on_data, .ended = on_ended};
    struct buf text = buf_init(DAEMON_PUSHED_MAX + 65536), head = buf_init(4);
    char *copy = xstrdup(base ? base : "./x");
    char *path = file[0] == '/' ? xstrdup(file) : xasprintf("%s/%s", dirname(copy), file);
    struct err err = ERR_INIT;

    if (c->channel != 0)
        client_drop_channel(client, c->channel);
    c->client = client;
    c->channel = 0;
    if (load(path, &text, &err) != 0 || text.len > DAEMON_PUSHED_MAX) {
        set_state(c, err.text[0] ? err.text : "the file is too long");
        log_err(c->node, "node: its configuration cannot be sent: %s", c->state);
    } else {
        c->channel = client_open_channel(client, "configure", "", 0, &events);
        wr_be32(&head, (uint32_t)text.len);
        client_write(client, c->channel, head.p, head.len);
        client_write(client, c->channel, text.p, text.len);
        set_state(c, "sent");
    }
    free(path);
    free(copy);
    buf_free(&text);
    buf_free(&head);
}
