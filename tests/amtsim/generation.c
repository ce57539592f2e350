#include "tests/amtsim/generation.h"

#include <openssl/ssl.h>
#include <stddef.h>

#define OLD_CIPHERS "AES128-SHA:AES256-SHA:@SECLEVEL=0"
#define NEW_CIPHERS "ECDHE+AESGCM:ECDHE+AES:AES128-GCM-SHA256:AES128-SHA"
/* Login types of redirection: 1 clear text, 3 digest without qop, 4 digest. (reference redirection.md, 7.3)
 */
#define LOGINS_OLDEST (1u << 1 | 1u << 3)
#define LOGINS_OLD    (1u << 1 | 1u << 3 | 1u << 4)
#define LOGINS_MID    (1u << 1 | 1u << 4)
#define LOGINS_NEW    (1u << 4)
#define SERVER        "Intel(R) Active Management Technology "

static const struct generation table[] = {
    {
        .number = 2,
        .version = "2.6.20",
        .build = "1020",
        .server = SERVER "2.6.20",
        .qop = "auth",
        .tls_min = TLS1_VERSION,
        .tls_max = TLS1_VERSION,
        .redir_logins = LOGINS_OLDEST,
        .holds_power = true,
        .ciphers = OLD_CIPHERS,
        .short_key = true,
        .idle_power_ok = true,
        .eoi = true,
    },
    {
        .number = 5,
        .version = "5.2.70",
        .build = "1049",
        .server = SERVER "5.2.70",
        .qop = "auth",
        .tls_min = TLS1_VERSION,
        .tls_max = TLS1_VERSION,
        .redir_logins = LOGINS_OLD,
        .challenges_again = true,
        .holds_power = true,
        .ciphers = OLD_CIPHERS,
        .short_key = true,
        .idle_power_ok = true,
        .eoi = true,
    },
    {
        .number = 6,
        .version = "6.2.50",
        .build = "1050",
        .server = SERVER "6.2.50",
        .qop = "auth",
        .tls_min = TLS1_VERSION,
        .tls_max = TLS1_VERSION,
        .redir_logins = LOGINS_OLD,
        .challenges_again = true,
        .holds_power = true,
        .ciphers = OLD_CIPHERS,
        .idle_power_ok = true,
    },
    {
        .number = 9,
        .version = "9.1.45",
        .build = "3000",
        .server = SERVER "9.1.45",
        .qop = "auth",
        .tls_min = TLS1_VERSION,
        .tls_max = TLS1_1_VERSION,
        .redir_logins = LOGINS_OLD,
        .challenges_again = true,
        .ciphers = OLD_CIPHERS,
        .idle_power_ok = true,
    },
    {
        .number = 11,
        .version = "11.8.93",
        .build = "4323",
        .server = SERVER "11.8.93.4323",
        .qop = "auth",
        .tls_min = TLS1_VERSION,
        .tls_max = TLS1_2_VERSION,
        .redir_logins = LOGINS_MID,
        .challenges_again = true,
        .usb_redirection = true,
        .ciphers = "ECDHE+AES:AES128-SHA:AES256-SHA:@SECLEVEL=0",
        .graceful = true,
        .nmi = true,
    },
    {
        .number = 16,
        .version = "16.0.15",
        .build = "1810",
        .server = SERVER "16.0.15.1810",
        .qop = "auth,auth-int",
        .tls_min = TLS1_2_VERSION,
        .tls_max = TLS1_2_VERSION,
        .redir_logins = LOGINS_NEW,
        .usb_redirection = true,
        .ciphers = NEW_CIPHERS,
        .graceful = true,
        .nmi = true,
        .strict_boot_put = true,
    },
    {
        .number = 21,
        .version = "21.0.5",
        .build = "1120",
        .server = SERVER "21.0.5.1120",
        .qop = "auth,auth-int",
        .tls_min = TLS1_2_VERSION,
        .tls_max = TLS1_3_VERSION,
        .redir_logins = LOGINS_NEW,
        .usb_redirection = true,
        .ciphers = NEW_CIPHERS,
        .ec_key = true,
        .graceful = true,
        .nmi = true,
        .strict_boot_put = true,
        .web_off = true,
        .tls_only = true,
    },
};

const struct generation *generation_at(unsigned i)
{
    return i < sizeof(table) / sizeof(table[0]) ? &table[i] : NULL;
}

const struct generation *generation_by_number(unsigned number)
{
    const struct generation *g;
    for (unsigned i = 0; (g = generation_at(i)) != NULL; i++) {
        if (g->number == number)
            return g;
    }
    return NULL;
}
