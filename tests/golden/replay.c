/*
 * Replays recorded conversations against a gRPC server or client: whole, at every chunk size, at
 * every split point, with output taken byte by byte, from a copied memory image, from memory that
 * is lent, cut and corrupted at every byte, and with output that is blocked.
 *
 *   replay FILE...                 NAME.server.in or NAME.client.in, compared with NAME....log
 *   replay --every N FILE...       only each Nth place of a split, a cut and a wrong byte
 *   replay --update FILE...        writes the logs
 *   replay --record ADDRESS FILE   records NAME.client.in from a real server
 */
#define _POSIX_C_SOURCE 200809L
#include "../peers/peer_service.h"
#include "../test.h"
#include "event_text.h"
#include "log_texts.h"
#include "resting.h"

#ifndef REPLAY_ONLY /* without sockets */
#include "../../port/posix/posix.h"

#include <unistd.h>
#endif

enum { CALLS = 8, RX = 4096, TX = 4096, FIELD = 2048, SLOTS = 8, MAX_INPUT = 1 << 20 };

static mote_grpc grpc;
static uint64_t memory[MOTE_GRPC_MEMORY(CALLS, RX, TX, 4096, FIELD, SLOTS, sizeof(peer_state)) / 8];
static uint8_t input[MAX_INPUT];
static size_t input_len;
static bool is_server;
static size_t every = 1; /* places between two that are tried */

/* ---- the log ------------------------------------------------------------------------------- */

static char *event_log, *expected;
static size_t log_len, log_cap;
static uint8_t *output;
static size_t output_len, output_cap;
static int open_calls, left; /* of the budget, when all was read whole */

static void *grow(void *p, size_t *cap, size_t need)
{
    if (need <= *cap)
        return p;
    *cap = need * 2;
    p = realloc(p, *cap);
    if (!p)
        abort();
    return p;
}

static void put_line(const char *line)
{
    size_t len = strlen(line);

    event_log = grow(event_log, &log_cap, log_len + len + 1);
    memcpy(event_log + log_len, line, len + 1);
    log_len += len;
}

static void log_event(const mote_grpc_event *ev)
{
    char line[EVENT_LINE];

    event_text(ev, ev->call ? (size_t)(ev->call - grpc.calls) : 0, line);
    put_line(line);
    if (ev->type == MOTE_GRPC_START && is_server)
        open_calls++;
    if (ev->type == MOTE_GRPC_STATUS)
        open_calls--;
}

/* ---- one replay ---------------------------------------------------------------------------- */

typedef struct {
    size_t chunk;   /* bytes per call; 0: all */
    size_t split;   /* the first call gets so many */
    size_t cut;     /* only so many arrive, then the transport ends; SIZE_MAX: all */
    size_t flip;    /* this byte is inverted; SIZE_MAX: none */
    size_t ack;     /* bytes of output taken at a time; 0: all */
    bool image;     /* memory is copied out, wiped and copied back at each step */
    bool rests;     /* it is given back, wiped and lent at each step that allows it */
    size_t blocked; /* output is not taken before so many bytes came in */
} schedule;

static void take_output(const schedule *s)
{
    size_t len;
    const uint8_t *p;

    while ((p = mote_grpc_peek(&grpc, &len))) {
        size_t n = s->ack && s->ack < len ? s->ack : len;
        output = grow(output, &output_cap, output_len + n);
        memcpy(output + output_len, p, n);
        output_len += n;
        mote_grpc_ack(&grpc, n);
    }
}

static void restore_image(void)
{
    static uint8_t image[sizeof grpc + sizeof memory];

    memcpy(image, &grpc, sizeof grpc);
    memcpy(image + sizeof grpc, memory, sizeof memory);
    memset(&grpc, 0xa5, sizeof grpc);
    memset(memory, 0xa5, sizeof memory);
    memcpy(&grpc, image, sizeof grpc);
    memcpy(memory, image + sizeof grpc, sizeof memory);
}

