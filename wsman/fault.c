/* Faults, HTTP statuses and return values as causes, in tables. (reference wsman.md, sections 1.2, 2.5;
 * eoi.md for PT_STATUS) */
#include <stdio.h>
#include <string.h>

#include "wsman/answer.h"
#include "wsman/names.h"

struct fault_row {
    const char *subcode; /* local name */
    const char *detail;  /* last part of the FaultDetail URI, or NULL for any */
    const char *code;    /* as operators know it, with the prefixes that firmware uses in faults */
    enum cause cause;
};

static const struct fault_row faults[] = {
    {"DestinationUnreachable", NULL, "b:DestinationUnreachable", CAUSE_UNSUPPORTED},
    {"ActionNotSupported", NULL, "b:ActionNotSupported", CAUSE_UNSUPPORTED},
    {"EndpointUnavailable", NULL, "b:EndpointUnavailable", CAUSE_BUSY},
    {"InvalidMessageInformationHeader", NULL, "b:InvalidMessageInformationHeader", CAUSE_INVALID_VALUE},
    {"MessageInformationHeaderRequired", NULL, "b:MessageInformationHeaderRequired", CAUSE_INVALID_VALUE},
    {"InvalidRepresentation", NULL, "d:InvalidRepresentation", CAUSE_INVALID_VALUE},
    {"QuotaLimit", NULL, "e:QuotaLimit", CAUSE_LIMIT_EXCEEDED},
    {"AccessDenied", NULL, "e:AccessDenied", CAUSE_ACCESS_DENIED},
    {"AlreadyExists", NULL, "e:AlreadyExists", CAUSE_INVALID_VALUE},
    {"InvalidParameter", NULL, "e:InvalidParameter", CAUSE_INVALID_VALUE},
    {"InvalidSelectors", NULL, "e:InvalidSelectors", CAUSE_UNSUPPORTED},
    {"SchemaValidationError", NULL, "e:SchemaValidationError", CAUSE_INVALID_VALUE},
    {"EncodingLimit", NULL, "e:EncodingLimit", CAUSE_LIMIT_EXCEEDED},
    {"InternalError", NULL, "e:InternalError", CAUSE_FAULT},
    {"TimedOut", NULL, "e:TimedOut", CAUSE_TIMEOUT},
    {"Concurrency", NULL, "e:Concurrency", CAUSE_BUSY},
    {"UnsupportedFeature", NULL, "e:UnsupportedFeature", CAUSE_UNSUPPORTED},
    {"InvalidEnumerationContext", NULL, "c:InvalidEnumerationContext", CAUSE_FAULT},
    {"CannotProcessFilter", NULL, "c:CannotProcessFilter", CAUSE_UNSUPPORTED},
    {"FilterDialectRequestedUnavailable", NULL, "c:FilterDialectRequestedUnavailable", CAUSE_UNSUPPORTED},
    {"DeliveryModeRequestedUnavailable", NULL, "f:DeliveryModeRequestedUnavailable", CAUSE_UNSUPPORTED},
    {"InvalidMessage", NULL, "f:InvalidMessage", CAUSE_INVALID_VALUE},
    {"EventSourceUnableToProcess", NULL, "f:EventSourceUnableToProcess", CAUSE_FAULT},
    {"MustUnderstand", NULL, "a:MustUnderstand", CAUSE_UNSUPPORTED},
};

static const struct fault_row *find_fault(const char *subcode)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        if (strcmp(faults[i].subcode, subcode) == 0)
            return &faults[i];
    return NULL;
}

/* "b:DestinationUnreachable" -> "DestinationUnreachable": the prefix is the document's own. */
static const char *local(const char *qname)
{
    const char *colon = strchr(qname, ':');

    return colon ? colon + 1 : qname;
}

static int fault_of(const struct wsman_answer *answer, const char *what, struct err *err)
{
    struct xml_doc *doc = answer->doc;
    struct xml_el fault = answer->body;
    struct xml_el code = xml_child(fault, NS_SOAP, "Code");
    struct xml_el subcode = xml_child(xml_child(code, NS_SOAP, "Subcode"), NS_SOAP, "Value");
    struct xml_el detail = xml_child(xml_child(fault, NS_SOAP, "Detail"), NS_WSMAN, "FaultDetail");
    const char *reason = xml_text(doc, xml_child(xml_child(fault, NS_SOAP, "Reason"), NS_SOAP, "Text"));
    const char *name = local(xml_text(doc, subcode.node ? subcode : xml_child(code, NS_SOAP, "Value")));
    const char *more = strrchr(xml_text(doc, detail), '/');
    const struct fault_row *row = find_fault(name);

    err_set(err, row ? row->cause : CAUSE_FAULT, "%s: %s%s%s%s", what,
            reason[0] ? reason : "fault without a reason", more ? " (" : "", more ? more + 1 : "",
            more ? ")" : "");
    err_code(err, "%s", row ? row->code : name);
    return -1;
}

