#include "wsman/http_lane.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/answer.h"
#include "wsman/http_login.h"

#define CHALLENGES_MAX HTTP_HEADERS_MAX
#define READ_SIZE      8192L /* libcurl's read buffer; an answer of AMT is about that long */
#define FIRST_BYTES    32    /* of an answer that is not HTTP, shown in the error */

/* libcurl searches its cache from end to end when a connection leaves it; several caches keep that short. */
#define SHARDS 16

struct shard {
    struct http_timer timer; /* first: libcurl wants to be called */
    struct http_lanes *lanes;
    CURLM *multi; /* NULL until first used */
    bool kick;    /* is to be called at once */
    bool touched; /* may have exchanges that ended */
};

struct http_lanes {
    struct http *http;
    struct shard shards[SHARDS];
    struct http_lane *free;
    struct http_lane *closer; /* takes idle connections out of the caches */
    size_t count;
    unsigned due; /* shards with kick or touched set */
};

/* Not const because struct curl_slist is not; nobody writes to them. A name without value takes a header out.
 */
static char no_accept[] = "Accept:";
static char no_expect[] = "Expect:";
static char content_type[] = "Content-Type: application/soap+xml;charset=UTF-8";

enum trouble {
    TROUBLE_NONE,
    TROUBLE_TOO_LARGE,
    TROUBLE_HEADERS,
    TROUBLE_NOT_HTTP,
};

struct http_lane {
    CURL *easy;
    struct http_lanes *lanes;
    struct http_lane *next;       /* in the list of free ones */
    struct http_session *session; /* whose exchange it carries */
    struct shard *shard;          /* NULL unless an exchange is under way */
    struct curl_slist authorization, accept, expect, content_type;
    struct buf authorization_text, url, challenges;
    bool posting;
    /* the exchange */
    bool sent;
    bool wants_connection;
    bool in_headers; /* a status line came, and not yet the empty line behind the headers */
    bool closing;    /* this is the closer at work */
    enum trouble trouble;
    size_t header_bytes;
    char first_bytes[FIRST_BYTES];
    size_t first_count;
    char error[CURL_ERROR_SIZE];
};

/* --- what libcurl calls --- */

static void make_due(struct shard *shard, bool *flag)
{
    if (!shard->kick && !shard->touched)
        shard->lanes->due++;
    *flag = true;
}

static void clear_due(struct shard *shard, bool *flag)
{
    if (!*flag)
        return;
    *flag = false;
    if (!shard->kick && !shard->touched)
        shard->lanes->due--;
}

static void timer_due(struct http_timer *timer)
{
    struct shard *shard = (struct shard *)timer;

    make_due(shard, &shard->kick);
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
    struct shard *shard = arg;
    struct http *http = shard->lanes->http;

    (void)multi;
    if (ms > 0)
        http_timer_arm(&http->timers, &shard->timer, http_now(http) + ms);
    else
        http_timer_disarm(&http->timers, &shard->timer);
    if (ms == 0)
        make_due(shard, &shard->kick);
    return 0;
}

static int on_watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    static const int events[] = {
        [CURL_POLL_NONE] = 0,
        [CURL_POLL_IN] = HTTP_WATCH_READ,
        [CURL_POLL_OUT] = HTTP_WATCH_WRITE,
        [CURL_POLL_INOUT] = HTTP_WATCH_READ | HTTP_WATCH_WRITE,
    };
    struct shard *shard = arg;
    struct http_conn *conn = http_conn_by_fd(shard->lanes->http, fd);

    (void)easy;
    (void)socket_arg;
    /* A connection that libcurl lets go of becomes idle or is closed; both say themselves what is watched. */
    if (conn && what != CURL_POLL_REMOVE)
        http_conn_watch(conn, events[what]);
    return 0;
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *addr)
{
    struct http_lane *lane = arg;
    struct http_conn *conn = lane->session->conn;

    (void)purpose;
    (void)addr;
    if (!conn || conn->state != HTTP_CONN_READY) {
        lane->wants_connection = true;
        return CURL_SOCKET_BAD;
    }
    conn->state = HTTP_CONN_BUSY;
    return conn->watch.fd;
}

