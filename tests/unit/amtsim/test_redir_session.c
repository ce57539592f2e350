/* Redirection sessions of a device, fed in memory by the fake clock. (reference redirection.md) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/amtsim/consent.h"
#include "tests/amtsim/power.h"
#include "tests/amtsim/record.h"
#include "tests/amtsim/redir_settings.h"
#include "tests/amtsim/scenario.h"
#include "tests/unit/amtsim/redir_client.h"

static struct sim sim;
static struct device *device;
static struct client client, other;

static int start(unsigned generation)
{
    sim_start(&sim, 2, generation);
    device = &sim.fleet->devices[0];
    client.piece = other.piece = 0;
    client_open(&client, &sim, device);
    client_open(&other, &sim, device);
    return 0;
}

static int start_16(void **state)
{
    (void)state;
    return start(16);
}

static int start_9(void **state)
{
    (void)state;
    return start(9);
}

static int start_6(void **state)
{
    (void)state;
    return start(6);
}

static int stop(void **state)
{
    (void)state;
    client_close(&client);
    client_close(&other);
    sim_stop(&sim);
    return 0;
}

static void faults(const char *yaml)
{
    struct buf text = buf_init(4096), report = buf_init(4096);
    buf_printf(&text, "devices:\n  - select: \"1\"\n    faults: [%s]\n", yaml);
    if (scenario_apply_text(sim.fleet, text.p, text.len, "test", &report, NULL) != 0)
        fail_msg("%s", buf_str(&report));
    buf_free(&text);
    buf_free(&report);
}

static void expect_fate(const struct client *c, enum redir_fate fate)
{
    assert_int_equal(redir_session_fate(c->session), fate);
}

/* --- start and login --- */

static void start_codes(void **state)
{
    (void)state;
    client_say(&client, "\x10\0\0\0KVMR", 8);
    client_expect(&client, "11 03 00 00 01 00 10 00 57 01 00 00 00");
    expect_fate(&client, REDIR_ENDS);
    client_close(&client);
    client_open(&client, &sim, device);
    client_say(&client, "\x10\1\0\0FLOP", 8);
    client_expect(&client, "11 01");
    client_close(&client);
    client_open(&client, &sim, device);
    device->redirection.enabled_state = 32769; /* IDE-R only */
    client_say(&client, "\x10\0\0\0SOL ", 8);
    client_expect(&client, "11 03");
    expect_fate(&client, REDIR_ENDS);
    assert_int_equal(record_counter_get(device, RECORD_SESSIONS_REFUSED), 3);
}

static void one_session_of_a_kind(void **state)
{
    (void)state;
    client_start(&client, "SOL ");
    client_say(&other, "\x10\0\0\0SOL ", 8);
    client_expect(&other, "11 02");
    expect_fate(&other, REDIR_ENDS);
    client_close(&other);
    client_open(&other, &sim, device);
    client_start(&other, "IDER"); /* the other kind is free */
    client_close(&client);
    client_open(&client, &sim, device);
    client_start(&client, "SOL ");
}

/* Both have begun before one has logged in: the second one is refused late. */
static void busy_after_login(void **state)
{
    (void)state;
    client_say(&client, "\x10\0\0\0SOL ", 8);
    client_expect(&client, "11 00 -- -- -- -- -- -- -- -- -- -- --");
    client_start(&other, "SOL ");
    client_login(&client, 4, "admin", "P@ssw0rd1");
    client_expect(&client, "14 00 00 00 04 00 00 00 00");
    client_say_hex(&client, "20 00 00 00 01 00 00 00 10 27 64 00 00 00 10 27 64 00 88 13 00 00 00 00");
    client_expect(&client, "21 01");
    expect_fate(&client, REDIR_ENDS);
    expect_fate(&other, REDIR_GOES_ON);
}

static void begin_login(struct client *c)
{
    client_say(c, "\x10\0\0\0SOL ", 8);
    client_expect(c, "11 00 00 00 01 00 -- 00 57 01 00 00 00");
}