/* Feeds a piece from a block of exactly its size, so that a sanitizer sees reads beyond it. */
static int feed(const schedule *s, const uint8_t *in, size_t len, bool take)
{
    uint8_t *exact = malloc(len ? len : 1);
    mote_grpc_event ev;
    size_t at = 0, used;
    int r;

    if (len > 0)
        memcpy(exact, in, len);
    while ((r = mote_grpc_recv(&grpc, exact + at, len - at, &used, &ev)) > 0) {
        at += used;
        log_event(&ev);
        if (is_server)
            mote_grpc_dispatch(&grpc, &ev);
        if (take)
            take_output(s);
    }
    CHECK(r < 0 || at + used == len);
    free(exact);
    if (s->image)
        restore_image();
    if (take)
        take_output(s);
    if (s->rests)
        rest_and_go_on(&grpc, memory, sizeof memory);
    return r;
}

#define METHOD(name) MOTE_HPACK_FIELD(":path", "/mote.peer.Peer/" name)
static const mote_hpack_field paths[] = {METHOD("Unary"),        METHOD("ServerStream"),
                                         METHOD("ClientStream"), METHOD("Bidi"),
                                         METHOD("Unary"),        METHOD("Nothing")};

/* What the client does, all of it before the first answer. */
static void client_actions(void)
{
    static const mote_grpc_metadata metadata[] = {MOTE_GRPC_METADATA_FIELD("x-echo", "hello"),
                                                  MOTE_GRPC_METADATA_FIELD("x-echo-bin", "AAEC")};
    static const uint8_t payload[64] = {1, 2, 3};

    for (size_t i = 0; i < 6; i++) {
        mote_grpc_request request = {
            .path = &paths[i], .metadata = metadata, .metadata_count = i == 0 ? 2 : 0};
        peer_Request q = {.count = i == 1 ? 30 : 0,
                          .size = i == 1 ? 40 : 0,
                          .code = i == 4 ? 5 : 0,
                          .message =
                              i == 4 ? MOTE_PB_STRING("not here \xe2\x82\xac") : MOTE_PB_STRING(""),
                          .payload = {payload, i == 1 ? 0 : sizeof payload}};
        mote_grpc_call *call;
        CHECK_INT(mote_grpc_start(&grpc, &request, &call), 0);
        for (int n = i == 2 || i == 3 ? 4 : 1; n > 0; n--)
            CHECK_INT(
                mote_grpc_send(call,
                               &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror,
                                                         &peer_request_encoder},
                               &q, n == 1 ? MOTE_GRPC_LAST : 0),
                0);
        open_calls++;
    }
}

static void start(void)
{
    static mote_grpc_config config;

    config = (mote_grpc_config){.server = is_server,
                                .max_calls = CALLS,
                                .slots = SLOTS,
                                .rx_size = RX,
                                .tx_size = TX,
                                .dynamic = &mote_hpack_dynamic_table,
                                .coder = &mote_hpack_huffman_coder,
                                .table_size = 4096,
                                .field_size = FIELD,
                                .user_size = sizeof(peer_state),
                                .services = peer_services,
                                .service_count = 1,
                                .authority = MOTE_GRPC_AUTHORITY("localhost")};
    log_len = output_len = 0;
    open_calls = 0;
    put_line("");
    memset(memory, 0, sizeof memory);
    CHECK_INT(mote_grpc_init(&grpc, &config, memory, sizeof memory), 0);
    mote_grpc_tick(&grpc, 1000);
    if (!is_server)
        client_actions();
}

static int replay(const schedule *s)
{
    size_t end = s->cut < input_len ? s->cut : input_len, at = 0;
    int r = 0;

    start();
    if (s->flip < input_len)
        input[s->flip] ^= 0xff;
    if (s->blocked == 0)
        take_output(s);
    while (at < end && r >= 0) {
        size_t n = at == 0 && s->split > 0 ? s->split : s->chunk > 0 ? s->chunk : end;
        n = n < end - at ? n : end - at;
        r = feed(s, input + at, n, at + n > s->blocked || s->blocked == 0);
        at += n;
    }
    if (s->flip < input_len)
        input[s->flip] ^= 0xff;
    take_output(s);
    for (int i = 0; i < 100 && r >= 0; i++)
        r = feed(s, NULL, 0, true);
    if (s->cut != SIZE_MAX) {
        mote_grpc_recv_eof(&grpc);
        r = feed(s, NULL, 0, true);
    }
    return r;
}

