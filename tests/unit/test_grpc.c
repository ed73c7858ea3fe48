/* gRPC: all kinds of call under any schedule, and every way in which they end. */
#include "../size/reference.h"
#include "grpc_harness.h"

static void unary_calls_answer(void)
{
    connect_with(1024, 2048, 0);
    for (int i = 0; i < 100; i++) {
        client_call *c = call_start(0, &echo_path, 0);
        call_send(c, "\0\0\0\0hello", 9, MOTE_GRPC_LAST);
        settle();
        CHECK(c->status_count == 1 && c->code == 0 && c->messages == 1 && c->bytes == 9);
    }
    CHECK_INT(mote_grpc_active(&client), 0);
    CHECK_INT(mote_grpc_active(&server), 0);
    CHECK_INT(server_half_closed, 100);
}

/* Messages larger than windows and buffers, many calls, random cuts: all arrive, in order. */
static void streams_are_exact_under_any_schedule(void)
{
    static const uint32_t sizes[][2] = {{64, 256}, {128, 300}, {200, 4096}, {1024, 2048}};
    static uint8_t message[64];

    for (uint32_t run = 1; run <= 120; run++) {
        const uint32_t *size = sizes[run % 4];
        size_t len = run % 3 == 0 ? 4 : size[0] - 5 < sizeof message ? size[0] - 5 : sizeof message;
        connect_with(size[0], size[1], run);
        for (int i = 0; i < CALLS; i++)
            call_start(i, &echo_path, 0);
        for (uint32_t n = 0; n < 60; n++) {
            for (int i = 0; i < CALLS; i++) {
                memcpy(message, &n, 4);
                call_send(&calls[i], message, len, 0);
            }
        }
        for (int i = 0; i < CALLS; i++)
            call_end(&calls[i]);
        settle();
        for (int i = 0; i < CALLS; i++)
            CHECK(calls[i].code == 0 && calls[i].messages == 60 && calls[i].in_order);
    }
}

static void a_server_stream_waits_for_windows_and_loses_nothing(void)
{
    static const uint32_t wanted = 5000;

    for (uint32_t run = 0; run < 12; run++) {
        connect_with(run % 2 ? 45 : 777, run % 3 ? 128 + run * 50 : 4096, run);
        client_call *c = call_start(0, &count_path, 0);
        call_send(c, &wanted, 4, MOTE_GRPC_LAST);
        settle();
        CHECK(c->code == 0 && c->messages == wanted && c->in_order && c->started);
    }
}

static void every_status_code_arrives_with_its_text(void)
{
    connect_with(256, 512, 3);
    for (uint8_t code = 0; code <= 16; code++) {
        for (uint8_t by_return = 0; by_return <= 100; by_return += 100) {
            uint8_t byte = (uint8_t)(code + (code ? by_return : 0));
            client_call *c = call_start(0, &status_path, 0);
            call_send(c, &byte, 1, MOTE_GRPC_LAST);
            settle();
            CHECK_INT(c->code, code);
            if (code > 0 && !by_return)
                CHECK(strcmp(c->text, "a \xe2\x82\xac 100% text \n with a break") == 0);
            CHECK(mote_grpc_code_name(code)[0] != '\0');
        }
    }
    CHECK(strcmp(mote_grpc_code_name(14), "UNAVAILABLE") == 0);
    CHECK(strcmp(mote_grpc_code_name(17), "UNKNOWN") == 0);
}

static void unknown_methods_and_services_are_unimplemented(void)
{
    static const mote_hpack_field paths[] = {
        MOTE_HPACK_FIELD(":path", "/test.Service/Nothing"),
        MOTE_HPACK_FIELD(":path", "/no.Service/Echo"), MOTE_HPACK_FIELD(":path", "/"),
        MOTE_HPACK_FIELD(":path", "/noslash"), MOTE_HPACK_FIELD(":path", "/other.Service/Count")};
    static const char *const texts[] = {
        "unknown method: /test.Service/Nothing", "unknown service: /no.Service/Echo",
        "unknown service: /", "unknown service: /noslash", "unknown method: /other.Service/Count"};

    connect_with(256, 512, 0);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        client_call *c = call_start(0, &paths[i], 0);
        call_send(c, "x", 1, MOTE_GRPC_LAST);
        settle();
        CHECK_INT(c->code, MOTE_GRPC_UNIMPLEMENTED);
        CHECK_TEXT(strcmp(c->text, texts[i]) == 0);
    }
}

