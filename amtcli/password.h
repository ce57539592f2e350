/* Passwords for calls: never from the command line. */
#ifndef AMTCLI_PASSWORD_H
#define AMTCLI_PASSWORD_H

#include <jansson.h>

/* Sets `password` from a file, "-" for standard input; file NULL, or standard input a terminal: asks there
 * for that of `kind` `name` ("profile", "lab"), without showing it. Returns EXIT_ALL, or EXIT_USAGE after a
 * message. */
int password_take(json_t *params, const char *file, const char *kind, const char *name);

#endif
