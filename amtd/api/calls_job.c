/* job.check and job.schema: job files, without any host. */
#include "amtd/api/calls.h"
#include "amtd/api/job_params.h"
#include "amtd/jobs/job.h"
#include "base/text.h"

/* {name, kind, set?}: what the caller is to send along. */
static json_t *files_json(const struct job_reading *reading)
{
    json_t *list = json_array();

    for (size_t i = 0; i < reading->file_count; i++) {
        const struct job_file *file = &reading->files[i];

        json_array_append_new(
            list, json_pack("{s:s, s:s*, s:O*}", "name", file->name, "kind", file->kind, "set", file->set));
    }
    return list;
}

struct job *job_from_params(const json_t *params, json_t **mistakes, struct err *err)
{
    const json_t *text = json_object_get(params, "text"), *sent = json_object_get(params, "files");
    json_t *none = json_object();
    struct job_reading reading;
    struct job *job = job_read(param_text(params, "name"), json_string_value(text), json_string_length(text),
                               sent ? sent : none, &reading);

    if (!job) {
        err_set(err, CAUSE_INVALID_ARGUMENT, "the job file has %zu %s", json_array_size(reading.mistakes),
                text_plural(json_array_size(reading.mistakes), "mistake", "mistakes"));
        *mistakes = json_incref(reading.mistakes);
    }
    job_reading_clear(&reading);
    json_decref(none);
    return job;
}

static int may_do(struct tx *tx, const struct job *job, const char *target, struct err *err)
{
    struct hosts hosts;
    int status = tx_target(tx, target, &hosts, err);

    if (status != 0)
        return -1;
    status = tx_may(tx, job_role(job), &hosts, err);
    hosts_clear(&hosts);
    return status;
}

int call_job_check(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    const json_t *text = json_object_get(params, "text");
    const char *target = param_text(params, "target");
    struct job_reading reading;
    struct job *job = job_read(param_text(params, "name"), json_string_value(text), json_string_length(text),
                               json_object_get(params, "files"), &reading);
    int status = 0;

    if (job && target)
        status = may_do(tx, job, target, err);
    *reply = json_pack("{s:O, s:o, s:o}", "mistakes", reading.mistakes, "files", files_json(&reading), "job",
                       job ? job_json(job) : json_null());
    job_reading_clear(&reading);
    job_free(job);
    if (status != 0) {
        json_decref(*reply);
        *reply = NULL;
    }
    return status;
}

int call_job_schema(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    (void)tx;
    (void)params;
    (void)err;
    *reply = job_schema();
    return 0;
}
