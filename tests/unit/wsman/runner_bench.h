/* A bench for sequences: a session that is a fake, without sockets, and a clock that stands still. */
#ifndef TEST_RUNNER_BENCH_H
#define TEST_RUNNER_BENCH_H

#include <stddef.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "wsman/runner.h"

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

/* An answer of the SOAP interface: the members behind Status. */
void answer_eoi(struct http_session *session, const char *members);
void answer_body(struct http_session *session, const char *inner);
/* Of AMT_GeneralSettings. */
void answer(struct http_session *session);
void answer_status(struct http_session *session, int status);
/* The exchange fails. */
void lose(struct http_session *session, enum cause cause);

struct test_seq {
    struct seq seq; /* first */
    unsigned asked, heard, lost;
    int64_t wait_ms;
    bool hold;
    enum cause fail_ask, fail_hear;
    bool bears_it; /* the refusal */
    bool forever;
};

/* Reads, lists and changes of that class. */
extern const struct seq_step one_read[1], two_reads[2], one_list[1], two_changes[3], tolerant_change[1];
struct wsman_request *ask_settings(struct seq *seq, struct err *err);
struct wsman_request *ask_all(struct seq *seq, struct err *err);
int hear(struct seq *seq, const struct wsman_call *call, struct err *err);

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

struct bench *bench_of(void **state);
/* Starts the sequence; confirm: the owner is asked before a change. */
void begin(struct bench *b, const struct seq_step *steps, int count, int64_t budget_ms, bool confirm);
/* Time passes until the timer is due. Returns how long that took. */
int64_t pass(struct bench *b);
/* The answer that is read elsewhere is, now. */
void read_now(struct bench *b);
int runner_bench_setup(void **state);
int runner_bench_teardown(void **state);

#define TEST(function) cmocka_unit_test_setup_teardown(function, runner_bench_setup, runner_bench_teardown)

#endif
