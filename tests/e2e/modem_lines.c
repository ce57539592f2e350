/* Plays the machine at the other end of a serial port: puts the port into loop-back, where DTR, RTS, OUT1 and
 * OUT2 come back as DSR, CTS, RI and DCD, and switches those on that are named.
 *
 *   modem_lines DEVICE [dsr] [cts] [ri] [dcd] */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

/* As in asm/termios.h, which does not stand beside sys/ioctl.h. */
#define OUT1 0x2000
#define OUT2 0x4000
#define LOOP 0x8000

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int output;
    } lines[] = {{"dsr", TIOCM_DTR}, {"cts", TIOCM_RTS}, {"ri", OUT1}, {"dcd", OUT2}};
    int bits = LOOP, fd = argc > 1 ? open(argv[1], O_RDWR | O_NOCTTY | O_NONBLOCK) : -1;

    for (int i = 2; i < argc; i++)
        for (size_t n = 0; n < sizeof(lines) / sizeof(lines[0]); n++)
            if (strcmp(argv[i], lines[n].name) == 0)
                bits |= lines[n].output;
    if (fd < 0 || ioctl(fd, TIOCMSET, &bits) != 0) {
        perror(argc > 1 ? argv[1] : "modem_lines");
        return 1;
    }
    return 0; /* not closed: that would let the lines fall */
}