static int status_of(int status, const char *what, struct err *err)
{
    static const struct {
        int status;
        enum cause cause;
    } rows[] = {{400, CAUSE_INVALID_VALUE},  {401, CAUSE_AUTH_FAILED}, {403, CAUSE_ACCESS_DENIED},
                {404, CAUSE_NOT_AMT},        {405, CAUSE_NOT_AMT},     {408, CAUSE_TIMEOUT},
                {413, CAUSE_LIMIT_EXCEEDED}, {501, CAUSE_UNSUPPORTED}, {503, CAUSE_BUSY}};
    enum cause cause = status >= 300 && status < 400 ? CAUSE_NOT_AMT : CAUSE_FAULT;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].status == status)
            cause = rows[i].cause;
    err_set(err, cause, "%s: HTTP status %d", what, status);
    err_code(err, "HTTP %d", status);
    return -1;
}

int wsman_fault_to_err(const struct wsman_answer *answer, int http_status, const char *what, struct err *err)
{
    if (answer && answer->is_fault)
        return fault_of(answer, what, err);
    if (http_status < 200 || http_status > 299)
        return status_of(http_status, what, err);
    return 0;
}

bool wsman_fault_is_absent(const struct err *err)
{
    return strcmp(err->code, "b:DestinationUnreachable") == 0 ||
           strcmp(err->code, "b:ActionNotSupported") == 0 || strcmp(err->code, "e:InvalidSelectors") == 0 ||
           strcmp(err->code, WSMAN_CODE_ABSENT) == 0;
}

/* --- return values --- */

struct value_row {
    uint32_t value;
    const char *name;
    enum cause cause;
};

/* CIM_ methods. */
static const struct value_row dmtf[] = {
    {0, "completed", CAUSE_NONE},
    {1, "not supported", CAUSE_UNSUPPORTED},
    {2, "unknown error, or not possible in this state", CAUSE_INVALID_STATE},
    {3, "cannot finish in time", CAUSE_TIMEOUT},
    {4, "failed", CAUSE_FAULT},
    {5, "invalid parameter", CAUSE_INVALID_VALUE},
    {6, "in use", CAUSE_IN_USE},
    {16, "not permitted", CAUSE_ACCESS_DENIED},
    {0x801, "unsupported OEM number", CAUSE_UNSUPPORTED}, /* these four: eoi.md, chapter 5 */
    {0x802, "unsupported boot option", CAUSE_UNSUPPORTED},
    {0x803, "invalid command, or not possible in this state", CAUSE_INVALID_STATE},
    {0x804, "unsupported special command", CAUSE_UNSUPPORTED},
    {2081, "user consent required", CAUSE_CONSENT_REQUIRED},
    {4096, "job started", CAUSE_NONE},
    {4097, "invalid state transition", CAUSE_INVALID_STATE},
    {4098, "timeout parameter not supported", CAUSE_INVALID_VALUE},
    {4099, "busy", CAUSE_BUSY},
};

