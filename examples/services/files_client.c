/*
 * A client of files_server:
 *
 *   files_client [--address=A] upload NAME < FILE
 *   files_client [--address=A] download NAME > FILE
 *
 * Compares checksums at the end, and fails when they differ.
 */
#include "files.mote.h"

#include "crc32.h"

#include "../common/client.h"

enum { CHUNK = 1024 };

static int compare(const mote_files_Receipt *receipt, uint64_t size, uint32_t crc)
{
    if (receipt->size == size && receipt->crc32 == crc)
        return 0;
    fprintf(stderr, "error: the checksums differ: %08x, not %08x\n", receipt->crc32, crc);
    return 1;
}

static int upload(const char *name)
{
    uint8_t data[CHUNK];
    uint64_t size = 0;
    uint32_t crc = 0;
    mote_files_Receipt receipt = {0};
    mote_grpc_call *call;
    size_t n;

    check(mote_files_Files_Upload_start(&channel, no_limit, &call));
    do {
        n = fread(data, 1, sizeof data, stdin);
        mote_files_Chunk chunk = {
            .name = mote_pb_cstring(size == 0 ? name : ""), .offset = size, .data = {data, n}};
        if (mote_files_Files_Upload_send(call, &chunk) < 0)
            break; /* the call is over; the status says why */
        crc = crc32_add(crc, data, n);
        size += n;
    } while (n > 0);
    mote_status status = mote_files_Files_Upload_finish(call, &receipt, NULL);
    return status.code == MOTE_GRPC_OK ? compare(&receipt, size, crc) : report(status);
}

static int download(const char *name)
{
    uint64_t scratch[32], size = 0;
    uint32_t crc = 0;
    int differs = 1;
    mote_files_Request request = {.name = mote_pb_cstring(name)};
    mote_files_Part part;
    mote_grpc_call *call;
    mote_status status;
    mote_pb_arena arena;

    check(mote_files_Files_Download_call(&channel, no_limit, &request, &call));
    while (mote_pb_arena_init(&arena, scratch, sizeof scratch),
           mote_files_Files_Download_recv(call, &part, &arena, &status) > 0) {
        if (part.is.which == mote_files_Part_chunk) {
            const mote_files_Chunk *c = part.is.is.chunk;
            fwrite(c->data.data, 1, c->data.len, stdout);
            crc = crc32_add(crc, c->data.data, c->data.len);
            size += c->data.len;
        } else if (part.is.which == mote_files_Part_receipt) {
            differs = compare(part.is.is.receipt, size, crc);
        }
    }
    return report(status) || fflush(stdout) != 0 || ferror(stdout) || differs;
}

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1:50051";
    const option options[] = {OPTION("--address", &address, "the server"), OPTIONS_END};
    int i = parse_options(argc, argv, "files_client upload|download NAME: calls mote.files.Files",
                          options);

    if (i + 2 != argc || (strcmp(argv[i], "upload") != 0 && strcmp(argv[i], "download") != 0)) {
        fprintf(stderr, "files_client: error: upload NAME or download NAME? (see --help)\n");
        return 2;
    }
    open_channel(address);
    return strcmp(argv[i], "upload") == 0 ? upload(argv[i + 1]) : download(argv[i + 1]);
}
