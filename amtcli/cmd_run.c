/* What is done to hosts: power, boot, info, doctor, profile test; and runs that were. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/cmd_run.h"
#include "amtcli/output.h"
#include "amtcli/run_view.h"
#include "base/text.h"

const struct option_row options_yes[] = {{"yes", 'y', NULL, "do not ask"}, {NULL}};
const struct option_row options_output[] = {{"output", 'o', "FORMAT", "table, json or csv"}, {NULL}};

static json_t *run_params(const char *task, json_t *args, const char *target)
{
    return json_pack("{s:s, s:o, s:s}", "task", task, "args", args, "target", target);
}

/* --- power --- */

static const struct option_row graceful_options[] = {
    {"graceful", 'g', "[T]", "ask the operating system first; go on without it after T (default 60s)"},
    {"no-wait", 0, NULL, "done when the device accepts: do not watch the state"},
    {NULL},
};
static const struct option_row wait_options[] = {
    {"no-wait", 0, NULL, "done when the device accepts: do not watch the state"}, {NULL}};

/* "power soft-off" -> "soft-off" */
static int power(struct context *ctx)
{
    json_t *args = json_pack("{s:s}", "action", ctx->command->name + strlen("power "));
    const char *limit = args_value(&ctx->args, "graceful");
    int64_t ms;

    if (limit && !text_duration_ms(limit, 1000, 3600000, &ms)) {
        fprintf(stderr, "amtcli: --graceful expects a time from 1s to 1h, not '%s'\n", limit);
        json_decref(args);
        return EXIT_USAGE;
    }
    if (args_has(&ctx->args, "graceful"))
        json_object_set_new(args, "graceful", json_true());
    if (limit)
        json_object_set_new(args, "graceful_ms", json_integer(ms));
    if (args_has(&ctx->args, "no-wait"))
        json_object_set_new(args, "no_wait", json_true());
    return run_and_show(ctx, run_params("power", args, ctx->args.operands[0]), RUN_POWER);
}

static const struct option_row *const status_tables[] = {options_output, options_run, NULL};
static const struct option_row *const hard_tables[] = {graceful_options, options_output, options_yes,
                                                       options_run, NULL};
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
    {"to", 't', "WHERE",
     "normal, bios, bios-pause, pxe, disk, cd, diagnostics, safe-mode, ider-cd, ider-floppy"},
    {"reset", 'r', NULL, "reset (or power on) now; else it holds for the next boot"},
    {"graceful", 'g', NULL, "with --reset: ask the operating system to restart"},
    {"media", 0, "N", "which disk or CD, from 1 on"},
    {"sol", 0, NULL, "send the firmware's screen to the serial console"},
    {"verbosity", 0, "HOW", "of the firmware: default, quiet, verbose or blank"},
    {"lock", 0, "WHAT", "until the next boot: keyboard, power, reset or sleep; may be given several times"},
    {"password-bypass", 0, NULL, "do not ask for the firmware's user password"},
    {"progress-events", 0, NULL, "report all progress as events"},
    {"secure-boot", 0, NULL, "enforce secure boot"},
    {NULL},
};

static int add_locks(json_t *args, const struct args *given)
{
    static const char *const locks[][2] = {{"keyboard", "lock_keyboard"},
                                           {"power", "lock_power_button"},
                                           {"reset", "lock_reset_button"},
                                           {"sleep", "lock_sleep_button"}};
    const char *text;

    for (size_t i = 0; (text = args_value_at(given, "lock", i)); i++) {
        size_t k = 0;

        while (k < 4 && strcmp(locks[k][0], text) != 0)
            k++;
        if (k == 4) {
            fprintf(stderr, "amtcli: --lock expects keyboard, power, reset or sleep, not '%s'\n", text);
            return -1;
        }
        json_object_set_new(args, locks[k][1], json_true());
    }
    return 0;
}

static int boot(struct context *ctx)
{
    static const char *const flags[][2] = {{"reset", "reset"},
                                           {"graceful", "graceful"},
                                           {"sol", "use_sol"},
                                           {"password-bypass", "password_bypass"},
                                           {"progress-events", "progress_events"},
                                           {"secure-boot", "secure_boot"}};
    const char *to = args_value(&ctx->args, "to"), *media = args_value(&ctx->args, "media");
    const char *verbosity = args_value(&ctx->args, "verbosity");
    json_t *args;
    uint64_t number = 0;

    if (!to || (media && !text_u64(media, 1, 255, &number))) {
        fprintf(stderr, !to ? "amtcli boot: expected --to WHERE; see 'amtcli boot --help'\n"
                            : "amtcli: --media expects a number from 1 on\n");
        return EXIT_USAGE;
    }
    args = json_pack("{s:s}", "to", to);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (args_has(&ctx->args, flags[i][0]))
            json_object_set_new(args, flags[i][1], json_true());
    if (media)
        json_object_set_new(args, "media_index", json_integer((json_int_t)number));
    if (verbosity)
        json_object_set_new(args, "verbosity", json_string(verbosity));
    if (add_locks(args, &ctx->args) != 0) {
        json_decref(args);
        return EXIT_USAGE;
    }
    return run_and_show(ctx, run_params("boot", args, ctx->args.operands[0]), RUN_POWER);
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
    "boot pc7 --to bios --reset\nboot @lab --to pxe --reset --yes\nboot pc7 --to cd --media 1",
    boot};

