/* Sequences run on a session that is a fake: no sockets, and a clock that stands still until told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "wsman/runner.h"

/* --- the session: what runner.c links to instead of the transport --- */

struct http_session {
    bool busy;
    unsigned sent, aborted;
    uint32_t message_id;
    uint32_t ids[64];
    const char *server; /* what its answers say of themselves */
    char path[64];      /* of the last request; "" for WS-Management */
    char operation[64]; /* the SOAP interface's */
    int64_t deadline_ms;
    http_done *done;
    void *arg;
};

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

/* An answer of the SOAP interface: the members behind Status. */
static void answer_eoi(struct http_session *session, const char *members)
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

static void answer_body(struct http_session *session, const char *inner)
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

static void answer(struct http_session *session)
{
    answer_body(session, "<g:AMT_GeneralSettings><g:HostName>pc1</g:HostName></g:AMT_GeneralSettings>");
}

static void answer_status(struct http_session *session, int status)
{
    struct http_answer busy = {.status = status, .body = "", .n = 0};

    session->busy = false;
    session->done(session->arg, &busy, NULL);
}

static void lose(struct http_session *session, enum cause cause)
{
    struct err err = ERR_INIT;

    err_set(&err, cause, "lost on purpose");
    session->busy = false;
    session->done(session->arg, NULL, &err);
}

/* --- a sequence --- */

struct test_seq {
    struct seq seq; /* first */
    unsigned asked, heard, lost;
    int64_t wait_ms;
    bool hold;
    enum cause fail_ask, fail_hear;
    bool forever;
};

static struct wsman_request *ask_settings(struct seq *seq, struct err *err)
{
    struct test_seq *t = (struct test_seq *)seq;

    t->asked++;
    if (t->fail_ask) {
        err_set(err, t->fail_ask, "asked too much");
        return NULL;
    }
    return wsman_request_new(WSMAN_GET, "AMT_GeneralSettings", NULL);
}

static struct wsman_request *ask_all(struct seq *seq, struct err *err)
{
    (void)err;
    ((struct test_seq *)seq)->asked++;
    return wsman_request_new(WSMAN_ENUMERATE, "AMT_GeneralSettings", NULL);
}

static int hear(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct test_seq *t = (struct test_seq *)seq;

    if (call)
        t->heard++;
    else
        t->lost++;
    seq->note = "heard";
    if (t->fail_hear) {
        err_set(err, t->fail_hear, "not what was hoped for");
        return SEQ_FAIL;
    }
    seq_wait(seq, t->wait_ms);
    if (t->hold)
        seq_hold(seq);
    return t->forever ? seq->at : SEQ_NEXT;
}

static const struct seq_step one_read[] = {{"read", SEQ_READ, ask_settings, hear}};
static const struct seq_step two_reads[] = {{"first", SEQ_READ, ask_settings, hear},
                                            {"second", SEQ_READ, ask_settings, hear}};
static const struct seq_step one_list[] = {{"list", SEQ_READ, ask_all, hear}};
static const struct seq_step two_changes[] = {{"read", SEQ_READ, ask_settings, hear},
                                              {"change", SEQ_CHANGE, ask_settings, hear},
                                              {"change again", SEQ_CHANGE, ask_settings, hear}};
static const struct seq_step tolerant_change[] = {
    {"change", SEQ_CHANGE | SEQ_FAILURE_OK, ask_settings, hear}};

/* --- the bench --- */

struct bench {
    struct clock_fake fake;
    struct clock clock;
    struct http_session session;
    struct test_seq seq;
    struct runner *runner;
    int64_t timer_at; /* -1: none */
    uint32_t random;
    enum interface interface; /* what is known of the device */
    unsigned done, confirms, holds;
    bool resume_at_once, free_in_done;
    struct err failure;
    char steps[1024];
    bool reads_elsewhere;
    struct runner_reader reader;
    struct reading *reading; /* under way */
    unsigned forgotten;
};

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

static void read_now(struct bench *b)
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

static void begin(struct bench *b, const struct seq_step *steps, int count, int64_t budget_ms, bool confirm)
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

static struct bench *bench_of(void **state)
{
    struct bench *b = *state;

    b->fake.mono = 5000;
    b->clock = clock_fake_init(&b->fake);
    b->timer_at = -1;
    return b;
}

/* Time passes until the timer is due. Returns how long that took. */
static int64_t pass(struct bench *b)
{
    int64_t took = b->timer_at - b->fake.mono;

    assert_true(b->timer_at >= 0);
    b->fake.mono = b->timer_at;
    b->timer_at = -1;
    runner_timer(b->runner);
    return took;
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct bench));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    runner_free(b->runner);
    assert_false(b->session.busy);
    assert_true(b->timer_at < 0);
    free(b);
    return 0;
}

