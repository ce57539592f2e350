#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtcli/progress.h"

static void says(void **state)
{
    static const struct {
        struct progress p;
        int64_t now;
        const char *text;
    } rows[] = {
        {{.hosts = 100}, 0, "0 of 100 done, 0 failed, 100 left, 1s"},
        {{.hosts = 100}, 3000, "0 of 100 done, 0 failed, 100 left, 3s"},
        {{.hosts = 100, .ok = 45, .failed = 5}, 10000, "50 of 100 done, 5 failed, 50 left, 5.0/s, about 10s"},
        {{.hosts = 1000, .ok = 200}, 10000, "200 of 1000 done, 0 failed, 800 left, 20/s, about 40s"},
        {{.hosts = 10000, .ok = 1}, 1000, "1 of 10000 done, 0 failed, 9999 left, 1.0/s, about 2.8h"},
        {{.hosts = 2, .ok = 2}, 5000, "2 of 2 done, 0 failed, 0 left, 5s"},
        {{.hosts = 2, .ok = 2, .failed = 1}, 5000, "3 of 2 done, 1 failed, 0 left, 5s"},
        {{.hosts = 40, .ok = 20, .stage = 1, .stages = 2, .pause_until = 35000},
         5000,
         "20 of 40 done, 0 failed, 20 left, stage 1 of 2, next stage in 30s"},
        {{.hosts = 40, .ok = 20, .stopping = true, .pause_until = 35000},
         5000,
         "20 of 40 done, 0 failed, 20 left, stopping"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf text = buf_init(512);

        progress_text(&rows[i].p, rows[i].now, &text);
        assert_string_equal(buf_str(&text), rows[i].text);
        buf_free(&text);
    }
}

static void draws_and_goes_away(void **state)
{
    struct clock_fake fake = {.mono = 1000};
    const struct clock clock = clock_fake_init(&fake);
    FILE *out = tmpfile();
    char text[512] = "";
    struct progress p;
    size_t n;

    (void)state;
    assert_non_null(out);
    progress_init(&p, &clock, out);
    progress_draw(&p); /* nothing is known yet */
    progress_erase(&p);
    p.hosts = 3;
    progress_draw(&p);
    p.ok = 1;
    progress_draw(&p); /* too soon */
    fake.mono += PROGRESS_REDRAW_MS;
    progress_draw(&p);
    progress_erase(&p);
    progress_erase(&p);
    rewind(out);
    n = fread(text, 1, sizeof(text) - 1, out);
    text[n] = '\0';
    assert_string_equal(text, "\r\033[K0 of 3 done, 0 failed, 3 left, 1s"
                              "\r\033[K1 of 3 done, 0 failed, 2 left, 10/s, about 1s\r\033[K");
    fclose(out);
}

static void nothing_without_terminal(void **state)
{
    struct progress p;

    (void)state;
    progress_init(&p, clock_system(), NULL);
    p.hosts = 3;
    progress_draw(&p);
    progress_erase(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says),
        cmocka_unit_test(draws_and_goes_away),
        cmocka_unit_test(nothing_without_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