static void new_firmware_logs_in_by_digest_alone(void **state)
{
    (void)state;
    begin_login(&client);
    client_say_hex(&client, "13 00 00 00 00 00 00 00 00");
    client_expect(&client, "14 00 00 00 00 01 00 00 00 04");
    client_say_hex(&client, "13 00 00 00 01 0f 00 00 00 05 61 64 6d 69 6e 08 50 40 73 73 77 30 72 64");
    client_expect(&client, "14 02 00 00 01 00 00 00 00");
    client_say_hex(&client, "13 00 00 00 02 00 00 00 00"); /* the empty token */
    client_expect(&client, "14 02 00 00 02 00 00 00 00");
    client_login(&client, 4, "admin", "P@ssw0rd1");
    client_expect(&client, "14 00 00 00 04 00 00 00 00");
}

static void old_firmware_takes_more(void **state)
{
    (void)state;
    begin_login(&client);
    client_say_hex(&client, "13 00 00 00 00 00 00 00 00");
    client_expect(&client, "14 00 00 00 00 03 00 00 00 01 03 04");
    client_say(&client, "\x13\0\0\0\1\x10\0\0\0\5admin\x09P@ssw0rd1", 25);
    client_expect(&client, "14 00 00 00 01 00 00 00 00");
    client_close(&client);
    client_open(&client, &sim, device);
    begin_login(&client);
    client_login(&client, 3, "admin", "P@ssw0rd1");
    client_expect(&client, "14 00 00 00 03 00 00 00 00");
    client_close(&client);
    client_open(&client, &sim, device);
    device->redirection.no_clear_text = true;
    begin_login(&client);
    client_say_hex(&client, "13 00 00 00 00 00 00 00 00");
    client_expect(&client, "14 00 00 00 00 02 00 00 00 03 04");
    client_say(&client, "\x13\0\0\0\1\x10\0\0\0\5admin\x09P@ssw0rd1", 25);
    client_expect(&client, "14 02 00 00 01 00 00 00 00");
}

static void wrong_password(void **state)
{
    (void)state;
    begin_login(&client);
    client_login(&client, 4, "admin", "wrong");
    client_expect(&client, "14 01 00 00 04 00 00 00 00");
    client_expect_nothing(&client);
    client_login(&client, 4, "nobody", "P@ssw0rd1");
    client_expect(&client, "14 01 00 00 04 00 00 00 00");
    expect_fate(&client, REDIR_GOES_ON);
    client_login(&client, 4, "admin", "wrong");
    expect_fate(&client, REDIR_ENDS);
    assert_int_equal(record_counter_get(device, RECORD_LOGINS_WRONG), 3);
    assert_null(device->sessions[REDIR_SOL]);
}

static void old_firmware_asks_again(void **state)
{
    (void)state;
    begin_login(&client);
    client_login(&client, 4, "admin", "wrong");
    client_expect(&client, "14 01 00 00 04 4e 00 00 00 27");
}

/* The lock is the one of WS-Man, counted over all connections. */
static void lockout(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        client_close(&other);
        client_open(&other, &sim, device);
        begin_login(&other);
        client_login(&other, 4, "admin", "wrong");
        client_expect(&other, "14 01");
    }
    begin_login(&client);
    client_login(&client, 4, "admin", "P@ssw0rd1");
    client_expect(&client, "14 01 00 00 04 00 00 00 00");
    assert_int_equal(record_counter_get(device, RECORD_LOGINS_LOCKED), 1);
    sim.time.mono += 30001;
    client_login(&client, 4, "admin", "P@ssw0rd1");
    client_expect(&client, "14 00 00 00 04 00 00 00 00");
}

