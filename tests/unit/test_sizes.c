/* Sizes near the end of their type: 2^31 and 2^32 on all machines, SIZE_MAX of the one that runs
 * this. Each is taken, or refused before it is added to or rounded. */
#include "../../fuzz/schema3.mote.h"
#include "../../grpc/grpc.h"
#include "../../grpc/services/outbox.h"
#include "../test.h"

enum { RX = 256, TX = 512, CALLS = 2 };

static mote_grpc server;
static uint64_t memory[MOTE_GRPC_MEMORY(CALLS, RX, TX, 4096, 256, 4, 0) / 8];

/* ---- what has come to the handlers ---------------------------------------------------------- */

static struct {
    int code;
    size_t messages, chunks, len;
    uint64_t total;
} seen;
static size_t answer_total; /* of a message that is sent at once; 0: none */
static int answer_result;

/* Bytes that are nowhere. */
static int write_nothing(const void *type, const void *message, size_t offset, uint8_t *out,
                         size_t cap, size_t *total)
{
    (void)type, (void)message, (void)offset;
    if (*total > 0)
        memset(out, 'x', cap);
    *total = answer_total;
    return 0;
}

static const mote_grpc_source nothing = {write_nothing, NULL, NULL};

static int take(mote_grpc_call *call, const mote_grpc_event *ev)
{
    if (ev->type == MOTE_GRPC_START && answer_total > 0)
        answer_result = mote_grpc_send(call, &nothing, NULL, 0);
    if (ev->type == MOTE_GRPC_MESSAGE) {
        seen.messages++;
        seen.len = ev->len;
    }
    if (ev->type == MOTE_GRPC_CHUNK) {
        seen.chunks++;
        seen.len = ev->len;
        seen.total = ev->total;
    }
    if (ev->type == MOTE_GRPC_CLOSED)
        seen.code = ev->code;
    return 0;
}

static const mote_grpc_method methods[] = {
    {.name = "C", .handler = take, .chunks = &mote_grpc_chunks}, {.name = "M", .handler = take}};
static const mote_grpc_service services[] = {{"s.S", methods, 2, true}};

/* ---- a server ---------------------------------------------------------------------------------
 */

static mote_grpc_config config_of_server(void)
{
    return (mote_grpc_config){.server = true,
                              .coder = &mote_hpack_huffman_coder,
                              .max_calls = CALLS,
                              .rx_size = RX,
                              .tx_size = TX,
                              .table_size = 4096,
                              .field_size = 256,
                              .slots = 4,
                              .services = services,
                              .service_count = 1};
}

static uint8_t out[2 * TX];
static size_t out_len;

static void feed(const void *bytes, size_t len)
{
    const uint8_t *p;
    size_t n;

    mote_grpc_serve(&server, bytes, len);
    while ((p = mote_grpc_peek(&server, &n))) {
        n = n < sizeof out - out_len ? n : sizeof out - out_len;
        if (n == 0)
            break;
        memcpy(out + out_len, p, n);
        out_len += n;
        mote_grpc_ack(&server, n);
        mote_grpc_serve(&server, NULL, 0);
    }
}

static void call_method(char name)
{
    static mote_grpc_config config;
    char headers[] = "\0\0\x1f\1\4\0\0\0\1\x83\x86\x04\6/s.S/?\x41\1x\x0f\x10\x10"
                     "application/grpc";

    config = config_of_server();
    headers[18] = name;
    headers[2] = (char)(sizeof headers - 10);
    memset(&seen, 0, sizeof seen);
    seen.code = -1;
    out_len = 0;
    CHECK_INT(mote_grpc_init(&server, &config, memory, sizeof memory), 0);
    feed("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0", 42);
    feed(headers, sizeof headers - 1);
}

/* The first 10 bytes of a message that is said to be so long. */
static void send_beginning(uint32_t len)
{
    uint8_t data[] = {0, 0, 15,  0,   0,   0,   0,   0,   1,   0,   0,   0,
                      0, 0, '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'};

    for (int i = 0; i < 4; i++)
        data[10 + i] = (uint8_t)(len >> (24 - 8 * i));
    feed(data, sizeof data);
}

static const uint32_t far_sizes[] = {0x7ffffffa, 0x7ffffffb, 0x7ffffffe, 0x7fffffff,
                                     0x80000000, 0x80000001, 0xfffffff9, 0xfffffffa,
                                     0xfffffffb, 0xfffffffc, 0xfffffffe, 0xffffffff};
