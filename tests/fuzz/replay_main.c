/* Runs a fuzzer over the files of its corpus, without libFuzzer: what each build does as a test.
 * Arguments that begin with '-' are libFuzzer's and are ignored; others are files or folders. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(1 << 20);
    size_t size;

    if (!file || !data) {
        perror(path);
        free(data);
        return -1;
    }
    size = fread(data, 1, 1 << 20, file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static int run_folder(const char *path)
{
    DIR *folder = opendir(path);
    int count = 0;

    if (!folder)
        return -1;
    for (struct dirent *entry; (entry = readdir(folder));) {
        char file[4096];
        struct stat is;

        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (stat(file, &is) == 0 && S_ISREG(is.st_mode) && run_file(file) == 1)
            count++;
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;

    for (int i = 1; i < argc; i++) {
        struct stat is;

        if (argv[i][0] == '-')
            continue;
        if (stat(argv[i], &is) != 0) {
            perror(argv[i]);
            return 1;
        }
        total += S_ISDIR(is.st_mode) ? run_folder(argv[i]) : run_file(argv[i]);
    }
    printf("%d inputs\n", total);
    return total > 0 ? 0 : 1; /* an empty corpus proves nothing */
}