/* CVE-2017-5689: an empty or shortened response. */
static void shortened_response(void **state)
{
    struct buf b = buf_init(1024);
    char nonce[33] = "";
    (void)state;
    begin_login(&client);
    client_say_hex(&client,
                   "13 00 00 00 04 20 00 00 00 05 61 64 6d 69 6e 00 00 13 2f 52 65 64 69 72 65 63 74 69 6f "
                   "6e 53 65 72 76 69 63 65 00 00 00 00");
    memcpy(nonce, client.got.p + 9 + 1 + 39 + 1, 32);
    char realm[DEVICE_REALM_MAX];
    device_realm(device, realm);
    wr_str8(&b, "admin", 5);
    wr_str8(&b, realm, strlen(realm));
    wr_str8(&b, nonce, 32);
    wr_str8(&b, "/RedirectionService", 19);
    wr_str8(&b, "abc", 3);
    wr_str8(&b, "00000001", 8);
    wr_str8(&b, "", 0);
    wr_str8(&b, "auth", 4);
    uint8_t head[9] = {0x13, 0, 0, 0, 4, (uint8_t)b.len};
    buf_reset(&client.got);
    client_say(&client, head, sizeof(head));
    client_say(&client, b.p, b.len);
    client_expect(&client, "14 01 00 00 04 00 00 00 00");
    buf_free(&b);
}

static void user_without_the_realm(void **state)
{
    const char *text;
    char realm[DEVICE_REALM_MAX];
    (void)state;
    /* realm 5 is remote control, 2 redirection; the hash is of another password, which does not matter here
     */
    assert_int_equal(sim_invoke(&sim, device, "AMT_AuthorizationService", "AddUserAclEntryEx",
                                "<r:DigestUsername>oper</r:DigestUsername><r:DigestPassword>"
                                "00112233445566778899aabbccddeeff</r:DigestPassword><r:AccessPermission>2"
                                "</r:AccessPermission><r:Realms>5</r:Realms>",
                                &text),
                     200);
    begin_login(&client);
    client_login(&client, 4, "oper", "Secret12!");
    client_expect(&client, "14 01 00 00 04 00 00 00 00");
    assert_non_null(device_realm(device, realm));
}

static void wrong_order_breaks(void **state)
{
    static const char *const first[] = {
        "20 00 00 00 01 00 00 00 10 27 64 00 00 00 10 27 64 00 88 13 00 00 00 00",
        "13 00 00 00 00 00 00 00 00",
        "2b 00 00 00 00 00 00 00",
        "ff",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
        client_close(&client);
        client_open(&client, &sim, device);
        client_say_hex(&client, first[i]);
        client_expect_nothing(&client);
        expect_fate(&client, REDIR_BREAKS);
    }
    client_start(&other, "SOL ");
    client_say_hex(&other, "44 00 00 00 00 00 00 00"); /* of IDE-R */
    expect_fate(&other, REDIR_BREAKS);
    assert_null(device->sessions[REDIR_SOL]);
}

static void login_takes_no_longer_than_it_may(void **state)
{
    (void)state;
    begin_login(&client);
    client_wait(&client, 29999);
    expect_fate(&client, REDIR_GOES_ON);
    client_wait(&client, 2);
    expect_fate(&client, REDIR_ENDS);
}

/* --- SOL --- */

static void data_both_ways(void **state)
{
    (void)state;
    client_start(&client, "SOL ");
    client_say_hex(&client, "28 00 00 00 02 00 00 00 05 00 68 65 6c 6c 6f"); /* the machine echoes */
    client_wait(&client, 100);
    client_expect(&client, "2a 00 00 00 02 00 00 00 05 00 68 65 6c 6c 6f");
    client_say_hex(&client, "24 00 00 00 63 00 00 00");
    client_expect(&client, "25 00 00 00 63 00 00 00");
    client_say_hex(&client, "27 00 00 00 05 00 00 00 00 00 1b 00 00 00");
    client_say_hex(&client, "22 00 00 00 00 00 00 00");
    client_expect(&client, "23 00 00 00 00 00 00 00");
    client_say_hex(&client, "28 00 00 00 02 00 00 00 01 00 1d"); /* amtterm still sends */
    client_expect_nothing(&client);
    assert_null(device->sessions[REDIR_SOL]);
    client_say_hex(&client, "12 00 00 00");
    expect_fate(&client, REDIR_ENDS);
    assert_int_equal(record_passed_get(device, RECORD_SOL_TO_HOST), 5);
    assert_int_equal(record_passed_get(device, RECORD_SOL_FROM_HOST), 5);
}

