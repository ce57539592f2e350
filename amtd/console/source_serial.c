#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "amtd/console/sources.h"
#include "base/xalloc.h"

#define LINES_MS 250 /* between two looks at the modem lines */
#define GONE     "%s is not there: unplugged?"

struct serial_source {
    struct source base;
    struct streams *streams;
    const struct source_settings *settings;
    struct stream *stream;
    int fd; /* the stream's; for settings and lines */
    uv_timer_t lines, pause;
    unsigned known, on;
    bool wants;
    int handles;
};

static struct serial_source *self(struct source *source)
{
    return (struct serial_source *)source;
}

/* --- settings --- */

static const struct {
    int64_t speed;
    speed_t code;
} speeds[] = {
    {50, B50},           {75, B75},           {110, B110},         {134, B134},         {150, B150},
    {200, B200},         {300, B300},         {600, B600},         {1200, B1200},       {1800, B1800},
    {2400, B2400},       {4800, B4800},       {9600, B9600},       {19200, B19200},     {38400, B38400},
    {57600, B57600},     {115200, B115200},   {230400, B230400},   {460800, B460800},   {500000, B500000},
    {576000, B576000},   {921600, B921600},   {1000000, B1000000}, {1152000, B1152000}, {1500000, B1500000},
    {2000000, B2000000}, {2500000, B2500000}, {3000000, B3000000}, {3500000, B3500000}, {4000000, B4000000},
};

bool source_serial_speed_ok(int64_t speed)
{
    for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
        if (speeds[i].speed == speed)
            return true;
    return false;
}

static int set_speed(struct termios *t, int64_t speed)
{
    for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
        if (speeds[i].speed == speed)
            return cfsetspeed(t, speeds[i].code);
    return -1;
}

static int set_line(int fd, const struct source_settings *s, struct err *err)
{
    static const tcflag_t bits[] = {CS5, CS6, CS7, CS8};
    static const tcflag_t parities[] = {[PARITY_NONE] = 0,
                                        [PARITY_EVEN] = PARENB,
                                        [PARITY_ODD] = PARENB | PARODD,
                                        [PARITY_MARK] = PARENB | PARODD | CMSPAR,
                                        [PARITY_SPACE] = PARENB | CMSPAR};
    struct termios t;

    if (tcgetattr(fd, &t) != 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "%s is no serial port", s->path);
    cfmakeraw(&t);
    t.c_cflag &= ~(tcflag_t)(CSIZE | PARENB | PARODD | CMSPAR | CSTOPB | CRTSCTS | HUPCL);
    t.c_cflag |= CLOCAL | CREAD | bits[s->bits - 5] | parities[s->parity];
    t.c_cflag |= s->stop == 2 ? CSTOPB : 0;
    t.c_cflag |= s->flow == FLOW_HARDWARE ? CRTSCTS : 0;
    t.c_iflag |= s->flow == FLOW_SOFTWARE ? IXON | IXOFF : 0;
    if (s->speed > 0 && set_speed(&t, s->speed) != 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "%s: speed %lld is not one of a serial port", s->path,
                       (long long)s->speed);
    if (tcsetattr(fd, TCSANOW, &t) != 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "%s", s->path);
    tcflush(fd, TCIFLUSH);
    return 0;
}

/* An adapter that was unplugged has no port. */
static bool is_gone(int number)
{
    return number == ENOENT || number == ENODEV || number == ENXIO;
}

/* One program at a time: two readers of a port share its bytes by chance. */
static int open_port(const struct source_settings *s, struct err *err)
{
    int fd = open(s->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 && is_gone(errno))
        return err_set(err, CAUSE_NOT_FOUND, GONE, s->path);
    if (fd < 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "%s", s->path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        err_set(err, CAUSE_IN_USE, "%s is in use by another program", s->path);
    } else if (set_line(fd, s, err) == 0) {
        ioctl(fd, TIOCEXCL);
        return fd;
    }
    close(fd);
    return -1;
}

/* --- modem lines --- */

static void look(struct serial_source *s)
{
    static const struct {
        int bit;
        unsigned signal;
    } lines[] = {
        {TIOCM_CAR, SOURCE_DCD}, {TIOCM_DSR, SOURCE_DSR}, {TIOCM_CTS, SOURCE_CTS}, {TIOCM_RI, SOURCE_RI}};
    unsigned on = 0;
    int bits;

    if (ioctl(s->fd, TIOCMGET, &bits) != 0) { /* a port without lines, as a terminal is */
        uv_timer_stop(&s->lines);
        return;
    }
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        on |= bits & lines[i].bit ? lines[i].signal : 0;
    if (s->known != 0 && on == s->on)
        return;
    s->known = SOURCE_DCD | SOURCE_DSR | SOURCE_CTS | SOURCE_RI;
    s->on = on;
    s->base.events.signals(s->base.events.arg, s->known, on);
}