enum { FAR = sizeof far_sizes / sizeof far_sizes[0] };

static void a_message_beyond_the_buffer_is_refused_by_its_length_alone(void)
{
    static const uint32_t near_sizes[] = {RX - 4, RX - 3, RX};

    for (size_t i = 0; i < FAR + 3; i++) {
        call_method('M');
        send_beginning(i < 3 ? near_sizes[i] : far_sizes[i - 3]);
        CHECK_INT(seen.code, MOTE_GRPC_RESOURCE_EXHAUSTED);
        CHECK_INT(seen.messages, 0);
    }
    call_method('M');
    send_beginning(RX - 5);
    CHECK_INT(seen.code, -1);
}

static void a_message_in_chunks_may_have_any_length(void)
{
    for (size_t i = 0; i < FAR; i++) {
        call_method('C');
        send_beginning(far_sizes[i]);
        CHECK_INT(seen.chunks, 1);
        CHECK_INT(seen.len, 10);
        CHECK(seen.total == far_sizes[i]);
        CHECK_INT(seen.code, -1);
    }
}

/* 2^32 - 6 bytes and their prefix are counted in 32 bits. */
static void a_message_that_no_prefix_can_tell_is_not_sent(void)
{
    static const uint64_t sizes[] = {0xfffffff9,
                                     0xfffffffa,
                                     0xfffffffb,
                                     0xfffffffc,
                                     0xffffffff,
                                     UINT64_C(1) << 32,
                                     (UINT64_C(1) << 32) + 10,
                                     UINT64_C(1) << 40};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i] > SIZE_MAX)
            continue;
        answer_total = (size_t)sizes[i];
        call_method('M');
        bool fits = sizes[i] <= 0xfffffffa;
        CHECK_INT(answer_result, fits ? MOTE_AGAIN : MOTE_GRPC_ERR_LIMIT);
        const uint8_t prefix[] = {0, 0xff, 0xff, 0xff, (uint8_t)sizes[i], 'x'};
        bool told = false;
        for (size_t at = 0; at + sizeof prefix <= out_len; at++)
            told = told || memcmp(out + at, prefix, sizeof prefix) == 0;
        CHECK_INT(told, fits);
    }
    answer_total = 0;
}

/* ---- memory -----------------------------------------------------------------------------------
 */

static int init_with(mote_grpc_config c, size_t memory_size)
{
    return mote_grpc_init(&server, &c, memory, memory_size);
}

static void memory_is_not_counted_beyond_what_can_be_counted(void)
{
    size_t each = MOTE_GRPC_MEMORY(1, RX, 0, 0, 0, 0, 0);

    for (int d = -1; d <= 1; d++) {
        mote_grpc_config c = config_of_server();
        c.max_calls = (uint16_t)(UINT16_MAX + (d < 0 ? d : 0));
        CHECK_INT(init_with(c, sizeof memory), MOTE_GRPC_ERR_CONFIG);
        c = config_of_server();
        c.rx_size = (uint32_t)MOTE_GRPC_SIZE_MAX + (uint32_t)d;
        CHECK_INT(init_with(c, sizeof memory), MOTE_GRPC_ERR_CONFIG);
        c = config_of_server();
        c.user_size = (uint32_t)MOTE_GRPC_SIZE_MAX + (uint32_t)d;
        CHECK_INT(init_with(c, sizeof memory), MOTE_GRPC_ERR_CONFIG);
        /* so many bytes for each of two calls that a sum of 32 bits would be small again */
        c.user_size = (uint32_t)(0x80000000 - each + 8 * (unsigned)(d + 1));
        CHECK_INT(init_with(c, sizeof memory), MOTE_GRPC_ERR_CONFIG);
        c = config_of_server();
        c.tx_size = 0xffffffff - (uint32_t)(d + 1);
        CHECK_INT(init_with(c, sizeof memory), MOTE_GRPC_ERR_CONFIG);
    }
    CHECK_INT(init_with(config_of_server(), sizeof memory - 8), MOTE_GRPC_ERR_CONFIG);
    CHECK_INT(init_with(config_of_server(), sizeof memory), 0);
}

/* ---- outbox, lobby, spool -----------------------------------------------------------------------
 */

