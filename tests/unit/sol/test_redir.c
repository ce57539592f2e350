/* Start and login: the recorded exchanges of the reference, every code, every wrong turn, every limit; each
 * with the device's bytes at once and one at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sol/tape.h"

#define QUERY "C 13 00 00 00 00 00 00 00 00"
#define PROBE "C 13 00 00 00 04 20 00 00 00 05 'admin' 00 00 13 '/RedirectionService' 00 00 00 00"
#define CHALLENGE                                                                                            \
    ("D 14 01 00 00 04 4e 00 00 00 27 'Digest:A4070000000000000000000000000000' 20 "                         \
     "'0123456789abcdef0123456789abcdef' 04 'auth'")
#define RESPONSE                                                                                             \
    ("C 13 00 00 00 04 b3 00 00 00 05 'admin' 27 'Digest:A4070000000000000000000000000000' 20 "              \
     "'0123456789abcdef0123456789abcdef' 13 '/RedirectionService' 20 '00112233445566778899aabbccddeeff' 08 " \
     "'00000001' 20 'e65aebc0fc0bbdd1b0462fb99d2d9f7e' 04 'auth'")
#define SOL_OPENING "C 20 00 00 00 01 00 00 00 10 27 64 00 00 00 30 75 64 00 88 13 00 00 00 00"
#define ALL         (REDIR_MAY_DIGEST | REDIR_MAY(REDIR_KERBEROS) | REDIR_MAY(REDIR_CLEAR))

static const size_t pieces[] = {100000, 1, 7};

static void test_digest(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct tape t;

        tape_begin(&t, TAPE_SOL, NULL, pieces[i]);
        tape_run(&t, (const char *const[]){TAPE_START_SOL, TAPE_STARTED, QUERY,
                                           "D 14 00 00 00 00 02 00 00 00 01 04", PROBE, CHALLENGE, RESPONSE,
                                           "D 14 00 00 00 04 00 00 00 00", SOL_OPENING, NULL});
        assert_string_equal(redir_info(t.redir)->realm, "Digest:A4070000000000000000000000000000");
        assert_int_equal(redir_info(t.redir)->firmware_major, 12);
        tape_logged(&t, "");
        tape_end(&t);
    }
}

/* The response is the reference's own: it does not depend on counter and client nonce. */
static void test_old_digest(void **state)
{
    struct redir_login login = tape_login(REDIR_MAY_DIGEST);
    struct tape t;

    (void)state;
    tape_begin(&t, TAPE_SOL, &login, 1);
    tape_run(&t,
             (const char *const[]){
                 TAPE_START_SOL, "D 11 00 00 00 01 00 04 02 57 01 00 00 00", QUERY,
                 "D 14 00 00 00 00 02 00 00 00 01 03",
                 "C 13 00 00 00 03 1f 00 00 00 05 'admin' 00 00 13 '/RedirectionService' 00 00 00",
                 ("D 14 01 00 00 03 49 00 00 00 27 'Digest:A4070000000000000000000000000000' 20 "
                  "'0123456789abcdef0123456789abcdef'"),
                 ("C 13 00 00 00 03 ae 00 00 00 05 'admin' 27 'Digest:A4070000000000000000000000000000' "
                  "20 '0123456789abcdef0123456789abcdef' 13 '/RedirectionService' 20 "
                  "'00112233445566778899aabbccddeeff' 08 '00000001' 20 'd99c3be1ad1cbbfbf802d31f66469726'"),
                 "D 14 00 00 00 03 00 00 00 00", SOL_OPENING, NULL});
    assert_int_equal(redir_info(t.redir)->method, REDIR_DIGEST_OLD);
    tape_end(&t);
}

static void test_clear_text(void **state)
{
    struct redir_login login = tape_login(ALL & ~REDIR_MAY(REDIR_KERBEROS));
    struct tape t;

    (void)state;
    tape_begin(&t, TAPE_SOL, &login, 1);
    tape_run(
        &t, (const char *const[]){TAPE_START_SOL, TAPE_STARTED, QUERY, "D 14 00 00 00 00 01 00 00 00 01",
                                  "C 13 00 00 00 01 0f 00 00 00 05 61 64 6d 69 6e 08 50 40 73 73 77 30 72 64",
                                  "D 14 00 00 00 01 00 00 00 00", SOL_OPENING, NULL});
    tape_end(&t);
}

