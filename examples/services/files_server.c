/*
 * Files in chunks: Upload stores a file, Download sends one. Neither is ever held in memory: a
 * chunk is written when it comes, and read when there is room to send it.
 *
 *   files_server [--address=127.0.0.1:50051] [--folder=.]
 */
#include "../../port/posix/posix.h"
#include "crc32.h"
#include "files.mote.h"
#include "../common/secure.h"

#include <errno.h>

enum { CHUNK = 2048 };

static const char *folder = ".";

/* User memory of a call; zero at its start. */
typedef struct {
    FILE *file;
    uint64_t size;
    uint32_t crc;
    bool complete; /* a download's receipt was sent */
} transfer;

/* Opens a file of the folder: names do not lead out of it. */
static FILE *open_file(mote_pb_string name, const char *mode)
{
    char path[1024];

    if (name.len == 0 || name.len > 255 || name.data[0] == '.')
        return NULL;
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '/' || name.data[i] == '\0')
            return NULL;
    }
    snprintf(path, sizeof path, "%s/%.*s", folder, (int)name.len, name.data);
    return fopen(path, mode);
}

static void close_file(transfer *t)
{
    if (t->file)
        fclose(t->file);
    t->file = NULL;
}

/* ---- upload -------------------------------------------------------------------------------- */

static int take_chunk(mote_grpc_call *call, transfer *t, const mote_grpc_event *ev)
{
    mote_files_Chunk c;

    if (mote_files_Files_Upload_read(ev, &c, NULL) < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    if (!t->file && !(t->file = open_file(c.name, "wb")))
        return mote_grpc_finish(call, MOTE_GRPC_PERMISSION_DENIED, "no file can have this name");
    if (c.offset != t->size)
        return mote_grpc_finish(call, MOTE_GRPC_OUT_OF_RANGE, "chunks have gaps");
    if (fwrite(c.data.data, 1, c.data.len, t->file) != c.data.len)
        return mote_grpc_finish(call, MOTE_GRPC_RESOURCE_EXHAUSTED, strerror(errno));
    t->size += c.data.len;
    t->crc = crc32_add(t->crc, c.data.data, c.data.len);
    return 0;
}

static int send_receipt(mote_grpc_call *call, transfer *t)
{
    mote_files_Receipt receipt = {t->size, t->crc};

    if (t->file && fflush(t->file) != 0)
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
    case MOTE_GRPC_CLOSED: /* whoever ended it */
        close_file(t);
        return 0;
    default:
        return 0;
    }
}

/* ---- download ------------------------------------------------------------------------------ */

/* One part: the chunk at t->size, or the receipt. 1: there is more. */
static int send_part(mote_grpc_call *call, transfer *t)
{
    uint8_t data[CHUNK];
    size_t n = fread(data, 1, sizeof data, t->file);
    mote_files_Chunk chunk = {.offset = t->size, .data = {data, n}};
    mote_files_Receipt receipt = {t->size, t->crc};
    mote_files_Part part = {.is = {.which = mote_files_Part_chunk, .is = {.chunk = &chunk}}};

    if (n == 0) {
        part.is.which = mote_files_Part_receipt;
        part.is.is.receipt = &receipt;
    }
    int r = mote_files_Files_Download_write(call, &part);
    if (r < 0) { /* not now: the same bytes are read again */
        fseek(t->file, (long)t->size, SEEK_SET);
        return r;
    }
    t->size += n;
    t->crc = crc32_add(t->crc, data, n);
    t->complete = n == 0;
    return n > 0;
}

static int send_parts(mote_grpc_call *call, transfer *t)
{
    int r = t->complete ? 0 : 1;

    while (r == 1)
        r = send_part(call, t);
    if (r == 0)
        r = mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
    return r == MOTE_AGAIN ? 0 : r; /* MOTE_GRPC_WRITABLE follows */
}

/* What comes before the offset counts for the checksum. */
static bool skip_to(transfer *t, uint64_t offset)
{
    uint8_t data[CHUNK];

    while (t->size < offset) {
        size_t want = offset - t->size < CHUNK ? (size_t)(offset - t->size) : CHUNK;
        size_t n = fread(data, 1, want, t->file);
        if (n == 0)
            return false;
        t->crc = crc32_add(t->crc, data, n);
        t->size += n;
    }
    return true;
}

static int start_download(mote_grpc_call *call, transfer *t, const mote_grpc_event *ev)
{
    mote_files_Request q;

    if (mote_files_Files_Download_read(ev, &q, NULL) < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    t->file = open_file(q.name, "rb");
    if (!t->file)
        return mote_grpc_finish(call, MOTE_GRPC_NOT_FOUND, "no such file");
    return skip_to(t, q.offset)
               ? 0
               : mote_grpc_finish(call, MOTE_GRPC_OUT_OF_RANGE, "offset is beyond the end");
}

static int download(mote_grpc_call *call, const mote_grpc_event *ev)
{
    transfer *t = call->user;

    switch (ev->type) {
    case MOTE_GRPC_MESSAGE:
        return start_download(call, t, ev);
    case MOTE_GRPC_HALF_CLOSE:
    case MOTE_GRPC_WRITABLE:
        return t->file ? send_parts(call, t) : MOTE_GRPC_INVALID_ARGUMENT;
    case MOTE_GRPC_CLOSED: /* whoever ended it */
        close_file(t);
        return 0;
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
                                         .service_count = 1}};
    const option options[] = {OPTION("--address", &server.address, "where to listen"),
                              OPTION("--folder", &folder, "where the files are (.)"), OPTIONS_END};

    parse_options(argc, argv, "files_server: serves mote.files.Files", options);
    server.security = secure_server();
    return mote_posix_serve(&server) < 0;
}
