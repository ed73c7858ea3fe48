/* What a byte of an attack costs with 1, 100 and 1,000 entries of what a server keeps: fields in
 * the table of HPACK, methods, names in descriptors, devices. Basic blocks of the library are
 * counted (build/counted), so that nothing depends on the machine. */
#include "../../examples/fleet/sources.h"
#include "../../grpc/services/services.h"
#include "rows.h"

enum { TABLE = 40000, RX = 512, TX = 16384 };

static uint64_t answered;

/* What leads to the attack is no part of it. */
static void begin_to_count(void)
{
    sent = steps = answered = 0;
}

/* ---- a field of HPACK, for a table with so many ---------------------------------------------- */

static mote_hpack_decoder decoder;
static uint16_t table[MOTE_HPACK_TABLE_MEMORY(TABLE) / 2];
static char scratch[256];

static void decode(const uint8_t *block, size_t len)
{
    mote_hpack_field_view f;
    size_t used;

    sent += len;
    while (mote_hpack_decode(&decoder, block, len, &used, &f) > 0) {
        block += used;
        len -= used;
    }
    CHECK_INT(mote_hpack_decoder_end(&decoder), 0);
}

static void add_fields(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint8_t field[] = {0x40, 1, 'a', 2, (uint8_t)('0' + i / 64), (uint8_t)('0' + i % 64)};
        decode(field, sizeof field);
    }
}

static void fill_table(unsigned count)
{
    mote_hpack_decoder_init(&decoder, table, TABLE, (size_t)count * 35, scratch, sizeof scratch);
    add_fields(count);
}

/* The index of one that lies so far back (RFC 7541 5.1, 2.3.3). */
static size_t put_index(uint8_t out[4], unsigned back)
{
    unsigned rest = 61 + back - 127;

    out[0] = (uint8_t)(0x80 | (61 + back < 127 ? 61 + back : 127));
    if (61 + back < 127)
        return 1;
    out[1] = (uint8_t)(rest < 128 ? rest : rest % 128 | 128);
    out[2] = (uint8_t)(rest / 128);
    return rest < 128 ? 2 : 3;
}

static void refer_to_the_oldest(unsigned count)
{
    uint8_t block[4];
    size_t len = put_index(block, count);

    for (int i = 0; i < 1000; i++)
        decode(block, len);
}

static void push_out(unsigned count)
{
    (void)count;
    add_fields(MOST);
}

/* The table is emptied by two bytes, and each field that leaves it has cost more when it came. */
static void fill_and_empty(unsigned count)
{
    static const uint8_t none[] = {0x20};
    uint8_t all[] = {0x3f, 0, 0, 0};
    size_t size = (size_t)count * 35 - 31;

    for (int i = 0; i < 3; i++)
        all[1 + i] = (uint8_t)((size >> 7 * i & 127) | (i < 2 ? 128 : 0));
    decode(none, 1);
    decode(all, sizeof all);
    add_fields(count);
    for (int i = 0; i < 100; i++) {
        decode(none, 1);
        decode(all, sizeof all);
    }
}

/* ---- a server -------------------------------------------------------------------------------- */

static mote_grpc server;
static mote_grpc_config config;
static uint64_t memory[MOTE_GRPC_MEMORY(8, RX, TX, 4096, 256, 8, 0) / 8];
static mote_grpc_method named[MOST];
static char method_names[MOST][8];
static mote_grpc_service service[2];

static int nothing(mote_grpc_call *call, const mote_grpc_event *ev)
{
    return ev->type == MOTE_GRPC_START ? mote_grpc_finish(call, MOTE_GRPC_OK, NULL) : 0;
}

static void feed(const void *bytes, size_t len)
{
    size_t n;

    sent += len;
    mote_grpc_tick(&server, 1 + sent / PER_MS);
    mote_grpc_serve(&server, bytes, len);
    while (mote_grpc_peek(&server, &n)) {
        answered += n;
        mote_grpc_ack(&server, n);
        mote_grpc_serve(&server, NULL, 0);
    }
}

static void frame(unsigned type, unsigned flags, uint32_t id, const void *payload, size_t len)
{
    uint8_t bytes[256] = {0,
                          0,
                          (uint8_t)len,
                          (uint8_t)type,
                          (uint8_t)flags,
                          0,
                          (uint8_t)(id >> 16),
                          (uint8_t)(id >> 8),
                          (uint8_t)id};

    if (len > 0)
        memcpy(bytes + 9, payload, len);
    feed(bytes, 9 + len);
}

static void serve(const mote_grpc_service *services, const char *window)
{
    config = (mote_grpc_config){.server = true,
                                .coder = &mote_hpack_huffman_coder,
                                .max_calls = 8,
                                .rx_size = RX,
                                .tx_size = TX,
                                .table_size = 4096,
                                .field_size = 256,
                                .slots = 8,
                                .services = services,
                                .service_count = 1};
    CHECK_INT(mote_grpc_init(&server, &config, memory, sizeof memory), 0);
    feed("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    frame(4, 0, 0, window, 6);
    frame(4, 1, 0, NULL, 0);
}

static void call(uint32_t id, unsigned flags, const char *path)
{
    uint8_t block[128] = "\x83\x86\x04";
    size_t len = strlen(path);

    block[3] = (uint8_t)len;
    memcpy(block + 4, path, len);
    memcpy(block + 4 + len,
           "\x41\x01x\x0f\x10\x10"
           "application/grpc",
           22);
    frame(1, 4 | flags, id, block, 26 + len);
}

/* In the order of their names, as generated ones are. */
static void make_methods(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        snprintf(method_names[i], sizeof method_names[i], "M%03u", i);
        named[i] = (mote_grpc_method){.name = method_names[i], .handler = nothing};
    }
    service[0] = (mote_grpc_service){"w.W", named, count, true};
    serve(service, "\0\4\0\0\xff\xff");
}

