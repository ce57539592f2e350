/* A mail about what a console said: whatever the subject and the text are, its headers are ours alone, and
 * its lines end as a mail's lines do. Input: sender NUL subject NUL text NUL attachment. */
#include <stdlib.h>
#include <string.h>

#include "amtd/reactions/mail_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The headers up to the first empty line: each begins with one of these, or goes on with a blank. */
static void check_headers(const char *mail)
{
    static const char *const names[] = {"Date: ",         "From: <",        "To: <",
                                        "Subject:",       "Message-ID: <",  "Auto-Submitted: ",
                                        "MIME-Version: ", "Content-Type: ", "Content-Transfer-Encoding: "};
    size_t seen[sizeof(names) / sizeof(names[0])] = {0};

    for (const char *line = mail; strncmp(line, "\r\n", 2) != 0; line = strstr(line, "\r\n") + 2) {
        size_t i = 0;

        while (i < sizeof(names) / sizeof(names[0]) && strncmp(line, names[i], strlen(names[i])) != 0)
            i++;
        if (line[0] == ' ' && line > mail)
            continue;
        if (i == sizeof(names) / sizeof(names[0]) || ++seen[i] > 1)
            abort();
    }
}

static void check_lines(const char *mail, size_t n)
{
    size_t length = 0;

    for (size_t i = 0; i < n; i++) {
        if ((mail[i] == '\n') != (i > 0 && mail[i - 1] == '\r'))
            abort();
        length = mail[i] == '\n' ? 0 : length + 1;
        if (mail[i] == '\0' || (mail[i] & 0x80) || length > 300)
            abort();
    }
    if (length != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *input = malloc(size + 1), *parts[3], *at = input, *end = input + size;
    char *to[] = {(char *)"anna@example.com", (char *)"bert@example.com"};
    struct buf out = buf_init(1 << 20);
    struct mail_text mail = {
        .to = to, .to_count = 2, .id = "a1", .name = "pc7.txt", .type = "text/plain; charset=utf-8"};

    memcpy(input, data, size);
    input[size] = '\0';
    for (size_t i = 0; i < 3; i++) {
        parts[i] = at;
        at += strlen(at);
        at += at < end;
    }
    mail.from = mail_address_ok(parts[0]) ? parts[0] : "amtd@example.com";
    mail.subject = parts[1];
    mail.text = parts[2];
    if (at < end) {
        mail.data = (const uint8_t *)at;
        mail.data_len = (size_t)(end - at);
    }
    mail_text(&mail, &out);
    if (buf_ok(&out)) {
        check_lines(buf_str(&out), out.len);
        check_headers(buf_str(&out));
    }
    buf_free(&out);
    free(input);
    return 0;
}
