/* The redirection protocol of a connection (conn.h): ports 16994 and 16995. */
#ifndef AMTSIM_REDIR_PORT_H
#define AMTSIM_REDIR_PORT_H

#include "tests/amtsim/conn.h"

extern const struct conn_protocol redir_protocol;

#endif
