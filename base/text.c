#include "base/text.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* --- numbers --- */

/* strtoull accepts blanks, signs and overflow in ways of its own, so digits are counted here. */
static bool digits(const char *s, uint64_t *out)
{
    uint64_t value = 0;

    if (!s || !*s)
        return false;
    for (; *s; s++) {
        unsigned digit = (unsigned char)*s - (unsigned)'0';

        if (digit > 9 || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return false;
    }
    *out = value;
    return true;
}

bool text_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t value;

    if (!digits(s, &value) || value < min || value > max)
        return false;
    *out = value;
    return true;
}

bool text_i64(const char *s, int64_t min, int64_t max, int64_t *out)
{
    bool negative = s && s[0] == '-';
    uint64_t magnitude;
    int64_t value;

    if (!digits(s ? s + negative : NULL, &magnitude) || magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    if (value < min || value > max)
        return false;
    *out = value;
    return true;
}

bool text_duration_ms(const char *s, int64_t min, int64_t max, int64_t *out)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    char number[20];
    size_t n = s ? strspn(s, "0123456789") : 0;
    uint64_t value;
    int64_t ms;

    if (n == 0 || n >= sizeof(number))
        return false;
    memcpy(number, s, n);
    number[n] = '\0';
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(s + n, units[i].unit) != 0)
            continue;
        if (!text_u64(number, 0, INT64_MAX, &value) ||
            __builtin_mul_overflow((int64_t)value, units[i].ms, &ms) || ms < min || ms > max)
            return false;
        *out = ms;
        return true;
    }
    return false;
}

