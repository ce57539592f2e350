/* The frame of a screen session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/unit/sol/tape.h"

static const size_t pieces[] = {100000, 1, 7};

static void open_screen(struct tape *t, size_t piece)
{
    tape_begin(t, TAPE_KVM, NULL, piece);
    tape_login_by_digest(t, TAPE_START_KVM);
    tape_run(t, (const char *const[]){"C 40 00 00 00 00 00 00 00",
                                      "D 41 00 00 00 00 00 00 00 52 46 42 20 30 30 33 2e 30 30 38 0a", NULL});
}

static void test_session(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct err err = ERR_INIT;
        struct tape t;

        open_screen(&t, pieces[i]);
        tape_logged(&t, "up protocol 1.0 firmware 12.0 oem 343 method 4\n> RFB 003.008\\n\n");
        assert_int_equal(kvm_write(t.kvm, "RFB 003.008\n", 12), 12);
        tape_run(&t, (const char *const[]){"C 'RFB 003.008' 0a", "D 01 01", NULL});
        tape_logged(&t, "drained\n> \\x01\\x01\n");
        assert_true(redir_deadline(t.redir) == INT64_MAX);
        redir_stop(t.redir, t.now_ms);
        assert_int_equal(redir_tick(t.redir, t.now_ms, &err), 0);
        tape_logged(&t, "ended\n");
        tape_silent(&t); /* no message can be said within RFB */
        tape_end(&t);
    }
}

static void test_refused(void **state)
{
    struct err err = ERR_INIT;
    struct tape t;

    (void)state;
    tape_begin(&t, TAPE_KVM, NULL, 1);
    tape_login_by_digest(&t, TAPE_START_KVM);
    tape_drain(&t);
    assert_int_equal(tape_play(&t, (const char *const[]){"D 41 01 00 00 00 00 00 00", NULL}, &err), -1);
    assert_int_equal(err.cause, CAUSE_CONSENT_REQUIRED);
    tape_end(&t);

    tape_begin(&t, TAPE_KVM, NULL, 1);
    tape_login_by_digest(&t, TAPE_START_KVM);
    assert_int_equal(redir_lost(t.redir, &err), -1);
    assert_int_equal(err.cause, CAUSE_CONSENT_REQUIRED);
    tape_end(&t);

    open_screen(&t, 1);
    assert_int_equal(redir_lost(t.redir, &err), -1);
    assert_int_equal(err.cause, CAUSE_DROPPED);
    tape_end(&t);
}

/* The queue takes as much as was handed on, again and again, however the connection cuts it. */
static void test_queue(void **state)
{
    size_t taken = 0, given = 0;
    uint8_t *block = xcalloc(1, KVM_QUEUE);
    struct tape t;

    (void)state;
    open_screen(&t, 1);
    assert_int_equal(kvm_write(t.kvm, block, KVM_QUEUE), KVM_QUEUE);
    assert_int_equal(kvm_write(t.kvm, block, 1), 0);
    given = KVM_QUEUE;
    for (int i = 0; i < 1000; i++) {
        struct view out = redir_output(t.redir);
        size_t n = out.n < 777 ? out.n : 777;

        redir_sent(t.redir, n, t.now_ms);
        taken += n;
        given += kvm_write(t.kvm, block, 1000);
        assert_int_equal(kvm_backlog(t.kvm), given - taken);
        assert_true(kvm_backlog(t.kvm) <= KVM_QUEUE);
    }
    assert_true(redir_memory(t.redir) < 3 * KVM_QUEUE);
    tape_end(&t);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
