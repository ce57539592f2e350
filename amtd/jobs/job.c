#include "amtd/jobs/job.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void job_free(struct job *job)
{
    if (!job)
        return;
    for (size_t i = 0; i < job->count; i++) {
        free(job->tasks[i].name);
        free(job->tasks[i].when);
        json_decref(job->tasks[i].args);
        json_decref(job->tasks[i].task_args);
    }
    free(job->tasks);
    free(job->name);
    free(job->text);
    free(job->hash);
    free(job);
}

size_t job_find(const struct job *job, const char *name, size_t n)
{
    for (size_t i = 0; i < job->count; i++)
        if (job->tasks[i].name && strlen(job->tasks[i].name) == n && memcmp(job->tasks[i].name, name, n) == 0)
            return i;
    return job->count;
}

void *job_task_parse(const struct job_task *task, struct err *err)
{
    void *args = task->engine ? xcalloc(1, task->engine->args_size + 1) : NULL;

    if (!args || task->engine->parse(args, task->task_args, err) == 0)
        return args;
    job_task_drop(task, args);
    return NULL;
}

void job_task_drop(const struct job_task *task, void *args)
{
    if (args && task->engine->forget)
        task->engine->forget(args);
    free(args);
}

int64_t job_task_timeout(const struct job_task *task)
{
    return task->timeout_ms > 0 ? task->timeout_ms : task->kind->timeout_ms;
}

static bool task_changes(const struct job_task *task)
{
    struct err err = ERR_INIT;
    void *args = job_task_parse(task, &err);
    bool changes = args ? task->engine->changes(args) : task->kind->role != JOB_READS;

    job_task_drop(task, args);
    return changes;
}

bool job_changes(const struct job *job)
{
    for (size_t i = 0; i < job->count; i++)
        if (task_changes(&job->tasks[i]))
            return true;
    return false;
}

/* By what they allow: quarantining is more than operating. */
enum api_role job_role(const struct job *job)
{
    static const enum api_role roles[] = {[JOB_READS] = ROLE_WATCH,
                                          [JOB_OPERATES] = ROLE_OPERATE,
                                          [JOB_QUARANTINES] = ROLE_QUARANTINE,
                                          [JOB_ADMINISTERS] = ROLE_ADMINISTER};
    enum api_role most = ROLE_WATCH;

    for (size_t i = 0; i < job->count; i++)
        if (task_changes(&job->tasks[i]) && roles[job->tasks[i].kind->role] > most)
            most = roles[job->tasks[i].kind->role];
    return most;
}

/* What is large stays out. */
static json_t *shown_args(const struct job_task *task)
{
    json_t *args = json_deep_copy(task->args);
    json_t *file = json_object_get(args, "file");

    if (json_is_object(file))
        json_object_set(args, "file", json_object_get(file, "name"));
    return args;
}

static json_t *needs_json(const struct job_task *task)
{
    struct job_need needs[JOB_NEEDS_MAX];
    size_t count = task->kind->needs ? task->kind->needs(task->args, needs) : 0;
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s*, s:i, s:i, s:i}", "name", needs[i].name,
                                              "protocol", needs[i].protocol, "remote", needs[i].remote,
                                              "port", (int)needs[i].port, "local_port", (int)needs[i].local,
                                              "ip", (int)needs[i].ip));
    return list;
}

void job_share_needs(struct job *job)
{
    json_t *needs = json_array();

    for (size_t i = job->count; i-- > 0;) {
        struct job_task *task = &job->tasks[i];
        json_t *own = needs_json(task);

        if (json_object_get(task->args, "file") && strcmp(task->kind->name, "filter") == 0 &&
            json_array_size(needs) > 0)
            json_object_set_new(task->args, "needs", json_copy(needs));
        json_array_extend(needs, own);
        json_decref(own);
    }
    json_decref(needs);
}

json_t *job_json(const struct job *job)
{
    static const char *const on_failure[] = {"stop", "continue", "undo"};
    json_t *tasks = json_array();

    for (size_t i = 0; i < job->count; i++) {
        const struct job_task *task = &job->tasks[i];

        json_array_append_new(
            tasks, json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:s, s:s*, s:o, s:b}", "name", task->name,
                             "kind", task->kind->name, "args", shown_args(task), "timeout_ms",
                             (json_int_t)task->timeout_ms, "retries", (json_int_t)task->retries, "pause_ms",
                             (json_int_t)task->pause_ms, "on_failure", on_failure[task->on_failure], "when",
                             task->when, "needs", needs_json(task), "changes", task_changes(task)));
    }
    return json_pack("{s:s, s:s*, s:s, s:o}", "name", job->name, "description", job->text, "hash", job->hash,
                     "tasks", tasks);
}

bool job_cause_is_final(enum cause cause)
{
    /* not: another device, or none, at the host's address; it may come to be known where the host is */
    static const enum cause final[] = {
        CAUSE_NOT_PROVISIONED, CAUSE_TLS_UNTRUSTED,    CAUSE_TLS_EXPIRED,      CAUSE_AUTH_FAILED,
        CAUSE_AUTH_LOCKED,     CAUSE_AUTH_UNSUPPORTED, CAUSE_ACCESS_DENIED,    CAUSE_UNSUPPORTED,
        CAUSE_NO_PROFILE,      CAUSE_DENIED,           CAUSE_INVALID_ARGUMENT, CAUSE_SEAL_BROKEN,
        CAUSE_INTERRUPTED,     CAUSE_NO_TICKET,        CAUSE_CONSENT_REQUIRED, CAUSE_NOT_FOUND};

    for (size_t i = 0; i < sizeof(final) / sizeof(final[0]); i++)
        if (final[i] == cause)
            return true;
    return false;
}

bool job_cause_is_refusal(enum cause cause)
{
    static const enum cause refusals[] = {CAUSE_BUSY,           CAUSE_INVALID_STATE, CAUSE_INVALID_VALUE,
                                          CAUSE_LIMIT_EXCEEDED, CAUSE_IN_USE,        CAUSE_STORE_FAILED};

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        if (refusals[i] == cause)
            return true;
    return false;
}