/* Every split of a whole session gives the same answers. */
static void any_split_is_the_same(void **state)
{
    static const char script[] = "\x28\0\0\0\1\0\0\0\3\0abc"
                                 "\x2b\0\0\0\2\0\0\0"
                                 "\x27\0\0\0\3\0\0\0\0\0\x1b\0\0\0"
                                 "\x24\0\0\0\4\0\0\0"
                                 "\x28\0\0\0\5\0\0\0\2\0de"
                                 "\x22\0\0\0\6\0\0\0"
                                 "\x12\0\0\0";
    struct buf first = buf_init(4096);
    (void)state;
    for (size_t piece = 0; piece < sizeof(script); piece++) {
        client_close(&client);
        client.piece = 0;
        client_open(&client, &sim, device);
        client_start(&client, "SOL ");
        client.piece = piece;
        client_say(&client, script, sizeof(script) - 1);
        expect_fate(&client, REDIR_ENDS);
        if (piece == 0)
            buf_add(&first, client.got.p, client.got.len);
        assert_int_equal(client.got.len, first.len);
        assert_memory_equal(client.got.p, first.p, first.len);
    }
    client.piece = 1; /* also of the login */
    client_close(&client);
    client_open(&client, &sim, device);
    client_start(&client, "SOL ");
    buf_free(&first);
}

static void heartbeats_when_idle(void **state)
{
    (void)state;
    client_start(&client, "SOL ");
    client_wait(&client, 9000);
    client_expect(&client, "2b 00 00 00 02 00 00 00");
    client_expect_nothing(&client);
    client_say_hex(&client, "2b 00 00 00 09 00 00 00"); /* life */
    client_wait(&client, 9000);
    client_expect(&client, "2b 00 00 00 03 00 00 00");
    expect_fate(&client, REDIR_GOES_ON);
    client_wait(&client, 1100);
    expect_fate(&client, REDIR_ENDS); /* 10 s without a word */
    assert_null(device->sessions[REDIR_SOL]);
}

static void power_shows(void **state)
{
    (void)state;
    client_start(&client, "SOL ");
    assert_int_equal(power_request(device, 8), 0);
    sim_run_until_state(&sim, device, MACHINE_OFF);
    client_wait(&client, 1000);
    client_expect(&client, "29 00 00 00 02 00 00 00 00 00");
    assert_int_equal(power_request(device, 2), 0);
    sim_run_until_state(&sim, device, MACHINE_ON);
    client_wait(&client, 1000);
    client_expect(&client, "29 00 00 00 03 00 00 00 -- --");
}

static void power_is_held_by_old_firmware(void **state)
{
    (void)state;
    client_start(&client, "SOL ");
    assert_int_equal(power_request(device, 8), 6);
    assert_int_equal(power_request(device, 10), 6);
    client_close(&client);
    client_open(&client, &sim, device);
    assert_int_equal(power_request(device, 10), 0);
}

