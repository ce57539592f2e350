/* What is done to hosts: power, boot, info, doctor, profile test; and runs that were. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/cmd_console.h"
#include "amtcli/cmd_run.h"
#include "amtcli/deed.h"
#include "amtcli/forms.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/result_view.h"
#include "amtcli/run_view.h"
#include "base/text.h"
#include "base/xalloc.h"

#define MS_HOUR  3600000
#define TEXT_MAX 65536

const struct option_row options_yes[] = {{"yes", 'y', OPTION_FLAG, NULL, "do not ask"}, {NULL}};

/* --- power --- */

static const struct option_row graceful_options[] = {
    {"graceful", 'g', OPTION_TIME, "T", "ask the operating system first; go on without it after T",
     .min = 1000, .max = MS_HOUR, .standard = "60s", .bare = true},
    {NULL},
};
static const struct option_row wait_options[] = {
    {"no-wait", 0, OPTION_FLAG, NULL, "done when the device accepts: do not watch the state"}, {NULL}};

/* "power soft-off" -> "soft-off" */
static int power(struct context *ctx)
{
    static const struct param map[] = {{"graceful", "graceful_ms"}, {"no-wait", "no_wait"}, {NULL}};
    json_t *args = json_pack("{s:s}", "action", ctx->command->name + strlen("power "));

    params_take(args, &ctx->args, map);
    if (args_has(&ctx->args, "graceful"))
        json_object_set_new(args, "graceful", json_true());
    return run_and_show(ctx, run_params("power", args, ctx->args.operands[0]), RESULT_POWER);
}

static const struct option_row *const status_tables[] = {options_output, options_run, NULL};
static const struct option_row *const hard_tables[] = {graceful_options, wait_options, options_output,
                                                       options_yes,      options_run,  NULL};
static const struct option_row *const plain_tables[] = {wait_options, options_output, options_yes,
                                                        options_run, NULL};

#define POWER(id, action, tables, text, examples)                                                            \
    const struct command command_power_##id = {"power " action, "TARGET", 1, 1, text, tables, examples, power}

POWER(status, "status", status_tables, "read the power state",
      "power status pc7\npower status @lab -o json\npower status all -b");
POWER(on, "on", plain_tables, "power on; wakes from sleep and standby",
      "power on @lab --batch 20 --pause 30s");
POWER(off, "off", hard_tables, "power off, at once unless --graceful",
      "power off pc7 --graceful\npower off @lab --graceful=3m --yes");
POWER(cycle, "cycle", hard_tables, "off and on; powers on what is off",
      "power cycle @lab --dry-run\npower cycle @lab --yes -o json > result.json\npower cycle 'pc[001-120]' "
      "--batch 20 --pause 1m --max-failures 3");
POWER(reset, "reset", hard_tables, "reset a running machine", "power reset pc7");
POWER(soft_off, "soft-off", plain_tables, "ask the operating system to shut down, never more",
      "power soft-off pc7");
POWER(soft_reset, "soft-reset", plain_tables, "ask the operating system to restart, never more",
      "power soft-reset pc7");
POWER(sleep, "sleep", plain_tables, "ask the operating system to sleep", "power sleep pc7");
POWER(hibernate, "hibernate", plain_tables, "ask the operating system to hibernate", "power hibernate pc7");
POWER(nmi, "nmi", plain_tables, "send a diagnostic interrupt (makes most systems dump)", "power nmi pc7");

/* --- boot --- */

static const struct option_row boot_options[] = {
    {"to", 't', OPTION_CHOICE, "WHERE", "what boots", .required = true,
     .choices = "normal bios bios-pause pxe disk cd diagnostics safe-mode ider ider-cd ider-floppy"},
    {"reset", 'r', OPTION_FLAG, NULL, "reset (or power on) now; else it holds for the next boot"},
    {"graceful", 'g', OPTION_FLAG, NULL, "with --reset: ask the operating system to restart"},
    {"console", 0, OPTION_FLAG, NULL,
     "attach to the serial console of the machine (one host), and see it boot"},
    {"media", 0, OPTION_NUMBER, "N", "which disk or CD", .min = 1, .max = 255},
    {"sol", 0, OPTION_FLAG, NULL, "send the firmware's screen to the serial console"},
    {"verbosity", 0, OPTION_CHOICE, "HOW", "what the firmware shows",
     .choices = "default quiet verbose blank"},
    {"lock", 0, OPTION_CHOICE, "WHAT", "what is locked until the next boot, may be given several times",
     .choices = "keyboard power reset sleep"},
    {"password-bypass", 0, OPTION_FLAG, NULL, "do not ask for the firmware's user password"},
    {"progress-events", 0, OPTION_FLAG, NULL, "report all progress as events"},
    {"secure-boot", 0, OPTION_FLAG, NULL, "enforce secure boot"},
    {NULL},
};