static void answers_are_read_elsewhere(void **state)
{
    struct bench *b = bench_of(state);

    b->reads_elsewhere = true;
    begin(b, SEQ_TABLE(two_reads), 10000, false);
    answer(&b->session);
    assert_false(b->session.busy);
    assert_int_equal(b->seq.heard, 0);
    runner_timer(b->runner); /* not what it waits for */
    runner_resume(b->runner);
    assert_false(b->session.busy);
    read_now(b);
    assert_int_equal(b->seq.heard, 1);
    assert_true(b->session.busy);
    answer_body(&b->session, "<no><end></no>"); /* no XML: for good, as if it had been read at once */
    read_now(b);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_BAD_ANSWER);
}

static void a_list_is_read_elsewhere(void **state)
{
    struct bench *b = bench_of(state);

    b->reads_elsewhere = true;
    begin(b, SEQ_TABLE(one_list), 10000, false);
    answer_body(&b->session, "<e:EnumerateResponse><e:EnumerationContext>7</e:EnumerationContext>"
                             "</e:EnumerateResponse>");
    read_now(b);
    assert_true(b->session.busy); /* the Pull */
    answer_body(&b->session, "<e:PullResponse><e:Items/><e:EndOfSequence/></e:PullResponse>");
    read_now(b);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
}

static void a_status_is_read_elsewhere(void **state)
{
    struct bench *b = bench_of(state);

    b->reads_elsewhere = true;
    begin(b, SEQ_TABLE(one_read), 10000, false);
    answer_status(&b->session, 503);
    read_now(b);
    assert_int_equal(b->done, 0); /* busy passes */
    pass(b);
    answer(&b->session);
    read_now(b);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
}

static void freed_while_an_answer_is_read(void **state)
{
    struct bench *b = bench_of(state);

    b->reads_elsewhere = true;
    begin(b, SEQ_TABLE(one_read), 10000, false);
    answer(&b->session);
    runner_free(b->runner);
    b->runner = NULL;
    assert_int_equal(b->forgotten, 1);
    assert_int_equal(b->done, 0);
}

/* What is to be done outside comes between two steps; it may be done at once, or never. */
static void holds_on_until_resumed(void **state)
{
    struct bench *b = bench_of(state);

    b->seq.hold = true;
    begin(b, SEQ_TABLE(two_reads), 10000, false);
    answer(&b->session);
    assert_int_equal(b->holds, 1);
    assert_false(b->session.busy);
    runner_timer(b->runner); /* not what it waits for */
    assert_false(b->session.busy);
    b->seq.hold = false;
    runner_resume(b->runner);
    assert_true(b->session.busy);
    runner_resume(b->runner); /* nothing to resume */
    answer(&b->session);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
}

static void holds_on_for_no_time(void **state)
{
    struct bench *b = bench_of(state);

    b->seq.hold = b->resume_at_once = true;
    begin(b, SEQ_TABLE(two_reads), 10000, false);
    answer(&b->session);
    answer(&b->session);
    assert_int_equal(b->holds, 1); /* behind the last step there is nothing to wait for */
    assert_int_equal(b->done, 1);
}

static void ends_while_it_holds_on(void **state)
{
    struct bench *b = bench_of(state);

    b->seq.hold = true;
    begin(b, SEQ_TABLE(two_reads), 10000, false);
    answer(&b->session);
    assert_int_equal(b->holds, 1);
}

static void runs_to_the_end(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(two_reads), 10000, false);
    assert_int_equal(b->session.deadline_ms, 15000);
    answer(&b->session);
    answer(&b->session);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
    assert_int_equal(b->seq.heard, 2);
    assert_string_equal(b->steps, "first 0 heard ok;second 0 heard ok;");
    assert_int_not_equal(b->session.ids[0], b->session.ids[1]);
}

static void freed_in_its_own_end(void **state)
{
    struct bench *b = bench_of(state);

    b->free_in_done = true;
    begin(b, SEQ_TABLE(one_read), 10000, false);
    answer(&b->session);
    assert_null(b->runner);
}

static void a_list_takes_several_requests(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(one_list), 10000, false);
    answer_body(&b->session, "<e:EnumerateResponse><e:EnumerationContext>c1</e:EnumerationContext>"
                             "</e:EnumerateResponse>");
    assert_true(b->session.busy);
    answer_body(&b->session, "<e:PullResponse><e:Items><g:AMT_GeneralSettings/></e:Items><e:EndOfSequence/>"
                             "</e:PullResponse>");
    assert_int_equal(b->seq.heard, 1);
    assert_int_equal(b->done, 1);
}

