/* Frames: decoding any bytes, and the text of what was decoded is read again. */
#include <stdint.h>
#include <stdlib.h>

#include "filters/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct packet packet, bare;
    struct buf text = buf_init(1000);
    struct flow flow;

    packet_decode_ip(&bare, data, size);
    if (packet_decode(&packet, data, size)) {
        packet_text(&packet, &text);
        /* a fragment has no ports to write */
        if (packet.has_ports && flow_parse(buf_str(&text), &flow, NULL) != 0)
            abort();
    }
    buf_free(&text);
    return 0;
}
