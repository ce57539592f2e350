/* Random passwords that AMT takes. */
#ifndef AMTD_FLEET_RANDOM_PASSWORD_H
#define AMTD_FLEET_RANDOM_PASSWORD_H

#include <stddef.h>

#include "base/secret.h"

#define RANDOM_PASSWORD_LENGTH 20
#define RANDOM_PASSWORD_MIN    8 /* of a strong password, and the most that AMT takes (wsman.md 3.9) */
#define RANDOM_PASSWORD_MAX    32

/* length from RANDOM_PASSWORD_MIN to _MAX. Any thread. NULL: there are no random numbers. */
struct secret *random_password(size_t length);

#endif
