#include "tests/amtsim/alert_post.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "tests/amtsim/digest.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/subscriptions.h"
#include "tests/amtsim/tls.h"

#define PORT_HTTP  80
#define PORT_HTTPS 443
#define ANSWER_MAX 16384
#define LIMIT_MS   10000 /* for one try */
#define AGAIN_MS   1000
#define ACK_ACTION "http://schemas.dmtf.org/wbem/wsman/1/wsman/Ack"
#define CNONCE     "c0ffee00"

struct target {
    struct sockaddr_in address;
    char host[64]; /* as in the URL, with its port */
    char name[64]; /* without it */
    const char *path;
    bool tls;
};

/* One connection of a post; outlives it by its closing. */
struct
try {
    uv_tcp_t tcp; /* first */
    uv_connect_t connect;
    uv_write_t write;
    struct alert_post *post; /* NULL: of no interest any more */
    struct buf request, answer;
    struct tls_session *tls; /* NULL: plain */
};

/* connecting -> asking -> (401: connecting again, with a login) -> told. A try that fails: again after a
 * while. */
struct alert_post {
    uv_timer_t timer; /* first: limit of a try, or the pause before the next */
    struct subscription *subscription;
    struct target target;
    struct try *try;
    unsigned tries;
    char realm[DIGEST_FIELD_MAX], nonce[DIGEST_FIELD_MAX]; /* of a challenge; "" before */
};

static bool read_url(const char *url, struct target *t)
{
    static const char plain[] = "http://", secured[] = "https://";
    t->tls = strncmp(url, secured, sizeof(secured) - 1) == 0;
    uint64_t port = t->tls ? PORT_HTTPS : PORT_HTTP;
    if (!t->tls && strncmp(url, plain, sizeof(plain) - 1) != 0)
        return false;
    const char *host = url + (t->tls ? sizeof(secured) : sizeof(plain)) - 1;
    size_t n = strcspn(host, "/");
    t->path = host[n] != '\0' ? host + n : "/";
    if (n >= sizeof(t->host) || strpbrk(t->path, " \r\n") != NULL)
        return false;
    snprintf(t->host, sizeof(t->host), "%.*s", (int)n, host);
    char name[sizeof(t->host)];
    snprintf(name, sizeof(name), "%s", t->host);
    char *colon = strchr(name, ':');
    if (colon != NULL) {
        *colon = '\0';
        if (!text_u64(colon + 1, 1, UINT16_MAX, &port))
            return false;
    }
    t->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    snprintf(t->name, sizeof(t->name), "%s", name);
    const char *number = strcmp(name, "localhost") == 0 ? "127.0.0.1" : name;
    return inet_pton(AF_INET, number, &t->address.sin_addr) == 1 &&
           ntohl(t->address.sin_addr.s_addr) >> 24 == 127;
}

bool alert_post_can_reach(const char *url)
{
    struct target t;
    return read_url(url, &t);
}

/* --- the end --- */

static void on_try_closed(uv_handle_t *handle)
{
    struct try *t = (struct try *)handle;
    buf_free(&t->request);
    buf_free(&t->answer);
    tls_session_free(t->tls);
    free(t);
}

static void drop_try(struct alert_post *p)
{
    if (p->try == NULL)
        return;
    p->try->post = NULL;
    uv_close((uv_handle_t *)&p->try->tcp, on_try_closed);
    p->try = NULL;
}

static void on_post_closed(uv_handle_t *handle)
{
    free(handle);
}

void alert_post_cancel(struct alert_post *p)
{
    if (p == NULL)
        return;
    drop_try(p);
    uv_close((uv_handle_t *)&p->timer, on_post_closed);
}

static void told(struct alert_post *p, bool delivered)
{
    struct subscription *s = p->subscription;
    alert_post_cancel(p);
    subscription_told(s, delivered);
}

static void begin_try(struct alert_post *p);

static void on_again(uv_timer_t *timer)
{
    begin_try((struct alert_post *)timer);
}

