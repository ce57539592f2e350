#include "amtd/alerts/alert_request.h"

#include <http_parser.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "wsman/alert.h"

#define HEADERS_MAX (16 * 1024) /* bytes before the body; firmware sends some three hundred */

struct alert_request {
    http_parser parser;
    struct buf path, body;
    size_t head; /* bytes that were not body */
    int status;  /* why it is refused; 0: it is not */
    bool keeps, done;
};

static int refuse(http_parser *parser, int status)
{
    ((struct alert_request *)parser->data)->status = status;
    return -1;
}

static int on_url(http_parser *parser, const char *p, size_t n)
{
    struct alert_request *rq = parser->data;

    buf_add(&rq->path, p, n);
    return buf_ok(&rq->path) ? 0 : refuse(parser, 414);
}

static int on_headers_complete(http_parser *parser)
{
    struct alert_request *rq = parser->data;

    if (parser->method != HTTP_POST)
        return refuse(parser, 405);
    if (parser->content_length != UINT64_MAX && parser->content_length > rq->body.max)
        return refuse(parser, 413);
    return 0;
}

static int on_body(http_parser *parser, const char *p, size_t n)
{
    struct alert_request *rq = parser->data;

    buf_add(&rq->body, p, n);
    return buf_ok(&rq->body) ? 0 : refuse(parser, 413);
}

static int on_message_complete(http_parser *parser)
{
    struct alert_request *rq = parser->data;

    rq->done = true;
    rq->keeps = http_should_keep_alive(parser) != 0;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_url = on_url,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

struct alert_request *alert_request_new(void)
{
    struct alert_request *rq = xcalloc(1, sizeof(*rq));

    rq->path = buf_init(ALERT_PATH_MAX);
    rq->body = buf_init(WSMAN_ALERT_MAX);
    alert_request_reset(rq);
    return rq;
}

void alert_request_free(struct alert_request *rq)
{
    if (!rq)
        return;
    buf_free(&rq->path);
    buf_free(&rq->body);
    free(rq);
}

void alert_request_reset(struct alert_request *rq)
{
    http_parser_init(&rq->parser, HTTP_REQUEST);
    rq->parser.data = rq;
    buf_reset(&rq->path);
    buf_reset(&rq->body);
    rq->head = 0;
    rq->status = 0;
    rq->done = rq->keeps = false;
}

enum decode alert_request_feed(struct alert_request *rq, const void *p, size_t n, size_t *used)
{
    size_t body = rq->body.len;

    *used = http_parser_execute(&rq->parser, &settings, p, n);
    rq->head += *used - (rq->body.len - body);
    if (rq->done)
        return DECODE_DONE;
    if (rq->head > HEADERS_MAX)
        rq->status = 413;
    if (HTTP_PARSER_ERRNO(&rq->parser) != HPE_OK && rq->status == 0)
        rq->status = 400;
    if (rq->parser.upgrade)
        rq->status = 400;
    return rq->status ? DECODE_BAD : DECODE_MORE;
}

const char *alert_request_path(const struct alert_request *rq)
{
    return buf_str(&rq->path);
}

struct view alert_request_body(const struct alert_request *rq)
{
    return (struct view){rq->body.p, rq->body.len};
}

bool alert_request_keeps(const struct alert_request *rq)
{
    return rq->keeps;
}

int alert_request_status(const struct alert_request *rq)
{
    return rq->status;
}
