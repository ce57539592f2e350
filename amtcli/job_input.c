#include "amtcli/job_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/cmd_filter_apply.h"
#include "amtcli/text_file.h"
#include "base/xalloc.h"

#define TEXT_MAX (1024 * 1024)

/* A file beside the job file comes before one of the library. */
static char *beside(const char *path, const char *word)
{
    const char *slash = strrchr(path, '/');
    char *joined;

    if (!slash || word[0] == '/')
        return xstrdup(word);
    joined = xasprintf("%.*s/%s", (int)(slash - path), path, word);
    if (access(joined, R_OK) == 0)
        return joined;
    free(joined);
    return xstrdup(word);
}

/* A configuration is sent as it is; a filter file with what it needs. */
static bool is_config(const json_t *wanted)
{
    const char *kind = json_string_value(json_object_get(wanted, "kind"));

    return kind && strcmp(kind, "config") == 0;
}

static int take_text(const char *path, const char *name, json_t *args)
{
    json_t *text = NULL;
    int code = text_file_read(path, TEXT_MAX, "a configuration", &text);

    if (code == 0)
        json_object_set_new(args, "file", json_pack("{s:s, s:o}", "name", name, "text", text));
    return code;
}

static int take_files(const char *path, const json_t *wanted, json_t *files)
{
    json_t *one;
    size_t i;
    int code = 0;

    json_array_foreach(wanted, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        json_t *args = json_object(), *file, *none = json_object();
        const json_t *set = json_object_get(one, "set");
        char *word = beside(path, name);

        code = is_config(one) ? take_text(word, name, args)
                              : filter_file_take(word, set ? set : none, NULL, args);
        free(word);
        json_decref(none);
        file = json_object_get(args, "file");
        json_object_set(files, name, file);
        json_decref(args);
        if (code != 0)
            break;
    }
    return code;
}

int job_input_check(struct context *ctx, struct job_input *input)
{
    json_decref(input->checked);
    input->checked = NULL;
    return context_call(ctx, "job.check", json_incref(input->params), &input->checked);
}

int job_input_open(struct context *ctx, const char *path, struct job_input *input)
{
    json_t *text = NULL, *files = json_object();
    char *name = text_file_name(path, "job");
    int code = text_file_read(path, TEXT_MAX, "a job file", &text);

    if (code == 0) {
        input->params = json_pack("{s:s, s:o}", "name", name, "text", text);
        code = job_input_check(ctx, input);
    }
    if (code == 0 && json_array_size(json_object_get(input->checked, "files")) > 0 &&
        json_array_size(json_object_get(input->checked, "mistakes")) == 0) {
        code = take_files(path, json_object_get(input->checked, "files"), files);
        json_object_set(input->params, "files", files);
        if (code == 0)
            code = job_input_check(ctx, input);
    }
    json_decref(files);
    free(name);
    return code;
}

void job_input_clear(struct job_input *input)
{
    json_decref(input->params);
    json_decref(input->checked);
    memset(input, 0, sizeof(*input));
}

size_t job_input_tell(const struct job_input *input, const char *path)
{
    return text_file_tell(json_object_get(input->checked, "mistakes"), path);
}