static int on_opened(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    (void)arg;
    (void)fd;
    (void)purpose;
    return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static int on_close(void *arg, curl_socket_t fd)
{
    struct http_conn *conn = http_conn_by_fd(arg, fd);

    if (conn)
        http_conn_gone(conn);
    return 0;
}

static int on_connected(void *arg, char *peer, char *local, int peer_port, int local_port)
{
    struct http_lane *lane = arg;

    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    if (lane->closing)
        return CURL_PREREQFUNC_ABORT;
    lane->sent = true;
    http_session_sending(lane->session);
    return CURL_PREREQFUNC_OK;
}

static CURLcode on_tls(CURL *easy, void *ssl_ctx, void *arg)
{
    struct http_lane *lane = arg;

    (void)easy;
    http_session_tcp_proven(lane->session);
    return http_trust_prepare(lane->session->trust, ssl_ctx) < 0 ? CURLE_SSL_CONNECT_ERROR : CURLE_OK;
}

static bool header_value(const char *line, size_t n, const char *name, struct view *value)
{
    size_t length = strlen(name);

    if (n <= length || line[length] != ':' || strncasecmp(line, name, length) != 0)
        return false;
    struct rd r = rd_init(line, n);
    rd_skip(&r, length + 1);
    while (r.n && (*r.p == ' ' || *r.p == '\t'))
        rd_skip(&r, 1);
    while (r.n && (r.p[r.n - 1] == '\r' || r.p[r.n - 1] == '\n' || r.p[r.n - 1] == ' '))
        r.n--;
    *value = rd_bytes(&r, r.n);
    return true;
}

static size_t on_header(char *line, size_t one, size_t n, void *arg)
{
    struct http_lane *lane = arg;
    struct view value;

    (void)one;
    if (!lane->header_bytes && lane->session->trust)
        http_trust_answered(lane->session->trust);
    lane->header_bytes += n;
    if (lane->header_bytes > HTTP_HEADERS_MAX) {
        lane->trouble = TROUBLE_HEADERS;
        return 0;
    }
    if (n <= 2 && (*line == '\r' || *line == '\n')) {
        lane->in_headers = false;
        return n;
    }
    lane->in_headers = true;
    if (header_value(line, n, "WWW-Authenticate", &value)) {
        buf_add(&lane->challenges, value.p, value.n);
        buf_putc(&lane->challenges, '\n');
    } else if (header_value(line, n, "Server", &value)) {
        http_session_server(lane->session, value.p, value.n);
    }
    return n;
}

static size_t on_body(char *p, size_t one, size_t n, void *arg)
{
    struct http_lane *lane = arg;

    (void)one;
    if (!lane->header_bytes) { /* bytes without a status line before them */
        lane->first_count = n < FIRST_BYTES ? n : FIRST_BYTES;
        memcpy(lane->first_bytes, p, lane->first_count);
        lane->trouble = TROUBLE_NOT_HTTP;
        return 0;
    }
    buf_add(&lane->session->answer, p, n);
    if (!buf_ok(&lane->session->answer)) {
        lane->trouble = TROUBLE_TOO_LARGE;
        return 0;
    }
    return n;
}

/* --- lanes --- */

/* Everything that is the same for all exchanges is set once in the life of a handle. */
static bool preset(struct http_lane *lane)
{
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
        {CURLOPT_PATH_AS_IS, 1},
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_NETRC, CURL_NETRC_IGNORED},
        {CURLOPT_HTTP09_ALLOWED, 1}, /* what is not HTTP comes to on_body, which tells what it is */
        {CURLOPT_BUFFERSIZE, READ_SIZE},
        {CURLOPT_SSL_VERIFYPEER, 0}, /* http_trust_prepare sees to it */
        {CURLOPT_SSL_VERIFYHOST, 0},
        {CURLOPT_SSL_SESSIONID_CACHE, 0},
        {CURLOPT_SSL_ENABLE_ALPN, 0}, /* firmware does not know it */
    };
    const struct {
        CURLoption option;
        const void *value;
    } pointers[] = {
        {CURLOPT_PROTOCOLS_STR, "http,https"},
        {CURLOPT_PROXY, ""}, /* none, whatever the environment says */
        {CURLOPT_NOPROXY, "*"},
        {CURLOPT_CAINFO, NULL}, /* else read for every connection */
        {CURLOPT_CAPATH, NULL},
        {CURLOPT_SSL_CTX_DATA, lane},
        {CURLOPT_PRIVATE, lane},
        {CURLOPT_ERRORBUFFER, lane->error},
        {CURLOPT_WRITEDATA, lane},
        {CURLOPT_HEADERDATA, lane},
        {CURLOPT_PREREQDATA, lane},
        {CURLOPT_OPENSOCKETDATA, lane},
        {CURLOPT_CLOSESOCKETDATA, lane->lanes->http}, /* called when the lane may carry another session */
    };
    CURLcode rc = CURLE_OK;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        rc |= curl_easy_setopt(lane->easy, numbers[i].option, numbers[i].value);
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++)
        rc |= curl_easy_setopt(lane->easy, pointers[i].option, pointers[i].value);
    rc |= curl_easy_setopt(lane->easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)WSMAN_ANSWER_MAX);
    rc |= curl_easy_setopt(lane->easy, CURLOPT_WRITEFUNCTION, on_body);
    rc |= curl_easy_setopt(lane->easy, CURLOPT_HEADERFUNCTION, on_header);
    rc |= curl_easy_setopt(lane->easy, CURLOPT_PREREQFUNCTION, on_connected);
    rc |= curl_easy_setopt(lane->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    rc |= curl_easy_setopt(lane->easy, CURLOPT_SOCKOPTFUNCTION, on_opened);
    rc |= curl_easy_setopt(lane->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    rc |= curl_easy_setopt(lane->easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);
    return rc == CURLE_OK;
}

static void lane_free(struct http_lane *lane)
{
    if (!lane)
        return;
    curl_easy_cleanup(lane->easy);
    buf_free(&lane->authorization_text);
    buf_free(&lane->url);
    buf_free(&lane->challenges);
    free(lane);
}

static struct http_lane *lane_new(struct http_lanes *lanes)
{
    struct http_lane *lane = xcalloc(1, sizeof(*lane));

    lane->lanes = lanes;
    lane->easy = curl_easy_init();
    lane->authorization_text = buf_init_secret(HTTP_AUTHORIZATION_MAX + 64);
    lane->url = buf_init(8192);
    lane->challenges = buf_init(CHALLENGES_MAX);
    lane->authorization.next = &lane->accept;
    lane->accept = (struct curl_slist){no_accept, &lane->expect};
    lane->expect = (struct curl_slist){no_expect, &lane->content_type};
    lane->content_type = (struct curl_slist){content_type, NULL};
    if (lane->easy && preset(lane))
        return lane;
    lane_free(lane);
    return NULL;
}

struct http_lanes *http_lanes_new(struct http *http, struct err *err)
{
    struct http_lanes *lanes = xcalloc(1, sizeof(*lanes));

    lanes->http = http;
    for (size_t i = 0; i < SHARDS; i++) {
        lanes->shards[i].lanes = lanes;
        lanes->shards[i].timer.fire = timer_due;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && (lanes->closer = lane_new(lanes)))
        return lanes;
    http_lanes_free(lanes);
    err_set(err, CAUSE_SYSTEM, "libcurl cannot be started");
    return NULL;
}

void http_lanes_free(struct http_lanes *lanes)
{
    if (!lanes)
        return;
    while (lanes->free) {
        struct http_lane *lane = lanes->free;
        lanes->free = lane->next;
        lane_free(lane);
    }
    lane_free(lanes->closer);
    for (size_t i = 0; i < SHARDS; i++) {
        http_timer_disarm(&lanes->http->timers, &lanes->shards[i].timer);
        curl_multi_cleanup(lanes->shards[i].multi);
    }
    free(lanes);
}

struct http_lane *http_lane_take(struct http_lanes *lanes, struct http_session *session)
{
    struct http_lane *lane = lanes->free;

    if (lane) {
        lanes->free = lane->next;
    } else {
        if (lanes->count == HTTP_LANES_MAX || !(lane = lane_new(lanes)))
            return NULL;
        lanes->count++;
    }
    lane->session = session;
    return lane;
}

bool http_lanes_left(const struct http_lanes *lanes)
{
    return lanes->free || lanes->count < HTTP_LANES_MAX;
}

static void leave_shard(struct http_lane *lane)
{
    if (lane->shard)
        curl_multi_remove_handle(lane->shard->multi, lane->easy);
    lane->shard = NULL;
}

void http_lane_release(struct http_lane *lane)
{
    leave_shard(lane);
    lane->session = NULL;
    lane->next = lane->lanes->free;
    lane->lanes->free = lane;
}

/* 0 would mean a limit of libcurl's own making. */
static long connections_of_shard(const struct http_lanes *lanes)
{
    size_t most = lanes->http->idle_max / SHARDS;

    return most > 0 ? (long)most : 1;
}

/* The shard that keeps a session's connections. NULL when libcurl has no memory. */
static struct shard *shard_of(struct http_lanes *lanes, const struct http_session *session)
{
    struct shard *shard = &lanes->shards[session->serial % SHARDS];

    if (shard->multi)
        return shard;
    shard->multi = curl_multi_init();
    if (!shard->multi)
        return NULL;
    curl_multi_setopt(shard->multi, CURLMOPT_SOCKETFUNCTION, on_watch);
    curl_multi_setopt(shard->multi, CURLMOPT_SOCKETDATA, shard);
    curl_multi_setopt(shard->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(shard->multi, CURLMOPT_TIMERDATA, shard);
    curl_multi_setopt(shard->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    /* Closing one of ours (http_lanes_close_idle) costs as much as an exchange; letting libcurl close the
     * oldest of the few in its cache does not. Those in use count, too, so that fewer are kept while much is
     * going on.
     */
    curl_multi_setopt(shard->multi, CURLMOPT_MAXCONNECTS, connections_of_shard(lanes));
    return shard;
}

/* Tells libcurl which session this is. It takes the session's number for the name of a UNIX socket: never
 * looked up, never opened (on_open hands it the connected socket), but part of what it compares in its cache.
 */
static CURLcode set_target(struct http_lane *lane, const struct http_session *session, const char *path)
{
    char key[32];
    CURLcode rc;

    snprintf(key, sizeof(key), "amt/%llu", (unsigned long long)session->serial);
    buf_reset(&lane->url);
    buf_puts(&lane->url, session->origin);
    buf_puts(&lane->url, path);
    rc = curl_easy_setopt(lane->easy, CURLOPT_URL, buf_str(&lane->url));
    rc |= curl_easy_setopt(lane->easy, CURLOPT_ABSTRACT_UNIX_SOCKET, key);
    return rc;
}

static CURLcode set_request(struct http_lane *lane, const char *authorization)
{
    const struct http_session *session = lane->session;
    struct curl_slist *headers = &lane->accept;
    bool posting = session->method[0] == 'P';
    CURLcode rc = CURLE_OK;

    lane->expect.next = posting ? &lane->content_type : NULL;
    if (authorization) {
        buf_reset(&lane->authorization_text);
        buf_puts(&lane->authorization_text, "Authorization: ");
        buf_puts(&lane->authorization_text, authorization);
        lane->authorization.data = (char *)lane->authorization_text.p;
        headers = &lane->authorization;
    }
    rc |= curl_easy_setopt(lane->easy, CURLOPT_HTTPHEADER, headers);
    if (posting) {
        rc |= curl_easy_setopt(lane->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)session->body.len);
        rc |= curl_easy_setopt(lane->easy, CURLOPT_POSTFIELDS, buf_str(&session->body));
    }
    if (posting != lane->posting)
        rc |= curl_easy_setopt(lane->easy, posting ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
    lane->posting = posting;
    return rc;
}

static int enter_shard(struct http_lane *lane, struct shard *shard)
{
    lane->sent = lane->wants_connection = lane->in_headers = false;
    lane->trouble = TROUBLE_NONE;
    lane->header_bytes = 0;
    lane->error[0] = '\0';
    buf_reset(&lane->challenges);
    if (!shard || curl_multi_add_handle(shard->multi, lane->easy) != CURLM_OK)
        return -1;
    lane->shard = shard;
    make_due(shard, &shard->kick);
    return 0;
}

int http_lane_start(struct http_lane *lane, const char *authorization, struct err *err)
{
    struct http_session *session = lane->session;

    if (set_target(lane, session, session->path) == CURLE_OK &&
        set_request(lane, authorization) == CURLE_OK && buf_ok(&lane->url) &&
        buf_ok(&lane->authorization_text) && enter_shard(lane, shard_of(lane->lanes, session)) == 0)
        return 0;
    return err_set(err, CAUSE_SYSTEM, "libcurl does not take the request");
}

/* --- running --- */

void http_lanes_socket(struct http_lanes *lanes, struct http_conn *conn, int events)
{
    struct shard *shard = shard_of(lanes, conn->session);
    int bits =
        (events & HTTP_WATCH_READ ? CURL_CSELECT_IN : 0) | (events & HTTP_WATCH_WRITE ? CURL_CSELECT_OUT : 0);
    int running;

    if (!shard)
        return;
    curl_multi_socket_action(shard->multi, conn->watch.fd, bits, &running);
    make_due(shard, &shard->touched);
}

static void drain(struct shard *shard)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(shard->multi, &left))) {
        struct http_lane *lane = NULL;
        CURLcode code = message->data.result;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &lane);
        leave_shard(lane);
        http_session_lane_done(lane->session, code);
    }
}

