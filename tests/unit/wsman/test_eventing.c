/* Subscribing to a simulated device's alerts, hearing them over HTTP, and unsubscribing: our messages against
 * the simulator's, and what it posts to a real socket. (reference wsman.md, 3.7) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tests/amtsim/record.h"
#include "tests/amtsim/wsman.h"
#include "tests/unit/amtsim/sim.h"
#include "wsman/call.h"

#define HEARD_MAX  16384
#define ACK_ACTION "http://schemas.dmtf.org/wbem/wsman/1/wsman/Ack"
#define CHALLENGE                                                                                            \
    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"sink\", nonce=\"n1\", qop=\"auth\"\r\n"   \
    "Content-Length: 0\r\n\r\n"

static struct sim sim;
static struct device *device;

/* --- the sink --- */

static struct {
    uv_tcp_t listener;
    char url[64];
    char heard[HEARD_MAX]; /* the last request */
    unsigned posts;
    bool silent;     /* answers without an acknowledgement */
    bool asks_login; /* answers a request without Authorization with a challenge */
} sink;

struct visit {
    uv_tcp_t tcp; /* first */
    uv_write_t write;
    char in[HEARD_MAX];
    size_t n;
    char *answer;
};

static void visit_closed(uv_handle_t *handle)
{
    struct visit *v = (struct visit *)handle;
    free(v->answer);
    free(v);
}

static void visit_written(uv_write_t *req, int status)
{
    (void)status;
    uv_close(req->data, visit_closed);
}

static bool is_whole(const struct visit *v)
{
    return strstr(v->in, "</a:Envelope>") != NULL;
}

static char *answer_to(const char *request)
{
    char id[64] = "";
    const char *at = strstr(request, "<b:MessageID>");
    if (sink.asks_login && strstr(request, "Authorization: Digest ") == NULL)
        return xstrdup(CHALLENGE);
    if (sink.silent)
        return xstrdup("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    if (at != NULL)
        snprintf(id, sizeof(id), "%.*s", (int)strcspn(at + 13, "<"), at + 13);
    return xasprintf("HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n\r\n"
                     "<Envelope><Header><Action>" ACK_ACTION "</Action><RelatesTo>%s</RelatesTo></Header>"
                     "<Body/></Envelope>",
                     id);
}

static void visit_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct visit *v = (struct visit *)handle;
    (void)suggested;
    *out = uv_buf_init(v->in + v->n, (unsigned)(sizeof(v->in) - 1 - v->n));
}

static void visit_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
    struct visit *v = (struct visit *)stream;
    (void)bytes;
    if (n < 0) {
        if (!uv_is_closing((uv_handle_t *)stream))
            uv_close((uv_handle_t *)stream, visit_closed);
        return;
    }
    v->n += (size_t)n;
    if (!is_whole(v) || v->answer != NULL)
        return;
    sink.posts++;
    memcpy(sink.heard, v->in, sizeof(sink.heard));
    v->answer = answer_to(v->in);
    uv_buf_t out = uv_buf_init(v->answer, (unsigned)strlen(v->answer));
    v->write.data = v;
    uv_write(&v->write, stream, &out, 1, visit_written);
}

static void visited(uv_stream_t *listener, int status)
{
    struct visit *v = xcalloc(1, sizeof(*v));
    assert_int_equal(status, 0);
    uv_tcp_init(&sim.loop, &v->tcp);
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&v->tcp), 0);
    uv_read_start((uv_stream_t *)&v->tcp, visit_alloc, visit_read);
}

static void sink_open(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int n = sizeof(a);
    memset(&sink, 0, sizeof(sink));
    uv_tcp_init(&sim.loop, &sink.listener);
    assert_int_equal(uv_tcp_bind(&sink.listener, (struct sockaddr *)&a, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&sink.listener, 16, visited), 0);
    assert_int_equal(uv_tcp_getsockname(&sink.listener, (struct sockaddr *)&a, &n), 0);
    snprintf(sink.url, sizeof(sink.url), "http://127.0.0.1:%u/amt", ntohs(a.sin_port));
}

