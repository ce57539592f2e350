#include "amtd/console/telnet.h"

#include <stdlib.h>

#include "amtd/console/settings.h"
#include "amtd/console/source.h"
#include "base/bytes.h"
#include "base/xalloc.h"

#define OUTPUT_MAX (64 * 1024)
#define DATA_ROOM  (4 * 1024) /* of it are kept free for what the protocol itself has to say */
#define SUB_MAX    64         /* bytes of a subnegotiation; none that we know is longer */
#define ANSWERS    64         /* negotiations answered on one connection for one option: no endless talk */

enum { SE = 240, BRK = 243, SB = 250, WILL = 251, WONT = 252, DO = 253, DONT = 254, IAC = 255 };
enum { OPT_BINARY = 0, OPT_ECHO = 1, OPT_SGA = 3, OPT_PORT = 44 };
/* RFC 2217, from the client; the server's have 100 added. */
enum {
    PORT_SPEED = 1,
    PORT_BITS,
    PORT_PARITY,
    PORT_STOP,
    PORT_CONTROL,
    PORT_MODEM = 7,
    PORT_MODEM_MASK = 11
};
enum { CONTROL_NO_FLOW = 1, CONTROL_XON, CONTROL_HARDWARE, CONTROL_BREAK_ON = 5, CONTROL_BREAK_OFF };

/* RFC 1143: the state of one side of one option, with whether the opposite was asked for meanwhile. */
enum q { Q_NO, Q_YES, Q_WANT_NO, Q_WANT_YES };

struct side {
    enum q q;
    bool opposite;
    bool allowed; /* it is agreed to when the peer asks */
    unsigned answers;
};

enum state { S_DATA, S_CR, S_IAC, S_OPTION, S_SUB, S_SUB_IAC };

struct telnet {
    struct telnet_port port;
    struct telnet_events events;
    struct side us[256], him[256];
    enum state state;
    uint8_t command;
    uint8_t sub[SUB_MAX];
    size_t sub_n;
    struct buf out;
};

/* --- options (RFC 1143, section 7) --- */

static void send3(struct telnet *t, uint8_t command, uint8_t option)
{
    const uint8_t bytes[3] = {IAC, command, option};

    buf_add(&t->out, bytes, sizeof(bytes));
}

/* yes/no: what this side of the option says: WILL/WONT for us, DO/DONT about him. */
static void ask(struct telnet *t, struct side *side, bool on, uint8_t yes, uint8_t no, uint8_t option)
{
    enum q settled = on ? Q_YES : Q_NO, wanting = on ? Q_WANT_YES : Q_WANT_NO;

    if (side->q == settled || (side->q == wanting && !side->opposite))
        return;
    if (side->q == wanting) {
        side->opposite = false;
    } else if (side->q == Q_NO || side->q == Q_YES) {
        side->q = wanting;
        send3(t, on ? yes : no, option);
    } else {
        side->opposite = true;
    }
}

/* The peer agrees or offers. True: it is on now, and was not. */
static bool got_yes(struct telnet *t, struct side *side, uint8_t yes, uint8_t no, uint8_t option)
{
    switch (side->q) {
    case Q_NO:
        if (side->answers++ >= ANSWERS)
            return false;
        if (side->allowed)
            side->q = Q_YES;
        send3(t, side->allowed ? yes : no, option);
        return side->allowed;
    case Q_YES:
        return false;
    case Q_WANT_NO: /* it says yes to our no, which it may not */
        side->q = side->opposite ? Q_YES : Q_NO;
        side->opposite = false;
        return side->q == Q_YES;
    case Q_WANT_YES:
        if (!side->opposite) {
            side->q = Q_YES;
            return true;
        }
        side->q = Q_WANT_NO;
        side->opposite = false;
        send3(t, no, option);
        return false;
    }
    return false;
}

