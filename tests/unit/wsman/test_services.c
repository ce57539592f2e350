/* Boot, redirection, consent and clock against scripted answers: the exact order of calls, and what is said
 * in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wsman/accounts.h"
#include "wsman/boot.h"
#include "wsman/boot_sol.h"
#include "wsman/clock_sync.h"
#include "wsman/consent.h"
#include "wsman/identity.h"
#include "wsman/password.h"
#include "wsman/quirks.h"
#include "wsman/redirection.h"
#include "wsman/redirection_ready.h"
#include "wsman/unprovision.h"

/* One expected call: its name, words that must be in the body, and the answer's inner XML (NULL: absent
 * class). */
struct line {
    const char *call;
    const char *says;
    const char *says_not;
    const char *answer;
};

static void wrap(struct buf *out, const char *class_name, const char *element, const char *inner)
{
    struct buf ns = buf_init(300);

    wsman_class_ns(class_name, &ns);
    buf_printf(
        out,
        "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:g=\"%s\"><a:Header/><a:Body>"
        "<g:%s>%s</g:%s></a:Body></a:Envelope>",
        buf_str(&ns), element, inner, element);
    buf_free(&ns);
}

static void absent(struct buf *out)
{
    buf_puts(
        out,
        "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\"><a:Header/><a:Body><a:Fault><a:Code>"
        "<a:Value>a:Sender</a:Value><a:Subcode><a:Value>b:DestinationUnreachable</a:Value></a:Subcode>"
        "</a:Code></a:Fault></a:Body></a:Envelope>");
}

static void check_call(const struct line *line, const char *name, const char *body)
{
    if (!line->call || strcmp(line->call, name) != 0)
        fail_msg("expected %s, got %s", line->call ? line->call : "the end", name);
    if (line->says && !strstr(body, line->says))
        fail_msg("%s does not say %s: %s", name, line->says, body);
    if (line->says_not && strstr(body, line->says_not))
        fail_msg("%s says %s", name, line->says_not);
}

static void answer(struct wsman_call *call, const struct line *line, struct err *failure)
{
    const struct wsman_request *rq = wsman_call_request(call);
    struct buf out = buf_init(60000);
    char element[100];
    enum wsman_progress progress;

    if (wsman_request_verb(rq) == WSMAN_INVOKE)
        snprintf(element, sizeof(element), "%s_OUTPUT", wsman_request_method(rq));
    else
        snprintf(element, sizeof(element), "%s", wsman_request_class(rq));
    if (line->answer)
        wrap(&out, wsman_request_class(rq), element, line->answer);
    else
        absent(&out);
    progress = wsman_call_answer(call, line->answer ? 200 : 400, out.p, out.len, failure);
    if (progress == WSMAN_FINISHED)
        err_clear(failure);
    buf_free(&out);
}

/* Plays the script; returns the cause with which the sequence ends. */
static enum cause play(struct seq *seq, const struct line *script)
{
    struct err err = ERR_INIT;

    seq->budget_ms = 60000;
    for (int guard = 0; guard < 100; guard++) {
        struct wsman_call *call;
        struct err failure = ERR_INIT;
        struct buf body = buf_init(60000);
        int64_t wait = 0;
        enum seq_want want = seq_next(seq, &call, &wait, &err);

        if (want == SEQ_WANT_WAIT) {
            seq->now_ms += wait;
            continue;
        }
        if (want != SEQ_WANT_SEND) {
            if (script->call)
                fail_msg("ended before %s", script->call);
            return want == SEQ_WANT_DONE ? CAUSE_NONE : err.cause;
        }
        assert_int_equal(wsman_call_body(call, 1, &body, &err), 0);
        check_call(script, wsman_request_name(wsman_call_request(call)), buf_str(&body));
        answer(call, script++, &failure);
        want = seq_heard(seq, call, failure.cause ? &failure : NULL, &err) == 0 ? SEQ_WANT_SEND
                                                                                : SEQ_WANT_FAILED;
        wsman_call_free(call);
        buf_free(&body);
        if (want == SEQ_WANT_FAILED)
            return err.cause;
    }
    fail_msg("no end");
    return CAUSE_SYSTEM;
}

/* Plays the script, the last line of which is only asked. */
static void starts_with(struct seq *seq, const struct line *script)
{
    seq->budget_ms = 60000;
    while (script->call) {
        struct wsman_call *call;
        struct err err = ERR_INIT, failure = ERR_INIT;
        struct buf body = buf_init(60000);
        int64_t wait;

        assert_int_equal(seq_next(seq, &call, &wait, &err), SEQ_WANT_SEND);
        assert_int_equal(wsman_call_body(call, 1, &body, &err), 0);
        check_call(script, wsman_request_name(wsman_call_request(call)), buf_str(&body));
        if ((++script)->call) {
            answer(call, script - 1, &failure);
            assert_int_equal(seq_heard(seq, call, failure.cause ? &failure : NULL, &err), 0);
        }
        wsman_call_free(call);
        buf_free(&body);
    }
}