static void a_list_is_repeated_from_its_beginning(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(one_list), 10000, false);
    answer_body(&b->session, "<e:EnumerateResponse><e:EnumerationContext>c1</e:EnumerationContext>"
                             "</e:EnumerateResponse>");
    lose(&b->session, CAUSE_DROPPED);
    pass(b);
    assert_int_equal(b->seq.asked, 2);
    answer_body(&b->session, "<e:EnumerateResponse><e:EnumerationContext>c2</e:EnumerationContext>"
                             "</e:EnumerateResponse>");
    answer_body(&b->session, "<e:PullResponse><e:Items/><e:EndOfSequence/></e:PullResponse>");
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
}

static void waits_between_steps(void **state)
{
    struct bench *b = bench_of(state);

    b->seq.wait_ms = 700;
    begin(b, SEQ_TABLE(two_reads), 10000, false);
    answer(&b->session);
    assert_false(b->session.busy);
    assert_int_equal(pass(b), 700);
    assert_true(b->session.busy);
    assert_int_equal(b->seq.seq.now_ms, 700);
    answer(&b->session);
    assert_int_equal(b->done, 1);
}

static void reads_are_repeated_with_back_off(void **state)
{
    static const struct {
        uint32_t random;
        int64_t ms[3];
    } cases[] = {{0, {375, 750, 1500}}, {125, {500, 875, 1625}}, {250, {625, 1000, 1750}}};
    struct bench *b = bench_of(state);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        b->random = cases[i].random;
        b->done = 0;
        b->steps[0] = '\0';
        begin(b, SEQ_TABLE(one_read), 60000, false);
        lose(&b->session, CAUSE_DROPPED);
        assert_int_equal(pass(b), cases[i].ms[0]);
        lose(&b->session, CAUSE_TIMEOUT);
        assert_int_equal(pass(b), cases[i].ms[1]);
        answer_status(&b->session, 503);
        assert_int_equal(pass(b), cases[i].ms[2]);
        assert_int_equal(b->done, 0);
        lose(&b->session, CAUSE_DROPPED);
        assert_int_equal(b->done, 1);
        assert_int_equal(b->failure.cause, CAUSE_DROPPED);
        assert_string_equal(b->steps, "read 0 - dropped;read 1 - timeout;read 2 - busy;read 3 - dropped;");
        runner_free(b->runner);
        b->runner = NULL;
    }
    assert_int_equal(b->session.sent, 3 * RUNNER_TRIES);
}

static void a_repeat_may_succeed_and_the_count_starts_anew(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(two_reads), 60000, false);
    lose(&b->session, CAUSE_DROPPED);
    pass(b);
    answer(&b->session);
    lose(&b->session, CAUSE_DROPPED);
    assert_int_equal(pass(b), 375);
    answer(&b->session);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
    assert_string_equal(b->steps, "first 0 - dropped;first 1 heard ok;second 0 - dropped;second 1 heard ok;");
}

static void no_repeat_beyond_the_budget(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(one_read), 300, false);
    lose(&b->session, CAUSE_DROPPED);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_DROPPED);
}

static void login_and_trust_are_never_repeated(void **state)
{
    static const enum cause causes[] = {CAUSE_AUTH_FAILED,   CAUSE_AUTH_LOCKED, CAUSE_AUTH_UNSUPPORTED,
                                        CAUSE_REALM_CHANGED, CAUSE_TLS_CHANGED, CAUSE_TLS_UNTRUSTED,
                                        CAUSE_UNREACHABLE,   CAUSE_REFUSED,     CAUSE_BAD_ANSWER};
    struct bench *b = bench_of(state);

    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        unsigned before = b->session.sent;
        b->done = 0;
        begin(b, SEQ_TABLE(one_read), 60000, false);
        lose(&b->session, causes[i]);
        assert_int_equal(b->done, 1);
        assert_int_equal(b->failure.cause, causes[i]);
        assert_int_equal(b->session.sent - before, 1);
        runner_free(b->runner);
        b->runner = NULL;
    }
}

static void a_change_is_never_repeated(void **state)
{
    static const enum cause causes[] = {CAUSE_DROPPED, CAUSE_TIMEOUT, CAUSE_BUSY, CAUSE_UNREACHABLE};
    struct bench *b = bench_of(state);

    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        unsigned before = b->session.sent;
        b->done = 0;
        begin(b, SEQ_TABLE(two_changes), 60000, false);
        answer(&b->session);
        lose(&b->session, causes[i]);
        assert_int_equal(b->done, 1);
        assert_int_equal(b->failure.cause, causes[i]);
        assert_int_equal(b->session.sent - before, 2);
        assert_true(b->seq.seq.changed);
        runner_free(b->runner);
        b->runner = NULL;
    }
}

