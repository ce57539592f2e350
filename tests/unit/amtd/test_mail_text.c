/* Mail as it goes out: what a console printed can be nothing but a subject. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/reactions/mail_text.h"
#include "base/text.h"

static char *to[] = {(char *)"a@example.com", (char *)"b@example.com"};

static struct buf write_mail(const char *subject, const char *data)
{
    const struct mail_text mail = {.from = "amtd@example.com",
                                   .to = to,
                                   .to_count = 2,
                                   .subject = subject,
                                   .id = "0123",
                                   .at_ms = 1767323045000,
                                   .text = "one\ntwo\r\n",
                                   .name = "x.txt",
                                   .type = "text/plain",
                                   .data = (const uint8_t *)data,
                                   .data_len = data ? strlen(data) : 0};
    struct buf out = buf_init(1 << 20);

    mail_text(&mail, &out);
    return out;
}

static void a_plain_one(void **state)
{
    struct buf out = write_mail("panic", NULL);

    (void)state;
    assert_string_equal(buf_str(&out), "Date: Fri, 2 Jan 2026 03:04:05 +0000\r\n"
                                       "From: <amtd@example.com>\r\n"
                                       "To: <a@example.com>,\r\n"
                                       " <b@example.com>\r\n"
                                       "Subject: =?utf-8?B?cGFuaWM=?=\r\n"
                                       "Message-ID: <0123@example.com>\r\n"
                                       "Auto-Submitted: auto-generated\r\n"
                                       "MIME-Version: 1.0\r\n"
                                       "Content-Type: text/plain; charset=utf-8\r\n"
                                       "Content-Transfer-Encoding: base64\r\n\r\n"
                                       "b25lDQp0d28NCg==\r\n");
    buf_free(&out);
}

/* Joins the encoded words again. */
static void decode_subject(const struct buf *mail, struct buf *out)
{
    const char *s = strstr(buf_str(mail), "Subject:"), *end = strstr(s, "\r\nMessage-ID");

    while ((s = strstr(s, "=?utf-8?B?")) && s < end) {
        const char *last = strstr(s + 10, "?=");

        assert_true(last - s <= 73);
        assert_true(text_base64_decode(out, s + 10, (size_t)(last - s - 10)));
        s = last;
    }
}

static void subjects_are_no_headers(void **state)
{
    static const struct {
        const char *subject, *said;
    } rows[] = {
        {"", ""},
        {"a\r\nBcc: victim@example.com", "a  Bcc: victim@example.com"},
        {"\xc3\xa4\xe2\x82\xac \x1b[1m\xff", "\xc3\xa4\xe2\x82\xac  [1m "},
        {"0123456789012345678901234567890123456789\xe2\x82\xac\xe2\x82\xac tail",
         "0123456789012345678901234567890123456789\xe2\x82\xac\xe2\x82\xac tail"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out = write_mail(rows[i].subject, NULL), said = buf_init(10000);

        decode_subject(&out, &said);
        assert_string_equal(buf_str(&said), rows[i].said);
        assert_null(strstr(buf_str(&out), "\nBcc"));
        buf_free(&out);
        buf_free(&said);
    }
}

static void attachments(void **state)
{
    struct buf out = write_mail("x", "hello");

    (void)state;
    assert_non_null(
        strstr(buf_str(&out), "Content-Type: multipart/mixed; boundary=\"=0123\"\r\n\r\n--=0123\r\n"));
    assert_non_null(strstr(buf_str(&out),
                           "filename=\"x.txt\"\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n"
                           "--=0123--\r\n"));
    buf_free(&out);
}

static void addresses(void **state)
{
    static const char *const good[] = {"a@b", "first.last+tag@mail.example.com"};
    static const char *const bad[] = {"", "a", "@b", "a@", "a b@c", "a@b@c", "<a@b>", "a@b\r\n", "a@b,c@d"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(mail_address_ok(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(mail_address_ok(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_plain_one),
                                       cmocka_unit_test(subjects_are_no_headers),
                                       cmocka_unit_test(attachments), cmocka_unit_test(addresses)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