static int start(void **state)
{
    (void)state;
    sim_start(&sim, 2, 16);
    device = &sim.fleet->devices[0];
    sink_open();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    uv_close((uv_handle_t *)&sink.listener, NULL);
    sim_stop(&sim);
    return 0;
}

static void run_until(enum record_counter counter, uint32_t count)
{
    while (record_counter_get(device, counter) < count)
        uv_run(&sim.loop, UV_RUN_ONCE);
}

static void heard(const char *part)
{
    if (strstr(sink.heard, part) == NULL)
        fail_msg("no '%s' in %s", part, sink.heard);
}

/* --- the client --- */

/* The call's result, to be freed; NULL and err when the device refuses. */
static struct wsman_call *ask(struct wsman_request *rq, struct err *err)
{
    struct wsman_call *call = wsman_call_new(rq);
    enum wsman_progress progress;
    do {
        struct buf body = buf_init(WSMAN_ENVELOPE_MAX);
        assert_int_equal(wsman_call_body(call, 9, &body, err), 0);
        buf_reset(&sim.fleet->body);
        struct wsman_result result =
            wsman_answer(device, (struct view){body.p, body.len}, false, sim.realms, &sim.fleet->body);
        progress = wsman_call_answer(call, result.status, sim.fleet->body.p, sim.fleet->body.len, err);
        buf_free(&body);
    } while (progress == WSMAN_AGAIN);
    if (progress == WSMAN_FINISHED)
        return call;
    wsman_call_free(call);
    return NULL;
}

static struct wsman_call *ask_well(struct wsman_request *rq)
{
    struct err err = ERR_INIT;
    struct wsman_call *call = ask(rq, &err);
    if (call == NULL)
        fail_msg("%s", err.text);
    return call;
}

static struct wsman_request *subscribe(const struct wsman_delivery *delivery)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_SUBSCRIBE, "CIM_FilterCollection", NULL);
    wsman_select(rq, "InstanceID", "Intel(r) AMT:All");
    wsman_set_delivery(rq, delivery);
    return rq;
}

static void subscribe_well(const struct wsman_delivery *delivery)
{
    struct wsman_call *call = ask_well(subscribe(delivery));
    struct wsman_obj answer = wsman_call_obj(call, 0);
    assert_string_equal(wsman_epr_class(answer, "SubscriptionManager"), "CIM_FilterCollectionSubscription");
    wsman_call_free(call);
}

/* Something that is told. */
static void require_consent(uint32_t required)
{
    struct wsman_call *call = ask_well(wsman_request_new(WSMAN_GET, "IPS_OptInService", NULL));
    struct wsman_request *rq = wsman_request_new(WSMAN_PUT, "IPS_OptInService", NULL);
    struct wsman_obj service = wsman_call_obj(call, 0);
    wsman_add_instance(rq, service.doc, service.el, NULL);
    assert_true(wsman_replace_u32(rq, "OptInRequired", required));
    wsman_call_free(call);
    wsman_call_free(ask_well(rq));
}

static struct wsman_request *unsubscribe(const char *filter, const char *name)
{
    const struct wsman_selector collection[] = {{"InstanceID", filter}, {NULL, NULL}};
    const struct wsman_selector handler[] = {{"CreationClassName", "CIM_ListenerDestinationWSManagement"},
                                             {"Name", name},
                                             {"SystemCreationClassName", "CIM_ComputerSystem"},
                                             {"SystemName", "Intel(r) AMT"},
                                             {NULL, NULL}};
    struct wsman_request *rq = wsman_request_new(WSMAN_UNSUBSCRIBE, "CIM_FilterCollectionSubscription", NULL);
    wsman_select_epr(rq, "Filter", "CIM_FilterCollection", collection);
    wsman_select_epr(rq, "Handler", "CIM_ListenerDestinationWSManagement", handler);
    return rq;
}

/* --- tests --- */

