/* What the files of the System Defense service share: instances read, and requests written. */
#ifndef WSMAN_SYSTEM_DEFENSE_INTERNAL_H
#define WSMAN_SYSTEM_DEFENSE_INTERNAL_H

#include "wsman/call.h"
#include "wsman/system_defense.h"
#include "wsman/value.h"

/* The class of an owner's association. */
const char *sd_owner_class(enum sd_owner owner);

/* Each adds the instances of a call to the state. What cannot be understood of other products' objects is
 * left out; numbers and names are kept within their bounds. */
void sd_read_limits(struct sd_state *state, const struct wsman_call *call);
void sd_read_ports(struct sd_state *state, const struct wsman_call *call);
void sd_read_port_limits(struct sd_state *state, const struct wsman_call *call);
void sd_read_addresses(struct sd_state *state, const struct wsman_call *call);
void sd_read_policies(struct sd_state *state, const struct wsman_call *call);
void sd_read_filters(struct sd_state *state, const struct wsman_call *call, enum sd_filter_kind kind);
void sd_read_enabled(struct sd_state *state, const struct wsman_call *call, enum sd_owner owner);
void sd_read_counts(struct sd_seq *ss, const struct wsman_call *call);
/* The InstanceID in the reference that a Create answers with, or NULL. */
const char *sd_read_created(struct wsman_obj obj);

struct wsman_request *sd_write_change(const struct sd_change *change);

#endif
