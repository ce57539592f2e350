#include "tests/soak/soak_line.h"

#include <stdio.h>
#include <string.h>

void soak_line(char out[SOAK_LINE + 1], unsigned console, uint64_t line)
{
    char filler = (char)('a' + (line * 7 + console) % 26);

    snprintf(out, SOAK_LINE + 1, "%04u %012llu ", console, (unsigned long long)line);
    memset(out + 18, filler, SOAK_LINE - 20);
    memcpy(out + SOAK_LINE - 2, "\r\n", 3);
}

void soak_mark(char out[SOAK_MARK + 1], unsigned console, unsigned link, uint64_t line)
{
    snprintf(out, SOAK_MARK + 1, "\n== console %04u link %06u line %012llu\n", console, link,
             (unsigned long long)line);
}