void http_lanes_run(struct http_lanes *lanes)
{
    int running;

    for (size_t i = 0; i < SHARDS && lanes->due; i++) {
        struct shard *shard = &lanes->shards[i];
        if (!shard->kick)
            continue;
        clear_due(shard, &shard->kick);
        curl_multi_socket_action(shard->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        make_due(shard, &shard->touched);
    }
    for (size_t i = 0; i < SHARDS && lanes->due; i++) {
        struct shard *shard = &lanes->shards[i];
        if (!shard->touched)
            continue;
        clear_due(shard, &shard->touched);
        drain(shard);
    }
}

bool http_lanes_due(const struct http_lanes *lanes)
{
    return lanes->due != 0;
}

/* libcurl has no call for it. A request on that connection is begun and given up before a byte is sent, upon
 * which it closes the connection. */
void http_lanes_close_idle(struct http_lanes *lanes, struct http_conn *conn)
{
    struct http_lane *closer = lanes->closer;
    struct shard *shard = shard_of(lanes, conn->session);
    struct http *http = conn->http;
    int fd = conn->watch.fd;
    int running;

    closer->session = conn->session;
    closer->closing = true;
    if (set_target(closer, conn->session, "/") == CURLE_OK && enter_shard(closer, shard) == 0) {
        curl_multi_socket_action(shard->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        make_due(shard, &shard->touched);
    }
    leave_shard(closer);
    closer->session = NULL;
    if (http_conn_by_fd(http, fd) == conn) { /* it would outlive its session */
        log_err(NULL, "libcurl has no memory to close a connection");
        abort();
    }
}

/* --- outcome --- */

bool http_lane_sent(const struct http_lane *lane)
{
    return lane->sent;
}

bool http_lane_wants_connection(const struct http_lane *lane)
{
    return lane->wants_connection && !lane->sent;
}

int http_lane_status(const struct http_lane *lane)
{
    long status = 0;

    curl_easy_getinfo(lane->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

const struct buf *http_lane_challenges(const struct http_lane *lane)
{
    return &lane->challenges;
}

static int trouble_failure(const struct http_lane *lane, struct err *err)
{
    const uint8_t *p = (const uint8_t *)lane->first_bytes;
    struct buf text = buf_init(256);

    if (lane->trouble == TROUBLE_TOO_LARGE)
        return err_set(err, CAUSE_TOO_LARGE, "the answer is longer than %d bytes", WSMAN_ANSWER_MAX);
    if (lane->trouble == TROUBLE_HEADERS)
        return err_set(err, CAUSE_TOO_LARGE, "the answer's headers are longer than %d bytes",
                       HTTP_HEADERS_MAX);
    /* A TLS alert record: type 21, version 3.x */
    if (lane->first_count >= 2 && p[0] == 0x15 && p[1] == 0x03)
        return err_set(err, CAUSE_BAD_ANSWER, "port %u speaks TLS, and the profile asks for plain HTTP",
                       lane->session->port);
    text_printable(&text, p, lane->first_count);
    err_set(err, CAUSE_NOT_AMT, "the answer is not HTTP: it begins with '%s'", buf_str(&text));
    buf_free(&text);
    return -1;
}

static const struct {
    CURLcode code;
    enum cause cause;
    const char *text;
} failures[] = {
    {CURLE_GOT_NOTHING, CAUSE_DROPPED, "the device closed the connection without an answer"},
    {CURLE_PARTIAL_FILE, CAUSE_DROPPED, "the device closed the connection in the middle of its answer"},
    {CURLE_RECV_ERROR, CAUSE_DROPPED, "the connection broke while the answer came"},
    {CURLE_SEND_ERROR, CAUSE_DROPPED, "the connection broke while the request was sent"},
    {CURLE_COULDNT_CONNECT, CAUSE_DROPPED, "the device closed the connection without an answer"},
    {CURLE_FILESIZE_EXCEEDED, CAUSE_TOO_LARGE, "the answer announces more bytes than any AMT device sends"},
    {CURLE_OUT_OF_MEMORY, CAUSE_TOO_LARGE, "a line of the answer's headers is endless"},
    {CURLE_WEIRD_SERVER_REPLY, CAUSE_BAD_ANSWER, "the answer is not proper HTTP"},
    {CURLE_UNSUPPORTED_PROTOCOL, CAUSE_BAD_ANSWER, "the answer is in another version of HTTP"},
    {CURLE_OPERATION_TIMEDOUT, CAUSE_TIMEOUT, "the device did not answer in time"},
};

int http_lane_failure(const struct http_lane *lane, int code, struct err *err)
{
    const struct http_trust *trust = lane->session->trust;

    if (lane->trouble)
        return trouble_failure(lane, err);
    if (code != CURLE_OK && trust && http_trust_failure(trust, err) < 0)
        return -1;
    if (code == CURLE_SSL_CONNECT_ERROR)
        return err_set(err, CAUSE_DROPPED, "the device closed the connection during the TLS handshake");
    if (code == CURLE_OK && lane->in_headers) /* libcurl lets this pass */
        return err_set(err, CAUSE_DROPPED,
                       "the device closed the connection in the middle of its answer's headers");
    if (code == CURLE_OK)
        return 0;
    if (strstr(lane->error, "chunk")) /* libcurl calls a bad chunk an error of receiving */
        return err_set(err, CAUSE_BAD_ANSWER, "the answer is not proper HTTP: %s", lane->error);
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        if ((int)failures[i].code != code)
            continue;
        const char *detail = code == CURLE_COULDNT_CONNECT ? "" : lane->error;
        return err_set(err, failures[i].cause, *detail ? "%s (%s)" : "%s%s", failures[i].text, detail);
    }
    return err_set(err, CAUSE_BAD_ANSWER, "%s (libcurl %d: %s)", "the exchange failed", code,
                   *lane->error ? lane->error : curl_easy_strerror((CURLcode)code));
}
