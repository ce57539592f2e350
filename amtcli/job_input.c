#include "amtcli/job_input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/cmd_filter_apply.h"
#include "base/text.h"
#include "base/xalloc.h"

#define TEXT_MAX (1024 * 1024)

/* 0, or -1 with errno. */
static int read_all(FILE *file, struct buf *text)
{
    uint8_t *room;
    size_t n;

    do {
        room = buf_room(text, 65536);
        n = room ? fread(room, 1, 65536, file) : 0;
        buf_added(text, n);
    } while (n > 0);
    return ferror(file) ? -1 : 0;
}

static int read_text(const char *path, json_t **text)
{
    struct buf bytes = buf_init(TEXT_MAX + 65536);
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    int status = file ? read_all(file, &bytes) : -1;

    if (status != 0)
        fprintf(stderr, "amtcli: %s: %s\n", path, strerror(errno));
    else if (bytes.len > TEXT_MAX)
        fprintf(stderr, "amtcli: %s: a job file is at most 1 MiB large\n", path);
    else if (!text_is_utf8(buf_str(&bytes), bytes.len))
        fprintf(stderr, "amtcli: %s: this is not text in UTF-8\n", path);
    else
        *text = json_stringn(buf_str(&bytes), bytes.len);
    if (file && file != stdin)
        fclose(file);
    buf_free(&bytes);
    return *text ? 0 : EXIT_USAGE;
}

/* "dir/nightly.yaml" -> "nightly", with what a name cannot hold as '-'. */
static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = xstrdup(strcmp(path, "-") == 0 ? "job" : slash ? slash + 1 : path);
    char *dot = strrchr(name, '.');

    if (dot && dot > name)
        *dot = '\0';
    for (char *p = name; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", *p))
            *p = '-';
    if (strlen(name) > 64)
        name[64] = '\0';
    return name;
}

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

        code = filter_file_take(word, set ? set : none, args);
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

static int check(struct context *ctx, struct job_input *input)
{
    json_decref(input->checked);
    input->checked = NULL;
    return context_call(ctx, "job.check", json_incref(input->params), &input->checked);
}

int job_input_open(struct context *ctx, const char *path, struct job_input *input)
{
    json_t *text = NULL, *files = json_object();
    char *name = name_of(path);
    int code = read_text(path, &text);

    if (code == 0) {
        input->params = json_pack("{s:s, s:o}", "name", name, "text", text);
        code = check(ctx, input);
    }
    if (code == 0 && json_array_size(json_object_get(input->checked, "files")) > 0 &&
        json_array_size(json_object_get(input->checked, "mistakes")) == 0) {
        code = take_files(path, json_object_get(input->checked, "files"), files);
        json_object_set(input->params, "files", files);
        if (code == 0)
            code = check(ctx, input);
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
    const json_t *mistakes = json_object_get(input->checked, "mistakes"), *one;
    size_t i;

    json_array_foreach(mistakes, i, one)
    {
        json_int_t line = json_integer_value(json_object_get(one, "line"));
        const char *text = json_string_value(json_object_get(one, "text"));

        if (line > 0)
            fprintf(stderr, "%s:%lld:%lld: %s\n", path, (long long)line,
                    (long long)json_integer_value(json_object_get(one, "column")), text);
        else
            fprintf(stderr, "%s: %s\n", path, text);
    }
    return json_array_size(mistakes);
}
