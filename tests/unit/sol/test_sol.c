/* The console session: the reference's exchanges, data and flow, heartbeats, lines, ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sol/tape.h"

#define OPENING "C 20 00 00 00 01 00 00 00 10 27 64 00 00 00 30 75 64 00 88 13 00 00 00 00"
#define OPENED  "D 21 00 00 00 00 00 00 00 01 00 01 00 00 00 00 01 00 00 57 01 00 00 00"
#define UP      "up protocol 1.0 firmware 12.0 oem 343 method 4\n"

static const size_t pieces[] = {100000, 1, 7};

static void open_console(struct tape *t, size_t piece)
{
    tape_begin(t, TAPE_SOL, NULL, piece);
    tape_login_by_digest(t, TAPE_START_SOL);
    tape_run(t, (const char *const[]){OPENING, OPENED, NULL});
    tape_logged(t, UP);
}

static void fails(struct tape *t, const char *line, enum cause cause, const char *text)
{
    struct err err = ERR_INIT;

    assert_int_equal(tape_play(t, (const char *const[]){line, NULL}, &err), -1);
    assert_int_equal(err.cause, cause);
    assert_string_equal(err.text, text);
}

static void test_session(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct tape t;

        open_console(&t, pieces[i]);
        tape_run(&t, (const char *const[]){"D 29 00 00 00 00 00 00 00 03 04", NULL});
        tape_logged(&t, "lines rts dtr powered\n");
        assert_true(sol_lines(t.sol)->known && sol_lines(t.sol)->powered);
        assert_int_equal(sol_write(t.sol, "hello", 5), 5);
        tape_run(&t, (const char *const[]){"C 28 00 00 00 02 00 00 00 05 00 68 65 6c 6c 6f",
                                           "D 2a 00 00 00 01 00 00 00 05 00 68 65 6c 6c 6f", NULL});
        tape_logged(&t, "drained\n> hello\n");
        redir_stop(t.redir, t.now_ms);
        assert_int_equal(sol_write(t.sol, "late", 4), 0);
        tape_run(&t, (const char *const[]){"C 22 00 00 00 03 00 00 00",
                                           "D 2a 00 00 00 02 00 00 00 03 00 'bye' 23 00 00 00 00 00 00 00",
                                           "C 12 00 00 00", NULL});
        tape_logged(&t, "> bye\nended\n");
        tape_end(&t);
    }
}

/* Many messages in one piece, and empty ones: what comes out does not depend on the cuts. */
static void test_stream(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct tape t;

        open_console(&t, pieces[i]);
        tape_run(&t,
                 (const char *const[]){"D 2a 00 00 00 01 00 00 00 03 00 'abc' 2a 00 00 00 02 00 00 00 00 00 "
                                       "2b 00 00 00 03 00 00 00 2a 00 00 00 04 00 00 00 02 00 'de' "
                                       "29 00 00 00 05 00 00 00 07 1f 25 00 00 00 06 00 00 00",
                                       NULL});
        tape_logged(&t, "> abcde\nlines rts dtr brk overflow loopback powered flushed testing\n");
        tape_end(&t);
    }
}

static void test_ping(void **state)
{
    struct tape t;

    (void)state;
    open_console(&t, 1);
    tape_run(&t, (const char *const[]){"D 24 00 00 00 09 00 00 00", "C 25 00 00 00 02 00 00 00", NULL});
    tape_end(&t);
}

static void test_refused(void **state)
{
    struct err err = ERR_INIT;
    struct tape t;

    (void)state;
    tape_begin(&t, TAPE_SOL, NULL, 1);
    tape_login_by_digest(&t, TAPE_START_SOL);
    tape_run(&t, (const char *const[]){OPENING, NULL});
    fails(&t, "D 21 05 00 00 00 00 00 00", CAUSE_FAULT,
          "SOL: the firmware refused the console session after the login");
    tape_end(&t);

    tape_begin(&t, TAPE_SOL, NULL, 1);
    tape_login_by_digest(&t, TAPE_START_SOL);
    tape_run(&t, (const char *const[]){OPENING, NULL});
    assert_int_equal(redir_lost(t.redir, &err), -1);
    assert_int_equal(err.cause, CAUSE_DROPPED);
    tape_end(&t);
}

