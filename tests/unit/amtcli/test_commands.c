#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "amtcli/cmd.h"
#include "amtcli/topics.h"
#include "amtcli/words.h"
#include "tests/unit/amtcli/fake_client.h"

static int run_line(const char *line)
{
    struct context ctx = {0};
    struct words words;
    int code;

    words_split(&words, line, false);
    code = run_command(&ctx, (int)words.count, words.items);
    fflush(stdout);
    client_close(ctx.client);
    words_clear(&words);
    return code;
}

#define LIST_HOSTS                                                                                           \
    "host.list "                                                                                             \
    "{\"fields\":[\"name\",\"address\",\"facts.power\",\"facts.amt.version\",\"facts.reach\",\"login\","     \
    "\"tags.*\",\"profile\",\"facts.profile\"]"

/* What a command line asks of amtd, and what it exits with. */
static void asks_amtd(void **state)
{
    static const struct {
        const char *line;
        struct fake_answer answers[3];
        const char *asked;
        int code;
    } rows[] = {
        {"power status pc1 -P 8 --per-subnet 2 --timeout 3s",
         {{"run.start",
           "[{\"run\":1,\"hosts\":1},{\"row\":{\"host\":\"pc1\",\"result\":\"ok\",\"state\":\"on\"}}]",
           "{}"}},
         "run.start {\"args\":{\"action\":\"status\"},\"parallel\":8,\"per_subnet\":2,\"target\":\"pc1\","
         "\"task\":\"power\",\"timeout_ms\":3000}\n",
         EXIT_ALL},
        {"power off pc1 -g=90s --yes",
         {{"run.start",
           "[{\"run\":1,\"hosts\":1},{\"row\":{\"host\":\"pc1\",\"result\":\"failed\",\"cause\":\"busy\"}}]",
           "{}"}},
         "run.start "
         "{\"args\":{\"action\":\"off\",\"graceful\":true,\"graceful_ms\":90000},\"confirmed\":true,"
         "\"target\":\"pc1\",\"task\":\"power\"}\n",
         EXIT_SOME_FAILED},
        {"power off pc1",
         {{"run.start", NULL, NULL, CAUSE_REFUSED_UNCONFIRMED}},
         "run.start {\"args\":{\"action\":\"off\"},\"target\":\"pc1\",\"task\":\"power\"}\n",
         EXIT_REFUSED},
        {"info nosuch",
         {{"run.start", NULL, NULL, CAUSE_NOT_FOUND}},
         "run.start {\"args\":{},\"target\":\"nosuch\",\"task\":\"info\"}\n",
         EXIT_USAGE},
        {"filter check quarantine --target @lab --set dns=10.0.0.2",
         {{"host.list", NULL, "[{\"name\":\"pc1\",\"facts\":{\"amt.version\":\"16.0.15\"},\"tags\":{}}]"},
          {"filter.names", NULL,
           "[{\"host\":\"pc1\",\"names\":{\"management\":\"10.0.0.5\"},\"differ\":{}}]"}},
         "host.list {\"target\":\"@lab\"}\nfilter.names {\"target\":\"@lab\"}\n",
         EXIT_ALL},
        {"filter check quarantine --target pc2 --set dns=10.0.0.2",
         {{"host.list", NULL, "[{\"name\":\"pc2\",\"facts\":{\"amt.version\":\"2.5.1\"},\"tags\":{}}]"},
          {"filter.names", NULL, "[{\"host\":\"pc2\",\"names\":{},\"differ\":{}}]"}},
         "host.list {\"target\":\"pc2\"}\nfilter.names {\"target\":\"pc2\"}\n",
         EXIT_USAGE},
        {"host list", {{"host.list", NULL, NULL, CAUSE_NO_DAEMON}}, LIST_HOSTS "}\n", EXIT_NO_DAEMON},
        {"password show pc1", /* details that nobody wants are freed */
         {{"password.show", NULL, "[]", CAUSE_NOT_FOUND}},
         "password.show {\"host\":\"pc1\"}\n",
         EXIT_USAGE},
        {"host list @lab", {{"host.list", NULL, "[]"}}, LIST_HOSTS ",\"target\":\"@lab\"}\n", EXIT_ALL},
        {"host add pc[1-2] -a 10.0.0.1 -t a=b -t c=d",
         {{"host.add", NULL, "{\"added\":2}"}},
         "host.add {\"address\":\"10.0.0.1\",\"hosts\":\"pc[1-2]\",\"tags\":{\"a\":\"b\",\"c\":\"d\"}}\n",
         EXIT_ALL},
        {"host set pc1 -t a= --forget-pin",
         {{"host.set", NULL, "{\"changed\":1}"}},
         "host.set {\"forget\":[\"pin\"],\"tags\":{\"a\":null},\"target\":\"pc1\"}\n",
         EXIT_ALL},
        {"profile set lab --ca-file /x/ca.pem --old-tls off --clear-text on --connect-timeout 2s",
         {{"profile.put", NULL, "{}"}},
         "profile.put "
         "{\"ca_file\":\"/x/"
         "ca.pem\",\"clear_text\":true,\"connect_ms\":2000,\"name\":\"lab\",\"old_tls\":false,"
         "\"replace\":true}\n",
         EXIT_ALL},
        {"redirection pc1 --sol on --kvm off",
         {{"run.start", NULL, "{}"}},
         "run.start "
         "{\"args\":{\"kvm\":\"off\",\"sol\":\"on\"},\"target\":\"pc1\",\"task\":\"redirection\"}\n",
         EXIT_ALL},
        {"consent pc1 policy all",
         {{"run.start", NULL, "{}"}},
         "run.start "
         "{\"args\":{\"action\":\"policy\",\"policy\":\"all\"},\"target\":\"pc1\",\"task\":\"consent\"}\n",
         EXIT_ALL},
        {"consent pc[1-2] code",
         {{"target.resolve", NULL, "{\"hosts\":[\"pc1\",\"pc2\"]}"}},
         "target.resolve {\"target\":\"pc[1-2]\"}\n",
         EXIT_USAGE},
        {"clock pc1 set --limit 1m",
         {{"run.start", NULL, "{}"}},
         "run.start {\"args\":{\"limit_ms\":60000,\"set\":true},\"target\":\"pc1\",\"task\":\"clock\"}\n",
         EXIT_ALL},
        {"event list --since 2h --console rack* --console pc1 -k pattern --severity warning",
         {{"event.list", NULL, "[]"}},
         "event.list {\"consoles\":[\"rack*\",\"pc1\"],\"kinds\":[\"pattern\"],\"severity\":\"warning\","
         "\"since_ms\":7200000}\n",
         EXIT_ALL},
        {"event follow", {{"event.follow", NULL, "{}"}}, "event.follow {\"limit\":10}\n", EXIT_ALL},
        {"event show 3", {{"event.show", NULL, "{\"id\":3}"}}, "event.show {\"id\":3}\n", EXIT_ALL},
        {"event show x", {{NULL}}, "", EXIT_USAGE},
        {"activity --since 2h --limit 4",
         {{"activity.list", NULL, "[]"}},
         "activity.list {\"limit\":4,\"since_ms\":7200000}\n",
         EXIT_ALL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int code;

        fake_client_script(rows[i].answers);
        code = run_line(rows[i].line);
        if (strcmp(fake_client_asked(), rows[i].asked) != 0)
            fail_msg("%s: asked %s", rows[i].line, fake_client_asked());
        assert_int_equal(code, rows[i].code);
    }
}

static void mistakes_ask_nothing(void **state)
{
    static const char *const lines[] = {
        "powre off pc1",
        "power off",
        "power off pc1 pc2",
        "power off pc1 -P 0",
        "host add pc1 -t",
        "host add pc1 -t novalue",
        "power status pc1 --yes",
        "power",
        "boot pc1",
        "host import /no/such",
        "clock pc1 sett",
        "consent pc1 policy",
        "consent pc1 show kvm",
        "consent pc1 policy some",
        "redirection pc1 show --sol on",
        "redirection pc1 --sol yes",
    };
    static const struct fake_answer none[] = {{NULL}};

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        fake_client_script(none);
        assert_int_equal(run_line(lines[i]), EXIT_USAGE);
        assert_string_equal(fake_client_asked(), "");
    }
}

