/* The SOAP faults AMT answers with. (reference wsman.md, 2.5) */
#ifndef AMTSIM_SOAP_FAULT_H
#define AMTSIM_SOAP_FAULT_H

enum soap_fault {
    SOAP_OK,
    SOAP_DESTINATION_UNREACHABLE, /* class, instance or selector value that is not there */
    SOAP_ACTION_NOT_SUPPORTED,
    SOAP_HEADER_REQUIRED,
    SOAP_INVALID_HEADER,
    SOAP_ENDPOINT_UNAVAILABLE,
    SOAP_MISSING_VALUES,
    SOAP_INVALID_VALUES,
    SOAP_QUOTA_LIMIT,
    SOAP_ACCESS_DENIED,
    SOAP_ALREADY_EXISTS,
    SOAP_INVALID_PARAMETER,
    SOAP_INVALID_SELECTORS,
    SOAP_SCHEMA,
    SOAP_ENCODING_LIMIT,
    SOAP_ENVELOPE_TOO_SMALL, /* MaxEnvelopeSize under 50000 */
    SOAP_INTERNAL,
    SOAP_TIMED_OUT,
    SOAP_UNSUPPORTED,
    SOAP_MUST_UNDERSTAND,
    SOAP_INVALID_CONTEXT,
    SOAP_IN_USE,        /* what is named by something else cannot go */
    SOAP_NO_ROOM,       /* filters, policies, counters */
    SOAP_FLASH_WORN,    /* written too often */
    SOAP_EVENT_MODE,    /* a way of delivery that there is not */
    SOAP_EVENT_INVALID, /* no proper Subscribe */
    SOAP_EVENT_UNABLE,  /* too many subscribers, or one that cannot be reached */
    SOAP_FAULT_COUNT
};

struct soap_fault_text {
    const char *action;  /* URI */
    const char *subcode; /* "b:DestinationUnreachable"; NULL: the code itself says it all */
    const char *code;    /* "a:Sender" */
    const char *detail;  /* last part of the wsman faultDetail URI, or NULL */
    const char *reason;
    int status; /* HTTP */
};

/* Never NULL. Static. */
const struct soap_fault_text *soap_fault_text(enum soap_fault fault);

#endif
