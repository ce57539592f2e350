/* What a terminal is told: text, controls and escape sequences taken apart (ECMA-48 chapter 5, ISO 2022).
 *
 * A core without I/O: feed it bytes in any portions. It never holds text back; of sequences it keeps the
 * numbers of one, and what is too long, cut short or not understood is passed over without showing it. The
 * bytes 0x80 to 0x9f are text here, as they are in UTF-8 and in the code pages of firmware. */
#ifndef AMTD_CONSOLE_TEXT_ANSI_H
#define AMTD_CONSOLE_TEXT_ANSI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANSI_PARAMS_MAX 32
#define ANSI_STRING_MAX                                                                                      \
    65536 /* bytes of a control string (a title, a picture); then it is taken for text                       \
           */

struct ansi_param {
    uint16_t value; /* 0 where nothing stands; at most 65535 */
    bool given;
    bool sub; /* stands behind a ':', so belongs to the one before (ITU T.416) */
};

struct ansi_events {
    void *arg;
    void (*text)(void *arg, const uint8_t *p, size_t n); /* without controls; characters may be cut */
    void (*control)(void *arg, uint8_t c);               /* below 0x20, but not ESC */
    /* CSI: final is the letter that names the function, mark a private marker ('?', '>', ...) or 0. Sequences
     * with intermediate bytes are not told. */
    void (*function)(void *arg, uint8_t final, uint8_t mark, const struct ansi_param *params, size_t count);
};

struct ansi {
    uint8_t state;
    uint8_t mark;
    struct ansi_param params[ANSI_PARAMS_MAX];
    size_t count;
    size_t string_n;
};

void ansi_init(struct ansi *ansi);
void ansi_feed(struct ansi *ansi, const struct ansi_events *events, const void *p, size_t n);

enum ansi_attribute {
    ANSI_BOLD = 1 << 0,
    ANSI_FAINT = 1 << 1,
    ANSI_ITALIC = 1 << 2,
    ANSI_UNDERLINE = 1 << 3,
    ANSI_BLINK = 1 << 4,
    ANSI_INVERSE = 1 << 5,
    ANSI_HIDDEN = 1 << 6,
    ANSI_STRIKE = 1 << 7,
};

/* A colour: 0 is the terminal's own, else ANSI_INDEXED | 0 to 255, or ANSI_RGB | 0xRRGGBB. */
#define ANSI_INDEXED 0x1000000u
#define ANSI_RGB     0x2000000u

struct ansi_style {
    uint32_t foreground;
    uint32_t background;
    uint32_t attributes; /* set of enum ansi_attribute */
};

/* What SGR (the function 'm') does to a style. Numbers it does not know change nothing. */
void ansi_style_apply(struct ansi_style *style, const struct ansi_param *params, size_t count);
bool ansi_style_equal(const struct ansi_style *a, const struct ansi_style *b);

#endif
