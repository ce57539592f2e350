/* Packets as people write them: what is read can be written and read again, and has an answer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "filters/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[2 * FLOW_TEXT_MAX];
    struct buf again = buf_init(1000);
    struct flow flow, answer;

    if (size >= sizeof(text))
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (flow_parse(text, &flow, NULL) == 0 && flow.packet.version != 0) {
        answer = flow_answer(&flow);
        packet_text(&answer.packet, &again);
        if (flow_parse(buf_str(&again), &flow, NULL) != 0)
            abort();
    }
    buf_free(&again);
    return 0;
}
