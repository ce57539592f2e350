/* The objects of System Defense: when two filters mean the same, and what no hardware takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wsman/system_defense_objects.h"

static struct sd_filter task_server(void)
{
    return (struct sd_filter){
        .kind = SD_IP,
        .name = "task-tx",
        .profile = SD_PASS,
        .direction = SD_TX,
        .ip_version = 4,
        .protocol_given = true,
        .protocol = 6,
        .destination = {.given = true, .address = {10, 1, 2, 0}, .mask = {255, 255, 255, 0}},
        .destination_ports = {.given = true, .start = 50120, .end = 50124},
    };
}

static void test_same(void **state)
{
    struct sd_filter a = task_server(), b = task_server();

    (void)state;
    b.handle = 7;
    strcpy(b.name, "other");
    assert_true(sd_filter_same(&a, &b));
    b.source.mask[0] = 255; /* not given: means nothing */
    assert_true(sd_filter_same(&a, &b));
    b.destination.mask[3] = 255;
    assert_false(sd_filter_same(&a, &b));
    b = task_server();
    b.destination_ports.end = 50125;
    assert_false(sd_filter_same(&a, &b));
    b = task_server();
    b.profile = SD_PASS_COUNT;
    assert_false(sd_filter_same(&a, &b));
    b = task_server();
    b.kind = SD_ETHERNET;
    assert_false(sd_filter_same(&a, &b));
}

static void spoil_address(struct sd_filter *f)
{
    f->destination.address[3] = 1;
}
static void spoil_range(struct sd_filter *f)
{
    f->source_ports = (struct sd_ports){true, 68, 68};
}
static void spoil_order(struct sd_filter *f)
{
    f->destination_ports.end = 1;
}
static void spoil_protocol(struct sd_filter *f)
{
    f->protocol = 1;
}
static void spoil_rate(struct sd_filter *f)
{
    f->rate = 10;
}
static void spoil_flags(struct sd_filter *f)
{
    f->tcp_on = f->tcp_off = SD_TCP_SYN;
}
static void spoil_version(struct sd_filter *f)
{
    f->ip_version = 5;
}
static void spoil_name(struct sd_filter *f)
{
    f->name[0] = '\0';
}

static void test_check(void **state)
{
    static void (*const spoil[])(struct sd_filter *) = {spoil_address,  spoil_range, spoil_order,
                                                        spoil_protocol, spoil_rate,  spoil_flags,
                                                        spoil_version,  spoil_name};
    struct sd_filter f = task_server();
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(sd_filter_check(&f, &err), 0);
    for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
        f = task_server();
        spoil[i](&f);
        assert_int_equal(sd_filter_check(&f, &err), -1);
        assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
    }
}

static void assert_text(const struct sd_filter *f, const char *text)
{
    struct buf b = buf_init(300);

    sd_filter_text(f, &b);
    assert_string_equal(buf_str(&b), text);
    buf_free(&b);
}

static void test_text(void **state)
{
    struct sd_filter f = task_server();

    (void)state;
    assert_text(&f, "tx pass ipv4 tcp to 10.1.2.0/24 port 50120-50124");
    f.destination.mask[3] = 255;
    f.profile = SD_RATE_LIMIT;
    f.rate = 5;
    assert_text(&f, "tx limit 5/s ipv4 tcp to 10.1.2.0 port 50120-50124");
    f = (struct sd_filter){.kind = SD_ETHERNET, .direction = SD_RX, .profile = SD_DROP, .ethertype = 2054};
    assert_text(&f, "rx drop arp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