static void call_the_last(unsigned count)
{
    char path[32];

    snprintf(path, sizeof path, "/w.W/M%03u", count - 1);
    for (uint32_t i = 0; i < 200; i++)
        call(2 * i + 1, 1, path);
}

static void call_what_is_not_there(unsigned count)
{
    char path[32];

    snprintf(path, sizeof path, "/w.W/M%03ux", count / 2);
    for (uint32_t i = 0; i < 200; i++)
        call(2 * i + 1, 1, path);
}

/* ---- reflection ------------------------------------------------------------------------------ */

/* A file with so many messages, each with its name alone. */
static uint8_t file_bytes[16 * MOST];
static mote_pb_symbol symbols[MOST];
static const mote_pb_file *const no_imports[] = {NULL};
static mote_pb_file file;
static const mote_pb_file *files[] = {&file};
static const mote_grpc_service served;
static const mote_reflection reflection = {&served, 0, files, 1};
static const mote_grpc_method reflection_methods[] = MOTE_REFLECTION_METHODS(&reflection);
static const mote_grpc_service reflection_service = MOTE_REFLECTION_SERVICE(reflection_methods);

/* In the order of their names. */
static void describe(unsigned count)
{
    size_t len = 3;

    memcpy(file_bytes, "\x12\x01p", len);
    for (unsigned i = 0; i < count; i++) {
        memcpy(file_bytes + len, "\x22\x06\x0a\x04", 4);
        symbols[i] = (mote_pb_symbol){(uint32_t)len + 3, 0};
        len += 4 + (size_t)snprintf((char *)file_bytes + len + 4, 5, "M%03u", i);
    }
    file = (mote_pb_file){"f", file_bytes, len, "p", symbols, count, no_imports};
    serve(&reflection_service, "\0\4\0\0\0\0");
    call(1, 0, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
}

static void ask(const char *name)
{
    uint8_t data[64] = {0, 0, 0, 0, (uint8_t)(strlen(name) + 2), 0x22, (uint8_t)strlen(name)};

    memcpy(data + 7, name, strlen(name));
    frame(0, 0, 1, data, 7 + strlen(name));
}

/* The file is looked for once, not for each byte of it that there is room for. */
static void take_a_file_by_bytes(unsigned count)
{
    char name[16];

    frame(8, 0, 1, "\0\0\0\x6", 4);
    snprintf(name, sizeof name, "p.M%03u", count - 1);
    ask(name);
    begin_to_count();
    for (int i = 0; i < 500; i++)
        frame(8, 0, 1, "\0\0\0\x1", 4);
    CHECK(answered >= 30);
}

static void ask_for_what_is_not_there(unsigned count)
{
    char name[16];

    snprintf(name, sizeof name, "p.M%03ux", count / 2);
    frame(8, 0, 1, "\0\x1\0\0", 4);
    begin_to_count();
    for (int i = 0; i < 50; i++)
        ask(name);
}

/* ---- devices --------------------------------------------------------------------------------- */

source_counts store_counts;

int store_touch(source *s)
{
    (void)s;
    return 0;
}

static void know(unsigned count)
{
    char name[16];

    sources_clear();
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof name, "d%u", i);
        source *s = sources_find(name, strlen(name), 1, "192.0.2.1:1");
        CHECK(s != NULL);
        if (s)
            s->id = 1; /* it stays */
    }
}

static void name_what_is_there(unsigned count)
{
    char name[16];

    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "d%u", i % count);
        CHECK(sources_find(name, strlen(name), 1, "192.0.2.1:1") != NULL);
        sent += strlen(name);
    }
}

static void name_what_is_new(unsigned count)
{
    char name[16];

    (void)count;
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "new%u", i);
        source *s = sources_find(name, strlen(name), 1, "192.0.2.1:1");
        CHECK(s != NULL);
        if (s)
            sources_release(s);
        sent += strlen(name);
    }
}

/* ---- the table ------------------------------------------------------------------------------- */

static const attack_row rows[] = {
    {"a reference to the oldest field", fill_table, refer_to_the_oldest, 50},
    {"fields that push out others", fill_table, push_out, 50},
    {"a table that is filled and emptied", fill_table, fill_and_empty, 50},
    {"devices that are known", know, name_what_is_there, 50},
    {"devices that are new", know, name_what_is_new, 50},
    {"a descriptor that is taken by bytes", describe, take_a_file_by_bytes, 50},
    {"the last method", make_methods, call_the_last, 50},
    {"a method that is not there", make_methods, call_what_is_not_there, 50},
    {"a name that no descriptor has", describe, ask_for_what_is_not_there, 100},
};

static void work_does_not_grow_with_entries(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        costs_no_more_with_entries(&rows[i]);
}

int main(void)
{
    RUN(work_does_not_grow_with_entries);
    return test_summary();
}
