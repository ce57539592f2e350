#include "wsman/redirection_service.h"

#include "wsman/value.h"

#define CLASS "AMT_RedirectionService"

struct wsman_request *redirection_service_get(void)
{
    return wsman_request_new(WSMAN_GET, CLASS, NULL);
}

int redirection_service_read(struct wsman_obj service, enum redirection_state *state, bool *listener,
                             struct err *err)
{
    uint32_t value;

    if (!wsman_u32(service, "EnabledState", &value))
        return err_set(err, CAUSE_BAD_ANSWER, "the device does not tell what redirection is enabled");
    *state = (enum redirection_state)value;
    *listener = false;
    wsman_bool(service, "ListenerEnabled", listener);
    return 0;
}

struct wsman_request *redirection_service_switch(enum redirection_state state)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, CLASS, "RequestStateChange");

    wsman_add_u32(rq, "RequestedState", state);
    return rq;
}

struct wsman_request *redirection_service_put(struct wsman_obj service, enum redirection_state state,
                                              bool listener)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_PUT, CLASS, NULL);

    wsman_add_instance(rq, service.doc, service.el, NULL);
    wsman_replace_u32(rq, "EnabledState", state);
    wsman_replace_bool(rq, "ListenerEnabled", listener);
    return rq;
}
