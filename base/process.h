/* What every program of the project does first of all. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

/* Opens /dev/null in place of standard input, output and error where the caller left them closed: otherwise
 * the next file or socket opened takes that number and is taken for them, by libraries too (libuv ends the
 * process when it closes such a descriptor). The first statement of main, before any thread. A process that
 * cannot even do that ends with exit code 126. */
void process_open_standard_fds(void);
/* Programs that are begun from now on get none of the descriptors that are open, but for their standard
 * input, output and error: libraries open some that would be passed on, and whoever began this process may
 * have left more. Any thread; just before each program is begun. */
void process_keep_descriptors(void);

#endif