static void an_outbox_refuses_by_the_length_alone(void)
{
    static const size_t lens[] = {SIZE_MAX,         SIZE_MAX - 1, SIZE_MAX - 2,
                                  SIZE_MAX / 2 + 1, 65536,        63};
    static uint8_t ring[64];
    static const uint8_t message[62];
    mote_outbox o;

    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        mote_outbox_init(&o, ring, sizeof ring, MOTE_OUTBOX_DROP_OLDEST, 1);
        CHECK_INT(mote_outbox_put(&o, message, lens[i]), MOTE_GRPC_ERR_SPACE);
        CHECK(mote_outbox_count(&o) == 0 && mote_outbox_sequence(&o) == 1);
    }
    CHECK_INT(mote_outbox_put(&o, message, sizeof message), 0);
}

/* Storage of which only what was programmed last is kept, wherever it lies. */
static struct {
    size_t at, len;
    uint8_t bytes[128];
} programmed[16];
static size_t programs, furthest;

static int read_far(void *context, size_t at, uint8_t *to, size_t len)
{
    (void)context;
    furthest = at + (len - 1) > furthest ? at + (len - 1) : furthest;
    memset(to, 0xff, len);
    for (size_t k = 0; k < programs; k++)
        for (size_t i = 0; i < len; i++)
            if (at + i >= programmed[k].at && at + i - programmed[k].at < programmed[k].len)
                to[i] = programmed[k].bytes[at + i - programmed[k].at];
    return 0;
}

static int program_far(void *context, size_t at, const uint8_t *from, size_t len)
{
    (void)context;
    if (programs == 16 || len > 128)
        return -1;
    programmed[programs].at = at;
    programmed[programs].len = len;
    memcpy(programmed[programs++].bytes, from, len);
    return 0;
}

static int erase_far(void *context, size_t at)
{
    (void)context, (void)at;
    return 0;
}

/* Four sectors that end where no size ends: one more byte, and places would be small again. */
static void storage_beyond_what_can_be_counted_is_refused(void)
{
    mote_outbox_storage s = {NULL, 1, 0, 4, read_far, program_far, erase_far, NULL};
    mote_outbox o;

    s.sector = (SIZE_MAX - 64) / 4;
    programs = furthest = 0;
    CHECK_INT(mote_outbox_mount(&o, &s, MOTE_OUTBOX_REFUSE, 7), 0);
    CHECK_INT(mote_outbox_put(&o, (const uint8_t *)"one", 3), 0);
    CHECK_INT(mote_outbox_mount(&o, &s, MOTE_OUTBOX_REFUSE, 8), 0);
    CHECK(o.epoch == 7 && mote_outbox_count(&o) == 1);
    CHECK(furthest >= 3 * s.sector && furthest < 4 * s.sector);
    s.sector++;
    CHECK_INT(mote_outbox_mount(&o, &s, MOTE_OUTBOX_REFUSE, 8), MOTE_GRPC_ERR_CONFIG);
    for (int d = 0; d < 2; d++) { /* 2^32 or 2^64 and a little: a small number, rounded */
        s.sector = 4096;
        s.sectors = SIZE_MAX / 4096 + 5 + (size_t)d;
        CHECK_INT(mote_outbox_mount(&o, &s, MOTE_OUTBOX_REFUSE, 8), MOTE_GRPC_ERR_CONFIG);
    }
}

/* ---- messages
 * ------------------------------------------------------------------------------------ */

static int decode_field(unsigned number, uint32_t len)
{
    static uint64_t room[512];
    uint8_t bytes[20];
    fuzz_Three message;
    mote_pb_arena arena;
    size_t n = mote_pb_delimit(number << 3 | 2, bytes);

    n += mote_pb_delimit(len, bytes + n);
    memset(bytes + n, 0, 4);
    mote_pb_arena_init(&arena, room, sizeof room);
    return mote_pb_decode(&fuzz_Three_decoder, &message, bytes, n + 4, &arena, NULL);
}

/* Whatever the field is, known or not. */
static void a_length_beyond_the_message_is_truncated(void)
{
    for (unsigned number = 1; number < 60; number++) {
        for (size_t i = 0; i < FAR; i++)
            CHECK_INT(decode_field(number, far_sizes[i]), MOTE_PB_ERR_TRUNCATED);
        CHECK_INT(decode_field(number, 5), MOTE_PB_ERR_TRUNCATED);
        CHECK(decode_field(number, 4) != MOTE_PB_ERR_TRUNCATED || number == 24 || number == 26 ||
              number == 30);
    }
}

