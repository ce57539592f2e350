/* An inventory from the recorded answers of real devices: each class under the names that queries use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wsman/inventory.h"

#define ENVELOPE                                                                                             \
    "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" "                                       \
    "xmlns:g=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\"><a:Header/><a:Body>"
#define END "</a:Body></a:Envelope>"

/* Where the recordings of a class are; a class that is not here is one the device does not have. */
static const struct {
    const char *class_name, *path;
} recordings[] = {
    {"CIM_ComputerSystemPackage", "cim/computer/systempackage/pull.xml"},
    {"CIM_Chassis", "cim/chassis/pull.xml"},
    {"CIM_Card", "cim/card/pull.xml"},
    {"CIM_BIOSElement", "cim/bios/element/pull.xml"},
    {"CIM_Chip", "cim/chip/pull.xml"},
    {"CIM_MediaAccessDevice", "cim/mediaaccess/pull.xml"},
    {"CIM_Battery", "cim/battery/pull.xml"},
    {"AMT_EthernetPortSettings", "amt/ethernetport/pull.xml"},
    {"CIM_SoftwareIdentity", "cim/software/identity/pull.xml"},
    {"AMT_BootCapabilities", "amt/boot/capabilities/pull.xml"},
};

static char *recorded(const char *class_name)
{
    for (size_t i = 0; i < sizeof(recordings) / sizeof(recordings[0]); i++) {
        char path[400], *text;
        FILE *file;
        size_t n;

        if (strcmp(recordings[i].class_name, class_name) != 0)
            continue;
        snprintf(path, sizeof(path), TEST_DATA "/amt-responses/%s", recordings[i].path);
        file = fopen(path, "rb");
        if (!file)
            fail_msg("%s is not there", path);
        text = calloc(1, 200000);
        n = fread(text, 1, 199999, file);
        text[n] = '\0';
        fclose(file);
        return text;
    }
    return NULL;
}

static uint32_t id_of(const char *text)
{
    const char *relates = text ? strstr(text, "RelatesTo>") : NULL;

    return relates ? (uint32_t)strtoul(relates + strlen("RelatesTo>"), NULL, 10) : 1;
}

/* Enumerate, the recorded Pull, and an empty one where the recording has no end. */
static void answer(struct wsman_call *call, struct err *failure)
{
    static const char context[] = ENVELOPE
        "<g:EnumerateResponse><g:EnumerationContext>1</g:EnumerationContext></g:EnumerateResponse>" END;
    static const char last[] = ENVELOPE "<g:PullResponse><g:Items/><g:EndOfSequence/></g:PullResponse>" END;
    static const char fault[] = ENVELOPE
        "<a:Fault><a:Code><a:Value>a:Sender</a:Value><a:Subcode><a:Value>b:DestinationUnreachable</a:Value>"
        "</a:Subcode></a:Code></a:Fault>" END;
    char *text = recorded(wsman_request_class(wsman_call_request(call)));
    enum wsman_progress progress = WSMAN_AGAIN;
    const char *answers[] = {text ? context : fault, text ? text : fault, last};

    for (size_t i = 0; progress == WSMAN_AGAIN && i < 3; i++) {
        struct buf body = buf_init(60000);

        assert_int_equal(wsman_call_body(call, i == 1 ? id_of(text) : 7, &body, failure), 0);
        progress = wsman_call_answer(call, text ? 200 : 400, answers[i], strlen(answers[i]), failure);
        buf_free(&body);
    }
    if (progress == WSMAN_FINISHED)
        err_clear(failure);
    else if (text)
        fail_msg("%s: %s", wsman_request_class(wsman_call_request(call)), failure->text);
    free(text);
}

/* deny: a class whose exchange fails with this cause instead. */
static enum cause play(struct inventory_seq *is, const char *deny, enum cause cause)
{
    struct err err = ERR_INIT;
    struct wsman_call *call;
    int64_t wait;

    inventory_seq_init(is);
    is->seq.budget_ms = 60000;
    for (;;) {
        struct err failure = ERR_INIT;
        enum seq_want want = seq_next(&is->seq, &call, &wait, &err);
        int status;

        if (want != SEQ_WANT_SEND)
            return want == SEQ_WANT_DONE ? CAUSE_NONE : err.cause;
        if (deny && strcmp(wsman_request_class(wsman_call_request(call)), deny) == 0)
            err_set(&failure, cause, "no");
        else
            answer(call, &failure);
        status = seq_heard(&is->seq, call, failure.cause ? &failure : NULL, &err);
        wsman_call_free(call);
        if (status != 0)
            return err.cause;
    }
}

static void is(const struct inventory_seq *seq, const char *name, const char *value)
{
    const char *found = inventory_get(&seq->inventory, name);

    if (!found || strcmp(found, value) != 0)
        fail_msg("%s is '%s', not '%s'", name, found ? found : "(absent)", value);
}

static void reads_the_recorded_device(void **state)
{
    struct inventory_seq seq;

    (void)state;
    assert_int_equal(play(&seq, NULL, CAUSE_NONE), CAUSE_NONE);
    is(&seq, "bios.date", "2020-08-10");
    is(&seq, "bios.vendor", "Intel Corp.");
    is(&seq, "processors.0.name", "Intel(R) Core(TM) i7-9850H CPU @ 2.60GHz");
    is(&seq, "storage.drives.0.bytes", "960197124000");
    is(&seq, "batteries.0.id", "CC03056XL");
    is(&seq, "batteries.0.design_mwh", "5601");
    assert_null(inventory_get(&seq.inventory, "state.provisioning")); /* not there */
    assert_null(inventory_get(&seq.inventory, "not_read.0"));
    for (size_t i = 1; i < seq.inventory.count; i++)
        assert_true(strcmp(seq.inventory.items[i - 1].name, seq.inventory.items[i].name) < 0);
    inventory_clear(&seq.inventory);
}

/* A machine must not look poorer because an answer was lost; what it will not show is said. */
static void half_an_inventory_is_none(void **state)
{
    struct inventory_seq seq;

    (void)state;
    assert_int_equal(play(&seq, "CIM_PhysicalMemory", CAUSE_DROPPED), CAUSE_DROPPED);
    inventory_clear(&seq.inventory);
    assert_int_equal(play(&seq, "CIM_PhysicalMemory", CAUSE_TIMEOUT), CAUSE_TIMEOUT);
    inventory_clear(&seq.inventory);
    assert_int_equal(play(&seq, "CIM_PhysicalMemory", CAUSE_ACCESS_DENIED), CAUSE_NONE);
    is(&seq, "not_read.0", "CIM_PhysicalMemory");
    inventory_clear(&seq.inventory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_recorded_device),
        cmocka_unit_test(half_an_inventory_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
