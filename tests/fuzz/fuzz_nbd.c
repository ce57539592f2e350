/* The block device's server, fed by a hostile client; reads are answered at once or never. */
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>

#include "tests/amtsim/nbd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIZE (64u * 2048)

static struct nbd *nbd;

static void on_read(void *arg, uint64_t handle, uint64_t offset, uint32_t n)
{
    static const uint8_t block[NBD_READ_MAX];
    (void)arg;
    if (n == 0 || offset % 2048 != 0 || n % 2048 != 0 || offset > SIZE || n > SIZE - offset)
        abort();
    if (handle % 2 == 0)
        nbd_answer(nbd, handle, NBD_OK, block, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct nbd_config config = {.size = SIZE, .block_size = 2048, .read = on_read};
    size_t piece = size > 0 ? 1 + data[0] : 1;
    nbd = nbd_new(&config);
    for (size_t at = 1; at < size; at += piece) {
        if (nbd_feed(nbd, data + at, size - at < piece ? size - at : piece, NULL) != 0)
            break;
        nbd_sent(nbd, nbd_output(nbd).n);
    }
    nbd_free(nbd);
    return 0;
}
