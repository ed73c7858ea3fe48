/* What an outbox sends arrives here, over a link in memory. */
#ifndef OUTBOX_LINK_H
#define OUTBOX_LINK_H

#include "../../grpc/services/outbox.h"
#include "../test.h"

enum { CALLS = 1, RX = 128, TX = 256, EPOCH = 77 };

static mote_outbox o;

/* ---- a link: what the outbox sends arrives here, as texts with a comma behind each ---------- */

static uint64_t memory[2][MOTE_GRPC_MEMORY(CALLS, RX, TX, 4096, 128, 8, 0) / 8];
static mote_grpc client, server;
static mote_grpc_call *call;
static char heard[4096];

static int hear(mote_grpc_call *c, const mote_grpc_event *ev)
{
    (void)c;
    if (ev->type == MOTE_GRPC_MESSAGE)
        snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%.*s,", (int)ev->len,
                 (const char *)ev->data);
    return 0;
}

static const mote_grpc_method hear_method = {"Hear", hear, NULL, NULL, NULL, false, false};
static mote_grpc_service services[2] = {
    {"a.B", &hear_method, 1, false}}; /* the other is for the test */
static const mote_hpack_field hear_path = MOTE_HPACK_FIELD(":path", "/a.B/Hear");

static void connect_again(const mote_hpack_field *path)
{
    static mote_grpc_config c, s;

    c = (mote_grpc_config){.max_calls = CALLS,
                           .slots = 8,
                           .rx_size = RX,
                           .tx_size = TX,
                           .dynamic = &mote_hpack_dynamic_table,
                           .coder = &mote_hpack_huffman_coder,
                           .table_size = 4096,
                           .field_size = 128,
                           .authority = MOTE_GRPC_AUTHORITY("x"),
                           .services = services,
                           .service_count = services[1].methods ? 2 : 1};
    CHECK_INT(mote_grpc_init(&client, &c, memory[0], sizeof memory[0]), 0);
    s = c;
    s.server = true;
    CHECK_INT(mote_grpc_init(&server, &s, memory[1], sizeof memory[1]), 0);
    CHECK_INT(mote_grpc_start(&client, &(mote_grpc_request){.path = path}, &call), 0);
    mote_outbox_rewind(&o);
}

/* At most `most` bytes of each end reach the other one; true: there was something. */
static bool carry(size_t most)
{
    size_t len, used, n = 0;
    const uint8_t *out = mote_grpc_peek(&client, &len);
    mote_grpc_event ev;

    if (out) {
        n = len < most ? len : most;
        mote_grpc_serve(&server, out, n);
        mote_grpc_ack(&client, n);
    }
    if (!(out = mote_grpc_peek(&server, &len)))
        return n > 0;
    len = len < most ? len : most;
    size_t at = 0;
    while (mote_grpc_recv(&client, out + at, len - at, &used, &ev) > 0)
        at += used;
    mote_grpc_ack(&server, len);
    return true;
}

static void open_link(void)
{
    connect_again(&hear_path);
    heard[0] = '\0';
    while (carry(1000))
        ;
}

/* Another message, which leaves `left` bytes of the window that a call begins with. */
static void fill_window(size_t left)
{
    static const uint8_t text[RX] = "filler";
    mote_grpc_bytes filler = {text, RX - 5 - left};

    CHECK_INT(mote_grpc_send(call, &mote_grpc_bytes_source, &filler, 0), 0);
}

#endif
