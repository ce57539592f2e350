/* Jobs: sequences of tasks on many hosts, out of a file. */
#include "amtcli/cmd_job.h"

#include <stdio.h>

#include "amtcli/job_input.h"
#include "amtcli/output.h"

/* --- check --- */

static void print_checked(struct context *ctx, const struct job_input *input, const char *path)
{
    static const struct column columns[] = {{"TASK", "name"},
                                            {"KIND", "kind"},
                                            {"WHEN", "when"},
                                            {"RETRIES", "retries"},
                                            {"IF IT FAILS", "on_failure"},
                                            {NULL, NULL}};
    const json_t *mistakes = json_object_get(input->checked, "mistakes");
    json_t *job = json_object_get(input->checked, "job"), *out;

    if (output_format(&ctx->args) == FORMAT_JSON) {
        out = json_pack("{s:s, s:s, s:O, s:O}", "file", path, "result",
                        json_array_size(mistakes) > 0 ? "invalid" : "good", "mistakes", mistakes, "job", job);
        output_json(out);
        json_decref(out);
    } else if (json_array_size(mistakes) == 0) {
        output_rows(output_format(&ctx->args), json_object_get(job, "tasks"), columns);
    }
}

static int job_check(struct context *ctx)
{
    const char *path = ctx->args.operands[0];
    struct job_input input = {0};
    int code = job_input_open(ctx, path, &input);

    if (code == 0) {
        print_checked(ctx, &input, path);
        fflush(stdout);
        if (job_input_tell(&input, path) > 0)
            code = EXIT_USAGE;
    }
    job_input_clear(&input);
    return code;
}

static const struct option_row *const check_tables[] = {options_output, NULL};

const struct command command_job_check = {"job check",
                                          "FILE",
                                          1,
                                          1,
                                          "read a job file and tell every mistake in it",
                                          check_tables,
                                          "job check nightly.yaml\njob check nightly.yaml -o json",
                                          job_check};

/* --- schema --- */

static int job_schema(struct context *ctx)
{
    json_t *reply;
    int code = context_call(ctx, "job.schema", NULL, &reply);

    if (code == 0)
        output_json(reply);
    json_decref(reply);
    return code;
}

const struct command command_job_schema = {
    "job schema", "", 0, 0, "print what a job file may hold, as JSON Schema", NULL, "job schema", job_schema};
