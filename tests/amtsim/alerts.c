#include "tests/amtsim/alerts.h"

#include <stdio.h>

#include "tests/amtsim/envelope.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/subscriptions.h"

#define ALERT_DOCUMENT_MAX 16384

enum { TYPE_OTHER = 1, TYPE_DEVICE = 5, TYPE_SECURITY = 8 };
enum { SEVERITY_INFORMATION = 2, SEVERITY_MINOR = 4, SEVERITY_MAJOR = 5 };

static const struct {
    const char *message;  /* MessageID of the alert */
    const char *argument; /* NULL: none */
    uint8_t type;
    uint8_t severity;
    enum collection collection; /* besides COLLECTION_ALL */
} alerts[ALERT_COUNT] = {
    [ALERT_SOL_STARTED] = {"iAMT0050", "48", TYPE_SECURITY, SEVERITY_INFORMATION, COLLECTION_USER},
    [ALERT_SOL_ENDED] = {"iAMT0050", "49", TYPE_SECURITY, SEVERITY_INFORMATION, COLLECTION_USER},
    [ALERT_IDER_STARTED] = {"iAMT0050", "50", TYPE_SECURITY, SEVERITY_INFORMATION, COLLECTION_USER},
    [ALERT_IDER_ENDED] = {"iAMT0050", "51", TYPE_SECURITY, SEVERITY_INFORMATION, COLLECTION_USER},
    [ALERT_KVM_DISABLED] = {"iAMT0059", "0", TYPE_OTHER, SEVERITY_INFORMATION, COLLECTION_FEATURES},
    [ALERT_KVM_ENABLED] = {"iAMT0059", "1", TYPE_OTHER, SEVERITY_INFORMATION, COLLECTION_FEATURES},
    [ALERT_CONSENT_GRANTED] = {"iAMT0064", "1", TYPE_SECURITY, SEVERITY_INFORMATION, COLLECTION_USER},
    [ALERT_CONSENT_ENDED] = {"iAMT0064", "2", TYPE_SECURITY, SEVERITY_INFORMATION, COLLECTION_USER},
    [ALERT_CONSENT_REQUESTED] = {"iAMT0064", "3", TYPE_SECURITY, SEVERITY_INFORMATION, COLLECTION_USER},
    [ALERT_CONSENT_CHANGED] = {"iAMT0064", "4", TYPE_SECURITY, SEVERITY_INFORMATION, COLLECTION_FEATURES},
    [ALERT_GRACEFUL_SHUTDOWN] = {"iAMT0067", "0", TYPE_DEVICE, SEVERITY_INFORMATION, COLLECTION_PLATFORM},
    [ALERT_GRACEFUL_REBOOT] = {"iAMT0067", "1", TYPE_DEVICE, SEVERITY_INFORMATION, COLLECTION_PLATFORM},
    [ALERT_GRACEFUL_SLEEP] = {"iAMT0067", "2", TYPE_DEVICE, SEVERITY_INFORMATION, COLLECTION_PLATFORM},
    [ALERT_GRACEFUL_HIBERNATE] = {"iAMT0067", "3", TYPE_DEVICE, SEVERITY_INFORMATION, COLLECTION_PLATFORM},
    [ALERT_DEFENSE_TRIGGERED] = {"iAMT0001", NULL, TYPE_SECURITY, SEVERITY_MAJOR, COLLECTION_FEATURES},
    [ALERT_DEFENSE_CHANGED] = {"iAMT0056", "0", TYPE_SECURITY, SEVERITY_MINOR, COLLECTION_FEATURES},
    [ALERT_AGENT_NOT_STARTED] = {"iAMT0002", NULL, TYPE_SECURITY, SEVERITY_MAJOR, COLLECTION_FEATURES},
    [ALERT_AGENT_STOPPED] = {"iAMT0003", NULL, TYPE_SECURITY, SEVERITY_MINOR, COLLECTION_FEATURES},
    [ALERT_AGENT_RUNNING] = {"iAMT0004", NULL, TYPE_SECURITY, SEVERITY_INFORMATION, COLLECTION_FEATURES},
    [ALERT_AGENT_EXPIRED] = {"iAMT0005", NULL, TYPE_SECURITY, SEVERITY_MAJOR, COLLECTION_FEATURES},
    [ALERT_AGENT_SUSPENDED] = {"iAMT0006", NULL, TYPE_SECURITY, SEVERITY_MINOR, COLLECTION_FEATURES},
};

/* The properties in ASCII order, as in every answer. */
static void write_indication(struct device *d, enum alert alert, enum collection filter, struct buf *b)
{
    struct out o = out_xml(b, 'g');
    buf_puts(b, "<g:CIM_AlertIndication>");
    out_num(&o, "AlertType", alerts[alert].type);
    out_num(&o, "AlertingElementFormat", 2);
    out_str(&o, "AlertingManagedElement",
            "Interop:CIM_ComputerSystem.CreationClassName=\"CIM_ComputerSystem\",Name=\"Intel(r) AMT\"");
    out_str(&o, "IndicationFilterName", collection_names[filter]);
    out_fmt(&o, "IndicationIdentifier", "Intel(r):%u", d->message_id);
    out_time(&o, "IndicationTime", device_wall_ms(d));
    out_str(&o, "Message", "");
    out_str(&o, "MessageArguments", alerts[alert].argument);
    out_str(&o, "MessageID", alerts[alert].message);
    out_str(&o, "OtherAlertingElementFormat", "");
    out_str(&o, "OtherSeverity", "");
    out_str(&o, "OwningEntity", "Intel(r) AMT");
    out_num(&o, "PerceivedSeverity", alerts[alert].severity);
    out_num(&o, "ProbableCause", 0);
    out_str(&o, "SystemName", "Intel(r) AMT");
    buf_puts(b, "</g:CIM_AlertIndication>");
}

void alert_raise(struct device *d, enum alert alert)
{
    for (struct subscription *s = d->subscriptions; s != NULL; s = s->next) {
        char id[ENVELOPE_ID_MAX];
        if (s->collection != COLLECTION_ALL && s->collection != alerts[alert].collection)
            continue;
        struct buf b = buf_init(ALERT_DOCUMENT_MAX);
        envelope_event(&b, d, s->ack, s->headers, id);
        write_indication(d, alert, s->collection, &b);
        envelope_end(&b);
        subscription_tell(s, id, buf_take(&b));
    }
}
