/* `amtd node join TOKEN`: this machine's amtd becomes a node of a server, also while it does not run. */
#ifndef AMTD_NODE_MAIN_H
#define AMTD_NODE_MAIN_H

/* argv[0] is "node". Returns the exit code. */
int node_main(int argc, char **argv);

#endif
