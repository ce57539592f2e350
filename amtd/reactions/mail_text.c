#include "amtd/reactions/mail_text.h"

#include <string.h>
#include <time.h>

#include "base/text.h"

#define WORD_BYTES  42 /* of a header, in one encoded word of at most 75 characters (RFC 2047) */
#define LINE_BYTES  57 /* 76 characters of base64 */
#define SUBJECT_MAX 400

bool mail_address_ok(const char *address)
{
    size_t n = strlen(address), at = strcspn(address, "@");

    if (n > 254 || at == 0 || at + 1 >= n || strchr(address + at + 1, '@'))
        return false;
    for (size_t i = 0; i < n; i++)
        if (address[i] <= ' ' || address[i] > '~' || strchr("<>,;:\"\\()[]", address[i]))
            return false;
    return true;
}

static void put_date(int64_t at_ms, struct buf *out)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    buf_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday,
               months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* As encoded words, whatever is in it: so nothing in it can be a header. Characters are not torn. */
static void put_subject(const char *subject, struct buf *out)
{
    size_t n = strnlen(subject, SUBJECT_MAX);
    uint8_t word[WORD_BYTES];
    size_t have = 0;
    uint32_t c;

    buf_puts(out, "Subject:");
    for (size_t i = 0; i < n || have > 0;) {
        int length = i < n ? text_utf8_next(subject + i, n - i, &c) : 0;

        if (i == n || have + (size_t)(length > 0 ? length : 1) > sizeof(word)) {
            buf_puts(out, " =?utf-8?B?");
            text_base64(out, word, have);
            buf_puts(out, i < n ? "?=\r\n" : "?=");
            have = 0;
        } else if (length > 0 && c >= ' ' && c != 0x7f) {
            memcpy(word + have, subject + i, (size_t)length);
            have += (size_t)length;
            i += (size_t)length;
        } else {
            word[have++] = ' ';
            i += length > 0 ? (size_t)length : 1;
        }
    }
    buf_puts(out, "\r\n");
}

static void put_base64(const uint8_t *p, size_t n, struct buf *out)
{
    buf_puts(out, "Content-Transfer-Encoding: base64\r\n\r\n");
    for (size_t i = 0; i < n; i += LINE_BYTES) {
        text_base64(out, p + i, n - i < LINE_BYTES ? n - i : LINE_BYTES);
        buf_puts(out, "\r\n");
    }
}

/* A line that says what to do with the line ends: those of a text are CR LF in a mail. */
static void put_text(const char *text, struct buf *out)
{
    struct buf lines = buf_init(out->max);

    for (const char *s = text; *s; s++) {
        if (*s == '\n')
            buf_putc(&lines, '\r');
        if (*s != '\r')
            buf_putc(&lines, *s);
    }
    buf_puts(out, "Content-Type: text/plain; charset=utf-8\r\n");
    put_base64(lines.p, lines.len, out);
    buf_free(&lines);
}

void mail_text(const struct mail_text *mail, struct buf *out)
{
    put_date(mail->at_ms, out);
    buf_printf(out, "From: <%s>\r\n", mail->from);
    for (size_t i = 0; i < mail->to_count; i++)
        buf_printf(out, "%s<%s>%s\r\n", i == 0 ? "To: " : " ", mail->to[i],
                   i + 1 < mail->to_count ? "," : "");
    put_subject(mail->subject, out);
    buf_printf(out, "Message-ID: <%s%s>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n", mail->id,
               strchr(mail->from, '@'));
    if (!mail->data) {
        put_text(mail->text, out);
        return;
    }
    buf_printf(out, "Content-Type: multipart/mixed; boundary=\"=%s\"\r\n\r\n--=%s\r\n", mail->id, mail->id);
    put_text(mail->text, out);
    buf_printf(out, "--=%s\r\nContent-Type: %s\r\nContent-Disposition: attachment; filename=\"%s\"\r\n",
               mail->id, mail->type, mail->name);
    put_base64(mail->data, mail->data_len, out);
    buf_printf(out, "--=%s--\r\n", mail->id);
}