static void test_kerberos(void **state)
{
    struct redir_login login = tape_login(ALL);
    struct tape t;

    (void)state;
    login.user = NULL;
    login.methods = REDIR_MAY(REDIR_KERBEROS);
    tape_begin(&t, TAPE_SOL, &login, 1);
    tape_run(&t, (const char *const[]){TAPE_START_SOL, TAPE_STARTED, QUERY,
                                       "D 14 00 00 00 00 03 00 00 00 01 04 02",
                                       "C 13 00 00 00 02 06 00 00 00 'ticket'",
                                       "D 14 00 00 00 02 03 00 00 00 'yes'", SOL_OPENING, NULL});
    tape_logged(&t, "token wanted\nproof of 3\n");
    tape_end(&t);

    tape_begin(&t, TAPE_SOL, &login, 100);
    t.bad_proof = true;
    struct err err = ERR_INIT;
    assert_int_equal(tape_play(&t,
                               (const char *const[]){TAPE_START_SOL, TAPE_STARTED, QUERY,
                                                     "D 14 00 00 00 00 01 00 00 00 02",
                                                     "C 13 00 00 00 02 06 00 00 00 'ticket'",
                                                     "D 14 00 00 00 02 00 00 00 00", NULL},
                               &err),
                     -1);
    assert_string_equal(err.text, "SOL: the proof is wrong");
    tape_end(&t);
}

/* A ticket may take its time; the limit of a step begins when it is there. */
static void test_late_token(void **state)
{
    struct redir_login login = tape_login(REDIR_MAY(REDIR_KERBEROS));
    struct err err = ERR_INIT;
    struct tape t;

    (void)state;
    tape_begin(&t, TAPE_SOL, &login, 1);
    t.no_token = true;
    tape_run(&t, (const char *const[]){TAPE_START_SOL, TAPE_STARTED, QUERY, "D 14 00 00 00 00 01 00 00 00 02",
                                       NULL});
    assert_true(redir_deadline(t.redir) == INT64_MAX);
    t.now_ms += 60000;
    assert_int_equal(redir_tick(t.redir, t.now_ms, &err), 0);
    redir_token(t.redir, "late", 4, t.now_ms);
    redir_token(t.redir, "again", 5, t.now_ms); /* ignored */
    assert_int_equal(redir_deadline(t.redir), t.now_ms + REDIR_STEP_MS);
    tape_run(&t, (const char *const[]){"C 13 00 00 00 02 04 00 00 00 'late'", "D 14 00 00 00 02 00 00 00 00",
                                       SOL_OPENING, NULL});
    tape_end(&t);
}

/* A case of failure: what is played, cause, code and text. */
struct failure {
    const char *name;
    unsigned methods;
    const char *lines[12];
    enum cause cause;
    const char *code;
    const char *text;
};

#define START_LINES TAPE_START_SOL, TAPE_STARTED, QUERY
#define PROOF_LINES START_LINES, "D 14 00 00 00 00 01 00 00 00 04", PROBE, CHALLENGE, RESPONSE

