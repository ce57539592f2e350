#include "tests/unit/wsman/runner_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- the session: what runner.c links to instead of the transport --- */

void http_session_send(struct http_session *session, const char *path, const struct buf *body,
                       int64_t deadline_ms, http_done *done, void *arg)
{
    const char *id = strstr(buf_str(body), "MessageID>"), *op = strstr(buf_str(body), "Body><");

    assert_false(session->busy);
    assert_true(path || id);
    assert_true(body->secret); /* a body may carry a password */
    session->busy = true;
    snprintf(session->path, sizeof(session->path), "%s", path ? path : "");
    snprintf(session->operation, sizeof(session->operation), "%.*s", op ? (int)strcspn(op + 6, ">/ ") : 0,
             op ? op + 6 : "");
    session->message_id = path ? 0 : (uint32_t)strtoul(id + strlen("MessageID>"), NULL, 10);
    session->ids[session->sent++] = session->message_id;
    session->deadline_ms = deadline_ms;
    session->done = done;
    session->arg = arg;
}

void http_session_abort(struct http_session *session)
{
    assert_true(session->busy);
    session->busy = false;
    session->aborted++;
}

struct http_facts http_session_facts(const struct http_session *session)
{
    return (struct http_facts){.server = session->server ? session->server : ""};
}

void answer_eoi(struct http_session *session, const char *members)
{
    static const char uri[] = "http://schemas.intel.com/platform/client/";
    struct http_answer answer = {.status = 200};
    const char *name = strchr(session->operation, ':') + 1;
    struct buf text = buf_init(4096);

    buf_printf(
        &text,
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><%sResponse xmlns=\""
        "%s%s/2004/01\"><Status>0</Status>%s</%sResponse></s:Body></s:Envelope>",
        name, uri,
        session->operation[0] == 'r'   ? "RemoteControl"
        : session->operation[0] == 'n' ? "NetworkAdministration"
                                       : "SecurityAdministration",
        members, name);
    answer.body = buf_str(&text);
    answer.n = text.len;
    session->busy = false;
    session->done(session->arg, &answer, NULL);
    buf_free(&text);
}

void answer_body(struct http_session *session, const char *inner)
{
    struct http_answer answer = {.status = 200};
    struct buf text = buf_init(4096);

    buf_printf(&text,
               "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" "
               "xmlns:b=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "
               "xmlns:e=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\" "
               "xmlns:g=\"http://intel.com/wbem/wscim/1/amt-schema/1/AMT_GeneralSettings\">"
               "<a:Header><b:RelatesTo>%u</b:RelatesTo></a:Header><a:Body>%s</a:Body></a:Envelope>",
               session->message_id, inner);
    answer.body = buf_str(&text);
    answer.n = text.len;
    session->busy = false;
    session->done(session->arg, &answer, NULL);
    buf_free(&text);
}

void answer(struct http_session *session)
{
    answer_body(session, "<g:AMT_GeneralSettings><g:HostName>pc1</g:HostName></g:AMT_GeneralSettings>");
}

void answer_status(struct http_session *session, int status)
{
    struct http_answer busy = {.status = status, .body = "", .n = 0};

    session->busy = false;
    session->done(session->arg, &busy, NULL);
}

void lose(struct http_session *session, enum cause cause)
{
    struct err err = ERR_INIT;

    err_set(&err, cause, "lost on purpose");
    session->busy = false;
    session->done(session->arg, NULL, &err);
}

/* --- a sequence --- */

struct wsman_request *ask_settings(struct seq *seq, struct err *err)
{
    struct test_seq *t = (struct test_seq *)seq;

    t->asked++;
    if (t->fail_ask) {
        err_set(err, t->fail_ask, "asked too much");
        return NULL;
    }
    return wsman_request_new(WSMAN_GET, "AMT_GeneralSettings", NULL);
}

struct wsman_request *ask_all(struct seq *seq, struct err *err)
{
    (void)err;
    ((struct test_seq *)seq)->asked++;
    return wsman_request_new(WSMAN_ENUMERATE, "AMT_GeneralSettings", NULL);
}

int hear(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct test_seq *t = (struct test_seq *)seq;

    if (call)
        t->heard++;
    else
        t->lost++;
    seq->note = "heard";
    if (t->fail_hear) {
        err_set(err, t->fail_hear, "not what was hoped for");
        return t->bears_it ? SEQ_NEXT : SEQ_FAIL;
    }
    seq_wait(seq, t->wait_ms);
    if (t->hold)
        seq_hold(seq);
    return t->forever ? seq->at : SEQ_NEXT;
}

const struct seq_step one_read[1] = {{"read", SEQ_READ, ask_settings, hear}};
const struct seq_step two_reads[2] = {{"first", SEQ_READ, ask_settings, hear},
                                      {"second", SEQ_READ, ask_settings, hear}};