static void try_failed(struct alert_post *p)
{
    drop_try(p);
    if (!p->subscription->ack || ++p->tries >= ALERT_TRIES)
        told(p, false);
    else
        uv_timer_start(&p->timer, on_again, AGAIN_MS, 0);
}

static void on_limit(uv_timer_t *timer)
{
    try_failed((struct alert_post *)timer);
}

/* --- the answer --- */

/* A quoted value of the challenge; "" when it is not there. */
static void read_quoted(const char *header, const char *name, char *out)
{
    const char *p = strstr(header, name);
    size_t n = p != NULL ? strcspn(p + strlen(name), "\"\r\n") : 0;
    snprintf(out, DIGEST_FIELD_MAX, "%.*s", (int)(n < DIGEST_FIELD_MAX ? n : 0),
             p != NULL ? p + strlen(name) : "");
}

/* False when there is no login to answer the challenge with, or it was answered already. */
static bool take_challenge(struct alert_post *p, const char *answer)
{
    if (p->subscription->user == NULL || p->nonce[0] != '\0')
        return false;
    read_quoted(answer, "realm=\"", p->realm);
    read_quoted(answer, "nonce=\"", p->nonce);
    return p->nonce[0] != '\0';
}

static bool is_acknowledged(const struct alert_post *p, const char *answer)
{
    return !p->subscription->ack ||
           (strstr(answer, ACK_ACTION) != NULL && strstr(answer, p->subscription->queue->id) != NULL);
}

static void judge(struct alert_post *p)
{
    const char *answer = buf_str(&p->try->answer);
    uint64_t status = 0;
    char digits[4] = "";
    if (strncmp(answer, "HTTP/1.", 7) == 0 && strlen(answer) > 12)
        memcpy(digits, answer + 9, 3);
    text_u64(digits, 100, 599, &status);
    if (status == 401 && take_challenge(p, answer)) {
        drop_try(p);
        begin_try(p);
    } else if (status >= 200 && status < 300 && is_acknowledged(p, answer)) {
        told(p, true);
    } else {
        try_failed(p);
    }
}

/* With Content-Length the answer may be over before the connection is. */
static bool is_whole(const char *answer, size_t n)
{
    static const char field[] = "content-length:";
    const char *end = strstr(answer, "\r\n\r\n");
    if (end == NULL)
        return false;
    size_t head = (size_t)(end - answer) + 4;
    const char *length = strcasestr(answer, field);
    uint64_t want = 0;
    char digits[8];
    if (length == NULL || length > end)
        return false;
    length += sizeof(field) - 1;
    length += strspn(length, " ");
    snprintf(digits, sizeof(digits), "%.*s", (int)strspn(length, "0123456789"), length);
    return text_u64(digits, 0, ANSWER_MAX, &want) && n - head >= want;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    static char room[ANSWER_MAX];
    (void)handle;
    (void)suggested;
    *out = uv_buf_init(room, sizeof(room));
}

struct piece {        /* of TLS, being written */
    uv_write_t write; /* first */
    struct buf bytes;
};

static void on_piece(uv_write_t *req, int status)
{
    struct piece *piece = (struct piece *)req;
    (void)status; /* the reading side notices */
    buf_free(&piece->bytes);
    free(piece);
}

/* Feeds TLS and writes what it has to say. False: it failed, as when the server is not trusted. */
static bool go_on_tls(struct try *t, const void *p, size_t n)
{
    struct piece *piece = xcalloc(1, sizeof(*piece));
    piece->bytes = buf_init(SIZE_MAX / 4);
    enum tls_event event = tls_session_feed(t->tls, p, n, &t->answer, &piece->bytes);
    uv_buf_t bytes = uv_buf_init((char *)piece->bytes.p, (unsigned)piece->bytes.len);
    if (piece->bytes.len == 0 || uv_write(&piece->write, (uv_stream_t *)&t->tcp, &bytes, 1, on_piece) != 0)
        on_piece(&piece->write, 0);
    return event != TLS_FAILED;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
    struct try *t = (struct try *)stream;
    bool good = true;
    if (t->post == NULL)
        return;
    if (n > 0 && t->tls != NULL)
        good = go_on_tls(t, bytes->base, (size_t)n);
    else if (n > 0)
        buf_add(&t->answer, bytes->base, (size_t)n);
    if (!good || !buf_ok(&t->answer))
        try_failed(t->post);
    else if (n < 0 || is_whole(buf_str(&t->answer), t->answer.len))
        judge(t->post);
}