static void add_locks(json_t *args, const struct args *given)
{
    static const char *const fields[][2] = {{"keyboard", "lock_keyboard"},
                                            {"power", "lock_power_button"},
                                            {"reset", "lock_reset_button"},
                                            {"sleep", "lock_sleep_button"},
                                            {NULL}};
    const char *text;

    for (size_t i = 0; (text = args_value_at(given, "lock", i)); i++)
        for (size_t k = 0; fields[k][0]; k++)
            if (strcmp(fields[k][0], text) == 0)
                json_object_set_new(args, fields[k][1], json_true());
}

/* The console first, and then the boot: so nothing of it is missed. Takes run. */
static int boot_on_console(struct context *ctx, json_t *run)
{
    json_t *reply, *hosts;
    char *host = NULL;
    int code =
        context_call(ctx, "target.resolve", json_pack("{s:s}", "target", ctx->args.operands[0]), &reply);

    if (code == EXIT_ALL) {
        hosts = json_object_get(reply, "hosts");
        if (json_array_size(hosts) == 1)
            host = xstrdup(json_string_value(json_array_get(hosts, 0)));
        json_decref(reply);
    }
    if (host) {
        run_options(run, &ctx->args);
        json_object_set_new(run, "target", json_string(host));
        json_object_set_new(run, "confirmed", json_true());
        code = console_with_run(ctx, host, run);
    } else {
        json_decref(run);
        if (code == EXIT_ALL) {
            fputs("amtcli boot: --console goes with one host\n", stderr);
            code = EXIT_USAGE;
        }
    }
    free(host);
    return code;
}

static int boot(struct context *ctx)
{
    static const struct param map[] = {{"to", "to"},
                                       {"reset", "reset"},
                                       {"graceful", "graceful"},
                                       {"media", "media_index"},
                                       {"sol", "use_sol"},
                                       {"verbosity", "verbosity"},
                                       {"password-bypass", "password_bypass"},
                                       {"progress-events", "progress_events"},
                                       {"secure-boot", "secure_boot"},
                                       {NULL}};
    json_t *args = json_object(), *run;

    params_take(args, &ctx->args, map);
    if (strcmp(args_value(&ctx->args, "to"), "ider") == 0) /* what is served there: a CD mostly */
        json_object_set_new(args, "to", json_string("ider-cd"));
    add_locks(args, &ctx->args);
    run = run_params("boot", args, ctx->args.operands[0]);
    if (args_has(&ctx->args, "console") && !args_has(&ctx->args, "dry-run"))
        return boot_on_console(ctx, run);
    return run_and_show(ctx, run, RESULT_POWER);
}

static const struct option_row *const boot_tables[] = {boot_options, options_output, options_yes, options_run,
                                                       NULL};

const struct command command_boot = {
    "boot",
    "TARGET",
    1,
    1,
    "choose what the next boot does, once, and start it",
    boot_tables,
    "boot pc7 --to bios --reset --console\nboot @lab --to pxe --reset --yes\nboot pc7 --to cd --media 1",
    boot};

/* --- info, doctor, profile test --- */

static int info(struct context *ctx)
{
    return run_and_show(ctx, run_params("info", json_object(), ctx->args.operands[0]), RESULT_INFO);
}

static int doctor(struct context *ctx)
{
    return run_and_show(ctx, run_params("doctor", json_object(), ctx->args.operands[0]), RESULT_CHECKS);
}

static int profile_test(struct context *ctx)
{
    json_t *params = run_params("probe", json_object(), ctx->args.operands[1]);

    json_object_set_new(params, "profile", json_string(ctx->args.operands[0]));
    return run_and_show(ctx, params, RESULT_PLAIN);
}

static const struct option_row *const output_tables[] = {options_output, NULL};

const struct command command_info = {"info",
                                     "TARGET",
                                     1,
                                     1,
                                     "show what devices are: version, identity, settings",
                                     status_tables,
                                     "info pc7\ninfo @lab -o json",
                                     info};
const struct command command_doctor = {
    "doctor",      "TARGET",     1,     1, "examine the way to a host step by step, and say what to do next",
    status_tables, "doctor pc7", doctor};
const struct command command_profile_test = {
    "profile test", "PROFILE TARGET",       2,           2, "log in with a profile",
    output_tables,  "profile test lab pc7", profile_test};

/* --- runs that were --- */

static bool run_number(const char *text, int64_t *number)
{
    struct buf shown = buf_init(256);
    bool good = text_i64(text, 1, INT64_MAX, number);

    text_printable(&shown, text, strlen(text));
    if (!good)
        fprintf(stderr, "amtcli: expected the number of a run, not '%s'; see 'amtcli run list'\n",
                buf_str(&shown));
    buf_free(&shown);
    return good;
}