const struct seq_step one_list[1] = {{"list", SEQ_READ, ask_all, hear}};
const struct seq_step two_changes[3] = {{"read", SEQ_READ, ask_settings, hear},
                                        {"change", SEQ_CHANGE, ask_settings, hear},
                                        {"change again", SEQ_CHANGE, ask_settings, hear}};
const struct seq_step tolerant_change[1] = {{"change", SEQ_CHANGE | SEQ_FAILURE_OK, ask_settings, hear}};

/* --- the bench --- */

/* --- reading elsewhere --- */

struct reading {
    runner_read_done *done;
    void *arg;
    char *bytes;
    size_t n;
};

static struct reading *begin_reading(void *arg, const void *p, size_t n, runner_read_done *done,
                                     void *done_arg)
{
    struct bench *b = arg;

    assert_null(b->reading);
    b->reading = xcalloc(1, sizeof(*b->reading));
    *b->reading = (struct reading){done, done_arg, xstrndup(p, n), n};
    return b->reading;
}

static struct bench *reading_bench; /* forget is told of the reading alone */

static void end_reading(struct reading *reading)
{
    reading_bench->reading = NULL;
    free(reading->bytes);
    free(reading);
}

static void forget_reading(struct reading *reading)
{
    reading_bench->forgotten++;
    end_reading(reading);
}

void read_now(struct bench *b)
{
    struct reading *reading = b->reading;
    struct wsman_answer answer;
    struct err failure = ERR_INIT;
    int rc = wsman_answer_parse(&answer, reading->bytes, reading->n, &failure);

    b->reading = NULL;
    reading->done(reading->arg, &answer, rc == 0 ? NULL : &failure);
    wsman_answer_clear(&answer);
    end_reading(reading);
}

static void on_timer(void *arg, struct runner *runner, int64_t ms)
{
    struct bench *b = arg;

    (void)runner;
    b->timer_at = ms < 0 ? -1 : b->fake.mono + ms;
}

static uint32_t on_random(void *arg)
{
    return ((struct bench *)arg)->random;
}

static void on_change(void *arg, struct runner *runner)
{
    struct bench *b = arg;

    b->confirms++;
    if (b->resume_at_once)
        runner_resume(runner);
}

static void on_hold(void *arg, struct runner *runner)
{
    struct bench *b = arg;

    b->holds++;
    if (b->resume_at_once)
        runner_resume(runner);
}

static void on_step(void *arg, const char *name, uint32_t repeat, const char *note, const struct err *failure)
{
    struct bench *b = arg;
    size_t n = strlen(b->steps);

    snprintf(b->steps + n, sizeof(b->steps) - n, "%s %u %s %s;", name, repeat, note ? note : "-",
             failure ? cause_name(failure->cause) : "ok");
}

static void on_done(void *arg, struct runner *runner, const struct err *failure)
{
    struct bench *b = arg;

    b->done++;
    if (failure)
        b->failure = *failure;
    if (b->free_in_done) {
        runner_free(runner);
        b->runner = NULL;
    }
}

void begin(struct bench *b, const struct seq_step *steps, int count, int64_t budget_ms, bool confirm)
{
    struct runner_owner owner = {.arg = b,
                                 .interface = b->interface,
                                 .clock = &b->clock,
                                 .timer = on_timer,
                                 .reader = b->reads_elsewhere ? &b->reader : NULL,
                                 .random = on_random,
                                 .before_change = confirm ? on_change : NULL,
                                 .hold = on_hold,
                                 .step = on_step,
                                 .done = on_done};

    b->reader = (struct runner_reader){b, begin_reading, forget_reading};
    reading_bench = b;
    seq_init(&b->seq.seq, steps, count);
    b->runner = runner_start(&b->session, &b->seq.seq, budget_ms, &owner);
    assert_int_equal(b->done, 0); /* never from inside runner_start */
}

struct bench *bench_of(void **state)
{
    struct bench *b = *state;

    b->fake.mono = 5000;
    b->clock = clock_fake_init(&b->fake);
    b->timer_at = -1;
    return b;
}

int64_t pass(struct bench *b)
{
    int64_t took = b->timer_at - b->fake.mono;

    assert_true(b->timer_at >= 0);
    b->fake.mono = b->timer_at;
    b->timer_at = -1;
    runner_timer(b->runner);
    return took;
}

int runner_bench_setup(void **state)
{
    *state = calloc(1, sizeof(struct bench));
    return *state ? 0 : -1;
}

int runner_bench_teardown(void **state)
{
    struct bench *b = *state;

    runner_free(b->runner);
    assert_false(b->session.busy);
    assert_true(b->timer_at < 0);
    free(b);
    return 0;
}