const char *text_plural(uint64_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

void text_duration(struct buf *out, int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    size_t i = ms == 0 ? 3 : 0;

    while (ms % units[i].ms != 0)
        i++;
    buf_printf(out, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
}

/* --- UTF-8 (RFC 3629) --- */

/* Length of the well-formed character at p (n bytes there), or 0; *out gets its code point. */
static size_t utf8_char(const uint8_t *p, size_t n, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t want = p[0] < 0x80             ? 1
                  : (p[0] & 0xe0) == 0xc0 ? 2
                  : (p[0] & 0xf0) == 0xe0 ? 3
                  : (p[0] & 0xf8) == 0xf0 ? 4
                                          : 0;
    uint32_t c = want == 1 ? p[0] : p[0] & (0xffu >> (want + 1));

    if (want == 0 || want > n)
        return 0;
    for (size_t i = 1; i < want; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < least[want] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *out = c;
    return want;
}

int text_utf8_next(const void *p, size_t n, uint32_t *out)
{
    const uint8_t *s = p;
    uint8_t whole[8];
    uint32_t ignored;
    size_t length = utf8_char(s, n, out);

    if (length > 0 || n >= 4)
        return (int)length;
    /* What can be made whole is a beginning. 0x80 is the lowest that may follow, 0xbf the highest: one of
     * them keeps clear of overlong forms and surrogates whenever anything does. */
    for (unsigned fill = 0x80; fill <= 0xbf; fill += 0x3f) {
        memcpy(whole, s, n);
        memset(whole + n, (int)fill, sizeof(whole) - n);
        if (utf8_char(whole, sizeof(whole), &ignored) > n)
            return -1;
    }
    return 0;
}

bool text_is_utf8(const void *p, size_t n)
{
    const uint8_t *s = p;
    uint32_t c;

    for (size_t i = 0, k; i < n; i += k) {
        k = utf8_char(s + i, n - i, &c);
        if (k == 0 || c == 0)
            return false;
    }
    return true;
}

/* Controls and those characters that turn or hide what stands around them in a terminal. */
static bool is_printable(uint32_t c)
{
    return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && !(c >= 0x200b && c <= 0x200f) &&
           !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069) && c != 0xfeff;
}

/* How much of s is plain ASCII and fits. */
static size_t plain_run(const struct buf *out, const uint8_t *s, size_t n)
{
    size_t room = out->max - out->len;
    size_t run = 0;

    while (run < n && run < room && s[run] >= ' ' && s[run] < 0x7f)
        run++;
    return run;
}

void text_printable(struct buf *out, const void *p, size_t n)
{
    const uint8_t *s = p;
    uint32_t c;

    for (size_t i = 0, k; i < n; i += k) {
        k = plain_run(out, s + i, n - i);
        if (k > 0) {
            buf_add(out, s + i, k);
            continue;
        }
        k = utf8_char(s + i, n - i, &c);
        if (k > 0 && is_printable(c)) {
            buf_add(out, s + i, k);
        } else if (k == 1 && (c == '\n' || c == '\t' || c == '\r')) {
            buf_puts(out, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
        } else {
            k = k > 0 ? k : 1;
            for (size_t j = 0; j < k; j++)
                buf_printf(out, "\\x%02x", s[i + j]);
        }
    }
}

/* --- base64, hex --- */

void text_base64(struct buf *out, const void *p, size_t n)
{
    uint8_t *room = n < (size_t)INT32_MAX / 2 ? buf_room(out, 4 * ((n + 2) / 3)) : NULL;

    if (!room)
        out->failed = true;
    else if (n > 0)
        buf_added(out, (size_t)EVP_EncodeBlock(room, p, (int)n));
}

static int base64_value(char c)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(alphabet, c) : NULL;

    return at ? (int)(at - alphabet) : -1;
}

bool text_base64_decode(struct buf *out, const char *s, size_t n)
{
    size_t before = out->len, quad = 0, padding = 0;
    uint32_t bits = 0;

    for (size_t i = 0; i < n; i++) {
        int value = base64_value(s[i]);

        if (s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n')
            continue;
        if (s[i] == '=' && quad >= 2 && padding < 2)
            padding++;
        else if (value < 0 || padding > 0)
            goto bad;
        bits = bits << 6 | (uint32_t)(value < 0 ? 0 : value);
        if (++quad < 4)
            continue;
        for (size_t k = 0; k < 3 - padding; k++)
            buf_putc(out, (char)(bits >> (16 - 8 * k)));
        if (padding > 0 && (bits & ((1u << (8 * padding)) - 1)) != 0)
            goto bad;
        quad = 0;
        bits = 0;
    }
    if (quad == 0 && buf_ok(out))
        return true;
bad:
    if (out->p) {
        out->len = before;
        out->p[before] = '\0';
    }
    return false;
}

void text_hex(struct buf *out, const void *p, size_t n, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    const uint8_t *s = p;

    for (size_t i = 0; i < n; i++) {
        buf_putc(out, digits[s[i] >> 4]);
        buf_putc(out, digits[s[i] & 15]);
    }
}

/* --- versions --- */

int text_version_compare(const char *a, const char *b)
{
    while (*a || *b) {
        size_t na, nb;
        int order;

        a += strspn(a, "0");
        b += strspn(b, "0");
        na = strspn(a, "0123456789");
        nb = strspn(b, "0123456789");
        if (na != nb)
            return na < nb ? -1 : 1;
        order = strncmp(a, b, na);
        if (order != 0)
            return order;
        a += na;
        b += nb;
        if (*a != '.' || *b != '.') {
            if (*a == '.' || *b == '.') /* the longer one is the later one */
                return *a == '.' ? 1 : -1;
            return strcmp(a, b);
        }
        a++;
        b++;
    }
    return 0;
}

/* --- text with escapes --- */

static bool hex_byte(const char *t, char *out)
{
    static const char digits[] = "0123456789abcdef";
    int value = 0;

    for (int i = 0; i < 2; i++) {
        const char *at = t[i] ? strchr(digits, tolower((unsigned char)t[i])) : NULL;

        if (!at)
            return false;
        value = value * 16 + (int)(at - digits);
    }
    *out = (char)value;
    return true;
}

/* Behind a backslash. Returns how many characters it took, 0: none that is known. */
static size_t unescape_one(const char *t, char *out)
{
    static const char letters[] = "e\033r\rn\nt\tb\ba\a\\\\";

    if (t[0] == 'x')
        return hex_byte(t + 1, out) ? 3 : 0;
    if (t[0] >= '0' && t[0] <= '3' && t[1] >= '0' && t[1] <= '7' && t[2] >= '0' && t[2] <= '7') {
        *out = (char)((t[0] - '0') << 6 | (t[1] - '0') << 3 | (t[2] - '0'));
        return 3;
    }
    for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
        if (letters[i] == t[0]) {
            *out = letters[i + 1];
            return 1;
        }
    }
    return 0;
}

bool text_unescape(const char *text, struct buf *out)
{
    for (; *text; text++) {
        char c = *text;

        if (c == '\\') {
            size_t n = unescape_one(text + 1, &c);

            if (n == 0)
                return false;
            text += n;
        } else if (c == '^' && (text[1] == '?' || (text[1] >= '@' && text[1] <= 'z'))) {
            c = text[1] == '?' ? '\x7f' : (char)(text[1] & 0x1f);
            text++;
        }
        buf_add(out, &c, 1);
    }
    return true;
}