static void got_no(struct telnet *t, struct side *side, uint8_t yes, uint8_t no, uint8_t option)
{
    switch (side->q) {
    case Q_NO:
        break;
    case Q_YES:
        side->q = Q_NO;
        if (side->answers++ < ANSWERS)
            send3(t, no, option);
        break;
    case Q_WANT_NO:
        side->q = side->opposite ? Q_WANT_YES : Q_NO;
        if (side->opposite)
            send3(t, yes, option);
        side->opposite = false;
        break;
    case Q_WANT_YES:
        side->q = Q_NO;
        side->opposite = false;
        break;
    }
}

/* --- the serial port behind the peer (RFC 2217) --- */

static void send_sub(struct telnet *t, uint8_t command, const uint8_t *p, size_t n)
{
    const uint8_t head[] = {IAC, SB, OPT_PORT, command}, tail[] = {IAC, SE};

    buf_add(&t->out, head, sizeof(head));
    for (size_t i = 0; i < n; i++) {
        if (p[i] == IAC)
            wr_u8(&t->out, IAC);
        wr_u8(&t->out, p[i]);
    }
    buf_add(&t->out, tail, sizeof(tail));
}

static void send_number(struct telnet *t, uint8_t command, int value)
{
    const uint8_t byte = (uint8_t)value;

    send_sub(t, command, &byte, 1);
}

static void set_port(struct telnet *t)
{
    static const uint8_t parities[] = {
        [PARITY_NONE] = 1, [PARITY_ODD] = 2, [PARITY_EVEN] = 3, [PARITY_MARK] = 4, [PARITY_SPACE] = 5};
    static const uint8_t flows[] = {
        [FLOW_NONE] = CONTROL_NO_FLOW, [FLOW_SOFTWARE] = CONTROL_XON, [FLOW_HARDWARE] = CONTROL_HARDWARE};
    struct buf speed = buf_init(4);

    if (t->port.speed > 0) {
        wr_be32(&speed, t->port.speed);
        send_sub(t, PORT_SPEED, speed.p, speed.len);
        send_number(t, PORT_BITS, t->port.bits);
        send_number(t, PORT_PARITY, parities[t->port.parity]);
        send_number(t, PORT_STOP, t->port.stop);
        send_number(t, PORT_CONTROL, flows[t->port.flow]);
    }
    send_number(t, PORT_MODEM_MASK, 0xf0);
    buf_free(&speed);
}

static void got_sub(struct telnet *t)
{
    struct rd r = rd_init(t->sub, t->sub_n);
    uint8_t option = rd_u8(&r), command = rd_u8(&r), bits = rd_u8(&r);
    unsigned on = 0;

    if (!rd_ok(&r) || option != OPT_PORT || command != 100 + PORT_MODEM || !t->port.wanted)
        return;
    on |= bits & 0x80 ? SOURCE_DCD : 0;
    on |= bits & 0x40 ? SOURCE_RI : 0;
    on |= bits & 0x20 ? SOURCE_DSR : 0;
    on |= bits & 0x10 ? SOURCE_CTS : 0;
    if (t->events.signals)
        t->events.signals(t->events.arg, SOURCE_DCD | SOURCE_RI | SOURCE_DSR | SOURCE_CTS, on);
}

static void got_option(struct telnet *t, uint8_t option)
{
    switch (t->command) {
    case WILL:
        got_yes(t, &t->him[option], DO, DONT, option);
        break;
    case WONT:
        got_no(t, &t->him[option], DO, DONT, option);
        break;
    case DO:
        if (got_yes(t, &t->us[option], WILL, WONT, option) && option == OPT_PORT)
            set_port(t);
        break;
    default:
        got_no(t, &t->us[option], WILL, WONT, option);
        break;
    }
}

/* --- bytes from the peer --- */

static void hand_on(struct telnet *t, const uint8_t *p, size_t n)
{
    if (n > 0)
        t->events.data(t->events.arg, p, n);
}