/* --- info, doctor, profile test --- */

static int info(struct context *ctx)
{
    return run_and_show(ctx, run_params("info", json_object(), ctx->args.operands[0]), RUN_DETAIL_INFO);
}

static int doctor(struct context *ctx)
{
    return run_and_show(ctx, run_params("doctor", json_object(), ctx->args.operands[0]), RUN_DETAIL_CHECKS);
}

static int profile_test(struct context *ctx)
{
    json_t *params = run_params("probe", json_object(), ctx->args.operands[1]);

    json_object_set_new(params, "profile", json_string(ctx->args.operands[0]));
    return run_and_show(ctx, params, RUN_POWER);
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

static bool run_number(const char *text, uint64_t *number)
{
    if (text_u64(text, 1, INT64_MAX, number))
        return true;
    fprintf(stderr, "amtcli: expected the number of a run, not '%s'; see 'amtcli run list'\n", text);
    return false;
}

static int run_list(struct context *ctx)
{
    static const struct column columns[] = {{"RUN", "run"},
                                            {"TASK", "task"},
                                            {"ARGS", "args"},
                                            {"TARGET", "target"},
                                            {"WHO", "who"},
                                            {"BEGAN", "began"},
                                            {"ENDED", "ended"},
                                            {"HOSTS", "hosts"},
                                            {"OK", "ok"},
                                            {"FAILED", "failed"},
                                            {NULL}};
    enum format format;
    json_t *reply;
    int code;

    if (output_format(&ctx->args, &format) != 0)
        return EXIT_USAGE;
    code = context_call(ctx, "run.list", NULL, &reply);
    if (code != 0)
        return code;
    output_rows(format, reply, columns);
    json_decref(reply);
    return EXIT_ALL;
}

static int run_show(struct context *ctx)
{
    enum run_shape shape = RUN_POWER;
    enum format format;
    const char *task;
    uint64_t number;
    json_t *reply;
    int code;

    if (output_format(&ctx->args, &format) != 0 || !run_number(ctx->args.operands[0], &number))
        return EXIT_USAGE;
    code = context_call(ctx, "run.show", json_pack("{s:I}", "run", (json_int_t)number), &reply);
    if (code != 0)
        return code;
    task = json_string_value(json_object_get(reply, "task"));
    if (task && strcmp(task, "info") == 0)
        shape = RUN_DETAIL_INFO;
    else if (task && strcmp(task, "doctor") == 0)
        shape = RUN_DETAIL_CHECKS;
    if (format == FORMAT_JSON)
        output_json(reply);
    else
        show_results(&ctx->args, json_object_get(reply, "results"), shape);
    json_decref(reply);
    return EXIT_ALL; /* of the showing; the run's own was told when it ended */
}

static int run_cancel(struct context *ctx)
{
    uint64_t number;
    json_t *reply;
    int code;

    if (!run_number(ctx->args.operands[0], &number))
        return EXIT_USAGE;
    code = context_call(ctx, "run.cancel", json_pack("{s:I}", "run", (json_int_t)number), &reply);
    if (code != 0)
        return code;
    fprintf(stderr, "%lld hosts had not begun and are spared\n",
            (long long)json_integer_value(json_object_get(reply, "cancelled")));
    json_decref(reply);
    return EXIT_ALL;
}

static const struct option_row fold_options[] = {{"fold", 'b', NULL, "one line for hosts with equal results"},
                                                 {NULL}};
static const struct option_row *const show_tables[] = {options_output, fold_options, NULL};

const struct command command_run_list = {"run list",    "",         0,       0, "list runs, newest first",
                                         output_tables, "run list", run_list};
const struct command command_run_show = {
    "run show", "RUN", 1, 1, "show what became of a run", show_tables, "run show 12\nrun show 12 -o json",
    run_show};
const struct command command_run_cancel = {
    "run cancel", "RUN", 1, 1, "begin no more hosts of a run", NULL, "run cancel 12", run_cancel};
