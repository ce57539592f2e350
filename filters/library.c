#include "filters/library.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".xml"

static bool is_folder(const struct buf *path)
{
    DIR *dir = buf_ok(path) ? opendir(buf_str(path)) : NULL;

    if (dir)
        closedir(dir);
    return dir != NULL;
}

bool filter_library_folder(struct buf *path)
{
    const char *set = getenv("AMTD_FILTERS");
    char program[PATH_MAX], folder[PATH_MAX];
    ssize_t n;

    buf_reset(path);
    if (set && set[0] != '\0') {
        buf_puts(path, set);
        return is_folder(path);
    }
    n = readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (n > 0) {
        program[n] = '\0';
        *strrchr(program, '/') = '\0';
        buf_printf(path, "%s/../share/amtd/filters", program);
        if (buf_ok(path) && realpath(buf_str(path), folder)) {
            buf_reset(path);
            buf_puts(path, folder);
            return true;
        }
        buf_reset(path);
    }
    buf_puts(path, AMTD_FILTERS_DIR);
    return is_folder(path);
}

int filter_library_find(const char *word, struct buf *path, struct err *err)
{
    struct buf folder = buf_init(PATH_MAX);
    size_t n = strlen(word);
    bool suffixed = n > strlen(SUFFIX) && strcmp(word + n - strlen(SUFFIX), SUFFIX) == 0;

    buf_reset(path);
    buf_puts(path, word);
    if (strchr(word, '/') || access(word, F_OK) == 0)
        return 0;
    if (filter_library_folder(&folder)) {
        buf_reset(path);
        buf_printf(path, "%s/%s%s", buf_str(&folder), word, suffixed ? "" : SUFFIX);
    }
    buf_free(&folder);
    if (access(buf_str(path), F_OK) == 0)
        return 0;
    return err_set(err, CAUSE_NOT_FOUND, "filter file '%s': neither here nor among those of the product",
                   word);
}

static int is_filter_file(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return n > strlen(SUFFIX) && strcmp(entry->d_name + n - strlen(SUFFIX), SUFFIX) == 0;
}

int filter_library_each(void (*fn)(void *arg, const char *path), void *arg, struct err *err)
{
    struct buf folder = buf_init(PATH_MAX), path = buf_init(PATH_MAX);
    struct dirent **entries = NULL;
    int count = -1;

    if (filter_library_folder(&folder))
        count = scandir(buf_str(&folder), &entries, is_filter_file, alphasort);
    if (count < 0)
        err_set(err, CAUSE_NOT_FOUND, "the product's filter files are not in '%s'", buf_str(&folder));
    for (int i = 0; i < count; i++) {
        buf_reset(&path);
        buf_printf(&path, "%s/%s", buf_str(&folder), entries[i]->d_name);
        fn(arg, buf_str(&path));
        free(entries[i]);
    }
    free(entries);
    buf_free(&folder);
    buf_free(&path);
    return count < 0 ? -1 : 0;
}
