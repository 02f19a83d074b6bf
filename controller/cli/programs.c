#define FLT_MOD "programs"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "controller/cli/programs.h"

#define PATH_SIZE 1024

static int own_folder(char out[PATH_SIZE])
{
    const ssize_t size = readlink("/proc/self/exe", out, PATH_SIZE - 1);

    if (size <= 0)
        return -ENOENT;
    out[size] = 0;
    char *slash = strrchr(out, '/');

    if (!slash)
        return -ENOENT;
    *slash = 0;
    return 0;
}

int program_find(const char *name, char *out, size_t size, struct flt_error *error)
{
    static const char *const folders[] = { "", "../../botnode/", "../", "../../dashboard/",
                                           "../../exchanges/sim/" };
    char own[PATH_SIZE];

    if (own_folder(own) == 0)
        for (size_t i = 0; i < FLT_COUNT(folders); i++)
            if ((size_t)snprintf(out, size, "%s/%s%s", own, folders[i], name) < size &&
                access(out, X_OK) == 0)
                return 0;
    return flt_error_set(error, FLT_UNAVAILABLE, NULL, "build all of it: ./dev build",
                         "the program %s is not beside flotilla", name);
}

int program_demo_dir(char *out, size_t size, struct flt_error *error)
{
    static const char *const folders[] = { "../../compose/demo", "../share/flotilla/demo" };
    char own[PATH_SIZE];

    if (own_folder(own) == 0)
        for (size_t i = 0; i < FLT_COUNT(folders); i++)
            if ((size_t)snprintf(out, size, "%s/%s", own, folders[i]) < size &&
                access(out, R_OK) == 0)
                return 0;
    return flt_error_set(error, FLT_UNAVAILABLE, NULL, "build all of it: ./dev build",
                         "the market data of the demo is not there");
}
