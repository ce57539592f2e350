/* Job files: any bytes are read, and either they are a job that keeps to its limits, or there is a mistake
 * with a text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/jobs/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 65536

static void check(const struct job *job)
{
    if (job->count < 1 || job->count > JOB_TASKS_MAX || !job->name || strlen(job->hash) != 64)
        abort();
    for (size_t i = 0; i < job->count; i++) {
        const struct job_task *task = &job->tasks[i];

        if (!task->kind || !task->args || task->retries > JOB_RETRIES_MAX ||
            job_find(job, task->name, strlen(task->name)) != i)
            abort();
        job_kind_again(task->kind, task->args);
    }
    json_decref(job_json(job));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *files;
    struct job_reading reading;
    const json_t *mistake;
    struct job *job;
    size_t i;

    if (size > INPUT_MAX)
        return 0;
    files = json_pack("{s:{s:s, s:s}}", "q.xml", "name", "q.xml", "text", "<filters/>");
    job = job_read("job", data, size, size % 2 ? files : NULL, &reading);
    json_decref(files);
    if (!job == !json_array_size(reading.mistakes))
        abort();
    json_array_foreach(reading.mistakes, i, mistake)
    {
        if (!json_string_value(json_object_get(mistake, "text")))
            abort();
    }
    if (job)
        check(job);
    job_free(job);
    job_reading_clear(&reading);
    return 0;
}