/* A handler that says "not now" is offered the same message again, and the peer is held back. */
static void deferred_messages_are_offered_again(void)
{
    uint8_t message[50] = {0};

    for (uint32_t run = 0; run < 20; run++) {
        connect_with(256, 512, run);
        client_call *c = call_start(0, &slow_path, 0);
        for (int i = 0; i < 100; i++)
            call_send(c, message, sizeof message, 0);
        call_end(c);
        settle();
        CHECK(c->code == 0 && c->messages == 1);
        CHECK_INT(c->last, 100 * sizeof message);
    }
}

static void messages_larger_than_memory_arrive_in_chunks(void)
{
    static uint8_t large[20000];

    for (uint32_t run = 0; run < 10; run++) {
        connect_with(256, 512, run);
        client_call *c = call_start(0, &chunks_path, 0);
        call_send(c, large, sizeof large, 0);
        call_send(c, large, 10, 0);
        call_send(c, large, 300, MOTE_GRPC_LAST);
        settle();
        CHECK_INT(c->code, 0);
        CHECK_INT(c->last, sizeof large + 310);
    }
}

static void a_message_beyond_the_buffer_ends_that_call_alone(void)
{
    static uint8_t large[2000];

    connect_with(256, 4096, 5);
    client_call *other = call_start(1, &echo_path, 0);
    client_call *c = call_start(0, &echo_path, 0);
    call_send(c, large, sizeof large, MOTE_GRPC_LAST);
    settle();
    CHECK_INT(c->code, MOTE_GRPC_RESOURCE_EXHAUSTED);
    CHECK_INT(server_closed, 1); /* the handler was told */
    call_send(other, "\0\0\0\0", 4, MOTE_GRPC_LAST);
    settle();
    CHECK_INT(other->code, 0);
}

