/* `amtsim ctl SOCKET COMMAND ...`: a client of the control socket for shell scripts. */
#ifndef AMTSIM_CTL_H
#define AMTSIM_CTL_H

/* argv[0] is "ctl". Prints one line of JSON per device; returns the exit status: 0, 1 refused, 2 wrong use.
 */
int ctl_main(int argc, char **argv);

#endif
