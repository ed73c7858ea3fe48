/*
 * Files in chunks: Upload stores a file, Download sends one. Neither is ever held in memory: a
 * chunk is written when it comes, and read when there is room to send it.
 *
 *   files_server [--address=127.0.0.1:50051] [--folder=.]
 *
 * Only regular files of the folder are sent; links are not followed. An upload appears under its
 * name when all of it is on the disk, and then at once; it replaces a file that belongs to this
 * server's user, and nothing else. Until then it is a file ".upload-NUMBER", which a server that is
 * killed leaves there.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64 /* of machines with 32 bits as well */
#include "../../port/posix/posix.h"
#include "crc32.h"
#include "files.mote.h"
#include "../common/secure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CHUNK = 2048,
    NAME = 255,
    FLUSH = 1 << 20, /* so many bytes of an upload are sent on to the disk together */
    STEP =
        1 << 21, /* so many are skipped in a turn, for all downloads, so that others wait little */
    TURN_MS = 20
};

static int folder = -1;

/*
 * upload:   NEW -> OPEN -> STORED      NEW: no chunk has come; OPEN: there is a temporary file;
 *                                      STORED: it has its name
 * download: NEW -> SKIPPING -> OPEN -> SENT    SKIPPING: what is before the offset is read for the
 *                    +----------+-> FAILED     checksum, in steps; SENT: with its receipt; FAILED:
 *                                              the file cannot be read, or was cut meanwhile
 */
enum phase { NEW, OPEN, STORED, SKIPPING, SENT, FAILED };

/* User memory of a call; zero at its start. */
typedef struct transfer {
    enum phase phase;
    int fd; /* unless NEW */
    uint32_t crc;
    uint64_t size;      /* bytes that have passed; crc is theirs */
    uint64_t begin;     /* SKIPPING: the first that is wanted */
    uint64_t temporary; /* number in the name of an upload */
    char name[NAME + 1];
    mote_grpc_call *call; /* SKIPPING */
    struct transfer *next;
} transfer;

static transfer *skipping; /* in turn */

/* ---- names --------------------------------------------------------------------------------- */

/* The portable characters of file names (POSIX.1-2017, 3.282): A-Z a-z 0-9 . _ -, of which . and -
 * are not the first. What begins with a dot is this server's own. */
static bool is_file_name(mote_pb_string name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool always =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (!always && (i == 0 || (c != '.' && c != '-')))
            return false;
    }
    return name.len > 0 && name.len <= NAME;
}

static bool take_name(transfer *t, mote_pb_string name)
{
    if (!is_file_name(name))
        return false;
    memcpy(t->name, name.data, name.len);
    t->name[name.len] = '\0';
    return true;
}

static const char *temporary_name(const transfer *t)
{
    static char name[32];

    snprintf(name, sizeof name, ".upload-%016llx", (unsigned long long)t->temporary);
    return name;
}

/* Links, FIFOs and files of others stay as they are; so does one that has a second name. */
static bool may_replace(const char *name)
{
    struct stat s;

    if (fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT;
    return S_ISREG(s.st_mode) && s.st_uid == geteuid() && s.st_nlink == 1;
}

/* ---- the end of a transfer ----------------------------------------------------------------- */

static void skip_no_more(const transfer *t)
{
    transfer **at = &skipping;

    while (*at && *at != t)
        at = &(*at)->next;
    if (*at)
        *at = t->next;
}

/* Whoever ended it. */
static int end_transfer(transfer *t)
{
    skip_no_more(t);
    if (t->phase == NEW)
        return 0;
    if (t->phase == OPEN && t->temporary)
        unlinkat(folder, temporary_name(t), 0);
    close(t->fd);
    t->phase = NEW;
    return 0;
}

/* ---- upload -------------------------------------------------------------------------------- */

static int begin_upload(mote_grpc_call *call, transfer *t, mote_pb_string name)
{
    if (!take_name(t, name))
        return mote_grpc_finish(call, MOTE_GRPC_PERMISSION_DENIED, "no file can have this name");
    if (!may_replace(t->name))
        return mote_grpc_finish(call, MOTE_GRPC_ALREADY_EXISTS, "the name is somebody else's");
    if (getrandom(&t->temporary, sizeof t->temporary, 0) != sizeof t->temporary)
        return MOTE_GRPC_INTERNAL;
    t->temporary |= 1;
    t->fd = openat(folder, temporary_name(t), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                   0666);
    if (t->fd < 0)
        return mote_grpc_finish(call, MOTE_GRPC_RESOURCE_EXHAUSTED, strerror(errno));
    t->phase = OPEN;
    return 0;
}

static bool write_all(int fd, const uint8_t *data, size_t len, uint64_t at)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, data, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        at += (size_t)n;
        len -= (size_t)n;
    }
    return true;
}