/* With a prefix of 5 bytes the buffer of either side holds it, or not; the text says whose. */
static void a_message_beyond_the_buffer_is_told_with_its_size(void)
{
    static const struct {
        uint32_t client_rx, server_rx;
        size_t len;
        const char *text;
    } cases[] = {
        {256, 256, 250, ""},
        {256, 256, 251, ""},
        {256, 256, 252,
         "message of 257 bytes with its prefix is larger than rx_size 256 of the server"},
        {256, 4096, 251, ""},
        {256, 4096, 252,
         "message of 257 bytes with its prefix is larger than rx_size 256 of the client"},
        {256, 4096, 4091,
         "message of 4096 bytes with its prefix is larger than rx_size 256 of the client"},
        {256, 4096, 4092,
         "message of 4097 bytes with its prefix is larger than rx_size 4096 of the server"},
        {64, 4096, 100, "message of 105 bytes with its prefix is larger than rx_size 64 of the c"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static uint8_t message[5000];
        connect_with(cases[i].client_rx, 8192, 0);
        server_config.rx_size = cases[i].server_rx;
        to_server.len = to_client.len = 0;
        mote_grpc_init(&client, &client_config, client_memory, sizeof client_memory);
        mote_grpc_init(&server, &server_config, server_memory, sizeof server_memory);
        settle();
        client_call *c = call_start(0, &echo_path, 0);
        call_send(c, (const char *)message, cases[i].len, MOTE_GRPC_LAST);
        settle();
        CHECK_INT(c->code, *cases[i].text ? MOTE_GRPC_RESOURCE_EXHAUSTED : MOTE_GRPC_OK);
        CHECK_INT(c->messages, *cases[i].text ? 0 : 1);
        CHECK_TEXT(strncmp(c->text, cases[i].text, cases[i].client_rx - 1) == 0);
        CHECK_TEXT(strlen(c->text) == strlen(cases[i].text) || strlen(c->text) == 63);
    }
}

static void metadata_travels_both_ways(void)
{
    static const uint8_t binary[] = {0, 1, 2, 0xff, 0xfe};
    char value[16];
    uint8_t back[16];

    connect_with(256, 1024, 7);
    int n = mote_grpc_bin_encode(binary, sizeof binary, value, sizeof value);
    mote_grpc_metadata ask = {"x-ask-bin", value, 9, (size_t)n};
    mote_grpc_request request = {.path = &metadata_path, .metadata = &ask, .metadata_count = 1};
    client_call *c = &calls[0];
    CHECK_INT(mote_grpc_start(&client, &request, &c->call), 0);
    c->call->owner = c;
    call_end(c);
    CHECK_INT(c->code, 0);
    CHECK(strcmp(c->metadata, "x-initial=one;t:x-answer-bin=AAEC//4;") == 0);
    CHECK_INT(mote_grpc_bin_decode("AAEC//4=", 8, back, sizeof back), 5);
    CHECK(memcmp(back, binary, 5) == 0);
    CHECK_INT(mote_grpc_bin_decode("AAEC//4", 7, back, sizeof back), 5);
    CHECK_INT(mote_grpc_bin_decode("A*EC", 4, back, sizeof back), MOTE_GRPC_ERR_BASE64);
    CHECK_INT(mote_grpc_bin_decode("AAECA", 5, back, sizeof back), MOTE_GRPC_ERR_BASE64);
    CHECK_INT(mote_grpc_bin_decode("AAEC", 4, back, 2), MOTE_GRPC_ERR_SPACE);
    CHECK_INT(mote_grpc_bin_encode(binary, 5, value, 6), MOTE_GRPC_ERR_SPACE);
}

/* To the byte; and padding ends a whole group, or it is none. */
static void base64_has_its_room(void)
{
    static const int texts[] = {0, 2, 3, 4, 6, 7, 8, 10, 11, 12};
    static const uint8_t zeros[9];
    static const char padded[] = "AAAAAAA==";
    char text[16];
    uint8_t back[16];

    for (int len = 0; len <= 9; len++) {
        int n = texts[len];
        CHECK_INT(mote_grpc_bin_encode(zeros, (size_t)len, text, (size_t)n), n);
        CHECK_INT(mote_grpc_bin_decode(text, (size_t)n, back, (size_t)len), len);
        if (len > 0) {
            CHECK_INT(mote_grpc_bin_encode(zeros, (size_t)len, text, (size_t)n - 1),
                      MOTE_GRPC_ERR_SPACE);
            CHECK_INT(mote_grpc_bin_decode(text, (size_t)n, back, (size_t)len - 1),
                      MOTE_GRPC_ERR_SPACE);
        }
    }
    for (size_t letters = 0; letters < 8; letters++) {
        for (size_t pads = 1; pads <= 2; pads++) {
            bool whole = letters >= 2 && (letters + pads) % 4 == 0;
            const char *from = padded + 7 - letters;
            int r = mote_grpc_bin_decode(from, letters + pads, back, sizeof back);
            CHECK_INT(r, whole ? (int)(letters * 3 / 4) : MOTE_GRPC_ERR_BASE64);
        }
    }
}

static void a_deadline_ends_both_sides(void)
{
    connect_with(256, 512, 0);
    client_call *c = call_start(0, &silent_path, 50);
    settle();
    CHECK_INT(server.calls[0].deadline_ms, 1050);
    CHECK_INT(mote_grpc_time_left(&server.calls[0]), 50);
    CHECK_INT(mote_grpc_tick(&server, 1049), 1);
    mote_grpc_tick(&server, 1050); /* the server is the first to see it */
    mote_grpc_serve(&server, NULL, 0);
    settle();
    CHECK(server_closed == 1 && server_closed_code == MOTE_GRPC_DEADLINE_EXCEEDED);
    CHECK_INT(c->code, MOTE_GRPC_DEADLINE_EXCEEDED);
    c = call_start(0, &silent_path, 50); /* and now the client */
    settle();
    mote_grpc_tick(&client, 1050);
    settle();
    CHECK_INT(c->code, MOTE_GRPC_DEADLINE_EXCEEDED);
    CHECK_TEXT(strcmp(c->text, "deadline exceeded") == 0);
    CHECK(server_closed == 2 && server_closed_code == MOTE_GRPC_CANCELLED);
    CHECK_INT(mote_grpc_active(&server), 0);
}

static void cancelling_tells_the_handler(void)
{
    connect_with(256, 512, 0);
    client_call *c = call_start(0, &silent_path, 0);
    settle();
    mote_grpc_cancel(c->call);
    settle();
    CHECK_INT(c->code, MOTE_GRPC_CANCELLED);
    CHECK(server_closed == 1 && server_closed_code == MOTE_GRPC_CANCELLED);
}

static void a_lost_connection_ends_every_call_once(void)
{
    connect_with(256, 512, 0);
    for (int i = 0; i < CALLS; i++)
        call_start(i, &silent_path, 0);
    settle();
    mote_grpc_recv_eof(&client);
    mote_grpc_recv_eof(&server);
    client_recv(NULL, 0);
    CHECK(mote_grpc_serve(&server, NULL, 0) < 0);
    for (int i = 0; i < CALLS; i++)
        CHECK(calls[i].status_count == 1 && calls[i].code == MOTE_GRPC_UNAVAILABLE);
    CHECK_INT(server_closed, CALLS);
    CHECK_INT(mote_grpc_active(&client) + mote_grpc_active(&server), 0);
}

static void calls_beyond_the_limit_wait(void)
{
    mote_grpc_request request = {.path = &silent_path};
    mote_grpc_call *call;

    connect_with(256, 512, 0);
    for (int i = 0; i < CALLS; i++)
        call_start(i, &silent_path, 0);
    CHECK_INT(mote_grpc_start(&client, &request, &call), MOTE_AGAIN);
    mote_grpc_cancel(calls[2].call);
    settle();
    CHECK_INT(mote_grpc_start(&client, &request, &call), 0);
}

static void shutdown_lets_open_calls_finish(void)
{
    mote_grpc_request request = {.path = &echo_path};
    mote_grpc_call *call;

    connect_with(256, 512, 0);
    client_call *c = call_start(0, &echo_path, 0);
    settle();
    mote_grpc_shutdown(&server);
    settle();
    CHECK_INT(mote_grpc_start(&client, &request, &call), MOTE_H2_ERR_GOAWAY);
    call_send(c, "\0\0\0\0", 4, MOTE_GRPC_LAST);
    settle();
    CHECK(c->code == 0 && c->messages == 1);
}

static void a_call_that_is_over_refuses_to_send(void)
{
    mote_grpc_bytes message = {(const uint8_t *)"x", 1};

    connect_with(256, 512, 0);
    client_call *c = call_start(0, &silent_path, 0);
    CHECK_INT(mote_grpc_half_close(c->call), 0);
    CHECK_INT(mote_grpc_send(c->call, &mote_grpc_bytes_source, &message, 0), MOTE_GRPC_ERR_STATE);
    CHECK_INT(mote_grpc_half_close(c->call), MOTE_GRPC_ERR_STATE);
}

/* The bill is what the linker sees, and not a byte more than init takes. */
static void the_ram_bill_is_exact(void)
{
    MOTE_GRPC_LAYOUT(three, max_calls = 3, slots = 8, rx_size = 133, tx_size = 256, user_size = 20,
                     table_size = 256, field_size = 96);
    MOTE_GRPC_STORAGE(one, table_size = 0, field_size = 128, max_calls = 1, slots = 8,
                      rx_size = 133, tx_size = 128, user_size = 0);
    static struct {
        mote_grpc grpc;
        uint64_t memory[three_memory_size / 8];
    } server_ram;
    static struct {
        mote_channel channel;
        uint64_t memory[sizeof one_memory / 8];
        uint8_t in[64];
    } client_ram;
    mote_grpc_config config = {.server = true, MOTE_GRPC_SIZES(three)};

    _Static_assert(MOTE_RAM_CONNECTION(three) == sizeof server_ram, "server");
    _Static_assert(MOTE_RAM_CHANNEL(one, 64) == sizeof client_ram, "channel");
    _Static_assert(three_memory_size == MOTE_GRPC_MEMORY(3, 133, 256, 256, 96, 8, 20), "by place");
    CHECK(config.max_calls == 3 && config.slots == 8 && config.rx_size == 133 &&
          config.tx_size == 256 && config.table_size == 256 && config.field_size == 96 &&
          config.user_size == 20);
    CHECK_INT(
        mote_grpc_init(&server_ram.grpc, &config, server_ram.memory, sizeof server_ram.memory), 0);
    CHECK_INT(
        mote_grpc_init(&server_ram.grpc, &config, server_ram.memory, sizeof server_ram.memory - 1),
        MOTE_GRPC_ERR_CONFIG);
}

/* The set-up whose bill tests/size.txt has: messages of 128 bytes both ways, in 1 KiB. */
static void a_client_of_1_KiB_streams_both_ways(void)
{
    static uint8_t message[128];
    static uint64_t memory[client_memory_size / 8];

    _Static_assert(sizeof(void *) > 4 || CLIENT_RAM <= 1024 + MOTE_GRPC_PLACE + MOTE_GRPC_REPEATS,
                   "1 KiB on 32 bits, without what hosts have");
    for (uint32_t run = 0; run < 20; run++) {
        connect_with(RX, TX, 0);
        client_config.max_calls = 1;
        client_config.field_size = FIELD;
        CHECK_INT(mote_grpc_init(&client, &client_config, memory, sizeof memory), 0);
        CHECK_INT(mote_grpc_init(&server, &server_config, server_memory, sizeof server_memory), 0);
        seed = run;
        settle();
        client_call *c = call_start(0, &echo_path, 0);
        for (int i = 0; i < 20; i++)
            call_send(c, message, sizeof message, 0);
        call_end(c);
        CHECK(c->code == 0 && c->messages == 20);
        CHECK_INT(c->bytes, 20 * sizeof message);
    }
}

static void a_message_beyond_the_send_limit_is_not_sent(void)
{
    static uint8_t large[2000];
    mote_grpc_bytes message = {large, 101};

    connect_with(256, 512, 0);
    client_config.send_limit = 100;
    client_call *c = call_start(0, &echo_path, 0);
    CHECK_INT(mote_grpc_send(c->call, &mote_grpc_bytes_source, &message, 0), MOTE_GRPC_ERR_LIMIT);
    message.len = sizeof large; /* would go in parts */
    CHECK_INT(mote_grpc_send(c->call, &mote_grpc_bytes_source, &message, 0), MOTE_GRPC_ERR_LIMIT);
    call_send(c, (const char *)large, 100, MOTE_GRPC_LAST);
    settle();
    CHECK(c->code == 0 && c->messages == 1);
}
static void memory_is_what_the_macro_says(void)
{
    mote_grpc_config c = {.max_calls = 3,
                          .slots = 5,
                          .rx_size = 133,
                          .tx_size = 301,
                          .dynamic = &mote_hpack_dynamic_table,
                          .coder = &mote_hpack_huffman_coder,
                          .table_size = 96,
                          .field_size = 77,
                          .user_size = 9,
                          .authority = MOTE_GRPC_AUTHORITY("x")};
    size_t size = MOTE_GRPC_MEMORY(3, 133, 301, 96, 77, 5, 9);
    void *exact = malloc(size);

    CHECK_INT(mote_grpc_init(&client, &c, exact, size), 0);
    CHECK_INT(mote_grpc_init(&client, &c, exact, size - 1), MOTE_GRPC_ERR_CONFIG);
    c.max_calls = 0;
    CHECK_INT(mote_grpc_init(&client, &c, exact, size), MOTE_GRPC_ERR_CONFIG);
    free(exact);
}

static void a_part_of_one_message_is_not_continued_with_another(void)
{
    static uint8_t large[2000];
    mote_grpc_bytes one = {large, 1000}, other = {large, 999};

    connect_with(256, 128, 0);
    client_call *c = call_start(0, &echo_path, 0);
    CHECK_INT(mote_grpc_send(c->call, &mote_grpc_bytes_source, &one, 0), MOTE_AGAIN);
    step();
    CHECK_INT(mote_grpc_send(c->call, &mote_grpc_bytes_source, &one, 0), MOTE_AGAIN);
    step();
    CHECK(c->call->tx_sent > 0);
    CHECK_INT(mote_grpc_send(c->call, &mote_grpc_bytes_source, &other, 0), MOTE_GRPC_ERR_MIXED);
    CHECK_INT(mote_grpc_half_close(c->call), MOTE_GRPC_ERR_STATE);
    mote_grpc_cancel(c->call);
    settle();
    CHECK_INT(c->code, MOTE_GRPC_CANCELLED);
}

/* What the config says of the connection reaches it. */
static void the_config_is_handed_down(void)
{
    connect_with(256, 512, 0);
    client_config.budget = 7;
    client_config.connection_window = 100000;
    CHECK_INT(mote_grpc_init(&client, &client_config, client_memory, sizeof client_memory), 0);
    CHECK_INT(client.h2.budget, 7);
    CHECK_INT(client.h2.connection_window, 100000);
}
int main(void)
{
    RUN(unary_calls_answer);
    RUN(streams_are_exact_under_any_schedule);
    RUN(a_server_stream_waits_for_windows_and_loses_nothing);
    RUN(every_status_code_arrives_with_its_text);
    RUN(unknown_methods_and_services_are_unimplemented);
    RUN(deferred_messages_are_offered_again);
    RUN(messages_larger_than_memory_arrive_in_chunks);
    RUN(a_message_beyond_the_buffer_ends_that_call_alone);
    RUN(a_message_beyond_the_buffer_is_told_with_its_size);
    RUN(metadata_travels_both_ways);
    RUN(base64_has_its_room);
    RUN(a_deadline_ends_both_sides);
    RUN(cancelling_tells_the_handler);
    RUN(a_lost_connection_ends_every_call_once);
    RUN(calls_beyond_the_limit_wait);
    RUN(shutdown_lets_open_calls_finish);
    RUN(a_call_that_is_over_refuses_to_send);
    RUN(a_message_beyond_the_send_limit_is_not_sent);
    RUN(the_ram_bill_is_exact);
    RUN(a_client_of_1_KiB_streams_both_ways);
    RUN(memory_is_what_the_macro_says);
    RUN(a_part_of_one_message_is_not_continued_with_another);
    RUN(the_config_is_handed_down);
    return test_summary();
}