static const struct failure failures[] = {
    {"type unknown",
     REDIR_MAY_DIGEST,
     {TAPE_START_SOL, "D 11 01 00 00"},
     CAUSE_UNSUPPORTED,
     "redirection start 1",
     "the firmware does not know this kind of session"},
    {"busy",
     REDIR_MAY_DIGEST,
     {TAPE_START_SOL, "D 11 02 00 00"},
     CAUSE_IN_USE,
     "redirection start 2",
     "a session of this kind is open already; one whose console vanished ends by itself within a minute"},
    {"busy, at length",
     REDIR_MAY_DIGEST,
     {TAPE_START_SOL, "D 11 02 00 00 01 00 0c 00 57 01 00 00 00"},
     CAUSE_IN_USE,
     "redirection start 2",
     "a session of this kind is open already; one whose console vanished ends by itself within a minute"},
    {"switched off",
     REDIR_MAY_DIGEST,
     {TAPE_START_SOL, "D 11 03 00 00"},
     CAUSE_REDIRECTION_DISABLED,
     "redirection start 3",
     "this kind of session is switched off in the device or not there"},
    {"internal",
     REDIR_MAY_DIGEST,
     {TAPE_START_SOL, "D 11 ff 00 00"},
     CAUSE_FAULT,
     "redirection start 255",
     "the firmware reports an error of its own"},
    {"unknown status",
     REDIR_MAY_DIGEST,
     {TAPE_START_SOL, "D 11 07 00 00"},
     CAUSE_FAULT,
     "redirection start 7",
     "the firmware refused the start with a code that is not documented"},
    {"clear text only",
     REDIR_MAY_DIGEST,
     {START_LINES, "D 14 00 00 00 00 01 00 00 00 01"},
     CAUSE_AUTH_UNSUPPORTED,
     "",
     "the device offers: clear text; allowed here: digest, old digest"},
    {"no methods",
     REDIR_MAY_DIGEST,
     {START_LINES, "D 14 00 00 00 00 00 00 00 00"},
     CAUSE_AUTH_UNSUPPORTED,
     "",
     "the device offers: none known; allowed here: digest, old digest"},
    {"unknown methods are skipped",
     REDIR_MAY_DIGEST,
     {START_LINES, "D 14 00 00 00 00 03 00 00 00 00 20 ff"},
     CAUSE_AUTH_UNSUPPORTED,
     "",
     "the device offers: none known; allowed here: digest, old digest"},
    {"query refused",
     REDIR_MAY_DIGEST,
     {START_LINES, "D 14 02 00 00 00 00 00 00 00"},
     CAUSE_AUTH_UNSUPPORTED,
     "redirection login 2",
     "the device does not support the way of logging in that it listed"},
    {"clear text refused as AMT 12.0 does",
     REDIR_MAY(REDIR_CLEAR),
     {START_LINES, "D 14 00 00 00 00 01 00 00 00 01",
      "C 13 00 00 00 01 0f 00 00 00 05 61 64 6d 69 6e 08 50 40 73 73 77 30 72 64",
      "D 14 02 00 00 01 00 00 00 00"},
     CAUSE_AUTH_UNSUPPORTED,
     "redirection login 2",
     "the device does not support the way of logging in that it listed"},
    {"wrong password",
     REDIR_MAY_DIGEST,
     {PROOF_LINES, "D 14 01 00 00 04 00 00 00 00"},
     CAUSE_AUTH_FAILED,
     "redirection login 1",
     "the device refused the login: user or password is wrong, or the user has no right to redirection"},
    {"wrong password, and another challenge",
     REDIR_MAY_DIGEST,
     {PROOF_LINES, CHALLENGE},
     CAUSE_AUTH_FAILED,
     "redirection login 1",
     "the device refused the login: user or password is wrong, or the user has no right to redirection"},
    {"login, unknown status",
     REDIR_MAY_DIGEST,
     {PROOF_LINES, "D 14 09 00 00 04 00 00 00 00"},
     CAUSE_FAULT,
     "redirection login 9",
     "the firmware refused the login with a code that is not documented"},
    {"answer to another method",
     REDIR_MAY_DIGEST,
     {PROOF_LINES, "D 14 00 00 00 01 00 00 00 00"},
     CAUSE_BAD_ANSWER,
     "",
     "the device answered login method 4 with one for method 1"},
    {"accepted without proof",
     REDIR_MAY_DIGEST,
     {START_LINES, "D 14 00 00 00 00 01 00 00 00 04", PROBE, "D 14 00 00 00 04 00 00 00 00"},
     CAUSE_BAD_ANSWER,
     "",
     "the device accepts a login that has proved nothing yet"},
    {"challenge: a field beyond the data",
     REDIR_MAY_DIGEST,
     {START_LINES, "D 14 00 00 00 00 01 00 00 00 04", PROBE, "D 14 01 00 00 04 03 00 00 00 27 'ab'"},
     CAUSE_BAD_ANSWER,
     "",
     "the challenge has parts of impossible lengths or characters"},
    {"challenge: an empty realm",
     REDIR_MAY_DIGEST,
     {START_LINES, "D 14 00 00 00 00 01 00 00 00 04", PROBE,
      "D 14 01 00 00 04 08 00 00 00 00 01 'n' 04 'auth'"},
     CAUSE_BAD_ANSWER,
     "",
     "the challenge has parts of impossible lengths or characters"},
    {"challenge: control characters",
     REDIR_MAY_DIGEST,
     {START_LINES, "D 14 00 00 00 00 01 00 00 00 04", PROBE,
      "D 14 01 00 00 04 09 00 00 00 01 07 01 'n' 04 'auth'"},
     CAUSE_BAD_ANSWER,
     "",
     "the challenge has parts of impossible lengths or characters"},
    {"challenge: another qop",
     REDIR_MAY_DIGEST,
     {START_LINES, "D 14 00 00 00 00 01 00 00 00 04", PROBE,
      "D 14 01 00 00 04 0d 00 00 00 01 'r' 01 'n' 08 'auth-int'"},
     CAUSE_AUTH_UNSUPPORTED,
     "",
     "the device asks for a digest with qop auth-int"},
    {"a length that cannot be",
     REDIR_MAY_DIGEST,
     {PROOF_LINES, "D 14 01 00 00 04 ff ff ff ff"},
     CAUSE_BAD_ANSWER,
     "",
     ("an answer to the login (message 0x14) claims 4294967295 bytes, more than the 2048 it may have, while "
      "waiting for the login's result, at byte 110 of the stream")},
    {"a list that cannot be",
     REDIR_MAY_DIGEST,
     {START_LINES, "D 14 00 00 00 00 21 00 00 00"},
     CAUSE_BAD_ANSWER,
     "",
     ("the list of login methods (message 0x14) claims 33 bytes, more than the 32 it may have, while asking "
      "for ways of logging in, at byte 13 of the stream")},
    {"out of turn",
     REDIR_MAY_DIGEST,
     {TAPE_START_SOL, "D 14"},
     CAUSE_BAD_ANSWER,
     "",
     ("the list of login methods (message 0x14) is out of turn, while starting the session, at byte 0 of the "
      "stream")},
    {"started twice",
     REDIR_MAY_DIGEST,
     {START_LINES, "D 11"},
     CAUSE_BAD_ANSWER,
     "",
     ("the answer to the start (message 0x11) is out of turn, while asking for ways of logging in, at byte "
      "13 "
      "of the stream")},
    {"no message",
     REDIR_MAY_DIGEST,
     {TAPE_START_SOL, "D 'SSH-2.0'"},
     CAUSE_BAD_ANSWER,
     "",
     "0x53 begins no message of this protocol, while starting the session, at byte 0 of the stream"},
    {"a console's message before the login",
     REDIR_MAY_DIGEST,
     {TAPE_START_SOL, "D 2a"},
     CAUSE_BAD_ANSWER,
     "",
     "0x2a begins no message of this protocol, while starting the session, at byte 0 of the stream"},
};

