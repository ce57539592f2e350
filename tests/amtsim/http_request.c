#include "tests/amtsim/http_request.h"

#include <string.h>
#include <strings.h>

static enum decode bad(struct http_request *r, int status)
{
    r->status = status;
    return DECODE_BAD;
}

static struct view trim(struct view v)
{
    while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t'))
        v = (struct view){v.p + 1, v.n - 1};
    while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
        v.n--;
    return v;
}

static bool is(struct view v, const char *text)
{
    return v.n == strlen(text) && strncasecmp((const char *)v.p, text, v.n) == 0;
}

/* One line without its CRLF (a bare LF is accepted, as many servers do). */
static struct view line(struct rd *in)
{
    struct view v = rd_until(in, '\n');
    if (v.n > 0 && v.p[v.n - 1] == '\r')
        v.n--;
    return v;
}

static bool number(struct view v, size_t *out)
{
    size_t value = 0;
    if (v.n == 0 || v.n > 9)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
        value = value * 10 + (size_t)(v.p[i] - '0');
    }
    *out = value;
    return true;
}

/* "POST /wsman HTTP/1.1"; false: *status set. */
static bool request_line(struct http_request *r, struct view text)
{
    struct rd in = rd_init(text.p, text.n);
    r->method = rd_until(&in, ' ');
    r->target = rd_until(&in, ' ');
    struct view version = rd_bytes(&in, in.n);
    r->status = 400;
    if (!rd_ok(&in) || r->method.n == 0 || r->target.n == 0)
        return false;
    if (view_eq(version, "HTTP/1.0"))
        r->close = true;
    else if (!view_eq(version, "HTTP/1.1")) {
        r->status = version.n > 5 && strncmp((const char *)version.p, "HTTP/", 5) == 0 ? 505 : 400;
        return false;
    }
    return true;
}

struct lengths {
    size_t body;
    bool known;
};

/* One "Name: value"; false: *status set. */
static bool header(struct http_request *r, struct view text, struct lengths *lengths)
{
    struct rd in = rd_init(text.p, text.n);
    struct view name = rd_until(&in, ':');
    if (!rd_ok(&in) || name.n == 0 || memchr(name.p, ' ', name.n) != NULL) {
        r->status = 400;
        return false;
    }
    struct view value = trim(rd_bytes(&in, in.n));
    if (is(name, "Content-Length")) {
        size_t length;
        if (!number(value, &length) || (lengths->known && lengths->body != length)) {
            r->status = 400;
            return false;
        }
        lengths->body = length;
        lengths->known = true;
    } else if (is(name, "Transfer-Encoding")) {
        r->status = 411; /* AMT takes requests with Content-Length only */
        return false;
    } else if (is(name, "Authorization")) {
        r->authorization = value;
    } else if (is(name, "Connection") && is(value, "close")) {
        r->close = true;
    }
    return true;
}

/* Offset behind the empty line that ends the header, or 0. */
static size_t header_end(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if (p[i] != '\n')
            continue;
        if (p[i + 1] == '\n')
            return i + 2;
        if (i + 2 < n && p[i + 1] == '\r' && p[i + 2] == '\n')
            return i + 3;
    }
    return 0;
}

enum decode http_request_decode(struct http_request *r, const void *p, size_t n)
{
    *r = (struct http_request){0};
    const uint8_t *bytes = p;
    if (n > 0 && (bytes[0] < 'A' || bytes[0] > 'Z'))
        return bad(r, 400);
    size_t end = header_end(bytes, n < HTTP_HEADER_MAX ? n : HTTP_HEADER_MAX);
    if (end == 0)
        return n >= HTTP_HEADER_MAX ? bad(r, 431) : DECODE_MORE;
    struct rd in = rd_init(bytes, end);
    if (!request_line(r, line(&in)))
        return DECODE_BAD;
    struct lengths lengths = {0, false};
    for (struct view text = line(&in); text.n > 0; text = line(&in)) {
        if (!header(r, text, &lengths))
            return DECODE_BAD;
    }
    if (lengths.body > HTTP_BODY_MAX)
        return bad(r, 413);
    if (!lengths.known && view_eq(r->method, "POST"))
        return bad(r, 411);
    r->need = end + lengths.body;
    if (n < r->need)
        return DECODE_MORE;
    r->body = (struct view){bytes + end, lengths.body};
    r->consumed = r->need;
    return DECODE_DONE;
}