static void on_lines(uv_timer_t *timer)
{
    look(timer->data);
}

/* --- the stream --- */

static void end(struct serial_source *s)
{
    uv_timer_stop(&s->lines);
    if (uv_is_active((uv_handle_t *)&s->pause))
        ioctl(s->fd, TIOCCBRK);
    uv_timer_stop(&s->pause);
    if (s->stream)
        ioctl(s->fd, TIOCNXCL);
    stream_close(s->stream, 0);
    s->stream = NULL;
    s->wants = false;
}

static void on_up(void *arg)
{
    struct serial_source *s = arg;

    s->known = s->on = 0;
    uv_timer_start(&s->lines, on_lines, 0, LINES_MS);
    s->base.events.up(s->base.events.arg);
}

static void on_bytes(void *arg, const uint8_t *p, size_t n)
{
    struct serial_source *s = arg;

    s->base.events.bytes(s->base.events.arg, p, n);
}

static void on_drained(void *arg)
{
    struct serial_source *s = arg;

    if (s->wants) {
        s->wants = false;
        s->base.events.drained(s->base.events.arg);
    }
}

static void on_down(void *arg, const struct err *failure)
{
    struct serial_source *s = arg;
    struct err why = ERR_INIT;

    /* Without carrier detection only a port that goes away hangs up; its name goes a moment later. */
    if (!failure || (access(s->settings->path, F_OK) != 0 && is_gone(errno)))
        err_set(&why, CAUSE_NOT_FOUND, GONE, s->settings->path);
    else
        why = *failure;
    end(s);
    s->base.events.down(s->base.events.arg, &why);
}

static int serial_open(struct source *source, struct err *err)
{
    struct serial_source *s = self(source);
    const struct stream_events events = {s, on_up, on_bytes, on_drained, on_down};

    s->fd = open_port(s->settings, err);
    if (s->fd < 0)
        return -1;
    s->stream = stream_adopt(s->streams, s->fd, 0, &events, err);
    return s->stream ? 0 : -1;
}

static void serial_close(struct source *source)
{
    end(self(source));
}

static size_t serial_write(struct source *source, const void *p, size_t n)
{
    struct serial_source *s = self(source);
    size_t taken = s->stream ? stream_write(s->stream, p, n) : 0;

    s->wants = s->wants || taken < n;
    return taken;
}

static void break_over(uv_timer_t *timer)
{
    const struct serial_source *s = timer->data;

    ioctl(s->fd, TIOCCBRK);
}

static int serial_break(struct source *source, int64_t ms, struct err *err)
{
    struct serial_source *s = self(source);

    if (!s->stream || ioctl(s->fd, TIOCSBRK) != 0)
        return err_set_errno(err, CAUSE_UNSUPPORTED, errno, "%s cannot send a break", s->settings->path);
    uv_timer_start(&s->pause, break_over, (uint64_t)ms, 0);
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct serial_source *s = handle->data;

    if (--s->handles == 0)
        free(s);
}

static void serial_destroy(struct source *source)
{
    struct serial_source *s = self(source);

    end(s);
    uv_close((uv_handle_t *)&s->lines, on_closed);
    uv_close((uv_handle_t *)&s->pause, on_closed);
}

static const struct source_ops ops = {"serial",     serial_open,  serial_close,
                                      serial_write, serial_break, serial_destroy};

static struct source *create(void *context, const struct source_settings *settings,
                             const struct source_events *events, struct err *err)
{
    struct serial_source *s = xcalloc(1, sizeof(*s));

    (void)err;
    s->base.ops = &ops;
    s->base.events = *events;
    s->streams = context;
    s->settings = settings;
    s->handles = 2;
    uv_timer_init(streams_loop(s->streams), &s->lines);
    uv_timer_init(streams_loop(s->streams), &s->pause);
    s->lines.data = s->pause.data = s;
    return &s->base;
}

struct source_kind source_serial_kind(struct streams *streams)
{
    return (struct source_kind){SOURCE_SERIAL, create, streams};
}
