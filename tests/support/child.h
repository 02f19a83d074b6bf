/* A child process of a C test: started with its output in a pipe, ended by its pid. */
#pragma once
#include <sys/types.h>

struct child {
    pid_t pid;
    int in, out; /* its stdin and stdout; it ends when a helper's stdin closes */
};

/* Fails the test if it cannot start. `argv` is NULL-terminated, argv[0] is looked up in PATH. */
void child_start(struct child *child, const char *const *argv);
/* The next line of its stdout, without newline; fails the test after 10 s. */
void child_read_line(struct child *child, char *out, size_t size);
/* Sends `signal` (0: only closes its stdin), waits for its end and closes the pipes. */
void child_end(struct child *child, int signal);