static void test_wrong_turns(void **state)
{
    static const struct {
        const char *line, *text;
    } wrong[] = {
        {OPENED,
         "SOL: the answer to the opening (message 0x21) is out of turn, while the console is open, at "
         "byte 142 of the stream"},
        {"D 26",
         "SOL: 0x26 begins no message of this protocol, while the console is open, at byte 142 of the "
         "stream"},
        {"D 2b 00 00 00 00 00 00 00 50", "SOL: 0x50 begins no message of this protocol, while the console is "
                                         "open, at byte 150 of the stream"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        for (size_t k = 0; k < 3; k++) {
            struct tape t;

            open_console(&t, pieces[k]);
            fails(&t, wrong[i].line, CAUSE_BAD_ANSWER, wrong[i].text);
            tape_end(&t);
        }
    }
}

static void test_ended_by_device(void **state)
{
    struct err err = ERR_INIT;
    struct tape t;

    (void)state;
    open_console(&t, 1);
    fails(&t, "D 23 00 00 00 00 00 00 00", CAUSE_DROPPED, "SOL: the device ended the session");
    tape_end(&t);
    open_console(&t, 1);
    fails(&t, "D 12 00 00 00", CAUSE_DROPPED, "SOL: the device ended the session");
    tape_end(&t);
    open_console(&t, 1);
    tape_run(&t, (const char *const[]){"D 2a 00 00 00 01 00 00 00 03 00 'a'", NULL});
    assert_int_equal(redir_lost(t.redir, &err), -1);
    assert_string_equal(err.text, "SOL: the device closed the connection (in the middle of a message)");
    tape_end(&t);
}

/* Input waits for the connection, shares messages of write_max bytes, and is never lost or taken twice. */
static void test_write(void **state)
{
    char text[2 * SOL_QUEUE];
    struct tape t;
    struct view out;

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 26);
    tape_begin(&t, TAPE_SOL, NULL, 1);
    assert_int_equal(sol_write(t.sol, "early", 5), 0);
    tape_end(&t);

    open_console(&t, 1);
    assert_int_equal(sol_write(t.sol, text, 0), 0);
    assert_int_equal(sol_write(t.sol, text, 100), 100);
    assert_int_equal(sol_write(t.sol, text + 100, sizeof(text)), SOL_QUEUE - 100);
    assert_int_equal(sol_write(t.sol, text, 1), 0);
    assert_int_equal(sol_backlog(t.sol), SOL_QUEUE);
    out = redir_output(t.redir);
    assert_int_equal(out.n, SOL_QUEUE / 256 * (10 + 256));
    for (size_t i = 0; i < SOL_QUEUE / 256; i++) {
        struct rd r = rd_init(out.p + i * 266, 266);

        assert_int_equal(rd_le32(&r), 0x28);
        assert_int_equal(rd_le32(&r), 2 + i);
        assert_int_equal(rd_le16(&r), 256);
        assert_memory_equal(r.p, text + i * 256, 256);
    }
    redir_sent(t.redir, 300, t.now_ms);
    assert_int_equal(sol_write(t.sol, text, 1), 0); /* room comes with the last byte, not before */
    tape_logged(&t, "");
    redir_sent(t.redir, out.n - 300, t.now_ms);
    tape_logged(&t, "drained\n");
    assert_int_equal(sol_backlog(t.sol), 0);
    assert_int_equal(sol_write(t.sol, "x", 1), 1);
    assert_int_equal(sol_write(t.sol, "y", 1), 1);
    tape_run(&t, (const char *const[]){"C 28 00 00 00 12 00 00 00 02 00 'xy'", NULL});
    tape_end(&t);
}