/* --- the request --- */

static void write_login(const struct alert_post *p, struct buf *out)
{
    const struct subscription *s = p->subscription;
    struct fleet *fleet = s->device->fleet;
    char ha1[33], ha2[33], response[33];
    const char *a1[] = {s->user, p->realm, s->password};
    const char *a2[] = {"POST", p->target.path};
    digest_md5_hex(fleet, a1, 3, ha1);
    digest_md5_hex(fleet, a2, 2, ha2);
    const char *all[] = {ha1, p->nonce, "00000001", CNONCE, "auth", ha2};
    digest_md5_hex(fleet, all, 6, response);
    buf_printf(out,
               "Authorization: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", qop=auth, "
               "nc=00000001, cnonce=\"" CNONCE "\", response=\"%s\"\r\n",
               s->user, p->realm, p->nonce, p->target.path, response);
}

static void write_request(const struct alert_post *p, struct buf *out)
{
    const char *document = p->subscription->queue->document;
    buf_printf(out,
               "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Intel(R) AMT Agent\r\n"
               "Content-Type: application/soap+xml; charset=UTF-8\r\n",
               p->target.path, p->target.host);
    if (p->nonce[0] != '\0')
        write_login(p, out);
    buf_printf(out, "Connection: Keep-Alive\r\nContent-Length: %zu\r\n\r\n%s", strlen(document), document);
}

static void on_written(uv_write_t *req, int status)
{
    struct try *t = req->data;
    if (t->post != NULL && status < 0)
        try_failed(t->post);
}

static void on_connected(uv_connect_t *req, int status)
{
    struct try *t = req->data;
    if (t->post == NULL)
        return;
    if (status == 0 && t->post->target.tls && t->tls == NULL)
        status = UV_EINVAL;
    if (status == 0 && t->tls != NULL) {
        struct buf none = buf_init(1);
        tls_session_send(t->tls, t->request.p, t->request.len,
                         &none); /* held back until the handshake is over */
        buf_free(&none);
        if (uv_read_start((uv_stream_t *)&t->tcp, on_alloc, on_read) != 0 || !go_on_tls(t, "", 0))
            try_failed(t->post);
        return;
    }
    uv_buf_t bytes = uv_buf_init((char *)t->request.p, (unsigned)t->request.len);
    if (status < 0 || uv_read_start((uv_stream_t *)&t->tcp, on_alloc, on_read) != 0 ||
        uv_write(&t->write, (uv_stream_t *)&t->tcp, &bytes, 1, on_written) != 0)
        try_failed(t->post);
}

static void begin_try(struct alert_post *p)
{
    struct device *d = p->subscription->device;
    struct try *t = xcalloc(1, sizeof(*t));
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(d->fleet->options->address + d->index)};
    t->post = p;
    t->request = buf_init(SIZE_MAX / 4);
    t->answer = buf_init(ANSWER_MAX);
    t->connect.data = t->write.data = t;
    write_request(p, &t->request);
    uv_tcp_init(d->fleet->loop, &t->tcp);
    p->try = t;
    if (p->target.tls)
        t->tls = tls_session_to(d, p->target.name);
    uv_timer_start(&p->timer, on_limit, LIMIT_MS, 0);
    if (uv_tcp_bind(&t->tcp, (struct sockaddr *)&own, 0) != 0 ||
        uv_tcp_connect(&t->connect, &t->tcp, (struct sockaddr *)&p->target.address, on_connected) != 0)
        uv_timer_start(&p->timer, on_limit, 0, 0);
}

struct alert_post *alert_post_start(struct subscription *s)
{
    struct alert_post *p = xcalloc(1, sizeof(*p));
    p->subscription = s;
    read_url(s->url, &p->target);
    uv_timer_init(s->device->fleet->loop, &p->timer);
    begin_try(p);
    return p;
}
