/* A client of gRPC whose server is bytes. */
#ifndef FIELDS_HARNESS_H
#define FIELDS_HARNESS_H

#include "../../grpc/channel/channel.h"
#include "../test.h"

enum { RX = 256, TX = 512, FIELD = 128 };

static mote_grpc client;
static uint64_t memory[MOTE_GRPC_MEMORY(1, RX, TX, 256, FIELD, 4, 0) / 8];
static mote_grpc_call *call;
static mote_grpc_config config;

/* What the client was told, as "x=a;" for metadata, and its status. */
static char told[512], text[512];
static int code; /* -1: none yet */

/* ---- a server that is bytes ------------------------------------------------------------------ */

static void note(const mote_grpc_event *ev)
{
    size_t at = strlen(told);

    if (ev->type == MOTE_GRPC_METADATA)
        snprintf(told + at, sizeof told - at, "%.*s=%.*s;", (int)ev->name_len, ev->name,
                 (int)ev->value_len, ev->value);
    if (ev->type != MOTE_GRPC_STATUS)
        return;
    code = ev->code;
    snprintf(text, sizeof text, "%.*s", (int)ev->message_len, ev->message);
}

static int feed(const void *bytes, size_t len)
{
    const uint8_t *in = bytes;
    mote_grpc_event ev;
    size_t used;
    int r;

    while ((r = mote_grpc_recv(&client, in, len, &used, &ev)) > 0) {
        in += used;
        len -= used;
        note(&ev);
    }
    return r;
}

static size_t drain(void)
{
    size_t len, all = 0;

    while (mote_grpc_peek(&client, &len)) {
        all += len;
        mote_grpc_ack(&client, len);
    }
    return all;
}

static int start_with(const mote_grpc_metadata *metadata, size_t count)
{
    static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/t.T/Call");
    mote_grpc_request request = {.path = &path, .metadata = metadata, .metadata_count = count};

    told[0] = text[0] = '\0';
    code = -1;
    return mote_grpc_start(&client, &request, &call);
}

static void connect_as(bool strict)
{
    config = (mote_grpc_config){.max_calls = 1,
                                .strict = strict,
                                .slots = 4,
                                .rx_size = RX,
                                .tx_size = TX,
                                .table_size = 256,
                                .dynamic = &mote_hpack_dynamic_table,
                                .field_size = FIELD,
                                .authority = MOTE_GRPC_AUTHORITY("a")};
    CHECK_INT(mote_grpc_init(&client, &config, memory, sizeof memory), 0);
    drain();
}

static void connect(void)
{
    connect_as(false);
}

static void begin_as(bool strict)
{
    connect_as(strict);
    feed("\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0", 18);
    CHECK_INT(start_with(NULL, 0), 0);
    drain();
}

static void begin(void)
{
    begin_as(false);
}

#endif
