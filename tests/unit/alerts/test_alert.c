/* What alerts mean, and who hears of them: against scripted answers. (reference wsman.md, section 3.7) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "wsman/alert.h"

#define EVENT(ack, inner)                                                                                    \
    "<?xml version=\"1.0\"?><a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" "                \
    "xmlns:b=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "                                          \
    "xmlns:c=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" xmlns:g=\"http://g\" xmlns:h=\"http://h\">"  \
    "<a:Header><b:MessageID>uuid:1</b:MessageID>" ack "</a:Header><a:Body><g:CIM_AlertIndication>" inner     \
    "</g:CIM_AlertIndication></a:Body></a:Envelope>"

static struct wsman_alert read_well(const char *text)
{
    struct wsman_alert alert;
    struct err err = ERR_INIT;

    if (wsman_alert_read(&alert, text, strlen(text), &err) != 0)
        fail_msg("%s", err.text);
    return alert;
}

static void says(const char *inner, const char *want, enum severity severity)
{
    char *text = xasprintf(EVENT("", "%s"), inner);
    struct wsman_alert alert = read_well(text);
    struct buf said = buf_init(1000);

    wsman_alert_say(&alert, &said);
    assert_string_equal(buf_str(&said), want);
    assert_int_equal(alert.severity, severity);
    wsman_alert_clear(&alert);
    buf_free(&said);
    free(text);
}

static void alerts_are_sentences(void **state)
{
    (void)state;
    says("<g:MessageID>iAMT0050</g:MessageID><g:MessageArguments>48</g:MessageArguments>"
         "<g:PerceivedSeverity>2</g:PerceivedSeverity>",
         "a Serial-over-LAN session began", SEVERITY_INFO);
    says("<g:MessageID>iAMT0001</g:MessageID><g:MessageArguments>x</g:MessageArguments>"
         "<g:PerceivedSeverity>5</g:PerceivedSeverity>",
         "a System Defense policy was triggered", SEVERITY_WARNING);
    says("<g:MessageID>PLAT0004</g:MessageID><g:Message>The chassis was opened</g:Message>"
         "<g:PerceivedSeverity>6</g:PerceivedSeverity>",
         "The chassis was opened", SEVERITY_CRITICAL);
    says("<g:MessageID>iAMT0050</g:MessageID><g:MessageArguments>7</g:MessageArguments>"
         "<g:PerceivedSeverity>nine</g:PerceivedSeverity>",
         "alert iAMT0050, 7", SEVERITY_INFO);
    says("", "alert without a name", SEVERITY_INFO);
}

static void an_acknowledgement_names_what_it_is_of(void **state)
{
    struct wsman_alert alert = read_well(EVENT("<c:AckRequested></c:AckRequested>",
                                               "<g:IndicationTime><h:Datetime>2024-01-01T00:00:00Z"
                                               "</h:Datetime></g:IndicationTime>"));
    struct buf ack = buf_init(2000);

    (void)state;
    assert_true(alert.wants_ack);
    assert_string_equal(alert.at, "2024-01-01T00:00:00Z");
    wsman_alert_ack(&alert, &ack);
    assert_non_null(strstr(buf_str(&ack), "<b:RelatesTo>uuid:1</b:RelatesTo>"));
    assert_non_null(strstr(buf_str(&ack), "http://schemas.dmtf.org/wbem/wsman/1/wsman/Ack"));
    buf_free(&ack);
    wsman_alert_clear(&alert);
}

static void other_documents_are_refused(void **state)
{
    static const char *const others[] = {
        "", "<a/>", "no XML",
        "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\"><a:Body><x/></a:Body></a:Envelope>",
        "<!DOCTYPE a [<!ENTITY e \"boom\">]><a>&e;</a>"};

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct wsman_alert alert;
        struct err err = ERR_INIT;

        assert_int_equal(wsman_alert_read(&alert, others[i], strlen(others[i]), &err), -1);
        assert_int_equal(err.cause, CAUSE_BAD_ANSWER);
        wsman_alert_clear(&alert);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alerts_are_sentences),
        cmocka_unit_test(an_acknowledgement_names_what_it_is_of),
        cmocka_unit_test(other_documents_are_refused),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
