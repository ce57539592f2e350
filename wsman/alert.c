#include "wsman/alert.h"

#include <string.h>

#include "base/text.h"
#include "wsman/names.h"

#define ACTION_ACK "http://schemas.dmtf.org/wbem/wsman/1/wsman/Ack"

/* --- meaning --- */

/* argument NULL: any. */
static const struct {
    const char *id, *argument, *says;
} meanings[] = {
    {"iAMT0001", NULL, "a System Defense policy was triggered"},
    {"iAMT0002", NULL, "a watched agent has not started"},
    {"iAMT0003", NULL, "a watched agent has stopped"},
    {"iAMT0004", NULL, "a watched agent is running"},
    {"iAMT0005", NULL, "a watched agent has not reported in time"},
    {"iAMT0006", NULL, "a watched agent was suspended"},
    {"iAMT0049", "0", "wireless profile synchronization was switched off"},
    {"iAMT0049", "1", "wireless profile synchronization was switched on"},
    {"iAMT0050", "0", "manageability was enabled"},
    {"iAMT0050", "16", "System Defense stopped sending"},
    {"iAMT0050", "17", "System Defense limited the rate of sending"},
    {"iAMT0050", "18", "System Defense stopped receiving"},
    {"iAMT0050", "19", "System Defense limited the rate of receiving"},
    {"iAMT0050", "32", "endpoint access control: notification"},
    {"iAMT0050", "33", "endpoint access control was enabled"},
    {"iAMT0050", "34", "endpoint access control was disabled"},
    {"iAMT0050", "48", "a Serial-over-LAN session began"},
    {"iAMT0050", "49", "a Serial-over-LAN session ended"},
    {"iAMT0050", "50", "an IDE redirection session began"},
    {"iAMT0050", "51", "an IDE redirection session ended"},
    {"iAMT0050", "66", "the wireless profile does not suffice"},
    {"iAMT0050", "67", "the wireless link went to AMT"},
    {"iAMT0050", "68", "the security of the wireless link does not suffice"},
    {"iAMT0050", "69", "the wireless link went to the operating system"},
    {"iAMT0052", "0", "a KVM session is asked for"},
    {"iAMT0052", "1", "a KVM session began"},
    {"iAMT0052", "2", "a KVM session ended"},
    {"iAMT0052", "3", "KVM data channel"},
    {"iAMT0054", "70", "wireless profiles: the state of synchronization changed"},
    {"iAMT0055", "0", "the device is not provisioned any more"},
    {"iAMT0055", "1", "provisioning began"},
    {"iAMT0055", "2", "provisioning is complete"},
    {"iAMT0055", "3", "unprovisioning began"},
    {"iAMT0055", "4", "the control mode changed"},
    {"iAMT0056", NULL, "System Defense settings changed"},
    {"iAMT0057", NULL, "the state of the network changed"},
    {"iAMT0058", "0", "the tunnel to the management server was closed"},
    {"iAMT0058", "1", "the tunnel to the management server was opened"},
    {"iAMT0059", "0", "KVM was disabled"},
    {"iAMT0059", "1", "KVM was enabled"},
    {"iAMT0060", NULL, "the settings of on-screen messages changed"},
    {"iAMT0062", "0", "synchronization of the IP address was switched off"},
    {"iAMT0062", "1", "synchronization of the IP address was switched on"},
    {"iAMT0063", "0", "synchronization of proxies was switched off"},
    {"iAMT0063", "1", "synchronization of proxies was switched on"},
    {"iAMT0064", "1", "the user at the machine gave consent"},
    {"iAMT0064", "2", "the consent of the user at the machine ended"},
    {"iAMT0064", "3", "the user at the machine is asked for consent"},
    {"iAMT0064", "4", "the settings of user consent changed"},
    {"iAMT0065", "0", "the wired address was renewed"},
    {"iAMT0065", "1", "the wireless address was renewed"},
    {"iAMT0066", "0", "the operating system controls the wireless port"},
    {"iAMT0066", "1", "AMT controls the wireless port"},
    {"iAMT0067", "0", "the operating system is asked to shut down"},
    {"iAMT0067", "1", "the operating system is asked to restart"},
    {"iAMT0067", "2", "the operating system is asked to sleep"},
    {"iAMT0067", "3", "the operating system is asked to hibernate"},
    {"iAMT0068", "0", "protection of the wireless link is off"},
    {"iAMT0068", "1", "protection of the wireless link is passive"},
    {"iAMT0068", "2", "protection of the wireless link is high"},
    {"iAMT0069", "0", "synchronization of the clock was switched off"},
    {"iAMT0069", "1", "synchronization of the clock was switched on"},
    {"iAMT0071", NULL, "somebody tried to disable AMT"},
};

