#include "wsman/http_reply.h"

#include <http_parser.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/xalloc.h"

#define FIRST_BYTES  32 /* of an answer that is not HTTP, shown in the error */
#define SERVER_MAX   1024
#define USUAL_ANSWER 3000  /* bytes of most answers */
#define USUAL_MOST   16384 /* of nearly all */
#define NAME_SIZE    24    /* longer than the longest name of a header that is kept */

enum trouble {
    TROUBLE_NONE, /* or what the parser says */
    TROUBLE_LENGTH,
    TROUBLE_TOO_LARGE,
    TROUBLE_HEADERS,
    TROUBLE_VERSION,
};

struct http_reply {
    http_parser parser;
    struct buf *body;
    struct buf challenges;
    struct buf server;
    char name[NAME_SIZE]; /* of the header that is coming, as far as it fits */
    size_t name_length;
    struct buf *value; /* where its value goes; NULL: nobody wants it */
    bool in_value;
    bool in_body; /* the headers are over */
    bool done;
    bool surplus; /* more came than the answer */
    enum trouble trouble;
    char first_bytes[FIRST_BYTES];
    size_t first_count;
};

/* --- headers --- */

static const struct {
    const char *name;
    size_t offset; /* of its buffer in struct http_reply */
    bool once;     /* a second one takes the first one's place */
} kept[] = {
    {"WWW-Authenticate", offsetof(struct http_reply, challenges), false},
    {"Server", offsetof(struct http_reply, server), true},
};

static void begin_value(struct http_reply *reply)
{
    reply->in_value = true;
    reply->value = NULL;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (reply->in_body || reply->name_length != strlen(kept[i].name) ||
            strncasecmp(reply->name, kept[i].name, reply->name_length) != 0)
            continue;
        reply->value = (struct buf *)(void *)((char *)reply + kept[i].offset);
        if (kept[i].once)
            buf_reset(reply->value);
        return;
    }
}

static void end_value(struct http_reply *reply)
{
    if (reply->value == &reply->challenges)
        buf_putc(&reply->challenges, '\n');
    reply->value = NULL;
    reply->in_value = false;
    reply->name_length = 0;
}

static int on_header_field(http_parser *parser, const char *p, size_t n)
{
    struct http_reply *reply = parser->data;

    if (reply->in_value)
        end_value(reply);
    if (n <= sizeof(reply->name) - reply->name_length)
        memcpy(reply->name + reply->name_length, p, n);
    else
        n = sizeof(reply->name) - reply->name_length;
    reply->name_length += n;
    return 0;
}

static int on_header_value(http_parser *parser, const char *p, size_t n)
{
    struct http_reply *reply = parser->data;

    if (!reply->in_value)
        begin_value(reply);
    if (reply->value)
        buf_add(reply->value, p, n);
    return 0;
}

static int give_up(struct http_reply *reply, enum trouble trouble)
{
    reply->trouble = trouble;
    return -1;
}

/* What is announced is not believed beyond what is likely. */
static size_t usual_room(const struct http_reply *reply)
{
    uint64_t announced = reply->parser.content_length;
    size_t usual = announced < USUAL_MOST ? (size_t)announced : USUAL_ANSWER;

    return usual < reply->body->max ? usual : reply->body->max;
}

static int on_headers_complete(http_parser *parser)
{
    struct http_reply *reply = parser->data;

    if (reply->in_value)
        end_value(reply);
    if (parser->http_major != 1)
        return give_up(reply, TROUBLE_VERSION);
    if (parser->content_length != UINT64_MAX && parser->content_length > reply->body->max)
        return give_up(reply, TROUBLE_LENGTH);
    (void)buf_room(reply->body, usual_room(reply));
    reply->in_body = parser->status_code >= 200;
    return 0;
}

/* --- body --- */

static int on_body(http_parser *parser, const char *p, size_t n)
{
    struct http_reply *reply = parser->data;

    buf_add(reply->body, p, n);
    return buf_ok(reply->body) ? 0 : give_up(reply, TROUBLE_TOO_LARGE);
}