static const schedule whole = {.cut = SIZE_MAX, .flip = SIZE_MAX};

/* Events, and the output as hexadecimal lines, as they stand in the file. */
static void append_output(void)
{
    static const char digits[] = "0123456789abcdef";
    char line[80];

    put_line("output\n");
    for (size_t i = 0; i < output_len; i += 32) {
        int n = 0;
        for (size_t j = i; j < i + 32 && j < output_len; j++) {
            line[n++] = digits[output[j] >> 4];
            line[n++] = digits[output[j] & 15];
        }
        strcpy(line + n, "\n");
        put_line(line);
    }
}

static void expect_same(const schedule *s, const char *what, size_t where)
{
    replay(s);
    append_output();
    left = s == &whole ? (int)grpc.h2.budget : left;
    if (strcmp(event_log, expected) != 0 || (int)grpc.h2.budget != left) {
        printf("%s %zu: the log or the budget differs\n", what, where);
        test_ok = false;
    }
}

/* ---- tests --------------------------------------------------------------------------------- */

#ifdef MOTE_NO_TEXTS
/* The events are the recorded ones. From then on this log is the one to compare with. */
static void whole_gives_the_recorded_log(void)
{
    replay(&whole);
    left = (int)grpc.h2.budget;
    append_output();
    char *own = malloc(log_len + 1), *same = malloc(log_len + 1);
    if (!own || !same)
        abort();
    strcpy(own, event_log);
    strcpy(same, event_log);
    CHECK_TEXT(strcmp(own, expected) == 0);
    drop_texts(same);
    drop_texts(expected);
    CHECK(strcmp(same, expected) == 0);
    free(same);
    free(expected);
    expected = own;
}
#else
static void whole_gives_the_recorded_log(void)
{
    expect_same(&whole, "whole", 0);
}
#endif

static void every_chunk_size_gives_the_same(void)
{
    schedule s = whole;

    for (s.chunk = 1; s.chunk <= input_len; s.chunk += s.chunk < 100 ? 1 : 97)
        expect_same(&s, "chunk", s.chunk);
}

static void every_split_point_gives_the_same(void)
{
    schedule s = whole;
    size_t step = input_len > 20000 && every < 7 ? 7 : every;

    for (s.split = 1; s.split < input_len; s.split += step)
        expect_same(&s, "split", s.split);
}

static void output_byte_by_byte_gives_the_same(void)
{
    schedule s = whole;

    s.ack = 1;
    expect_same(&s, "ack", 1);
    s.chunk = 1;
    expect_same(&s, "chunk and ack", 1);
}

static void a_memory_image_gives_the_same(void)
{
    schedule s = whole;

    s.image = true;
    for (s.chunk = 1; s.chunk < 200; s.chunk += 13)
        expect_same(&s, "image", s.chunk);
}

/* With output that is taken whole, and byte by byte; a server rests before its first call at least.
 */
static void memory_that_is_lent_gives_the_same(void)
{
    schedule s = whole;

    for (s.rests = true; s.ack < 2; s.ack++) {
        size_t before = rests;
        for (s.chunk = 1; s.chunk < 200; s.chunk += s.chunk < 20 ? 1 : 13)
            expect_same(&s, "rests", s.chunk);
        CHECK(rests > before || !is_server);
    }
}

/* However early the transport ends, every call ends, and exactly once. */
static void a_cut_at_every_byte_ends_every_call(void)
{
    schedule s = whole;

    for (s.cut = 0; s.cut < input_len; s.cut += every) {
        replay(&s);
        CHECK_INT(mote_grpc_active(&grpc), 0);
        if (!is_server)
            CHECK_INT(open_calls, 0);
    }
}

static void a_corrupted_byte_anywhere_is_survived(void)
{
    schedule s = whole;

    for (s.flip = 0; s.flip < input_len; s.flip += every) {
        int r = replay(&s);
        if (r < 0)
            CHECK_TEXT(mote_h2_error_text(&grpc.h2)[0] != '\0');
    }
}

