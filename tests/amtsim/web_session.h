/* The HTTP protocol of a connection (conn.h): requests one after the other, delays and cuts of faults. */
#ifndef AMTSIM_WEB_SESSION_H
#define AMTSIM_WEB_SESSION_H

#include "tests/amtsim/conn.h"

extern const struct conn_protocol web_protocol;

#endif