/* AMT_ and IPS_ methods. */
static const struct value_row pt_status[] = {
    {0x000, "success", CAUSE_NONE},
    {0x001, "internal error", CAUSE_FAULT},
    {0x002, "not ready", CAUSE_BUSY},
    {0x003, "invalid mode", CAUSE_INVALID_STATE},
    {0x004, "invalid message length", CAUSE_INVALID_VALUE},
    {0x005, "table fingerprint not available", CAUSE_FAULT},
    {0x006, "integrity check failed", CAUSE_FAULT},
    {0x007, "unsupported ISVS version", CAUSE_UNSUPPORTED},
    {0x008, "application not registered", CAUSE_FAULT},
    {0x009, "invalid registration data", CAUSE_INVALID_VALUE},
    {0x00a, "application does not exist", CAUSE_INVALID_VALUE},
    {0x00b, "not enough storage", CAUSE_LIMIT_EXCEEDED},
    {0x00c, "invalid name", CAUSE_INVALID_VALUE},
    {0x00d, "block does not exist", CAUSE_INVALID_VALUE},
    {0x00e, "invalid byte offset", CAUSE_INVALID_VALUE},
    {0x00f, "invalid byte count", CAUSE_INVALID_VALUE},
    {0x010, "not permitted", CAUSE_ACCESS_DENIED},
    {0x011, "not owner", CAUSE_ACCESS_DENIED},
    {0x012, "block locked by other", CAUSE_IN_USE},
    {0x013, "block not locked", CAUSE_INVALID_VALUE},
    {0x014, "invalid group permissions", CAUSE_ACCESS_DENIED},
    {0x015, "group does not exist", CAUSE_INVALID_VALUE},
    {0x016, "invalid member count", CAUSE_INVALID_VALUE},
    {0x017, "max limit reached", CAUSE_LIMIT_EXCEEDED},
    {0x018, "invalid auth type", CAUSE_INVALID_VALUE},
    {0x019, "authentication failed", CAUSE_AUTH_FAILED},
    {0x01a, "invalid DHCP mode", CAUSE_INVALID_VALUE},
    {0x01b, "invalid IP address", CAUSE_INVALID_VALUE},
    {0x01c, "invalid domain name", CAUSE_INVALID_VALUE},
    {0x01d, "unsupported version", CAUSE_UNSUPPORTED},
    {0x01e, "request unexpected", CAUSE_INVALID_STATE},
    {0x01f, "invalid table type", CAUSE_INVALID_VALUE},
    {0x020, "invalid provisioning state", CAUSE_INVALID_STATE},
    {0x021, "unsupported object", CAUSE_UNSUPPORTED},
    {0x022, "invalid time", CAUSE_INVALID_VALUE},
    {0x023, "invalid index", CAUSE_INVALID_VALUE},
    {0x024, "invalid parameter", CAUSE_INVALID_VALUE},
    {0x025, "invalid netmask", CAUSE_INVALID_VALUE},
    {0x026, "flash write limit exceeded", CAUSE_LIMIT_EXCEEDED},
    {0x027, "invalid image length", CAUSE_INVALID_VALUE},
    {0x028, "invalid image signature", CAUSE_INVALID_VALUE},
    {0x029, "propose another version", CAUSE_INVALID_VALUE},
    {0x02a, "invalid PID format", CAUSE_INVALID_VALUE},
    {0x02b, "invalid PPS format", CAUSE_INVALID_VALUE},
    {0x02c, "BIST command blocked", CAUSE_FAULT},
    {0x02d, "connection failed", CAUSE_FAULT},
    {0x02e, "too many connections", CAUSE_LIMIT_EXCEEDED},
    {0x02f, "RNG generation in progress", CAUSE_BUSY},
    {0x030, "RNG not ready", CAUSE_BUSY},
    {0x031, "certificate not ready", CAUSE_BUSY},
    {0x200, "remote access not granted", CAUSE_ACCESS_DENIED},
    {0x201, "host VPN disabled", CAUSE_ACCESS_DENIED},
    {0x400, "disabled by policy", CAUSE_ACCESS_DENIED},
    {0x800, "network interface base", CAUSE_FAULT},
    {0x801, "unsupported OEM number", CAUSE_UNSUPPORTED},
    {0x802, "unsupported boot option", CAUSE_UNSUPPORTED},
    {0x803, "invalid command", CAUSE_INVALID_VALUE},
    {0x804, "invalid special command", CAUSE_INVALID_VALUE},
    {0x805, "invalid handle", CAUSE_INVALID_VALUE},
    {0x806, "invalid password", CAUSE_INVALID_VALUE},
    {0x807, "invalid realm", CAUSE_INVALID_VALUE},
    {0x808, "storage ACL entry in use", CAUSE_IN_USE},
    {0x809, "data missing", CAUSE_INVALID_STATE},
    {0x80a, "duplicate", CAUSE_INVALID_VALUE},
    {0x80b, "event log frozen", CAUSE_INVALID_STATE},
    {0x80c, "PKI missing keys", CAUSE_INVALID_STATE},
    {0x80d, "PKI generating keys", CAUSE_BUSY},
    {0x80e, "invalid key", CAUSE_INVALID_VALUE},
    {0x80f, "invalid certificate", CAUSE_INVALID_VALUE},
    {0x810, "certificate and key do not match", CAUSE_INVALID_VALUE},
    {0x811, "max Kerberos domains", CAUSE_LIMIT_EXCEEDED},
    {0x812, "unsupported", CAUSE_UNSUPPORTED},
    {0x813, "invalid (duplicate) priority", CAUSE_INVALID_VALUE},
    {0x814, "not found", CAUSE_INVALID_VALUE},
    {0x815, "invalid credentials", CAUSE_INVALID_VALUE},
    {0x816, "invalid passphrase", CAUSE_INVALID_VALUE},
    {0x818, "no association", CAUSE_INVALID_VALUE},
    {0x81b, "audit failed (call blocked)", CAUSE_ACCESS_DENIED},
    {0x81c, "blocking component", CAUSE_IN_USE},
    {0x821, "user consent required", CAUSE_CONSENT_REQUIRED},
    {0x822, "operation in progress", CAUSE_BUSY},
};

static const struct value_row *find_value(const char *class_name, uint32_t value)
{
    bool cim = strncmp(class_name, "CIM_", 4) == 0;
    const struct value_row *rows = cim ? dmtf : pt_status;
    size_t count = cim ? sizeof(dmtf) / sizeof(dmtf[0]) : sizeof(pt_status) / sizeof(pt_status[0]);

    for (size_t i = 0; i < count; i++)
        if (rows[i].value == value)
            return &rows[i];
    return NULL;
}

const char *wsman_return_value_name(const char *class_name, uint32_t value)
{
    const struct value_row *row = find_value(class_name, value);

    return row ? row->name : NULL;
}

int wsman_return_value_to_err(const char *class_name, const char *method, uint32_t value, struct err *err)
{
    const struct value_row *row = find_value(class_name, value);

    if (value == 0 || (row && row->cause == CAUSE_NONE))
        return 0;
    err_set(err, row ? row->cause : CAUSE_FAULT, "%s.%s: %s", class_name, method,
            row ? row->name : "refused with a number that is not known");
    err_code(err, "ReturnValue %u", value);
    return -1;
}
