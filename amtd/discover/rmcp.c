#include "amtd/discover/rmcp.h"

#include <string.h>

#define VERSION       6
#define CLASS_ASF     6
#define IANA_ASF      4542
#define IANA_INTEL    343
#define PRESENCE_PING 0x80
#define PRESENCE_PONG 0x40
#define STATE_MASK    0x03
#define BOTH_PORTS    0x04
#define DASH          0x20

/* The sequence is 0, as MeshCentral sends it: FF would mean that no acknowledgement is wanted. */
void rmcp_ping(uint8_t tag, uint8_t out[RMCP_PING_LEN])
{
    static const uint8_t ping[RMCP_PING_LEN] = {
        VERSION, 0, 0, CLASS_ASF, 0, 0, IANA_ASF >> 8, IANA_ASF & 255, PRESENCE_PING, 0, 0, 0};

    memcpy(out, ping, RMCP_PING_LEN);
    out[9] = tag;
}

static bool is_pong(struct rd *r, struct rmcp_pong *pong)
{
    uint8_t version = rd_u8(r);
    uint8_t class;
    uint32_t iana;
    uint8_t type;

    rd_skip(r, 2); /* reserved, sequence */
    class = rd_u8(r);
    iana = rd_be32(r);
    type = rd_u8(r);
    pong->tag = rd_u8(r);
    rd_skip(r, 2); /* reserved; the length of the data, which some fill in wrongly: what came counts */
    return !r->bad && version == VERSION && class == CLASS_ASF && iana == IANA_ASF && type == PRESENCE_PONG;
}

/* Firmware up to 15 puts its version into one byte; later ones leave that 0 and have two behind, which need
 * not be there. */
static void read_version(struct rd *r, uint8_t nibbles, struct rmcp_pong *pong)
{
    struct rd late = *r;
    uint8_t major = rd_u8(&late), minor = rd_u8(&late);

    if (nibbles != 0) {
        pong->major = nibbles >> 4;
        pong->minor = nibbles & 15;
    } else if (!late.bad) {
        pong->major = major;
        pong->minor = minor;
    }
}

enum decode rmcp_pong_read(const void *p, size_t n, struct rmcp_pong *pong)
{
    struct rd r = rd_init(p, n);
    uint8_t nibbles, flags;

    memset(pong, 0, sizeof(*pong));
    if (n > RMCP_PONG_MAX || !is_pong(&r, pong))
        return DECODE_BAD;
    pong->iana = rd_be32(&r);
    pong->intel = pong->iana == IANA_INTEL;
    pong->port = rd_be16(&r);
    nibbles = rd_u8(&r);
    flags = rd_u8(&r);
    rd_skip(&r, 1); /* supported entities */
    pong->dash = (rd_u8(&r) & DASH) != 0;
    if (r.bad)
        return DECODE_BAD;
    pong->state = flags & STATE_MASK;
    pong->both = (flags & BOTH_PORTS) != 0;
    read_version(&r, nibbles, pong);
    return DECODE_DONE;
}