#define OK           "<g:ReturnValue>0</g:ReturnValue>"
#define CAPABILITIES "<g:BIOSSetup>true</g:BIOSSetup><g:ForcePXEBoot>true</g:ForcePXEBoot><g:SOL>true</g:SOL>"
#define SETTINGS                                                                                             \
    "<g:BIOSSetup>false</g:BIOSSetup><g:BootMediaIndex>3</g:BootMediaIndex>"                                 \
    "<g:ConfigurationDataReset>true</g:ConfigurationDataReset><g:InstanceID>Intel(r) AMT:BootSettingData 0"  \
    "</g:InstanceID><g:OptionsCleared>true</g:OptionsCleared><g:UseSOL>false</g:UseSOL>"
#define NO_CONSENT "<g:OptInRequired>0</g:OptInRequired><g:OptInState>0</g:OptInState>"

static void boot_to_pxe_in_the_order_of_the_reference(void **state)
{
    static const struct line script[] = {
        {"Get AMT_BootCapabilities", NULL, NULL, CAPABILITIES},
        {"Get IPS_OptInService", NULL, NULL, NO_CONSENT},
        {"Get AMT_BootSettingData", NULL, NULL, SETTINGS},
        {"CIM_BootConfigSetting.ChangeBootOrder", NULL, "Source", OK},
        {"Put AMT_BootSettingData", "<r:ConfigurationDataReset>false</r:ConfigurationDataReset>",
         "OptionsCleared", SETTINGS},
        {"CIM_BootService.SetBootConfigRole", "<r:Role>1</r:Role>", NULL, OK},
        {"CIM_BootConfigSetting.ChangeBootOrder", "Intel(r) AMT: Force PXE Boot", NULL, OK},
        {NULL},
    };
    const struct boot_request request = {.goal = BOOT_PXE};
    struct boot_seq bs;

    (void)state;
    boot_seq_init(&bs, &request, quirks_for("9.5"));
    assert_int_equal(play(&bs.power.seq, script), CAUSE_NONE);
    boot_seq_clear(&bs);
}

static void boot_to_setup_over_sol_then_reset(void **state)
{
    static const struct line script[] = {
        {"Get AMT_BootCapabilities", NULL, NULL, CAPABILITIES},
        {"Get IPS_OptInService", NULL, NULL, NULL},
        {"Get AMT_BootSettingData", NULL, NULL, SETTINGS},
        {"CIM_BootConfigSetting.ChangeBootOrder", NULL, "Source", OK},
        {"Put AMT_BootSettingData", "<r:BIOSSetup>true</r:BIOSSetup>", "BootMediaIndex>3<", SETTINGS},
        {"CIM_BootService.SetBootConfigRole", NULL, NULL, OK},
        {"CIM_BootConfigSetting.ChangeBootOrder", NULL, "Source", OK},
        {"Get CIM_AssociatedPowerManagementService", NULL, NULL,
         "<g:PowerState>2</g:PowerState><g:AvailableRequestedPowerStates>10</"
         "g:AvailableRequestedPowerStates>"},
        {"CIM_PowerManagementService.RequestPowerStateChange", "<r:PowerState>10</r:PowerState>", NULL, OK},
        {"Get CIM_AssociatedPowerManagementService", NULL, NULL, "<g:PowerState>2</g:PowerState>"},
        {"Get CIM_AssociatedPowerManagementService", NULL, NULL, "<g:PowerState>2</g:PowerState>"},
        {"Get CIM_AssociatedPowerManagementService", NULL, NULL, "<g:PowerState>2</g:PowerState>"},
        {NULL},
    };
    const struct boot_request request = {.goal = BOOT_BIOS, .flags = BOOT_USE_SOL, .start = true};
    struct boot_seq bs;

    (void)state;
    boot_seq_init(&bs, &request, quirks_for("9.5"));
    assert_int_equal(play(&bs.power.seq, script), CAUSE_NONE);
    assert_true(bs.settings_done);
    boot_seq_clear(&bs);
}

static void boot_is_refused_before_anything_is_changed(void **state)
{
    static const struct line no_cd[] = {{"Get AMT_BootCapabilities", NULL, NULL, CAPABILITIES}, {NULL}};
    static const struct line consent[] = {
        {"Get AMT_BootCapabilities", NULL, NULL, CAPABILITIES},
        {"Get IPS_OptInService", NULL, NULL,
         "<g:OptInRequired>4294967295</g:OptInRequired><g:OptInState>0</g:OptInState>"},
        {NULL}};
    struct boot_request request = {.goal = BOOT_CD};
    struct boot_seq bs;

    (void)state;
    boot_seq_init(&bs, &request, quirks_for("11"));
    assert_int_equal(play(&bs.power.seq, no_cd), CAUSE_UNSUPPORTED);
    request.goal = BOOT_PXE;
    boot_seq_init(&bs, &request, quirks_for("11"));
    assert_int_equal(play(&bs.power.seq, consent), CAUSE_CONSENT_REQUIRED);
}

