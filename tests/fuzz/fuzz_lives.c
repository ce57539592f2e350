/* Lists of lives, from a file or from another machine. What is read is written as it was. */
#include <stdlib.h>
#include <string.h>

#include "amtd/console/lives.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct buf again = buf_init(2 * LIVES_TEXT_MAX);
    struct lives lives, back;

    if (lives_read(&lives, text, size, NULL) == 0) {
        lives_write(&lives, &again);
        if (lives_read(&back, buf_str(&again), again.len, NULL) != 0 || back.count != lives.count)
            abort();
        if (lives.count > 0 && lives_differ(&lives, &back, UINT64_MAX / 2) != UINT64_MAX / 2)
            abort();
        lives_clear(&back);
    }
    lives_clear(&lives);
    if (lives_read_added(&lives, text, size, NULL) == 0) { /* what was added line by line is a list as any */
        buf_reset(&again);
        lives_write(&lives, &again);
        if (lives_read(&back, buf_str(&again), again.len, NULL) != 0 || back.count != lives.count)
            abort();
        lives_clear(&back);
    }
    lives_clear(&lives);
    buf_free(&again);
    return 0;
}