/* What was written goes out before the end of the session. */
static void test_write_and_stop(void **state)
{
    struct err err = ERR_INIT;
    struct tape t;

    (void)state;
    open_console(&t, 1);
    assert_int_equal(sol_write(t.sol, "exit", 4), 4);
    redir_stop(t.redir, t.now_ms);
    tape_run(&t,
             (const char *const[]){"C 28 00 00 00 02 00 00 00 04 00 'exit' 22 00 00 00 03 00 00 00", NULL});
    tape_logged(&t, "drained\n");
    assert_int_equal(redir_deadline(t.redir), t.now_ms + 2000);
    assert_int_equal(redir_lost(t.redir, &err), 0); /* closing now is in order */
    assert_int_equal(redir_tick(t.redir, t.now_ms + 2000, &err), 0);
    tape_logged(&t, "ended\n");
    tape_run(&t, (const char *const[]){"C 12 00 00 00", NULL});
    tape_end(&t);
}

static void test_life(void **state)
{
    struct err err = ERR_INIT;
    struct tape t;
    int64_t begin;

    (void)state;
    open_console(&t, 1);
    begin = t.now_ms;
    assert_int_equal(redir_deadline(t.redir), begin + 10000); /* a third of the device's patience */
    t.now_ms = begin + 10000;
    assert_int_equal(redir_tick(t.redir, t.now_ms, &err), 0);
    tape_run(&t, (const char *const[]){"C 2b 00 00 00 02 00 00 00", NULL});
    assert_int_equal(redir_deadline(t.redir), begin + 15000); /* three heartbeats of the device */
    assert_int_equal(redir_tick(t.redir, begin + 14999, &err), 0);
    assert_int_equal(redir_tick(t.redir, begin + 15000, &err), -1);
    assert_int_equal(err.cause, CAUSE_TIMEOUT);
    assert_string_equal(err.text, "SOL: nothing was heard of the device for 15 s");
    tape_end(&t);

    /* Heard of: every byte counts. Not read: silence is our own doing. */
    open_console(&t, 1);
    begin = t.now_ms;
    t.now_ms = begin + 9000;
    tape_run(&t, (const char *const[]){"D 2b 00 00 00 00 00 00 00", NULL});
    redir_reading(t.redir, false, t.now_ms);
    t.now_ms = begin + 100000;
    assert_int_equal(redir_tick(t.redir, t.now_ms, &err), 0);
    tape_run(&t, (const char *const[]){"C 2b 00 00 00 02 00 00 00", NULL});
    redir_reading(t.redir, true, t.now_ms);
    assert_int_equal(redir_tick(t.redir, t.now_ms + 14999, &err), 0);
    assert_int_equal(redir_tick(t.redir, t.now_ms + 15000, &err), -1);
    tape_end(&t);
}

/* A device that does not read gets no heartbeat upon heartbeat, and no answers without end. */
static void test_stuck(void **state)
{
    struct err err = ERR_INIT;
    struct tape t;
    uint8_t pings[8000];
    int status = 0;

    (void)state;
    open_console(&t, 1);
    assert_int_equal(sol_write(t.sol, "x", 1), 1);
    (void)redir_output(t.redir);
    assert_int_equal(redir_deadline(t.redir), t.now_ms + 15000);
    for (size_t i = 0; i < sizeof(pings); i++)
        pings[i] = i % 8 == 0 ? 0x24 : 0;
    for (int i = 0; i < 100 && status == 0; i++)
        status = redir_feed(t.redir, pings, sizeof(pings), t.now_ms, &err);
    assert_int_equal(status, -1);
    assert_string_equal(err.text, "SOL: the device wants more answers than it reads");
    tape_end(&t);
}

/* What an idle session costs; the goal for core, connection and console together is 24 KiB. */
static void test_memory(void **state)
{
    struct tape t;

    (void)state;
    open_console(&t, 1);
    tape_run(&t, (const char *const[]){"D 29 00 00 00 00 00 00 00 03 04", NULL});
    print_message("an idle session holds %zu bytes\n", redir_memory(t.redir));
    assert_true(redir_memory(t.redir) <= 2048);
    tape_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session),     cmocka_unit_test(test_stream),
        cmocka_unit_test(test_ping),        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_wrong_turns), cmocka_unit_test(test_ended_by_device),
        cmocka_unit_test(test_write),       cmocka_unit_test(test_write_and_stop),
        cmocka_unit_test(test_life),        cmocka_unit_test(test_stuck),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