/* The events of one call, in order, do not depend on when output was taken. */
static void blocked_output_loses_nothing(void)
{
    schedule s = whole;
    size_t step = input_len / 50 + 1;

    replay(&whole);
    size_t lines = 0, messages = 0;
    for (char *p = event_log; (p = strstr(p, " MESSAGE ")); p++)
        messages++;
    for (s.blocked = 1; s.blocked <= input_len; s.blocked += step) {
        s.chunk = 50;
        replay(&s);
        lines = 0;
        for (char *p = event_log; (p = strstr(p, " MESSAGE ")); p++)
            lines++;
        CHECK(lines >= messages); /* one that was deferred is offered again */
        CHECK_INT(mote_grpc_active(&grpc), 0);
    }
}

/* ---- files --------------------------------------------------------------------------------- */

static char *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *p = malloc(MAX_INPUT * 4);

    if (!f || !p) {
        fprintf(stderr, "replay: error: %s cannot be read\n", path);
        exit(2);
    }
    *len = fread(p, 1, MAX_INPUT * 4 - 1, f);
    p[*len] = '\0';
    fclose(f);
    return p;
}

static void log_path(const char *path, char *out)
{
    strcpy(out, path);
    strcpy(out + strlen(out) - 3, ".log");
}

static void load(const char *path)
{
    char *bytes = read_file(path, &input_len);

    if (input_len > MAX_INPUT)
        abort();
    memcpy(input, bytes, input_len);
    free(bytes);
    is_server = strstr(path, ".server.in") != NULL;
}

static void update(const char *path)
{
    char out[512];

    load(path);
    replay(&whole);
    append_output();
    log_path(path, out);
    FILE *f = fopen(out, "wb");
    if (!f || fwrite(event_log, 1, log_len, f) != log_len)
        abort();
    fclose(f);
    printf("%s: %zu bytes in, %zu bytes out\n", out, input_len, output_len);
}

static void run_file(const char *path)
{
    char name[512];
    size_t len;

    load(path);
    log_path(path, name);
    expected = read_file(name, &len);
    RUN(whole_gives_the_recorded_log);
    RUN(every_chunk_size_gives_the_same);
    RUN(every_split_point_gives_the_same);
    RUN(output_byte_by_byte_gives_the_same);
    RUN(a_memory_image_gives_the_same);
    RUN(memory_that_is_lent_gives_the_same);
    RUN(a_cut_at_every_byte_ends_every_call);
    RUN(a_corrupted_byte_anywhere_is_survived);
    RUN(blocked_output_loses_nothing);
    free(expected);
}

#ifndef REPLAY_ONLY
/* Plays the client against a real server and stores what the server sent. */
static int record(const char *address, const char *path)
{
    int fd = mote_posix_connect(address, 5000);
    mote_io io = mote_posix_io(&fd);
    FILE *f = fopen(path, "wb");
    uint8_t in[4096];

    if (fd < 0 || !f)
        return 2;
    start();
    while (mote_grpc_active(&grpc) > 0) {
        size_t len;
        const uint8_t *p;
        while ((p = mote_grpc_peek(&grpc, &len)))
            mote_grpc_ack(&grpc, (size_t)io.write(io.context, p, len));
        io.wait(io.context, false, mote_posix_now_ms() + 1000);
        int n = io.read(io.context, in, sizeof in);
        if (n < 0)
            return 2;
        fwrite(in, 1, (size_t)n, f);
        feed(&whole, in, (size_t)n, false);
    }
    fclose(f);
    close(fd);
    return 0;
}
#endif

int main(int argc, char **argv)
{
#ifndef REPLAY_ONLY
    if (argc == 4 && strcmp(argv[1], "--record") == 0)
        return record(argv[2], argv[3]);
#endif
    bool updating = argc > 1 && strcmp(argv[1], "--update") == 0;
    bool sampled = argc > 2 && strcmp(argv[1], "--every") == 0;
    if (sampled)
        every = strtoul(argv[2], NULL, 10);
    for (int i = updating ? 2 : sampled ? 3 : 1; i < argc; i++)
        updating ? update(argv[i]) : run_file(argv[i]);
    return updating ? 0 : test_summary();
}
