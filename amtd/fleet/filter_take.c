#include "amtd/fleet/filter_take.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "filters/file.h"
#include "filters/library.h"

#define PATH_BYTES 4096

/* Host names are looked up when the file is applied; here anything stands for them. */
static int resolve(void *arg, const char *host, struct buf *addresses, struct err *err)
{
    (void)arg;
    (void)host;
    (void)err;
    buf_puts(addresses, "192.0.2.1");
    return 0;
}

static int bind_names(const struct filter_file *file, const json_t *set, struct findings *findings,
                      struct err *err)
{
    struct names *names = names_new();
    const char *name;
    json_t *value;
    int status = 0;

    names_use_placeholders(names);
    names_set_resolver(names, resolve, NULL);
    json_object_foreach((json_t *)set, name, value)
    {
        if (status == 0)
            status = names_set(names, name, json_string_value(value), err);
    }
    if (status == 0)
        ruleset_free(filter_bind(file, names, findings));
    names_free(names);
    return status;
}

static int find_file(const char *beside, const char *name, struct buf *path, struct err *err)
{
    const char *slash = strrchr(beside, '/');

    if (name[0] != '/' && slash) {
        buf_printf(path, "%.*s/%s", (int)(slash - beside), beside, name);
        if (access(buf_str(path), R_OK) == 0)
            return 0;
        buf_reset(path);
    }
    return filter_library_find(name, path, err);
}

static void tell(const struct findings *findings, struct err *err)
{
    for (size_t i = 0; err->cause == CAUSE_NONE && i < findings->count; i++) {
        struct buf line = buf_init(PATH_BYTES + 4096);

        finding_text(&findings->items[i], &line);
        if (findings->items[i].level == FINDING_ERROR)
            err_set(err, CAUSE_INVALID_ARGUMENT, "%s", buf_str(&line));
        buf_free(&line);
    }
}

json_t *filter_take(const char *beside, const char *name, const json_t *set, struct err *err)
{
    struct buf path = buf_init(PATH_BYTES), text = buf_init(FILTER_FILE_BYTES_MAX);
    struct findings findings = {0};
    struct filter_file *file = NULL;
    json_t *json = NULL;

    if (find_file(beside, name, &path, err) == 0)
        file = filter_file_read(buf_str(&path), filter_read_disk, NULL, &findings);
    if (file && bind_names(file, set, &findings, err) == 0 && findings.errors == 0) {
        const char *slash = strrchr(buf_str(&path), '/');

        filter_file_write(file, &text);
        json = json_pack("{s:s, s:s}", "name", slash ? slash + 1 : buf_str(&path), "text", buf_str(&text));
    }
    if (!json)
        tell(&findings, err);
    if (!json && err->cause == CAUSE_NONE)
        err_set(err, CAUSE_INVALID_ARGUMENT, "the filter file '%s' cannot be used", name);
    findings_clear(&findings);
    filter_file_free(file);
    buf_free(&path);
    buf_free(&text);
    return json;
}
