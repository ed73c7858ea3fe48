#define _GNU_SOURCE
#include "spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 1 << 16, SECTORS = 64, ERROR = -1 };

static int file;

/* Says why, once for each reason. */
static int failed(void)
{
    static int last;

    if (errno != last)
        fprintf(stderr, "sensor: the spool: %s\n", strerror(errno));
    last = errno;
    return ERROR;
}

static int read_file(void *context, size_t at, uint8_t *to, size_t len)
{
    (void)context;
    while (len > 0) {
        ssize_t n = pread(file, to, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return failed();
        to += n;
        at += (size_t)n;
        len -= (size_t)n;
    }
    return 0;
}

static int write_file(void *context, size_t at, const uint8_t *from, size_t len)
{
    (void)context;
    while (len > 0) {
        ssize_t n = pwrite(file, from, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return failed();
        from += n;
        at += (size_t)n;
        len -= (size_t)n;
    }
    return 0;
}

static int erase(void *context, size_t at)
{
    uint8_t blank[4096];

    memset(blank, 0xff, sizeof blank);
    for (size_t done = 0; done < SECTOR; done += sizeof blank) {
        if (write_file(context, at + done, blank, sizeof blank) < 0)
            return ERROR;
    }
    return 0;
}

static int sync_file(void *context)
{
    (void)context;
    return fdatasync(file) < 0 ? failed() : 0;
}

const mote_outbox_storage *spool_file(const char *path)
{
    static const mote_outbox_storage storage = {NULL,      1,          SECTOR, SECTORS,
                                                read_file, write_file, erase,  sync_file};
    struct stat s;

    file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0 || flock(file, LOCK_EX | LOCK_NB) < 0 || fstat(file, &s) < 0)
        return NULL;
    if (!S_ISREG(s.st_mode) || (s.st_size != 0 && s.st_size != (off_t)SECTOR * SECTORS)) {
        errno = EINVAL; /* this is no spool: it is left alone */
        return NULL;
    }
    if (s.st_size == 0 && (errno = posix_fallocate(file, 0, (off_t)SECTOR * SECTORS)) != 0)
        return NULL;
    return &storage;
}