static void full_buffers_hold_the_machine_or_lose(void **state)
{
    (void)state;
    static char chunk[30000];
    client_start(&client, "SOL ");
    memset(chunk, 'x', sizeof(chunk));
    /* nobody takes anything: 64 KiB of messages, then the transmit buffer */
    for (unsigned i = 0; i < 4; i++)
        redir_console(device, chunk, sizeof(chunk));
    client_wait(&client, 200);
    for (size_t left = 4 * sizeof(chunk); left > 0;) {
        struct rd r = rd_init(client.got.p, client.got.len);
        assert_int_equal(rd_u8(&r), 0x2A);
        rd_skip(&r, 7);
        uint16_t n = rd_le16(&r);
        rd_skip(&r, n);
        assert_true(rd_ok(&r) && n <= 10000 && n <= left);
        left -= n;
        buf_consume(&client.got, 10u + n);
    }
    client_expect_nothing(&client);
}

static void say_text(struct client *c, const char *text)
{
    struct buf b = buf_init(4096);
    wr_u8(&b, 0x28);
    wr_be24(&b, 0);
    wr_le32(&b, 0);
    wr_le16(&b, (uint16_t)strlen(text));
    wr_bytes(&b, text, strlen(text));
    client_say(c, b.p, b.len);
    buf_free(&b);
}

/* A machine that does not read its port: what was typed waits for HostFifoRxFlushTimeout, then it is gone and
 * the client is told; more than the port's buffer holds is lost at once. */
