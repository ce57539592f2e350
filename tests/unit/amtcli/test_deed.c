#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "amtcli/deed.h"

static void reads_as(const char *what, const char *wanted)
{
    char *text = deed_text(what);

    assert_string_equal(text, wanted);
    free(text);
}

static void runs_read_like_their_commands(void **state)
{
    (void)state;
    reads_as("run.start power {\"action\":\"cycle\"}", "power cycle");
    reads_as("run.start inventory {}", "inventory");
    reads_as("run.start filter {\"file\":\"quarantine.xml\",\"action\":\"apply\",\"for_ms\":5400000,"
             "\"set\":{\"management-server\":\"10.0.0.5\"},\"anti_spoof\":true}",
             "filter apply quarantine.xml for=90m set.management-server=10.0.0.5 anti-spoof");
    reads_as("run.start agent {\"action\":\"add\",\"names\":[\"a\",\"b\"],\"limit\":3,\"quiet\":false}",
             "agent add names=[\"a\",\"b\"] limit=3 quiet=false");
}

static void calls_say_what_they_were_given(void **state)
{
    (void)state;
    reads_as("grant.add {\"collection\":\"lab\",\"role\":\"operate\",\"user\":\"anna\"}",
             "grant.add collection=lab role=operate user=anna");
    reads_as("job.run nightly {\"canary\":2,\"pause_ms\":60000}", "job.run nightly canary=2 pause=1m");
    reads_as("host.set {\"tags\":{\"site\":null}}", "host.set tags.site=null");
}

/* Nothing of what somebody did is lost because it is not known here. */
static void what_is_no_run_stays(void **state)
{
    static const char *const same[] = {"",
                                       "host.add",
                                       "job.run nightly",
                                       "run.start ",
                                       "run.start power",
                                       "run.start power {\"action\":",
                                       "run.start power{}",
                                       "run.start {}",
                                       "run.start  {}",
                                       "grant.add {\"role\":",
                                       "configure lab{1}",
                                       NULL};

    (void)state;
    for (size_t i = 0; same[i]; i++)
        reads_as(same[i], same[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_read_like_their_commands),
        cmocka_unit_test(calls_say_what_they_were_given),
        cmocka_unit_test(what_is_no_run_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