void wsman_alert_say(const struct wsman_alert *alert, struct buf *out)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (strcmp(meanings[i].id, alert->id) != 0 ||
            (meanings[i].argument && strcmp(meanings[i].argument, alert->argument) != 0))
            continue;
        buf_puts(out, meanings[i].says);
        return;
    }
    if (alert->text[0])
        buf_puts(out, alert->text);
    else
        buf_printf(out, "alert %s%s%s", alert->id[0] ? alert->id : "without a name",
                   alert->argument[0] ? ", " : "", alert->argument);
}

/* PerceivedSeverity of CIM_AlertIndication. */
static enum severity severity_of(uint32_t perceived)
{
    if (perceived >= 6) /* critical, fatal */
        return SEVERITY_CRITICAL;
    return perceived >= 3 ? SEVERITY_WARNING : SEVERITY_INFO; /* degraded, minor, major */
}

/* --- reading --- */

static const char *text_of(struct xml_doc *doc, struct xml_el el, const char *name)
{
    return xml_text(doc, xml_child(el, NULL, name));
}

void wsman_alert_clear(struct wsman_alert *alert)
{
    xml_free(alert->doc);
    memset(alert, 0, sizeof(*alert));
}

static void read_indication(struct wsman_alert *alert, struct xml_el el)
{
    struct xml_el time = xml_child(el, NULL, "IndicationTime");
    uint64_t perceived = 0;

    alert->id = text_of(alert->doc, el, "MessageID");
    alert->argument = text_of(alert->doc, el, "MessageArguments");
    alert->text = text_of(alert->doc, el, "Message");
    alert->at = text_of(alert->doc, time, "Datetime");
    if (text_u64(text_of(alert->doc, el, "PerceivedSeverity"), 0, 7, &perceived))
        alert->perceived = (uint32_t)perceived;
    alert->severity = severity_of(alert->perceived);
}

int wsman_alert_read(struct wsman_alert *alert, const void *p, size_t n, struct err *err)
{
    struct xml_el envelope, header, body, indication;

    memset(alert, 0, sizeof(*alert));
    alert->doc = xml_parse(p, n, WSMAN_ALERT_MAX, "alert", err);
    if (!alert->doc)
        return -1;
    envelope = xml_root(alert->doc);
    header = xml_child(envelope, NS_SOAP, "Header");
    body = xml_child(envelope, NS_SOAP, "Body");
    indication = xml_child(body, NULL, "CIM_AlertIndication");
    if (!xml_is(envelope, NS_SOAP, "Envelope") || !indication.node)
        return err_set(err, CAUSE_BAD_ANSWER,
                       "alert: expected a SOAP envelope with CIM_AlertIndication, got <%s>",
                       xml_name(body.node ? xml_child(body, NULL, NULL) : envelope));
    alert->message_id = text_of(alert->doc, header, "MessageID");
    alert->wants_ack = xml_child(header, NULL, "AckRequested").node != NULL;
    read_indication(alert, indication);
    return 0;
}

void wsman_alert_ack(const struct wsman_alert *alert, struct buf *out)
{
    buf_printf(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a:Envelope xmlns:a=\"%s\" xmlns:b=\"%s\"><a:Header>"
        "<b:To>%s</b:To><b:Action a:mustUnderstand=\"true\">%s</b:Action><b:RelatesTo>",
        NS_SOAP, NS_ADDRESSING, URI_ANONYMOUS, ACTION_ACK);
    xml_escape(out, alert->message_id);
    buf_puts(out, "</b:RelatesTo></a:Header><a:Body/></a:Envelope>");
}