static void the_sequence_judges_a_lost_change(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(tolerant_change), 60000, false);
    lose(&b->session, CAUSE_DROPPED);
    assert_int_equal(b->seq.lost, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
    assert_string_equal(b->steps, "change 0 heard dropped;");
}

static void changes_are_written_down_first(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(two_changes), 60000, true);
    assert_int_equal(b->confirms, 0); /* a read needs none */
    answer(&b->session);
    assert_int_equal(b->confirms, 1);
    assert_int_equal(b->session.sent, 1);
    b->fake.mono += 1000;
    runner_timer(b->runner); /* stray */
    assert_int_equal(b->session.sent, 1);
    runner_resume(b->runner);
    runner_resume(b->runner); /* stray */
    assert_int_equal(b->session.sent, 2);
    answer(&b->session);
    assert_int_equal(b->confirms, 1); /* once for all */
    assert_int_equal(b->session.sent, 3);
    answer(&b->session);
    assert_int_equal(b->done, 1);
}

static void resumed_from_inside(void **state)
{
    struct bench *b = bench_of(state);

    b->resume_at_once = true;
    begin(b, SEQ_TABLE(two_changes), 60000, true);
    answer(&b->session);
    assert_int_equal(b->session.sent, 2);
    answer(&b->session);
    answer(&b->session);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
}

static void no_change_is_sent_after_the_time_is_over(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(two_changes), 1000, true);
    answer(&b->session);
    b->fake.mono += 1000; /* writing it down took too long */
    runner_resume(b->runner);
    assert_int_equal(b->session.sent, 1);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_TIMEOUT);
}

static void freed_while_it_waits_for_the_owner(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(two_changes), 60000, true);
    answer(&b->session);
    runner_free(b->runner);
    b->runner = NULL;
    assert_int_equal(b->session.sent, 1);
    assert_int_equal(b->session.aborted, 0);
}

static void freed_under_way_and_waiting(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(one_read), 60000, false);
    runner_free(b->runner);
    assert_int_equal(b->session.aborted, 1);
    begin(b, SEQ_TABLE(one_read), 60000, false);
    lose(&b->session, CAUSE_DROPPED);
    assert_true(b->timer_at >= 0);
    runner_free(b->runner);
    b->runner = NULL;
    assert_int_equal(b->timer_at, -1);
    assert_int_equal(b->done, 0);
}

static void a_sequence_that_never_ends_runs_out_of_time(void **state)
{
    struct bench *b = bench_of(state);

    b->seq.forever = true;
    b->seq.wait_ms = 400;
    begin(b, SEQ_TABLE(one_read), 1000, false);
    for (int i = 0; i < 3; i++) {
        answer(&b->session);
        assert_int_equal(pass(b), i < 2 ? 400 : 200);
    }
    assert_int_equal(b->session.sent, 3);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_TIMEOUT);
}

static void failures_of_the_sequence(void **state)
{
    struct bench *b = bench_of(state);

    b->seq.fail_ask = CAUSE_UNSUPPORTED;
    begin(b, SEQ_TABLE(one_read), 60000, false);
    assert_int_equal(pass(b), 0); /* told when the loop turns */
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_UNSUPPORTED);
    runner_free(b->runner);

    b->seq.fail_ask = CAUSE_NONE;
    b->seq.fail_hear = CAUSE_INVALID_STATE;
    b->done = 0;
    begin(b, SEQ_TABLE(two_reads), 60000, false);
    answer(&b->session);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_INVALID_STATE);
}

static void an_empty_sequence_is_done(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, one_read, 0, 60000, false);
    assert_int_equal(pass(b), 0);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
}