/* Each command can be found by its name, and shows its help. */
static void every_command_has_help(void **state)
{
    static const struct fake_answer none[] = {{NULL}};

    (void)state;
    fake_client_script(none);
    for (size_t i = 0; commands[i]; i++) {
        char line[128];

        assert_true(commands[i]->summary[0] && commands[i]->examples && commands[i]->run);
        snprintf(line, sizeof(line), "%s --help", commands[i]->name);
        assert_int_equal(run_line(line), EXIT_ALL);
    }
    assert_string_equal(fake_client_asked(), "");
}

/* The words of a command line as a shell hands them on: up to where it pipes or redirects. */
static int words_of_example(struct words *words, const char *line)
{
    int count = 0;

    words_split(words, line, false);
    while ((size_t)count < words->count && !strchr("|<>&", words->items[count][0]))
        count++;
    return count;
}

/* What help shows can be pasted: each example is a command without a mistake. */
static void every_example_can_be_pasted(void **state)
{
    (void)state;
    for (size_t i = 0; commands[i]; i++) {
        char *examples = strdup(commands[i]->examples), *rest = examples, *line;

        while ((line = strsep(&rest, "\n"))) {
            struct buf mistakes = buf_init(4096);
            const struct command *found;
            struct words words;
            struct args args;
            int named, count = words_of_example(&words, line);

            found = find_command(count, words.items, &named);
            if (!found)
                fail_msg("an example of '%s' is no command: %s", commands[i]->name, line);
            if (!command_read(found, count - named, words.items + named, &args, &mistakes))
                fail_msg("the example '%s': %s", line, buf_str(&mistakes));
            args_clear(&args);
            words_clear(&words);
            buf_free(&mistakes);
        }
        free(examples);
    }
}

static bool is_topic(const char *name, size_t n)
{
    for (const struct topic *topic = topics; topic->noun; topic++)
        if (strlen(topic->noun) == n && strncmp(topic->noun, name, n) == 0)
            return true;
    return false;
}

/* The first page of help leads to every command, and to no other. */
static void every_noun_is_a_topic(void **state)
{
    (void)state;
    for (size_t i = 0; commands[i]; i++)
        if (!is_topic(commands[i]->name, strcspn(commands[i]->name, " ")))
            fail_msg("'%s' is not in topics.c", commands[i]->name);
    for (const struct topic *topic = topics; topic->noun; topic++) {
        size_t k = 0;

        while (commands[k] && strncmp(commands[k]->name, topic->noun, strlen(topic->noun)) != 0)
            k++;
        if (!commands[k])
            fail_msg("there is no command '%s'", topic->noun);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_can_be_pasted),
        cmocka_unit_test(every_noun_is_a_topic),
        cmocka_unit_test(asks_amtd),
        cmocka_unit_test(mistakes_ask_nothing),
        cmocka_unit_test(every_command_has_help),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