/* A power action with the console: everything else of the coming boot stays as it was set. */
static void the_console_is_asked_for_before_a_power_action(void **state)
{
    static const struct line script[] = {
        {"Get AMT_BootCapabilities", NULL, NULL, CAPABILITIES},
        {"Get AMT_BootSettingData", NULL, NULL,
         "<g:BIOSSetup>true</g:BIOSSetup><g:InstanceID>x</g:InstanceID><g:UseSOL>false</g:UseSOL>"},
        {"Put AMT_BootSettingData", "<r:BIOSSetup>true</r:BIOSSetup>", "<r:UseSOL>false", SETTINGS},
        {"CIM_BootService.SetBootConfigRole", "Role>1<", NULL, OK},
        {"Get CIM_AssociatedPowerManagementService", NULL, NULL, NULL},
        {NULL}};
    static const struct line without[] = {{"Get AMT_BootCapabilities", NULL, NULL, "<g:SOL>false</g:SOL>"},
                                          {"Get CIM_AssociatedPowerManagementService", NULL, NULL, NULL},
                                          {NULL}};
    static const struct line refused[] = {{"Get AMT_BootCapabilities", NULL, NULL, CAPABILITIES},
                                          {"Get AMT_BootSettingData", NULL, NULL, SETTINGS},
                                          {"Put AMT_BootSettingData", "<r:UseSOL>true", NULL, NULL},
                                          {"Get CIM_AssociatedPowerManagementService", NULL, NULL, NULL},
                                          {NULL}};
    struct power_request request = {.action = POWER_DO_CYCLE};
    const struct line *const scripts[] = {script, without, refused};
    struct boot_sol_seq bs;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        boot_sol_seq_init(&bs, &request, quirks_for("15.0"));
        starts_with(&bs.power.seq, scripts[i]);
        assert_int_equal(bs.set, i == 0);
        assert_int_equal(bs.power.request.action, POWER_DO_CYCLE);
        boot_sol_seq_clear(&bs);
    }
}

#define SERVICE(state, listener)                                                                             \
    "<g:EnabledState>" state "</g:EnabledState><g:ListenerEnabled>" listener                                 \
    "</g:ListenerEnabled><g:Name>x</g:Name>"