static void test_failures(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        const struct failure *f = &failures[i];

        for (size_t k = 0; k < 3; k++) {
            struct redir_login login = tape_login(f->methods);
            struct err err = ERR_INIT;
            struct tape t;

            tape_begin(&t, TAPE_SOL, &login, pieces[k]);
            if (tape_play(&t, f->lines, &err) == 0)
                fail_msg("%s: nothing failed", f->name);
            if (err.cause != f->cause || strcmp(err.code, f->code) != 0 ||
                strncmp(err.text, "SOL: ", 5) != 0 || strcmp(err.text + 5, f->text) != 0)
                fail_msg("%s: %s (%s): %s", f->name, cause_name(err.cause), err.code, err.text);
            tape_end(&t);
        }
    }
}

static void test_realm(void **state)
{
    struct redir_login login = tape_login(REDIR_MAY_DIGEST);
    struct err err = ERR_INIT;
    struct tape t;

    (void)state;
    login.realm = "Digest:B0000000000000000000000000000000";
    tape_begin(&t, TAPE_SOL, &login, 1);
    assert_int_equal(tape_play(&t,
                               (const char *const[]){START_LINES, "D 14 00 00 00 00 01 00 00 00 04", PROBE,
                                                     CHALLENGE, NULL},
                               &err),
                     -1);
    assert_int_equal(err.cause, CAUSE_REALM_CHANGED);
    tape_silent(&t); /* nothing was proved to it */
    tape_end(&t);
    login.realm = "Digest:A4070000000000000000000000000000";
    tape_begin(&t, TAPE_SOL, &login, 1);
    tape_run(&t, (const char *const[]){PROOF_LINES, NULL});
    tape_end(&t);
}

