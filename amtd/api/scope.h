/* Which hosts a call touches, as the table says (api.h): the one place where rights are checked. */
#ifndef AMTD_API_SCOPE_H
#define AMTD_API_SCOPE_H

#include "amtd/api/api.h"

/* Before the call is begun: 0, or -1 and err (denied; not-found for what the caller may not even watch). What
 * needs the store is checked there, by the actor under whom the call's work runs. */
int scope_check(const struct api_request *rq, const struct api_call *call, struct err *err);

#endif