static void freed_before_it_could_say_that_it_is_over(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, one_read, 0, 60000, false);
    runner_free(b->runner);
    b->runner = NULL;
    assert_int_equal(b->timer_at, -1);
    assert_int_equal(b->done, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* --- the interface --- */

static void answer_names(struct http_session *session)
{
    assert_string_equal(session->path, "/NetworkAdministrationService");
    assert_string_equal(session->operation, "net:GetHostName");
    answer_eoi(session, "<HostName>pc1</HostName>");
    assert_string_equal(session->operation, "net:GetDomainName");
    answer_eoi(session, "<DomainName>example</DomainName>");
    assert_string_equal(session->path, "/SecurityAdministrationService");
    answer_eoi(session, "<DigestRealm>Digest:1</DigestRealm>");
}

static void turns_to_the_other_interface(void **state)
{
    struct bench *b = bench_of(state);

    b->session.server = "Intel(R) Active Management Technology 5.2.70";
    begin(b, SEQ_TABLE(two_reads), 60000, false);
    assert_string_equal(b->session.path, ""); /* 5 may have both: the newer first */
    assert_int_equal(runner_interface(b->runner), INTERFACE_UNKNOWN);
    answer_status(&b->session, 404);
    answer_names(&b->session);
    assert_int_equal(runner_interface(b->runner), INTERFACE_EOI);
    answer_names(&b->session); /* the second step at once */
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
    assert_int_equal(b->seq.heard, 2);
}

static void the_version_tells_the_interface(void **state)
{
    struct bench *b = bench_of(state);

    b->session.server = "Intel(R) Active Management Technology 2.6.20";
    begin(b, SEQ_TABLE(one_read), 60000, false);
    answer_names(&b->session);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->seq.heard, 1);
}

static void what_is_known_is_used(void **state)
{
    struct bench *b = bench_of(state);

    b->interface = INTERFACE_EOI;
    begin(b, SEQ_TABLE(one_read), 60000, false);
    answer_names(&b->session);
    assert_int_equal(b->done, 1);
    assert_int_equal(runner_interface(b->runner), INTERFACE_EOI);
}

/* The firmware was updated: what was known of it does not hold any more. */
static void known_interface_is_gone(void **state)
{
    struct bench *b = bench_of(state);

    b->interface = INTERFACE_EOI;
    b->session.server = "Intel(R) Active Management Technology 9.1.45";
    begin(b, SEQ_TABLE(one_read), 60000, false);
    assert_string_equal(b->session.path, "/NetworkAdministrationService");
    answer_status(&b->session, 404);
    assert_string_equal(b->session.path, "");
    answer(&b->session);
    assert_int_equal(b->done, 1);
    assert_int_equal(runner_interface(b->runner), INTERFACE_WSMAN);
}

static void newer_firmware_and_others_are_asked_once(void **state)
{
    static const char *const servers[] = {"Intel(R) Active Management Technology 16.0.15", "nginx", ""};

    for (size_t i = 0; i < 3; i++) {
        struct bench *b = bench_of(state);

        b->session.server = servers[i];
        b->done = 0;
        begin(b, SEQ_TABLE(one_read), 60000, false);
        answer_status(&b->session, 404);
        assert_int_equal(b->done, 1);
        assert_int_equal(b->failure.cause, CAUSE_NOT_AMT);
        runner_free(b->runner);
        b->runner = NULL;
    }
}

static void neither_interface(void **state)
{
    struct bench *b = bench_of(state);

    b->session.server = "Intel(R) Active Management Technology 5.2.70";
    begin(b, SEQ_TABLE(one_read), 60000, false);
    answer_status(&b->session, 404);
    answer_status(&b->session, 404);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_UNSUPPORTED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(runs_to_the_end),
        TEST(answers_are_read_elsewhere),
        TEST(a_list_is_read_elsewhere),
        TEST(a_status_is_read_elsewhere),
        TEST(freed_while_an_answer_is_read),
        TEST(holds_on_until_resumed),
        TEST(holds_on_for_no_time),
        TEST(ends_while_it_holds_on),
        TEST(freed_in_its_own_end),
        TEST(a_list_takes_several_requests),
        TEST(a_list_is_repeated_from_its_beginning),
        TEST(waits_between_steps),
        TEST(reads_are_repeated_with_back_off),
        TEST(a_repeat_may_succeed_and_the_count_starts_anew),
        TEST(no_repeat_beyond_the_budget),
        TEST(login_and_trust_are_never_repeated),
        TEST(a_change_is_never_repeated),
        TEST(the_sequence_judges_a_lost_change),
        TEST(changes_are_written_down_first),
        TEST(resumed_from_inside),
        TEST(no_change_is_sent_after_the_time_is_over),
        TEST(freed_while_it_waits_for_the_owner),
        TEST(freed_under_way_and_waiting),
        TEST(a_sequence_that_never_ends_runs_out_of_time),
        TEST(failures_of_the_sequence),
        TEST(an_empty_sequence_is_done),
        TEST(freed_before_it_could_say_that_it_is_over),
        TEST(turns_to_the_other_interface),
        TEST(the_version_tells_the_interface),
        TEST(what_is_known_is_used),
        TEST(known_interface_is_gone),
        TEST(newer_firmware_and_others_are_asked_once),
        TEST(neither_interface),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