/* In each state of the login: the device says nothing; the device closes; the owner wants to end. */
static const struct stall {
    const char *lines[12];
    const char *late;
    enum cause lost;
    const char *end; /* what the device is told */
} stalls[] = {
    {{TAPE_START_SOL},
     "SOL: the device did not answer within 10 s while starting the session",
     CAUSE_DROPPED,
     "C"},
    {{START_LINES},
     "SOL: the device did not answer within 10 s while asking for ways of logging in",
     CAUSE_DROPPED,
     "C 12 00 00 00"},
    {{START_LINES, "D 14 00 00 00 00 01 00 00 00 04", PROBE},
     "SOL: the device did not answer within 10 s while waiting for the login's challenge",
     CAUSE_DROPPED,
     "C 12 00 00 00"},
    {{PROOF_LINES},
     "SOL: the device did not answer within 10 s while waiting for the login's result",
     CAUSE_AUTH_FAILED,
     "C 12 00 00 00"},
    {{PROOF_LINES, "D 14 00 00 00 04 00 00 00 00", SOL_OPENING},
     "SOL: the device did not answer within 10 s while opening the console",
     CAUSE_DROPPED,
     "C 12 00 00 00"},
};

static void test_stalls(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(stalls) / sizeof(stalls[0]); i++) {
        struct err err = ERR_INIT;
        struct tape t;

        tape_begin(&t, TAPE_SOL, NULL, 1);
        tape_run(&t, stalls[i].lines);
        assert_int_equal(redir_deadline(t.redir), t.now_ms + REDIR_STEP_MS);
        assert_int_equal(redir_tick(t.redir, t.now_ms + REDIR_STEP_MS - 1, &err), 0);
        assert_int_equal(redir_tick(t.redir, t.now_ms + REDIR_STEP_MS, &err), -1);
        assert_int_equal(err.cause, CAUSE_TIMEOUT);
        assert_string_equal(err.text, stalls[i].late);
        tape_end(&t);

        tape_begin(&t, TAPE_SOL, NULL, 1);
        tape_run(&t, stalls[i].lines);
        assert_int_equal(redir_lost(t.redir, &err), -1);
        assert_int_equal(err.cause, stalls[i].lost);
        tape_end(&t);

        tape_begin(&t, TAPE_SOL, NULL, 1);
        tape_run(&t, stalls[i].lines);
        redir_stop(t.redir, t.now_ms);
        redir_stop(t.redir, t.now_ms);
        tape_logged(&t, "");
        assert_true(redir_deadline(t.redir) <= t.now_ms);
        assert_int_equal(redir_lost(t.redir, &err), 0);
        assert_int_equal(redir_tick(t.redir, t.now_ms, &err), 0);
        tape_logged(&t, "ended\n");
        tape_run(&t, (const char *const[]){stalls[i].end, "D 11 00 ff ff", NULL}); /* not heard any more */
        assert_true(redir_deadline(t.redir) == INT64_MAX);
        tape_end(&t);
    }
}

static void test_arguments(void **state)
{
    const struct sol_events events = {0};
    char longer[300];
    struct redir_login login;
    struct sol_settings settings = sol_settings_default;
    struct err err = ERR_INIT;

    (void)state;
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    login = tape_login(0);
    assert_null(sol_new(&login, &settings, &events, 0, &err));
    login = tape_login(REDIR_MAY(7));
    assert_null(sol_new(&login, &settings, &events, 0, &err));
    login = tape_login(REDIR_MAY(REDIR_KERBEROS)); /* and nobody to get a token */
    assert_null(sol_new(&login, &settings, &events, 0, &err));
    login = tape_login(REDIR_MAY_DIGEST);
    login.user = longer;
    assert_null(sol_new(&login, &settings, &events, 0, &err));
    login.user = "";
    assert_null(sol_new(&login, &settings, &events, 0, &err));
    login = tape_login(REDIR_MAY_DIGEST);
    struct secret *password = secret_new(longer, 256);
    login.password = password;
    assert_null(sol_new(&login, &settings, &events, 0, &err));
    secret_free(password);
    login = tape_login(REDIR_MAY_DIGEST);
    login.realm = longer;
    assert_null(sol_new(&login, &settings, &events, 0, &err));
    login = tape_login(REDIR_MAY_DIGEST);
    settings.heartbeat_ms = 0;
    assert_null(sol_new(&login, &settings, &events, 0, &err));
    assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
    redir_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digest),   cmocka_unit_test(test_old_digest), cmocka_unit_test(test_clear_text),
        cmocka_unit_test(test_kerberos), cmocka_unit_test(test_late_token), cmocka_unit_test(test_failures),
        cmocka_unit_test(test_realm),    cmocka_unit_test(test_stalls),     cmocka_unit_test(test_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
