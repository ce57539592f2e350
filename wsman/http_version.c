#include <string.h>

#include "base/bytes.h"
#include "wsman/http.h"

/* Products that are AMT under another name; all share one numbering. */
static const char *const products[] = {
    "Intel(R) Active Management Technology",
    "Intel(R) Standard Manageability",
    "Intel(R) Small Business Technology",
    "AMT",
};

static bool is_version_char(uint8_t c)
{
    return (c >= '0' && c <= '9') || c == '.';
}

bool http_server_version(const char *server, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++) {
        size_t length = strlen(products[i]);
        if (strncmp(server, products[i], length) != 0 || (server[length] && server[length] != ' '))
            continue;
        struct rd r = rd_init(server + length, strlen(server + length));
        while (r.n && *r.p == ' ')
            rd_skip(&r, 1);
        while (n < r.n && is_version_char(r.p[n]))
            n++;
        /* Half a version would be taken for an older one: all of it, or none. */
        if (n && n < size && r.p[0] != '.' && r.p[n - 1] != '.' && (n == r.n || r.p[n] == ' ')) {
            memcpy(out, r.p, n);
            out[n] = '\0';
        }
        return true;
    }
    return false;
}