static int take_chunk(mote_grpc_call *call, transfer *t, const mote_grpc_event *ev)
{
    mote_files_Chunk c;

    if (mote_files_Files_Upload_read(ev, &c, NULL) < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    int r = t->phase == NEW ? begin_upload(call, t, c.name) : 0;
    if (r != 0 || t->phase == NEW)
        return r;
    if (c.offset != t->size)
        return mote_grpc_finish(call, MOTE_GRPC_OUT_OF_RANGE, "chunks have gaps");
    if (!write_all(t->fd, c.data.data, c.data.len, t->size))
        return mote_grpc_finish(call, MOTE_GRPC_RESOURCE_EXHAUSTED, strerror(errno));
    uint64_t before = t->size;
    t->size += c.data.len;
    t->crc = crc32_add(t->crc, c.data.data, c.data.len);
    if (before / FLUSH != t->size / FLUSH) /* begins only; so fsync() at the end has little to do */
        sync_file_range(t->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    return 0;
}

/* All of it, under its name, on the disk. */
static bool store(transfer *t)
{
    const char *temporary = temporary_name(t);

    if (fsync(t->fd) < 0)
        return false;
    if (renameat2(folder, temporary, folder, t->name, RENAME_NOREPLACE) < 0 &&
        (errno != EEXIST || !may_replace(t->name) ||
         renameat(folder, temporary, folder, t->name) < 0))
        return false;
    if (fsync(folder) < 0)
        return false;
    t->phase = STORED;
    return true;
}

static int send_receipt(mote_grpc_call *call, transfer *t)
{
    mote_files_Receipt receipt = {t->size, t->crc};

    if (t->phase == NEW)
        return mote_grpc_finish(call, MOTE_GRPC_INVALID_ARGUMENT, "there was no chunk");
    if (t->phase == OPEN && !store(t))
        return mote_grpc_finish(call, MOTE_GRPC_RESOURCE_EXHAUSTED, strerror(errno));
    return mote_files_Files_Upload_answer(call, &receipt);
}

static int upload(mote_grpc_call *call, const mote_grpc_event *ev)
{
    transfer *t = call->user;

    switch (ev->type) {
    case MOTE_GRPC_MESSAGE:
        return take_chunk(call, t, ev);
    case MOTE_GRPC_HALF_CLOSE:
        return send_receipt(call, t);
    case MOTE_GRPC_CLOSED:
        return end_transfer(t);
    default:
        return 0;
    }
}

/* ---- download ------------------------------------------------------------------------------ */

/* One part: the chunk at t->size, or the receipt. 1: there is more. */
static int send_part(mote_grpc_call *call, transfer *t)
{
    uint8_t data[CHUNK];
    ssize_t n = pread(t->fd, data, sizeof data, (off_t)t->size);
    if (n < 0) {
        t->phase = FAILED;
        return 0;
    }
    mote_files_Chunk chunk = {.offset = t->size, .data = {data, (size_t)n}};
    mote_files_Receipt receipt = {t->size, t->crc};
    mote_files_Part part = {.is = {.which = mote_files_Part_chunk, .is = {.chunk = &chunk}}};

    if (n == 0) {
        part.is.which = mote_files_Part_receipt;
        part.is.is.receipt = &receipt;
    }
    int r = mote_files_Files_Download_write(call, &part);
    if (r < 0)
        return r; /* not now: the same bytes are read again */
    t->size += (uint64_t)n;
    t->crc = crc32_add(t->crc, data, (size_t)n);
    if (n == 0)
        t->phase = SENT;
    return 0;
}

static int send_parts(mote_grpc_call *call, transfer *t)
{
    int r = 0;

    while (r == 0 && t->phase == OPEN)
        r = send_part(call, t);
    if (r == 0 && t->phase == FAILED)
        r = mote_grpc_finish(call, MOTE_GRPC_DATA_LOSS, "the file cannot be read to its end");
    else if (r == 0)
        r = mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
    return r == MOTE_AGAIN ? 0 : r; /* MOTE_GRPC_WRITABLE follows */
}

/* Opens a regular file; whatever else has the name is not touched. */
static int open_file(transfer *t, mote_pb_string name, uint64_t *size)
{
    struct stat s;

    if (!take_name(t, name))
        return -1;
    int fd = openat(folder, t->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode)) {
        *size = (uint64_t)s.st_size;
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static void begin_to_skip(mote_grpc_call *call, transfer *t, uint64_t offset)
{
    t->phase = SKIPPING;
    t->begin = offset;
    t->call = call;
    t->next = skipping;
    skipping = t;
}

static int start_download(mote_grpc_call *call, transfer *t, const mote_grpc_event *ev)
{
    mote_files_Request q;
    uint64_t size;

    if (mote_files_Files_Download_read(ev, &q, NULL) < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    int fd = open_file(t, q.name, &size);
    if (fd < 0)
        return mote_grpc_finish(call, MOTE_GRPC_NOT_FOUND, "no such file");
    if (q.offset > size) {
        close(fd);
        return mote_grpc_finish(call, MOTE_GRPC_OUT_OF_RANGE, "offset is beyond the end");
    }
    t->fd = fd;
    t->phase = OPEN;
    if (q.offset > 0)
        begin_to_skip(call, t, q.offset);
    return 0;
}

/* What comes before the offset counts for the checksum. */
static bool skip(transfer *t)
{
    static uint8_t data[1 << 16];

    for (size_t done = 0; done < STEP && t->size < t->begin;) {
        size_t want = t->begin - t->size < sizeof data ? (size_t)(t->begin - t->size) : sizeof data;
        ssize_t n = pread(t->fd, data, want, (off_t)t->size);
        if (n <= 0)
            return false;
        t->crc = crc32_add(t->crc, data, (size_t)n);
        t->size += (uint64_t)n;
        done += (size_t)n;
    }
    return true;
}

/* One step of one download; the others have their turn. */
static void each_turn(void *context, mote_posix_loop *loop)
{
    transfer *t = skipping, **last = &skipping;

    (void)context;
    (void)loop;
    if (!t)
        return;
    bool ok = skip(t);
    skip_no_more(t);
    if (ok && t->size < t->begin) {
        while (*last)
            last = &(*last)->next;
        *last = t;
        t->next = NULL;
        return;
    }
    t->phase = ok ? OPEN : FAILED;
    mote_posix_conn *conn = mote_posix_conn_of(t->call);
    send_parts(t->call, t);
    mote_posix_flush(conn);
}

static int download(mote_grpc_call *call, const mote_grpc_event *ev)
{
    transfer *t = call->user;

    switch (ev->type) {
    case MOTE_GRPC_MESSAGE:
        return start_download(call, t, ev);
    case MOTE_GRPC_HALF_CLOSE:
    case MOTE_GRPC_WRITABLE:
        if (t->phase == SKIPPING)
            return 0;
        return t->phase == NEW ? MOTE_GRPC_INVALID_ARGUMENT : send_parts(call, t);
    case MOTE_GRPC_CLOSED:
        return end_transfer(t);
    default:
        return 0;
    }
}

static const mote_grpc_method methods[] = mote_files_Files_METHODS(upload, download);
static const mote_grpc_service services[] = {mote_files_Files_SERVICE(methods)};

int main(int argc, char **argv)
{
    mote_posix_server server = {.address = "127.0.0.1:50051",
                                .grpc = {.max_calls = 8,
                                         .slots = 8,
                                         .rx_size = 8192,
                                         .tx_size = 8192,
                                         .table_size = 4096,
                                         .field_size = 2048,
                                         .user_size = sizeof(transfer),
                                         .services = services,
                                         .service_count = 1},
                                .turn = each_turn,
                                .turn_ms = TURN_MS};
    const char *path = ".";
    const option options[] = {OPTION("--address", &server.address, "where to listen"),
                              OPTION("--folder", &path, "where the files are (.)"), OPTIONS_END};

    parse_options(argc, argv, "files_server: serves mote.files.Files", options);
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        fprintf(stderr, "files_server: error: --folder=%s: %s\n", path, strerror(errno));
        return 1;
    }
    signal(SIGXFSZ, SIG_IGN); /* a limit of the file's size is an error like a full disk */
    server.security = secure_server();
    return mote_posix_serve(&server) < 0;
}