/* One byte that is not plain data. False: it is plain data after all. */
static bool take(struct telnet *t, uint8_t c)
{
    static const uint8_t iac = IAC;

    switch (t->state) {
    case S_DATA:
    case S_CR: /* a NUL behind CR only says that no LF follows */
        if (t->state == S_CR && c == 0 && t->him[OPT_BINARY].q != Q_YES) {
            t->state = S_DATA;
            return true;
        }
        t->state = c == IAC ? S_IAC : c == '\r' ? S_CR : S_DATA;
        return c == IAC;
    case S_IAC:
        t->state = c == SB ? S_SUB : c >= WILL && c <= DONT ? S_OPTION : S_DATA;
        t->command = c;
        t->sub_n = 0;
        if (c == IAC)
            hand_on(t, &iac, 1);
        return true;
    case S_OPTION:
        t->state = S_DATA;
        got_option(t, c);
        return true;
    case S_SUB:
        if (c == IAC)
            t->state = S_SUB_IAC;
        else if (t->sub_n < SUB_MAX)
            t->sub[t->sub_n++] = c;
        return true;
    case S_SUB_IAC:
        t->state = c == IAC ? S_SUB : S_DATA;
        if (c == IAC && t->sub_n < SUB_MAX)
            t->sub[t->sub_n++] = c;
        else if (c == SE)
            got_sub(t);
        return true;
    }
    return false;
}

void telnet_feed(struct telnet *t, const uint8_t *p, size_t n)
{
    size_t plain = 0;

    for (size_t i = 0; i < n; i++) {
        bool outside = t->state > S_CR; /* what comes is no data */

        if (t->state == S_DATA && p[i] != IAC && p[i] != '\r')
            continue;
        if (take(t, p[i])) {
            if (!outside)
                hand_on(t, p + plain, i - plain);
            plain = i + 1;
        }
    }
    if (t->state <= S_CR && n > plain)
        hand_on(t, p + plain, n - plain);
}

/* --- bytes to the peer --- */

size_t telnet_write(struct telnet *t, const uint8_t *p, size_t n)
{
    size_t i;

    for (i = 0; i < n && t->out.len + 2 + DATA_ROOM <= OUTPUT_MAX; i++) {
        wr_u8(&t->out, p[i]);
        if (p[i] == IAC)
            wr_u8(&t->out, IAC);
        if (p[i] == '\r' && t->us[OPT_BINARY].q != Q_YES)
            wr_u8(&t->out, 0);
    }
    return i;
}

bool telnet_break(struct telnet *t, bool on)
{
    const uint8_t brk[] = {IAC, BRK};

    if (t->us[OPT_PORT].q == Q_YES) {
        send_number(t, PORT_CONTROL, on ? CONTROL_BREAK_ON : CONTROL_BREAK_OFF);
        return true;
    }
    if (on)
        buf_add(&t->out, brk, sizeof(brk));
    return false;
}

const uint8_t *telnet_output(const struct telnet *t, size_t *n)
{
    *n = t->out.len;
    return t->out.p;
}

void telnet_sent(struct telnet *t, size_t n)
{
    buf_consume(&t->out, n);
}

struct telnet *telnet_new(const struct telnet_port *port, const struct telnet_events *events)
{
    struct telnet *t = xcalloc(1, sizeof(*t));

    t->port = *port;
    t->events = *events;
    t->out = buf_init(OUTPUT_MAX);
    t->him[OPT_ECHO].allowed = t->him[OPT_SGA].allowed = t->him[OPT_BINARY].allowed = true;
    t->us[OPT_SGA].allowed = t->us[OPT_BINARY].allowed = true;
    t->us[OPT_PORT].allowed = port->wanted;
    ask(t, &t->him[OPT_SGA], true, DO, DONT, OPT_SGA);
    ask(t, &t->us[OPT_SGA], true, WILL, WONT, OPT_SGA);
    ask(t, &t->him[OPT_BINARY], true, DO, DONT, OPT_BINARY);
    ask(t, &t->us[OPT_BINARY], true, WILL, WONT, OPT_BINARY);
    if (port->wanted)
        ask(t, &t->us[OPT_PORT], true, WILL, WONT, OPT_PORT);
    return t;
}

void telnet_free(struct telnet *t)
{
    if (!t)
        return;
    buf_free(&t->out);
    free(t);
}