static void alerts_are_told_until_unsubscribed(void **state)
{
    (void)state;
    subscribe_well(&(struct wsman_delivery){.ack = true, .url = sink.url, .arg = "17 & more"});
    require_consent(1);
    run_until(RECORD_ALERTS_SENT, 1);
    heard("POST /amt HTTP/1.1\r\n");
    heard("User-Agent: Intel(R) AMT Agent\r\n");
    heard("http://schemas.dmtf.org/wbem/wsman/1/wsman/Event</b:Action>");
    heard("<c:AckRequested></c:AckRequested>");
    heard("<m:arg xmlns:m=\"http://x.com\">17 &amp; more</m:arg>");
    heard("<g:MessageArguments>4</g:MessageArguments><g:MessageID>iAMT0064</g:MessageID>");

    struct wsman_call *list = ask_well(wsman_request_new(WSMAN_ENUMERATE, "CIM_ListenerDestination", NULL));
    assert_int_equal(wsman_call_count(list), 1);
    assert_string_equal(wsman_str(wsman_call_obj(list, 0), "Destination"), sink.url);
    assert_string_equal(wsman_str(wsman_call_obj(list, 0), "DeliveryMode"), "3");
    wsman_call_free(list);
    list = ask_well(wsman_request_new(WSMAN_ENUMERATE, "CIM_FilterCollectionSubscription", NULL));
    assert_int_equal(wsman_call_count(list), 1);
    struct wsman_obj subscription = wsman_call_obj(list, 0);
    char *filter = xstrdup(wsman_epr_selector(subscription, "Filter", "InstanceID"));
    char *name = xstrdup(wsman_epr_selector(subscription, "Handler", "Name"));
    wsman_call_free(list);

    struct err err = ERR_INIT;
    assert_null(ask(unsubscribe(filter, "another"), &err));
    wsman_call_free(ask_well(unsubscribe(filter, name)));
    assert_null(ask(unsubscribe(filter, name), &err));
    require_consent(0);
    list = ask_well(wsman_request_new(WSMAN_ENUMERATE, "CIM_ListenerDestination", NULL));
    assert_int_equal(wsman_call_count(list), 0);
    wsman_call_free(list);
    assert_int_equal(sink.posts, 1);
    free(filter);
    free(name);
}

static void alerts_come_in_order_one_at_a_time(void **state)
{
    (void)state;
    subscribe_well(&(struct wsman_delivery){.url = sink.url});
    for (int i = 0; i < 10; i++)
        require_consent(i % 2);
    run_until(RECORD_ALERTS_SENT, 10);
    assert_int_equal(sink.posts, 10);
    assert_int_equal(record_counter_get(device, RECORD_ALERTS_LOST), 0);
    assert_null(strstr(sink.heard, "AckRequested"));
}

static void what_is_not_acknowledged_is_repeated(void **state)
{
    (void)state;
    sink.silent = true;
    subscribe_well(&(struct wsman_delivery){.ack = true, .url = sink.url});
    require_consent(1);
    run_until(RECORD_ALERTS_LOST, 1);
    assert_int_equal(sink.posts, 3);
}

static void a_sink_may_ask_for_a_login(void **state)
{
    (void)state;
    sink.asks_login = true;
    subscribe_well(
        &(struct wsman_delivery){.ack = true, .url = sink.url, .user = "alerts", .password = "secret"});
    require_consent(1);
    run_until(RECORD_ALERTS_SENT, 1);
    assert_int_equal(sink.posts, 2);
    heard("Authorization: Digest username=\"alerts\", realm=\"sink\", nonce=\"n1\", uri=\"/amt\"");
}

static void subscribers_are_limited_and_near(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    static const char *const far[] = {"http://192.0.2.1/x", "https://192.0.2.1/x", "ftp://127.0.0.1/", ""};
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
        assert_null(ask(subscribe(&(struct wsman_delivery){.url = far[i]}), &err));
    for (int i = 0; i < 9; i++)
        subscribe_well(&(struct wsman_delivery){.url = sink.url});
    assert_null(ask(subscribe(&(struct wsman_delivery){.url = sink.url}), &err));
    require_consent(1); /* told while the device goes away */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(alerts_are_told_until_unsubscribed, start, stop),
        cmocka_unit_test_setup_teardown(alerts_come_in_order_one_at_a_time, start, stop),
        cmocka_unit_test_setup_teardown(what_is_not_acknowledged_is_repeated, start, stop),
        cmocka_unit_test_setup_teardown(a_sink_may_ask_for_a_login, start, stop),
        cmocka_unit_test_setup_teardown(subscribers_are_limited_and_near, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
