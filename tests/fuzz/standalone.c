/* Replays files and folders of files through a fuzz target where libFuzzer is not there: its corpus is a
 * test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    struct stat st;
    FILE *file = fopen(path, "rb");
    uint8_t *data;
    size_t n;

    if (!file || fstat(fileno(file), &st) != 0) {
        perror(path);
        exit(1);
    }
    data = xmalloc((size_t)st.st_size + 1);
    n = fread(data, 1, (size_t)st.st_size, file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, n);
    free(data);
    return 1;
}

static int replay(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int count = 0;

    if (!dir)
        return access(path, R_OK) == 0 ? replay_file(path) : 0;
    while ((entry = readdir(dir))) {
        char *name;

        if (entry->d_name[0] == '.')
            continue;
        name = xasprintf("%s/%s", path, entry->d_name);
        count += replay(name);
        free(name);
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;

    for (int i = 1; i < argc; i++)
        count += replay(argv[i]);
    printf("%d inputs\n", count);
    return count > 0 ? 0 : 1; /* a corpus that is not there would test nothing */
}
