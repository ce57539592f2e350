#include "amtd/console/boots.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define LOOK_AT 32768 /* bytes after silence */
#define LINE    120   /* of a line, bytes that are looked at */

struct boots {
    size_t left;
    size_t length;       /* of the line */
    uint64_t line_begin; /* its offset */
    char line[LINE + 1]; /* printable */
};

static const char *const banners[] = {
    /* firmware */
    "SeaBIOS (version ",
    "American Megatrends",
    "Phoenix SecureCore",
    "PhoenixBIOS ",
    "InsydeH2O",
    "coreboot-",
    "U-Boot 20",
    "U-Boot SPL 20",
    "NOTICE:  BL1: ",
    "UEFI firmware (version ",
    /* boot loaders */
    "iPXE initialising devices",
    "GNU GRUB  version ",
    "Welcome to GRUB!",
    "ISOLINUX ",
    "SYSLINUX ",
    "PXELINUX ",
    ">> OpenBSD/",
    ">> FreeBSD ",
    ">> NetBSD/",
    /* kernels */
    "EFI stub: ",
    "Linux version ",
};

void boots_begin(struct boots **boots)
{
    if (!*boots)
        *boots = xcalloc(1, sizeof(**boots));
    (*boots)->left = LOOK_AT;
}

void boots_free(struct boots *boots)
{
    free(boots);
}

static bool is_banner(const char *line)
{
    for (size_t i = 0; i < sizeof(banners) / sizeof(banners[0]); i++)
        if (strstr(line, banners[i]))
            return true;
    return false;
}

/* A line ends also where the cursor is moved. True: what ends is a banner. */
static bool take(struct boots *b, uint64_t offset, uint8_t byte)
{
    bool ends = byte == '\n' || byte == '\r' || byte == 0x1b || b->length == LINE;
    bool banner = ends && b->length > 0 && is_banner(b->line);

    if (banner)
        return true;
    if (ends || b->length == 0) {
        b->length = 0;
        b->line_begin = offset;
    }
    if (byte >= ' ' && byte < 0x7f)
        b->line[b->length++] = (char)byte;
    b->line[b->length] = '\0';
    return false;
}

const char *boots_bytes(struct boots **boots, uint64_t offset, const uint8_t *p, size_t n, uint64_t *begin)
{
    static char found[LINE + 1];
    struct boots *b = *boots;

    for (size_t i = 0; b && i < n; i++) {
        bool banner = take(b, offset + i, p[i]);

        if (banner) {
            *begin = b->line_begin;
            memcpy(found, b->line, sizeof(found));
        }
        if (banner || --b->left == 0) {
            boots_free(b);
            *boots = b = NULL;
        }
        if (banner)
            return found;
    }
    return NULL;
}
