#include "tests/amtsim/soap_fault.h"

#define ADDRESSING  "http://schemas.xmlsoap.org/ws/2004/08/addressing/fault"
#define ENUMERATION "http://schemas.xmlsoap.org/ws/2004/09/enumeration/fault"
#define EVENTING    "http://schemas.xmlsoap.org/ws/2004/08/eventing/fault"
#define WSMAN       "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
#define SENDER      "a:Sender"
#define RECEIVER    "a:Receiver"

static const struct soap_fault_text table[SOAP_FAULT_COUNT] = {
    [SOAP_OK] = {WSMAN, "e:InternalError", RECEIVER, 0, "No fault.", 500},
    [SOAP_DESTINATION_UNREACHABLE] =
        {ADDRESSING, "b:DestinationUnreachable", SENDER, 0,
         "No route can be determined to reach the destination role defined by the WSAddressing To.", 400},
    [SOAP_ACTION_NOT_SUPPORTED] = {ADDRESSING, "b:ActionNotSupported", SENDER, 0,
                                   "The action is not supported by the service.", 400},
    [SOAP_HEADER_REQUIRED] = {ADDRESSING, "b:MessageInformationHeaderRequired", SENDER, 0,
                              "A required header was missing.", 400},
    [SOAP_INVALID_HEADER] = {ADDRESSING, "b:InvalidMessageInformationHeader", SENDER, 0,
                             "A header is not valid.", 400},
    [SOAP_ENDPOINT_UNAVAILABLE] = {ADDRESSING, "b:EndpointUnavailable", RECEIVER, 0,
                                   "The specified endpoint is currently unavailable.", 500},
    [SOAP_MISSING_VALUES] = {WSMAN, "d:InvalidRepresentation", SENDER, "MissingValues",
                             "The XML content is not valid.", 400},
    [SOAP_INVALID_VALUES] = {WSMAN, "d:InvalidRepresentation", SENDER, "InvalidValues",
                             "The XML content is not valid.", 400},
    [SOAP_QUOTA_LIMIT] = {WSMAN, "e:QuotaLimit", SENDER, 0, "The service is busy servicing other requests.",
                          400},
    [SOAP_ACCESS_DENIED] = {WSMAN, "e:AccessDenied", SENDER, 0,
                            "The sender was not authorized to access the resource.", 400},
    [SOAP_ALREADY_EXISTS] = {WSMAN, "e:AlreadyExists", SENDER, 0,
                             "The sender attempted to create a resource which already exists.", 400},
    [SOAP_INVALID_PARAMETER] = {WSMAN, "e:InvalidParameter", SENDER, 0,
                                "An operation parameter was not valid.", 400},
    [SOAP_INVALID_SELECTORS] = {WSMAN, "e:InvalidSelectors", SENDER, "UnexpectedSelectors",
                                "The Selectors for the resource were not valid.", 400},
    [SOAP_SCHEMA] = {WSMAN, "e:SchemaValidationError", SENDER, 0,
                     "The supplied SOAP violates the corresponding XML Schema definition.", 400},
    [SOAP_ENCODING_LIMIT] = {WSMAN, "e:EncodingLimit", SENDER, "ServiceEnvelopeLimit",
                             "An internal encoding limit was exceeded in a request or would be violated if "
                             "the message were processed.",
                             400},
    [SOAP_ENVELOPE_TOO_SMALL] = {WSMAN, "e:EncodingLimit", SENDER, "MinimumEnvelopeLimit",
                                 "An internal encoding limit was exceeded in a request or would be violated "
                                 "if the message were processed.",
                                 400},
    [SOAP_INTERNAL] = {WSMAN, "e:InternalError", RECEIVER, 0,
                       "The service cannot comply with the request due to internal processing errors.", 500},
    [SOAP_TIMED_OUT] = {WSMAN, "e:TimedOut", RECEIVER, 0, "The operation has timed out.", 500},
    [SOAP_UNSUPPORTED] = {WSMAN, "e:UnsupportedFeature", SENDER, 0, "The specified feature is not supported.",
                          400},
    [SOAP_MUST_UNDERSTAND] = {ADDRESSING, 0, "a:MustUnderstand", 0,
                              "The service does not understand a header that is marked mustUnderstand.", 400},
    [SOAP_INVALID_CONTEXT] = {ENUMERATION, "c:InvalidEnumerationContext", RECEIVER, 0,
                              "The supplied enumeration context is invalid.", 500},
    [SOAP_IN_USE] = {WSMAN, "e:Concurrency", RECEIVER, 0, "The object is in use by another one.", 500},
    [SOAP_NO_ROOM] = {WSMAN, "e:QuotaLimit", RECEIVER, 0, "No more of these objects can be held.", 500},
    [SOAP_FLASH_WORN] = {WSMAN, "e:InternalError", RECEIVER, 0,
                         "The flash was written too often lately (0x26).", 500},
    [SOAP_EVENT_MODE] = {EVENTING, "f:DeliveryModeRequestedUnavailable", SENDER, 0,
                         "The requested delivery mode is not supported.", 400},
    [SOAP_EVENT_INVALID] = {EVENTING, "f:InvalidMessage", SENDER, 0,
                            "The request message has unknown or invalid content and cannot be processed.",
                            400},
    [SOAP_EVENT_UNABLE] = {EVENTING, "f:EventSourceUnableToProcess", RECEIVER, 0,
                           "The event source cannot process the subscription.", 500},
};

const struct soap_fault_text *soap_fault_text(enum soap_fault fault)
{
    return &table[fault];
}
