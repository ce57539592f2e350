/* The URIs of WS-Management as AMT uses it. (reference wsman.md, section 2.1) */
#ifndef WSMAN_NAMES_H
#define WSMAN_NAMES_H

#define NS_SOAP       "http://www.w3.org/2003/05/soap-envelope"
#define NS_ADDRESSING "http://schemas.xmlsoap.org/ws/2004/08/addressing"
#define NS_WSMAN      "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
#define NS_TRUST      "http://schemas.xmlsoap.org/ws/2005/02/trust"
#define NS_WSSE       "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
#define NS_ENUM       "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
#define NS_TRANSFER   "http://schemas.xmlsoap.org/ws/2004/09/transfer"
#define NS_EVENTING   "http://schemas.xmlsoap.org/ws/2004/08/eventing"
#define NS_IDENTITY   "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
#define NS_COMMON     "http://schemas.dmtf.org/wbem/wscim/1/common"
/* of instances that were not read by WS-Management: any will do, all classes share it */
#define NS_INSTANCE   "http://intel.com/wbem/wscim/1/amt-schema/1"
#define URI_ANONYMOUS "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"

#endif
