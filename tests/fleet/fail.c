/* Preloaded into a collector: while the file $FAIL_WHILE exists, the calls that it names (of fsync,
 * write, read) on files fail with EIO. tests/fleet/faults.py builds it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fails(const char *what)
{
    const char *name = getenv("FAIL_WHILE");
    char text[64] = "";
    FILE *f = name ? fopen(name, "r") : NULL;

    if (!f)
        return 0;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    if (!strstr(text, what))
        return 0;
    errno = EIO;
    return 1;
}

int fsync(int fd)
{
    return fails("fsync") ? -1 : ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd)
{
    return fails("fsync") ? -1 : ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t at)
{
    return fails("write") ? -1
                          : ((ssize_t(*)(int, const void *, size_t, off_t))dlsym(
                                RTLD_NEXT, "pwrite64"))(fd, data, len, at);
}

ssize_t pread64(int fd, void *data, size_t len, off_t at)
{
    return fails("read") ? -1
                         : ((ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread64"))(
                               fd, data, len, at);
}