/* For people: what a run does as one asks for it. */
static void word_runs(json_t *rows)
{
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        char *text =
            deed_of_run(json_string_value(json_object_get(row, "task")), json_object_get(row, "args"));

        json_object_set_new(row, "what", json_string(text));
        free(text);
    }
}

static int run_list(struct context *ctx)
{
    static const struct param map[] = {{"limit", "limit"}, {NULL}};
    static const struct column columns[] = {
        {"RUN", "run"},   {"WHAT", "what"},   {"TARGET", "target"}, {"WHO", "who"},       {"BEGAN", "began"},
        {"TOOK", "took"}, {"HOSTS", "hosts"}, {"OK", "ok"},         {"FAILED", "failed"}, {NULL}};
    static const struct column csv[] = {{"RUN", "run"},
                                        {"TASK", "task"},
                                        {"ARGS", "args.*"},
                                        {"TARGET", "target"},
                                        {"WHO", "who"},
                                        {"BEGAN", "began"},
                                        {"ENDED", "ended"},
                                        {"HOSTS", "hosts"},
                                        {"OK", "ok"},
                                        {"FAILED", "failed"},
                                        {NULL}};
    enum format format = output_format(&ctx->args);
    json_t *params = json_object(), *reply;
    int code;

    params_take(params, &ctx->args, map);
    code = context_call(ctx, "run.list", params, &reply);
    if (code != 0)
        return code;
    if (format == FORMAT_TABLE) {
        form_took(reply);
        word_runs(reply);
    }
    output_rows(format, reply, format == FORMAT_CSV ? csv : columns);
    json_decref(reply);
    return EXIT_ALL;
}

/* Which run it was, for people. */
static void tell_run(const json_t *run)
{
    json_t *row = json_copy((json_t *)run), *rows = json_pack("[O]", row);
    struct buf text = buf_init(TEXT_MAX);

    word_runs(rows);
    form_took(rows);
    cell_text(row, "what", &text);
    buf_puts(&text, " ");
    cell_text(row, "target", &text);
    buf_puts(&text, ", by ");
    cell_text(row, "who", &text);
    buf_puts(&text, ", ");
    cell_text(row, "began", &text);
    buf_puts(&text, json_object_get(row, "took") ? ", took " : ", under way");
    cell_text(row, "took", &text);
    fprintf(stderr, "%s\n", buf_str(&text));
    buf_free(&text);
    json_decref(rows);
    json_decref(row);
}

static int run_show(struct context *ctx)
{
    enum result_shape shape;
    int64_t number;
    json_t *reply;
    int code;

    if (!run_number(ctx->args.operands[0], &number))
        return EXIT_USAGE;
    code = context_call(ctx, "run.show", json_pack("{s:I}", "run", (json_int_t)number), &reply);
    if (code != 0)
        return code;
    shape = result_shape(json_string_value(json_object_get(reply, "task")));
    if (output_format(&ctx->args) == FORMAT_TABLE)
        tell_run(reply);
    if (output_format(&ctx->args) == FORMAT_JSON) {
        output_json(reply);
        code = results_code(json_object_get(reply, "results"));
    } else {
        code = show_results(&ctx->args, json_object_get(reply, "results"), shape);
    }
    json_decref(reply);
    return code;
}

static int run_cancel(struct context *ctx)
{
    int64_t number;
    json_int_t count;
    json_t *reply;
    int code;

    if (!run_number(ctx->args.operands[0], &number))
        return EXIT_USAGE;
    code = context_call(ctx, "run.cancel", json_pack("{s:I}", "run", (json_int_t)number), &reply);
    if (code != 0)
        return code;
    count = json_integer_value(json_object_get(reply, "cancelled"));
    fprintf(stderr, "%lld %s not begun and %s spared\n", (long long)count,
            text_plural((uint64_t)count, "host had", "hosts had"), text_plural((uint64_t)count, "is", "are"));
    json_decref(reply);
    return EXIT_ALL;
}

const struct option_row options_limit[] = {
    {"limit", 'n', OPTION_NUMBER, "N", "the newest N", .min = 1, .max = 100000, .standard = "50"}, {NULL}};
static const struct option_row fold_options[] = {
    {"fold", 'b', OPTION_FLAG, NULL, "one line for hosts with equal results"}, {NULL}};
static const struct option_row *const list_tables[] = {options_limit, options_output, NULL};
static const struct option_row *const show_tables[] = {options_output, fold_options, NULL};

const struct command command_run_list = {"run list",  "",         0,       0, "list runs, newest first",
                                         list_tables, "run list", run_list};
const struct command command_run_show = {"run show",
                                         "RUN",
                                         1,
                                         1,
                                         "show what became of a run; exit status as of the run",
                                         show_tables,
                                         "run show 12\nrun show 12 -o json",
                                         run_show};
const struct command command_run_cancel = {
    "run cancel", "RUN", 1, 1, "begin no more hosts of a run", NULL, "run cancel 12", run_cancel};
