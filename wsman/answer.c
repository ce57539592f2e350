#include "wsman/answer.h"

#include <string.h>

#include "wsman/names.h"

void wsman_answer_clear(struct wsman_answer *answer)
{
    xml_free(answer->doc);
    memset(answer, 0, sizeof(*answer));
}

/* A PullResponse's items and the context to go on with; an EnumerateResponse's context. */
static void read_enumeration(struct wsman_answer *answer)
{
    struct xml_el context = xml_child(answer->body, NS_ENUM, "EnumerationContext");

    if (!xml_is(answer->body, NS_ENUM, NULL))
        return;
    answer->items = xml_child(answer->body, NS_ENUM, "Items");
    if (context.node && !xml_child(answer->body, NS_ENUM, "EndOfSequence").node)
        answer->context = xml_text(answer->doc, context);
}

int wsman_answer_parse(struct wsman_answer *answer, const void *p, size_t n, struct err *err)
{
    struct xml_el envelope, header, body;

    memset(answer, 0, sizeof(*answer));
    answer->doc = xml_parse(p, n, WSMAN_ANSWER_MAX, "answer", err);
    if (!answer->doc)
        return -1;
    envelope = xml_root(answer->doc);
    if (!xml_is(envelope, NS_SOAP, "Envelope"))
        return err_set(err, CAUSE_BAD_ANSWER, "answer: expected a SOAP 1.2 envelope, got <%s>",
                       xml_name(envelope));
    header = xml_child(envelope, NS_SOAP, "Header");
    body = xml_child(envelope, NS_SOAP, "Body");
    if (!body.node)
        return err_set(err, CAUSE_BAD_ANSWER, "answer: a SOAP envelope without a Body");
    answer->body = xml_child(body, NULL, NULL);
    answer->action = xml_text(answer->doc, xml_child(header, NS_ADDRESSING, "Action"));
    answer->relates = xml_text(answer->doc, xml_child(header, NS_ADDRESSING, "RelatesTo"));
    answer->is_fault = xml_is(answer->body, NS_SOAP, "Fault");
    read_enumeration(answer);
    return 0;
}