/* What is not asked for stays as it is, whatever it is. */
static void redirection_is_left_where_nothing_is_said(void **state)
{
    static const struct line sol_off[] = {
        {"Get AMT_RedirectionService", NULL, NULL, SERVICE("32771", "false")},
        {"Get CIM_KVMRedirectionSAP", NULL, NULL, "<g:EnabledState>6</g:EnabledState>"},
        {"AMT_RedirectionService.RequestStateChange", "<r:RequestedState>32769</r:RequestedState>", NULL, OK},
        {NULL}};
    static const struct line kvm_off[] = {
        {"Get AMT_RedirectionService", NULL, NULL, SERVICE("2", "true")},
        {"Get CIM_KVMRedirectionSAP", NULL, NULL, "<g:EnabledState>6</g:EnabledState>"},
        {"CIM_KVMRedirectionSAP.RequestStateChange", "<r:RequestedState>3</r:RequestedState>", NULL, OK},
        {NULL}};
    static const struct line strange[] = {{"Get AMT_RedirectionService", NULL, NULL, SERVICE("2", "true")},
                                          {NULL}};
    static const struct line both[] = {
        {"Get AMT_RedirectionService", NULL, NULL, SERVICE("2", "true")},
        {"Get CIM_KVMRedirectionSAP", NULL, NULL, NULL},
        {"AMT_RedirectionService.RequestStateChange", "<r:RequestedState>32770</r:RequestedState>", NULL, OK},
        {NULL}};
    static const struct {
        struct redirection_request request;
        const struct line *script;
        enum cause cause;
    } rows[] = {
        {{REDIRECTION_SET, .sol = 0, .ider = -1, .listener = -1, .kvm = -1}, sol_off, CAUSE_NONE},
        {{REDIRECTION_SET, .sol = -1, .ider = -1, .listener = -1, .kvm = 0}, kvm_off, CAUSE_NONE},
        {{REDIRECTION_SET, .sol = 1, .ider = -1, .listener = -1, .kvm = -1}, strange, CAUSE_BAD_ANSWER},
        {{REDIRECTION_SET, .sol = 1, .ider = 0, .listener = -1, .kvm = -1}, both, CAUSE_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct redirection_seq rs;

        redirection_seq_init(&rs, &rows[i].request);
        assert_int_equal(play(&rs.seq, rows[i].script), rows[i].cause);
        redirection_seq_clear(&rs);
    }
}

static void redirection_is_set_where_it_differs(void **state)
{
    static const struct line script[] = {
        {"Get AMT_RedirectionService", NULL, NULL, SERVICE("32768", "false")},
        {"Get CIM_KVMRedirectionSAP", NULL, NULL, NULL},
        {"AMT_RedirectionService.RequestStateChange", "<r:RequestedState>32771</r:RequestedState>", NULL, OK},
        {"Put AMT_RedirectionService", "<r:ListenerEnabled>true</r:ListenerEnabled>", NULL,
         SERVICE("32771", "true")},
        {NULL}};
    static const struct line nothing[] = {
        {"Get AMT_RedirectionService", NULL, NULL, SERVICE("32771", "true")},
        {"Get CIM_KVMRedirectionSAP", NULL, NULL, "<g:EnabledState>6</g:EnabledState>"},
        {NULL}};
    static const struct line end[] = {
        {"AMT_RedirectionService.TerminateSession", "<r:SessionType>1</r:SessionType>", NULL, OK},
        {"Get AMT_RedirectionService", NULL, NULL, SERVICE("32771", "true")},
        {"Get CIM_KVMRedirectionSAP", NULL, NULL, NULL},
        {NULL}};
    struct redirection_request request = {REDIRECTION_SET, .sol = 1, .ider = 1, .listener = 1, .kvm = -1};
    struct redirection_seq rs;

    (void)state;
    redirection_seq_init(&rs, &request);
    assert_int_equal(play(&rs.seq, script), CAUSE_NONE);
    assert_true(rs.changed_any && rs.listener && rs.state == REDIRECTION_BOTH);
    redirection_seq_clear(&rs);
    redirection_seq_init(&rs, &request);
    assert_int_equal(play(&rs.seq, nothing), CAUSE_NONE);
    assert_false(rs.changed_any);
    redirection_seq_clear(&rs);
    request.action = REDIRECTION_END_SOL;
    redirection_seq_init(&rs, &request);
    assert_int_equal(play(&rs.seq, end), CAUSE_NONE);
    redirection_seq_clear(&rs);
}

#define LOGGED(state, listener)                                                                              \
    SERVICE(state, listener) "<g:AccessLog>anna opened</g:AccessLog><g:AccessLog>bert opened</g:AccessLog>"

/* Only what is missing is switched on, and a code is shown where the user must be asked and was not. */
static void redirection_is_made_ready(void **state)
{
    static const struct line all_off[] = {
        {"Get AMT_RedirectionService", NULL, NULL, SERVICE("32768", "false")},
        {"Get IPS_OptInService", NULL, NULL,
         "<g:OptInRequired>4294967295</g:OptInRequired><g:OptInState>0</g:OptInState>"
         "<g:OptInCodeTimeout>120</g:OptInCodeTimeout>"},
        {"AMT_RedirectionService.RequestStateChange", "<r:RequestedState>32770</r:RequestedState>", NULL, OK},
        {"Put AMT_RedirectionService", "<r:ListenerEnabled>true</r:ListenerEnabled>", NULL,
         SERVICE("32770", "true")},
        {"IPS_OptInService.StartOptIn", NULL, NULL, OK},
        {NULL}};
    static const struct line adds_sol[] = {
        {"Get AMT_RedirectionService", NULL, NULL, LOGGED("32769", "true")},
        {"Get IPS_OptInService", NULL, NULL, NULL},
        {"AMT_RedirectionService.RequestStateChange", "<r:RequestedState>32771</r:RequestedState>", NULL, OK},
        {NULL}};
    static const struct line on_the_screen[] = {
        {"Get AMT_RedirectionService", NULL, NULL, SERVICE("32771", "true")},
        {"Get IPS_OptInService", NULL, NULL,
         "<g:OptInRequired>4294967295</g:OptInRequired><g:OptInState>2</g:OptInState>"},
        {NULL}};
    struct redirection_ready_request request = {.sol = true, .ask_consent = true};
    struct redirection_ready_seq rs;

    (void)state;
    redirection_ready_init(&rs, &request);
    assert_int_equal(play(&rs.seq, all_off), CAUSE_NONE);
    assert_true(redirection_ready_waits(&rs));
    assert_int_equal(rs.code_timeout_s, 120);
    assert_non_null(strstr(redirection_ready_changes(&rs), "its listener opened"));
    redirection_ready_clear(&rs);
    redirection_ready_init(&rs, &request);
    assert_int_equal(play(&rs.seq, adds_sol), CAUSE_NONE);
    assert_false(redirection_ready_waits(&rs));
    assert_string_equal(rs.holder, "bert opened");
    redirection_ready_clear(&rs);
    redirection_ready_init(&rs, &request);
    assert_int_equal(play(&rs.seq, on_the_screen), CAUSE_NONE);
    assert_true(redirection_ready_waits(&rs));
    assert_null(redirection_ready_changes(&rs));
    redirection_ready_clear(&rs);
}

#define OPT_IN(required, state, modify)                                                                      \
    "<g:CanModifyOptInPolicy>" modify "</g:CanModifyOptInPolicy><g:OptInRequired>" required                  \
    "</g:OptInRequired><g:OptInState>" state "</g:OptInState>"

static void consent_shows_a_new_code_and_takes_it(void **state)
{
    static const struct line start[] = {{"Get IPS_OptInService", NULL, NULL, OPT_IN("4294967295", "2", "0")},
                                        {"IPS_OptInService.CancelOptIn", NULL, NULL, OK},
                                        {"IPS_OptInService.StartOptIn", NULL, NULL, OK},
                                        {NULL}};
    static const struct line send[] = {
        {"Get IPS_OptInService", NULL, NULL, OPT_IN("4294967295", "2", "0")},
        {"IPS_OptInService.SendOptInCode", "<r:OptInCode>123456</r:OptInCode>", NULL, OK},
        {NULL}};
    static const struct line wrong[] = {
        {"Get IPS_OptInService", NULL, NULL, OPT_IN("1", "2", "0")},
        {"IPS_OptInService.SendOptInCode", NULL, NULL, "<g:ReturnValue>2</g:ReturnValue>"},
        {NULL}};
    static const struct line policy[] = {{"Get IPS_OptInService", NULL, NULL, OPT_IN("1", "0", "0")}, {NULL}};
    static const struct line old[] = {{"Get IPS_OptInService", NULL, NULL, NULL}, {NULL}};
    struct consent_request request = {.action = CONSENT_START, .code = 123456};
    struct consent_seq cs;

    (void)state;
    consent_seq_init(&cs, &request);
    assert_int_equal(play(&cs.seq, start), CAUSE_NONE);
    assert_int_equal(cs.state, CONSENT_DISPLAYED);
    assert_int_equal(cs.required, CONSENT_ALL);
    request.action = CONSENT_SEND;
    consent_seq_init(&cs, &request);
    assert_int_equal(play(&cs.seq, send), CAUSE_NONE);
    consent_seq_init(&cs, &request);
    assert_int_equal(play(&cs.seq, wrong), CAUSE_CONSENT_REQUIRED);
    request.action = CONSENT_SET_POLICY;
    request.require = CONSENT_NONE;
    consent_seq_init(&cs, &request);
    assert_int_equal(play(&cs.seq, policy), CAUSE_ACCESS_DENIED);
    consent_seq_clear(&cs);
    request.action = CONSENT_READ;
    consent_seq_init(&cs, &request);
    assert_int_equal(play(&cs.seq, old), CAUSE_NONE);
    assert_false(cs.there);
}

static void a_clock_is_set_only_when_it_is_off(void **state)
{
    static const struct line off[] = {
        {"AMT_TimeSynchronizationService.GetLowAccuracyTimeSynch", NULL, NULL,
         OK "<g:Ta0>1700000000</g:Ta0>"},
        {"AMT_TimeSynchronizationService.SetHighAccuracyTimeSynch",
         "<r:Ta0>1700000000</r:Ta0><r:Tm1>1800000000</r:Tm1><r:Tm2>1800000000</r:Tm2>", NULL, OK},
        {NULL}};
    static const struct line right[] = {{"AMT_TimeSynchronizationService.GetLowAccuracyTimeSynch", NULL, NULL,
                                         OK "<g:Ta0>1800000003</g:Ta0>"},
                                        {NULL}};
    struct clock_fake fake = {.wall = 1800000000000};
    const struct clock clock = clock_fake_init(&fake);
    struct clock_seq cs;

    (void)state;
    clock_seq_init(&cs, true, 0, &clock);
    assert_int_equal(play(&cs.seq, off), CAUSE_NONE);
    assert_true(cs.was_set);
    assert_int_equal(cs.off_s, -100000000);
    clock_seq_init(&cs, true, 0, &clock);
    assert_int_equal(play(&cs.seq, right), CAUSE_NONE);
    assert_false(cs.was_set);
}

static void a_uuid_reads_as_the_machine_shows_it(void **state)
{
    static const uint8_t bytes[16] = {0x13, 0xAE, 0xE3, 0x55, 0xD2, 0xBF, 0xBB, 0x61,
                                      0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08};
    char text[40];

    (void)state;
    identity_uuid_text(bytes, text);
    assert_string_equal(text, "55e3ae13-bfd2-61bb-0102-030405060708");
}

/* --- passwords --- */

static int fixed_hash(void *arg, const char *realm, uint8_t out[PASSWORD_HASH_LEN], struct err *err)
{
    (void)arg;
    (void)err;
    assert_string_equal(realm, "Digest:A1");
    memset(out, 0xff, PASSWORD_HASH_LEN);
    return 0;
}

#define HASH_TEXT "/////////////////////w=="

static void the_administrators_password(void **state)
{
    static const struct line script[] = {
        {"AMT_AuthorizationService.GetAdminAclEntry", NULL, NULL, "<g:Username>admin</g:Username>" OK},
        {"Get AMT_GeneralSettings", NULL, NULL, "<g:DigestRealm>Digest:A1</g:DigestRealm>"},
        {"AMT_AuthorizationService.SetAdminAclEntryEx",
         "<r:Username>admin</r:Username><r:DigestPassword>" HASH_TEXT, "Handle", OK},
        {NULL},
    };
    const struct password_request request = {.user = "admin", .hash = fixed_hash};
    struct password_seq ps;

    (void)state;
    password_seq_init(&ps, &request);
    assert_int_equal(play(&ps.seq, script), CAUSE_NONE);
    assert_true(ps.asked && ps.is_admin && !ps.denied);
}

/* Its rights stay what they are; handles that firmware fails for are passed over. */
static void a_user_accounts_password(void **state)
{
    static const struct line script[] = {
        {"AMT_AuthorizationService.GetAdminAclEntry", NULL, NULL, NULL},
        {"AMT_AuthorizationService.EnumerateUserAclEntries", "<r:StartIndex>1</r:StartIndex>", NULL,
         "<g:TotalCount>3</g:TotalCount><g:HandlesCount>2</g:HandlesCount><g:Handles>4</g:Handles>"
         "<g:Handles>5</g:Handles>" OK},
        {"AMT_AuthorizationService.EnumerateUserAclEntries", "<r:StartIndex>3</r:StartIndex>", NULL,
         "<g:TotalCount>3</g:TotalCount><g:HandlesCount>1</g:HandlesCount><g:Handles>9</g:Handles>" OK},
        {"AMT_AuthorizationService.GetUserAclEntryEx", "<r:Handle>4</r:Handle>", NULL,
         "<g:ReturnValue>1</g:ReturnValue>"},
        {"AMT_AuthorizationService.GetUserAclEntryEx", "<r:Handle>5</r:Handle>", NULL,
         "<g:DigestUsername>other</g:DigestUsername><g:AccessPermission>2</g:AccessPermission>" OK},
        {"AMT_AuthorizationService.GetUserAclEntryEx", "<r:Handle>9</r:Handle>", NULL,
         "<g:DigestUsername>anna</g:DigestUsername><g:AccessPermission>1</g:AccessPermission>"
         "<g:Realms>5</g:Realms><g:Realms>13</g:Realms>" OK},
        {"Get AMT_GeneralSettings", NULL, NULL, "<g:DigestRealm>Digest:A1</g:DigestRealm>"},
        {"AMT_AuthorizationService.UpdateUserAclEntryEx",
         "<r:Handle>9</r:Handle><r:DigestUsername>anna</r:DigestUsername><r:DigestPassword>" HASH_TEXT
         "</r:DigestPassword><r:AccessPermission>1</r:AccessPermission><r:Realms>5</r:Realms>"
         "<r:Realms>13</r:Realms>",
         NULL, "<g:ReturnValue>36</g:ReturnValue>"},
        {NULL},
    };
    const struct password_request request = {.user = "anna", .hash = fixed_hash};
    struct password_seq ps;

    (void)state;
    password_seq_init(&ps, &request);
    assert_int_not_equal(play(&ps.seq, script), CAUSE_NONE);
    assert_true(ps.asked && ps.denied);
}

/* --- accounts --- */

static int account_hash(void *arg, const char *user, const char *realm, uint8_t out[PASSWORD_HASH_LEN],
                        struct err *err)
{
    (void)user;
    return fixed_hash(arg, realm, out, err);
}

#define ACCOUNT(handle, name, realms)                                                                        \
    {                                                                                                        \
        "AMT_AuthorizationService.GetUserAclEntryEx", "<r:Handle>" handle "</r:Handle>", NULL,               \
            "<g:DigestUsername>" name                                                                        \
            "</g:DigestUsername><g:AccessPermission>1</g:AccessPermission>" realms OK                        \
    }
#define ENABLED(state)                                                                                       \
    {                                                                                                        \
        "AMT_AuthorizationService.GetAclEnabledState", NULL, NULL, "<g:Enabled>" state "</g:Enabled>" OK     \
    }
#define READ_THREE                                                                                           \
    {"AMT_AuthorizationService.GetAdminAclEntry", NULL, NULL, "<g:Username>admin</g:Username>" OK},          \
        {"AMT_AuthorizationService.EnumerateUserAclEntries", NULL, NULL,                                     \
         "<g:TotalCount>3</g:TotalCount><g:Handles>1</g:Handles><g:Handles>2</g:Handles>"                    \
         "<g:Handles>3</g:Handles>" OK},                                                                     \
        ACCOUNT("1", "anna", "<g:Realms>5</g:Realms>"), ENABLED("false"),                                    \
        ACCOUNT("2", "bert", "<g:Realms>3</g:Realms>"), ENABLED("true"),                                     \
        {"AMT_AuthorizationService.GetUserAclEntryEx", NULL, NULL,                                           \
         "<g:KerberosUserSid>AQUAAAAAAAUVAAAA"                                                               \
         "AQAAAAIAAAADAAAA6QMAAA==</g:KerberosUserSid>" OK},                                                 \
        ENABLED("true")

static void accounts_are_corrected_as_a_whole(void **state)
{
    static const struct line script[] = {
        READ_THREE,
        {"Get AMT_GeneralSettings", NULL, NULL, "<g:DigestRealm>Digest:A1</g:DigestRealm>"},
        {"AMT_AuthorizationService.UpdateUserAclEntryEx",
         "<r:Handle>1</r:Handle><r:DigestUsername>anna</r:DigestUsername><r:DigestPassword>" HASH_TEXT
         "</r:DigestPassword><r:AccessPermission>1</r:AccessPermission><r:Realms>2</r:Realms>",
         NULL, OK},
        {"AMT_AuthorizationService.SetAclEnabledState", "<r:Handle>1</r:Handle><r:Enabled>true</r:Enabled>",
         NULL, OK},
        {"AMT_AuthorizationService.RemoveUserAclEntry", "<r:Handle>2</r:Handle>", NULL, OK},
        {"AMT_AuthorizationService.AddUserAclEntryEx",
         "<r:DigestUsername>carl</r:DigestUsername><r:DigestPassword>" HASH_TEXT
         "</r:DigestPassword><r:AccessPermission>2</r:AccessPermission><r:Realms>4</r:Realms>"
         "<r:Realms>13</r:Realms>",
         "Handle", OK},
        {NULL},
    };
    static const struct account wanted[] = {{"anna", 1 << 2, ACCOUNT_NETWORK},
                                            {"carl", 1 << 4 | 1 << 13, ACCOUNT_ANY}};
    const struct accounts_request request = {
        .wanted = wanted, .count = 2, .exact = true, .apply = true, .self = "admin", .hash = account_hash};
    struct accounts_seq as;

    (void)state;
    accounts_seq_init(&as, &request);
    assert_int_equal(play(&as.seq, script), CAUSE_NONE);
    assert_string_equal(as.rows[2].sid, "S-1-5-21-1-2-3-1001");
    assert_int_equal(as.rows[2].change, ACCOUNT_OTHER);
    assert_true(as.rows[0].done && as.rows[1].done && as.rows[3].done);
}

static void nobody_removes_his_own_account(void **state)
{
    static const struct line script[] = {READ_THREE, {NULL}};
    const struct accounts_request request = {
        .exact = true, .apply = true, .self = "bert", .hash = account_hash};
    struct accounts_seq as;

    (void)state;
    accounts_seq_init(&as, &request);
    assert_int_equal(play(&as.seq, script), CAUSE_INVALID_ARGUMENT);
}

static bool anna_is_doubtful(void *arg, const char *user)
{
    (void)arg;
    return strcmp(user, "anna") == 0;
}

/* As it should be, but for a password that was on its way when something broke: that is given anew. A new
 * password alone changes nothing else, and switches nothing on. */
static void passwords_of_accounts_are_given_anew(void **state)
{
    static const struct line doubted[] = {
        READ_THREE,
        {"Get AMT_GeneralSettings", NULL, NULL, "<g:DigestRealm>Digest:A1</g:DigestRealm>"},
        {"AMT_AuthorizationService.UpdateUserAclEntryEx", "<r:Handle>1</r:Handle>", NULL, OK},
        {"AMT_AuthorizationService.SetAclEnabledState", "<r:Handle>1</r:Handle><r:Enabled>true</r:Enabled>",
         NULL, OK},
        {NULL},
    };
    static const struct line renewed[] = {
        READ_THREE,
        {"Get AMT_GeneralSettings", NULL, NULL, "<g:DigestRealm>Digest:A1</g:DigestRealm>"},
        {"AMT_AuthorizationService.UpdateUserAclEntryEx",
         "<r:Handle>1</r:Handle><r:DigestUsername>anna</r:DigestUsername><r:DigestPassword>" HASH_TEXT
         "</r:DigestPassword><r:AccessPermission>1</r:AccessPermission><r:Realms>5</r:Realms>",
         NULL, OK},
        {NULL},
    };
    static const struct account is[] = {{"anna", 1 << 5, ACCOUNT_NETWORK}, {"bert", 1 << 3, ACCOUNT_NETWORK}};
    static const struct account names[] = {{.name = "anna"}, {.name = "nobody"}};
    struct accounts_request request = {.wanted = is,
                                       .count = 2,
                                       .apply = true,
                                       .self = "admin",
                                       .hash = account_hash,
                                       .doubtful = anna_is_doubtful};
    struct accounts_seq as;

    (void)state;
    accounts_seq_init(&as, &request);
    assert_int_equal(play(&as.seq, doubted), CAUSE_NONE);
    assert_int_equal(accounts_differ(&as), 1);
    request.wanted = names;
    request.renew = true;
    request.doubtful = NULL;
    accounts_seq_init(&as, &request);
    assert_int_equal(play(&as.seq, renewed), CAUSE_NONE);
    assert_int_equal(accounts_differ(&as), 1);
}

/* Neither by the name that the device tells, nor by that of the login where it tells none. */
static void the_administrator_is_no_account(void **state)
{
    static const struct line told[] = {READ_THREE, {NULL}};
    static const struct line untold[] = {
        {"AMT_AuthorizationService.GetAdminAclEntry", NULL, NULL, NULL},
        {"AMT_AuthorizationService.EnumerateUserAclEntries", NULL, NULL, "<g:TotalCount>0</g:TotalCount>" OK},
        {NULL},
    };
    static const struct account wanted[] = {{"carl", 1 << 5, ACCOUNT_NETWORK},
                                            {"admin", 1 << 5, ACCOUNT_NETWORK}};
    const struct accounts_request request = {
        .wanted = wanted, .count = 2, .apply = true, .self = "admin", .hash = account_hash};
    struct accounts_seq as;

    (void)state;
    accounts_seq_init(&as, &request);
    assert_int_equal(play(&as.seq, told), CAUSE_INVALID_ARGUMENT);
    accounts_seq_init(&as, &request);
    assert_int_equal(play(&as.seq, untold), CAUSE_INVALID_ARGUMENT);
}

/* --- unprovisioning --- */

#define SETUP(state) "<g:ProvisioningState>" state "</g:ProvisioningState>"
#define MODE(mode)   "<g:CurrentControlMode>" mode "</g:CurrentControlMode>"

static void unprovision_asks_what_keeps_it_from_it_first(void **state)
{
    static const struct line full[] = {
        {"Get AMT_SetupAndConfigurationService", NULL, NULL, SETUP("2")},
        {"Get IPS_HostBasedSetupService", NULL, NULL, MODE("2")},
        {"AMT_SetupAndConfigurationService.GetUnprovisionBlockingComponents", NULL, NULL, OK},
        {"AMT_SetupAndConfigurationService.Unprovision", "<r:ProvisioningMode>1</r:ProvisioningMode>", NULL,
         OK},
        {NULL},
    };
    static const struct line partial[] = {
        {"Get AMT_SetupAndConfigurationService", NULL, NULL, NULL},
        {"Get IPS_HostBasedSetupService", NULL, NULL, MODE("1")},
        {"AMT_SetupAndConfigurationService.GetUnprovisionBlockingComponents", NULL, NULL, NULL},
        {"AMT_SetupAndConfigurationService.PartialUnprovision", NULL, "ProvisioningMode", OK},
        {NULL},
    };
    struct unprovision_seq us;

    (void)state;
    unprovision_seq_init(&us, true);
    assert_int_equal(play(&us.seq, full), CAUSE_NONE);
    assert_true(us.done);
    assert_false(us.client_mode);
    unprovision_seq_init(&us, false);
    assert_int_equal(play(&us.seq, partial), CAUSE_NONE);
    assert_true(us.done);
    assert_true(us.client_mode);
}

static void unprovision_leaves_alone_what_it_may_not(void **state)
{
    static const struct line locked[] = {
        {"Get AMT_SetupAndConfigurationService", NULL, NULL, SETUP("2")},
        {"Get IPS_HostBasedSetupService", NULL, NULL, MODE("2")},
        {"AMT_SetupAndConfigurationService.GetUnprovisionBlockingComponents", NULL, NULL,
         "<g:Component>1</g:Component>" OK},
        {NULL},
    };
    static const struct line refused[] = {
        {"Get AMT_SetupAndConfigurationService", NULL, NULL, SETUP("2")},
        {"Get IPS_HostBasedSetupService", NULL, NULL, MODE("2")},
        {"AMT_SetupAndConfigurationService.GetUnprovisionBlockingComponents", NULL, NULL, NULL},
        {"AMT_SetupAndConfigurationService.PartialUnprovision", NULL, NULL,
         "<g:ReturnValue>2076</g:ReturnValue>"},
        {NULL},
    };
    static const struct line already[] = {
        {"Get AMT_SetupAndConfigurationService", NULL, NULL, SETUP("0")},
        {NULL},
    };
    struct unprovision_seq us;

    (void)state;
    unprovision_seq_init(&us, false);
    assert_int_equal(play(&us.seq, locked), CAUSE_INVALID_STATE);
    unprovision_seq_init(&us, false);
    assert_int_equal(play(&us.seq, refused), CAUSE_INVALID_STATE);
    assert_false(us.done);
    unprovision_seq_init(&us, true);
    assert_int_equal(play(&us.seq, already), CAUSE_NONE);
    assert_true(us.done && us.already);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unprovision_asks_what_keeps_it_from_it_first),
        cmocka_unit_test(unprovision_leaves_alone_what_it_may_not),
        cmocka_unit_test(the_administrators_password),
        cmocka_unit_test(a_user_accounts_password),
        cmocka_unit_test(accounts_are_corrected_as_a_whole),
        cmocka_unit_test(passwords_of_accounts_are_given_anew),
        cmocka_unit_test(the_administrator_is_no_account),
        cmocka_unit_test(nobody_removes_his_own_account),
        cmocka_unit_test(boot_to_pxe_in_the_order_of_the_reference),
        cmocka_unit_test(boot_to_setup_over_sol_then_reset),
        cmocka_unit_test(boot_is_refused_before_anything_is_changed),
        cmocka_unit_test(redirection_is_left_where_nothing_is_said),
        cmocka_unit_test(the_console_is_asked_for_before_a_power_action),
        cmocka_unit_test(redirection_is_set_where_it_differs),
        cmocka_unit_test(redirection_is_made_ready),
        cmocka_unit_test(consent_shows_a_new_code_and_takes_it),
        cmocka_unit_test(a_clock_is_set_only_when_it_is_off),
        cmocka_unit_test(a_uuid_reads_as_the_machine_shows_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
