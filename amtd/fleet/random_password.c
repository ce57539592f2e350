#include "amtd/fleet/random_password.h"

#include <openssl/rand.h>
#include <stdbool.h>
#include <string.h>

/* What AMT asks for: a letter of each case, a digit and another sign. Signs that AMT, shells, tables of
 * numbers or people stumble over are left out. */
#define UPPER  "ABCDEFGHJKLMNPQRSTUVWXYZ"
#define LOWER  "abcdefghijkmnopqrstuvwxyz"
#define DIGITS "23456789"
#define SIGNS  "!#%*./?_"
static const char *const classes[] = {UPPER, LOWER, DIGITS, SIGNS};
static const char all_signs[] = UPPER LOWER DIGITS SIGNS;
#define CLASSES 4

/* A number below n, each equally likely; n is at most 256. */
static int random_below(unsigned n, unsigned *out)
{
    unsigned char byte;

    do
        if (RAND_priv_bytes(&byte, 1) != 1)
            return -1;
    while (byte >= 256 - 256 % n);
    *out = byte % n;
    return 0;
}

static bool has_all_classes(const char *text)
{
    for (int i = 0; i < CLASSES; i++)
        if (!strpbrk(text, classes[i]))
            return false;
    return true;
}

static int draw(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned at;

        if (random_below((unsigned)sizeof(all_signs) - 1, &at) != 0)
            return -1;
        text[i] = all_signs[at];
    }
    text[length] = '\0';
    return 0;
}

/* Drawn anew until it has all classes, so that every such password is equally likely. */
struct secret *random_password(size_t length)
{
    char text[RANDOM_PASSWORD_MAX + 1];
    struct secret *s = NULL;

    do
        if (draw(text, length) != 0)
            return NULL;
    while (!has_all_classes(text));
    s = secret_new(text, length);
    secret_wipe(text, sizeof(text));
    return s;
}