static void input_that_nobody_reads(void **state)
{
    char many[400];
    (void)state;
    client_start(&client, "SOL ");
    say_text(&client, "busy 600000\r");
    client_wait(&client, 300);
    buf_reset(&client.got);
    say_text(&client, "lost");
    client_wait(&client, 90);
    client_expect_nothing(&client);
    client_wait(&client, 300);
    client_expect(&client, "29 00 00 00 -- -- -- -- 03 0c");
    client_expect_nothing(&client);
    memset(many, 'x', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    say_text(&client, many);
    client_expect(&client, "29 00 00 00 -- -- -- -- 03 0c");
}

/* Nobody takes what the machine says: with an overflow time-out it is lost and told of, without one the
 * machine waits. */
static void check_overflow(const char *settings, bool loses)
{
    static char chunk[70000];
    uint64_t *now = (uint64_t *)&sim.time.mono;
    client_close(&client);
    client_open(&client, &sim, device);
    begin_login(&client);
    client_login(&client, 4, "admin", "P@ssw0rd1");
    client_expect(&client, "14 00 00 00 04 00 00 00 00");
    client_say_hex(&client, settings);
    client_wait(&client, 300);
    buf_reset(&client.got);
    for (unsigned i = 0; i < 2; i++)
        redir_console(device, chunk, sizeof(chunk)); /* 64 KiB of messages, then the buffer */
    *now += 2000;
    redir_session_tick(client.session);
    client_wait(&client, 1000);
    size_t said = 0;
    bool told = false;
    while (client.got.len > 0) {
        bool data = client.got.p[0] == 0x2A;
        size_t n = data ? client.got.p[8] | (size_t)client.got.p[9] << 8 : 0;
        told = told || (client.got.p[0] == 0x29 && (client.got.p[9] & 1) != 0);
        said += n;
        buf_consume(&client.got, 10 + n);
    }
    assert_int_equal(told, loses);
    assert_int_equal(said < 2 * sizeof(chunk), loses);
}

static void output_that_nobody_takes(void **state)
{
    (void)state;
    check_overflow("20 00 00 00 01 00 00 00 10 27 64 00 00 00 10 27 64 00 00 00 00 00 00 00", false);
    check_overflow("20 00 00 00 01 00 00 00 10 27 64 00 e8 03 10 27 64 00 00 00 00 00 00 00", true);
}

static void break_on_the_line(void **state)
{
    (void)state;
    client_start(&client, "SOL ");
    say_text(&client, "break 1\r");
    client_expect(&client, "29 00 00 00 -- -- -- -- 07 04");
    for (unsigned i = 0; i < 1000 && device->machine->lines.brk; i++)
        sim_turn(&sim);
    client_wait(&client, 1000);
    assert_non_null(memmem(client.got.p, client.got.len, "\3\4", 2)); /* released */
}

/* Pings without end, whose answers nobody takes. */
static void answers_not_taken(void **state)
{
    static char pings[8 * 4096];
    (void)state;
    client_start(&client, "SOL ");
    for (size_t i = 0; i < sizeof(pings); i += 8)
        pings[i] = 0x24;
    for (unsigned i = 0; i < 40 && redir_session_fate(client.session) == REDIR_GOES_ON; i++)
        redir_session_feed(client.session, pings, sizeof(pings));
    expect_fate(&client, REDIR_BREAKS);
}

static void terminate_and_switching_off(void **state)
{
    const char *text;
    (void)state;
    client_start(&client, "SOL ");
    assert_int_equal(sim_invoke(&sim, device, "AMT_RedirectionService", "TerminateSession",
                                "<r:SessionType>0</r:SessionType>", &text),
                     200);
    assert_non_null(strstr(text, "<g:ReturnValue>2</g:ReturnValue>"));
    sim_invoke(&sim, device, "AMT_RedirectionService", "TerminateSession", "<r:SessionType>1</r:SessionType>",
               &text);
    assert_non_null(strstr(text, "<g:ReturnValue>0</g:ReturnValue>"));
    expect_fate(&client, REDIR_ENDS);
    client_start(&other, "SOL ");
    sim_invoke(&sim, device, "AMT_RedirectionService", "RequestStateChange",
               "<r:RequestedState>32769</r:RequestedState>", &text);
    expect_fate(&other, REDIR_ENDS);
    assert_true(redir_listens(device));
    device->redirection.listener = false;
    assert_false(redir_listens(device));
}

static void consent(void **state)
{
    const char *text;
    char code[64];
    (void)state;
    device->consent.required = CONSENT_ALL;
    begin_login(&client);
    client_login(&client, 4, "admin", "P@ssw0rd1");
    client_expect(&client, "14 00 00 00 04 00 00 00 00");
    client_say_hex(&client, "20 00 00 00 01 00 00 00 10 27 64 00 00 00 10 27 64 00 88 13 00 00 00 00");
    client_expect(&client, "21 01");
    expect_fate(&client, REDIR_ENDS);
    sim_invoke(&sim, device, "IPS_OptInService", "StartOptIn", "", &text);
    snprintf(code, sizeof(code), "<r:OptInCode>%u</r:OptInCode>", device->consent.code);
    sim_invoke(&sim, device, "IPS_OptInService", "SendOptInCode", code, &text);
    assert_non_null(strstr(text, "<g:ReturnValue>0</g:ReturnValue>"));
    client_start(&other, "SOL ");
    assert_int_equal(consent_state(device), 4);
    client_close(&other);
    client_open(&other, &sim, device);
    assert_int_equal(consent_state(device), 0);
}

/* --- faults --- */

static void again(void)
{
    client_close(&client);
    client_open(&client, &sim, device);
}

static void faults_at_every_point(void **state)
{
    (void)state;
    faults(
        "{fault: redirection-drop, at: start, first: 1}, {fault: redirection-status, at: start, value: 255}");
    client_say(&client, "\x10\0\0\0SOL ", 8);
    client_expect_nothing(&client);
    expect_fate(&client, REDIR_BREAKS);
    again();
    client_say(&client, "\x10\0\0\0SOL ", 8);
    client_expect(&client, "11 ff");

    again();
    faults("{fault: redirection-garbage, at: login}");
    begin_login(&client);
    client_say_hex(&client, "13 00 00 00 00 00 00 00 00");
    client_expect(&client, "ee 00 48");

    again();
    faults("{fault: redirection-false-length, at: login}");
    begin_login(&client);
    client_say_hex(&client, "13 00 00 00 00 00 00 00 00");
    client_expect(&client, "14 01 00 00 04 f8 ff ff ff");

    again();
    faults("{fault: redirection-status, at: open, value: 7, on: sol}");
    begin_login(&client);
    client_login(&client, 4, "admin", "P@ssw0rd1");
    client_expect(&client, "14 00 00 00 04 00 00 00 00");
    client_say_hex(&client, "20 00 00 00 01 00 00 00 10 27 64 00 00 00 10 27 64 00 88 13 00 00 00 00");
    client_expect(&client, "21 07");

    again();
    faults("{fault: redirection-stall, at: end}");
    client_start(&client, "SOL ");
    client_say_hex(&client, "22 00 00 00 00 00 00 00");
    client_expect_nothing(&client);
    expect_fate(&client, REDIR_GOES_ON);
}

static void faults_of_an_open_session(void **state)
{
    (void)state;
    faults("{fault: redirection-stall, bytes: 4}");
    client_start(&client, "SOL ");
    client_say_hex(&client, "28 00 00 00 02 00 00 00 01 00 68");
    client_wait(&client, 1000);
    client_expect(&client, "2a 00 00 00 02 00 00 00 01 00 68");
    client_say_hex(&client, "28 00 00 00 02 00 00 00 03 00 68 68 68");
    client_wait(&client, 9000);
    client_expect_nothing(&client);
    assert_true(redir_session_reads(client.session));

    again();
    faults("{fault: redirection-half-open}");
    client_start(&client, "SOL ");
    client_say_hex(&client, "28 00 00 00 02 00 00 00 01 00 68");
    assert_false(redir_session_reads(client.session));
    assert_non_null(device->sessions[REDIR_SOL]); /* it still holds the type */
    client_wait(&client, 10001);
    assert_null(device->sessions[REDIR_SOL]);

    again();
    faults("{fault: redirection-deaf, ms: 60000}");
    client_start(&client, "SOL ");
    client_say_hex(&client, "28 00 00 00 02 00 00 00 01 00 68");
    client_wait(&client, 59000);
    assert_false(redir_session_reads(client.session));
    client_wait(&client, 1001);
    assert_true(redir_session_reads(client.session));
    expect_fate(&client, REDIR_GOES_ON);

    again();
    faults("{fault: redirection-no-heartbeat}");
    client_start(&client, "SOL ");
    client_wait(&client, 9999);
    client_expect_nothing(&client);

    again();
    faults("{fault: redirection-false-length}");
    client_start(&client, "SOL ");
    client_say_hex(&client, "28 00 00 00 02 00 00 00 01 00 68");
    client_expect(&client, "2a 00 00 00 00 00 00 00 ff ff");
}

int main(void)
{
#define WITH(setup, test) cmocka_unit_test_setup_teardown(test, setup, stop)
    const struct CMUnitTest tests[] = {
        WITH(start_16, start_codes),
        WITH(start_16, one_session_of_a_kind),
        WITH(start_16, busy_after_login),
        WITH(start_16, new_firmware_logs_in_by_digest_alone),
        WITH(start_9, old_firmware_takes_more),
        WITH(start_16, wrong_password),
        WITH(start_9, old_firmware_asks_again),
        WITH(start_16, lockout),
        WITH(start_16, shortened_response),
        WITH(start_16, user_without_the_realm),
        WITH(start_16, wrong_order_breaks),
        WITH(start_16, login_takes_no_longer_than_it_may),
        WITH(start_16, data_both_ways),
        WITH(start_16, any_split_is_the_same),
        WITH(start_16, heartbeats_when_idle),
        WITH(start_16, power_shows),
        WITH(start_6, power_is_held_by_old_firmware),
        WITH(start_16, full_buffers_hold_the_machine_or_lose),
        WITH(start_16, input_that_nobody_reads),
        WITH(start_16, output_that_nobody_takes),
        WITH(start_16, break_on_the_line),
        WITH(start_16, answers_not_taken),
        WITH(start_16, terminate_and_switching_off),
        WITH(start_16, consent),
        WITH(start_16, faults_at_every_point),
        WITH(start_16, faults_of_an_open_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