/* Views of bytes that are nowhere, as only their lengths are looked at. */
static size_t encoded_size(const size_t *lens, size_t count, bool walks, int *r)
{
    static uint64_t room[64];
    static mote_pb_bytes views[4];
    static const uint8_t byte;
    fuzz_Three message = {0};
    mote_pb_walk walk;
    const mote_pb_large large = {&message, &walk};
    size_t total = 0;

    for (size_t i = 0; i < count; i++)
        views[i] = (mote_pb_bytes){&byte, lens[i]};
    message.blobs.items = views;
    message.blobs.count = count;
    mote_pb_walk_init(&walk, room, sizeof room);
    *r = walks ? mote_pb_walk_part(&fuzz_Three_encoder, &large, 0, NULL, 0, &total)
               : mote_pb_encode(&fuzz_Three_encoder, &message, NULL, 0, &total);
    return total;
}

static void a_size_stays_as_large_as_it_is(void)
{
    enum { KEY = 2, LEN = 5 };
    int r;

    /* two views, with their keys and lengths: SIZE_MAX - 1, SIZE_MAX, and beyond */
    for (size_t d = 0; d < 3; d++) {
        size_t half = SIZE_MAX / 2, more = sizeof(size_t) > 4 ? 9 : LEN;
        size_t lens[] = {half, half - 2 * (KEY + more) + d};
        size_t said = encoded_size(lens, 2, false, &r);
        CHECK_INT(r, MOTE_PB_ERR_SPACE);
        CHECK(said == (d < 2 ? SIZE_MAX - 1 + d : SIZE_MAX));
        CHECK(encoded_size(lens, 2, true, &r) == 0);
        CHECK_INT(r, MOTE_PB_ERR_SPACE);
    }
    size_t wraps[] = {SIZE_MAX / 2, SIZE_MAX / 2, 100};
    CHECK(encoded_size(wraps, 3, false, &r) == SIZE_MAX);
    CHECK_INT(r, MOTE_PB_ERR_SPACE);
    encoded_size(wraps, 3, true, &r);
    CHECK_INT(r, MOTE_PB_ERR_SPACE);
    for (size_t d = 0; d < 2; d++) { /* a walk takes 2 GiB less one */
        size_t len = 0x7fffffff - KEY - LEN + d;
        CHECK(encoded_size(&len, 1, true, &r) == (d > 0 ? 0 : 0x7fffffff));
        CHECK_INT(r, d > 0 ? MOTE_PB_ERR_SPACE : 0);
        CHECK(encoded_size(&len, 1, false, &r) == 0x7fffffff + d);
    }
}

static void pieces_of_any_length_are_split(void)
{
    for (size_t i = 0; i < FAR; i++) {
        uint8_t bytes[12] = {0x0a}, buffer[4];
        size_t n = 1 + mote_pb_delimit(far_sizes[i], bytes + 1), used;
        mote_pb_splitter s;
        mote_pb_piece piece;
        mote_pb_splitter_init(&s, buffer, sizeof buffer);
        CHECK_INT(mote_pb_split(&s, bytes, n + 3, &used, &piece), 1);
        CHECK(piece.total == far_sizes[i] && piece.offset == 0 && piece.len == 3);
        const uint8_t *message;
        mote_pb_delimited d;
        size_t len;
        mote_pb_delimited_init(&d, buffer, sizeof buffer);
        CHECK_INT(mote_pb_delimited_read(&d, bytes + 1, n + 2, &used, &message, &len),
                  MOTE_PB_ERR_SPACE);
    }
}

int main(void)
{
    RUN(a_message_beyond_the_buffer_is_refused_by_its_length_alone);
    RUN(a_message_in_chunks_may_have_any_length);
    RUN(a_message_that_no_prefix_can_tell_is_not_sent);
    RUN(memory_is_not_counted_beyond_what_can_be_counted);
    RUN(an_outbox_refuses_by_the_length_alone);
    RUN(storage_beyond_what_can_be_counted_is_refused);
    RUN(a_length_beyond_the_message_is_truncated);
    RUN(a_size_stays_as_large_as_it_is);
    RUN(pieces_of_any_length_are_split);
    return test_summary();
}