static int on_message_complete(http_parser *parser)
{
    struct http_reply *reply = parser->data;

    if (parser->status_code < 200) /* the answer itself is yet to come */
        return 0;
    reply->done = true;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* --- the interface --- */

struct http_reply *http_reply_new(struct buf *body)
{
    struct http_reply *reply = xcalloc(1, sizeof(*reply));

    http_parser_init(&reply->parser, HTTP_RESPONSE);
    reply->parser.data = reply;
    reply->parser.allow_chunked_length = 1; /* the chunks count; no proxy stands between us to be fooled */
    reply->body = body;
    reply->challenges = buf_init(HTTP_HEADERS_MAX);
    reply->server = buf_init(SERVER_MAX);
    return reply;
}

void http_reply_free(struct http_reply *reply)
{
    if (!reply)
        return;
    buf_free(&reply->challenges);
    buf_free(&reply->server);
    free(reply);
}

static const struct {
    enum trouble trouble;
    enum cause cause;
    const char *text;
} troubles[] = {
    {TROUBLE_LENGTH, CAUSE_TOO_LARGE, "the answer announces more bytes than any AMT device sends"},
    {TROUBLE_HEADERS, CAUSE_TOO_LARGE, "the answer's headers are longer than any AMT device sends"},
    {TROUBLE_VERSION, CAUSE_BAD_ANSWER, "the answer is in another version of HTTP"},
};

static int explain_trouble(const struct http_reply *reply, struct err *err)
{
    if (reply->trouble == TROUBLE_TOO_LARGE)
        return err_set(err, CAUSE_TOO_LARGE, "the answer is longer than %zu bytes", reply->body->max);
    for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++)
        if (troubles[i].trouble == reply->trouble)
            return err_set(err, troubles[i].cause, "%s", troubles[i].text);
    return err_set(err, CAUSE_BAD_ANSWER, "the answer is not proper HTTP: %s",
                   http_errno_description(HTTP_PARSER_ERRNO(&reply->parser)));
}

/* What answers is no HTTP server, as its first bytes say. */
static int explain_stranger(const struct http_reply *reply, struct err *err)
{
    const uint8_t *p = (const uint8_t *)reply->first_bytes;
    struct buf text = buf_init(256);

    /* A TLS alert record: type 21, version 3.x */
    if (p[0] == 0x15 && (reply->first_count < 2 || p[1] == 0x03))
        return err_set(err, CAUSE_BAD_ANSWER, "the port speaks TLS, and the profile asks for plain HTTP");
    text_printable(&text, p, reply->first_count);
    err_set(err, CAUSE_NOT_AMT, "the answer is not HTTP: it begins with '%s'", buf_str(&text));
    buf_free(&text);
    return -1;
}

static bool is_stranger(const struct http_reply *reply)
{
    size_t n = reply->first_count < 5 ? reply->first_count : 5;

    return reply->trouble == TROUBLE_NONE && memcmp(reply->first_bytes, "HTTP/", n) != 0;
}

static enum decode bad(struct http_reply *reply, struct err *err)
{
    if (is_stranger(reply))
        explain_stranger(reply, err);
    else
        explain_trouble(reply, err);
    return DECODE_BAD;
}

enum decode http_reply_feed(struct http_reply *reply, const void *p, size_t n, struct err *err)
{
    size_t first = FIRST_BYTES - reply->first_count;

    if (n == 0)
        return DECODE_MORE;
    first = n < first ? n : first;
    memcpy(reply->first_bytes + reply->first_count, p, first);
    reply->first_count += first;
    size_t read = http_parser_execute(&reply->parser, &settings, p, n);
    if (reply->done) {
        reply->surplus = read < n;
        return DECODE_DONE;
    }
    if (!reply->in_body && reply->parser.nread > HTTP_HEADERS_MAX)
        give_up(reply, TROUBLE_HEADERS);
    if (reply->trouble || HTTP_PARSER_ERRNO(&reply->parser) != HPE_OK || reply->parser.upgrade)
        return bad(reply, err);
    return DECODE_MORE;
}

enum decode http_reply_end(struct http_reply *reply, struct err *err)
{
    const char *where = reply->in_body       ? "in the middle of its answer"
                        : reply->first_count ? "in the middle of its answer's headers"
                                             : "without an answer";

    (void)http_parser_execute(&reply->parser, &settings, NULL, 0);
    if (reply->done) {
        reply->surplus = true;
        return DECODE_DONE;
    }
    if (reply->first_count && is_stranger(reply))
        return bad(reply, err);
    err_set(err, CAUSE_DROPPED, "the device closed the connection %s", where);
    return DECODE_BAD;
}

int http_reply_status(const struct http_reply *reply)
{
    return (int)reply->parser.status_code;
}

bool http_reply_keeps(const struct http_reply *reply)
{
    return reply->done && !reply->surplus && http_should_keep_alive(&reply->parser);
}

const struct buf *http_reply_challenges(const struct http_reply *reply)
{
    return &reply->challenges;
}

struct view http_reply_server(const struct http_reply *reply)
{
    return (struct view){reply->server.p, reply->server.len};
}
