/*
 * What a board pays for a sample, and for TLS, beside tests/firmware/work.c: samples leave plain
 * and in records, and a client and a server in one program do a full and a resumed handshake, on an
 * emulated board under `-icount shift=0`, where SysTick counts instructions. Prints "NAME NUMBER":
 * instructions of the client alone, bytes and records in both directions. A collector's answers
 * come from collector.answers. Certificates are in "costs.h"; with COSTS_PLAIN there is no TLS.
 * With COSTS_CLIENT it is for the linker alone, which says what the client needs.
 */
#include "../../examples/fleet/telemetry.mote.h"
#include "../../grpc/grpc.h"
#include "../../port/cortex-m/board.h"
#include "../size/reference.h"
#include "semihosting.h"

enum { SAMPLES = 64, UPLOAD = 3 };

static uint64_t client_work; /* instructions */

/* ---- counting ------------------------------------------------------------------------------ */

#ifdef __riscv
enum { COUNTS = 0xffffffff };

static void start_counting(void)
{
}

static uint32_t counter(void)
{
    uint32_t n;

    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrr %0, instret\n.option pop" : "=r"(n));
    return n;
}

static uint64_t instructions_of(uint32_t counts)
{
    return counts;
}
#else
enum { COUNTS = 0xffffff };

static volatile uint32_t *const systick = (volatile uint32_t *)0xe000e010;

static void start_counting(void)
{
    systick[0] = 0;
    systick[1] = COUNTS;
    systick[2] = 0;
    systick[0] = 5;
}

static uint32_t counter(void)
{
    return COUNTS - systick[2];
}

/* An instruction takes 1 ns. */
static uint64_t instructions_of(uint32_t counts)
{
    return (uint64_t)counts * 1000000000u / BOARD_HZ;
}
#endif

/* A piece of work is shorter than 500 million of them. */
static uint64_t instructions_since(uint32_t start)
{
    return instructions_of((counter() - start) & (uint32_t)COUNTS);
}

#ifndef COSTS_PLAIN
#include "../../tls/tls.h"
#include "costs.h"

enum { WIRE = 2048, CONTEXT = MOTE_TLS_CONTEXT_MEMORY / 8 };

typedef struct {
    mote_tls_context *context;
    mote_tls *tls;
    uint64_t context_memory[CONTEXT], memory[MOTE_TLS_MEMORY / 8];
} side;

/* What one side has said and the other has not read; and what went over it. */
typedef struct {
    uint8_t bytes[WIRE];
    size_t len, passed, records;
} wire;

#ifdef COSTS_CLIENT
enum { SIDES = 1, POOL = 18720 };
#else
enum { SIDES = 2, POOL = 32768 }; /* both take 30,972 */
#endif
static side sides[SIDES];
static side *const client = &sides[0], *const server = &sides[SIDES - 1];
static uint64_t pool[POOL / 8];
static wire up, down;
/* ---- the wire ------------------------------------------------------------------------------ */

static void put_records(wire *w, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        w->bytes[w->len + i] = bytes[i];
    w->len += len;
    w->passed += len;
}

static bool say(side *s, wire *w)
{
    size_t len;
    const uint8_t *out;
    bool said = false;

    while ((out = mote_tls_peek(s->tls, &len))) {
        put_records(w, out, len);
        mote_tls_ack(s->tls, len);
        said = true;
    }
    return said;
}

/* All that is there: its records are counted. */
static bool hear(side *s, wire *w)
{
    uint8_t plain[512];
    size_t used, at = 0;

    for (size_t i = 0; i + 5 <= w->len; w->records++)
        i += 5 + ((size_t)w->bytes[i + 3] << 8 | w->bytes[i + 4]);
    do {
        if (mote_tls_read(s->tls, w->bytes + at, w->len - at, &used, plain, sizeof plain) < 0)
            host_exit();
        at += used;
    } while (used > 0 && at < w->len);
    bool heard = w->len > 0;
    w->len = 0;
    return heard;
}

static void shake_hands(void)
{
    size_t used;
    bool moves = true;
    uint32_t start = counter();

    mote_tls_handshake(client->tls, NULL, 0, &used);
    client_work += instructions_since(start);
    while (moves) {
        start = counter();
        moves = hear(client, &down);
        moves |= say(client, &up);
        client_work += instructions_since(start);
        moves |= hear(server, &up);
        moves |= say(server, &down);
    }
}

static void open_side(side *s, const char *host)
{
    mote_tls_end(s->tls);
    if (mote_tls_init(&s->tls, s->context, host, s->memory, sizeof s->memory) < 0)
        host_exit();
}

static void report_wire(const char *const names[5])
{
    host_print(names[0], (uint32_t)client_work);
    host_print(names[1], (uint32_t)up.passed);
    host_print(names[2], (uint32_t)down.passed);
    host_print(names[3], (uint32_t)up.records);
    host_print(names[4], (uint32_t)down.records);
}

static void handshakes(void)
{
    static const char *const names[][5] = {{"full_instructions", "full_bytes_up", "full_bytes_down",
                                            "full_records_up", "full_records_down"},
                                           {"resumed_instructions", "resumed_bytes_up",
                                            "resumed_bytes_down", "resumed_records_up",
                                            "resumed_records_down"}};
    static uint8_t session[1024];
    int saved = 0;

    for (int resumed = 0; resumed < 2; resumed++) {
        open_side(server, NULL);
        open_side(client, "localhost");
        client_work = 0;
        up.passed = up.records = down.passed = down.records = 0;
        if (resumed && mote_tls_resume(client->tls, session, (size_t)saved) < 0)
            host_exit();
        shake_hands();
        if (!mote_tls_ready(client->tls) || mote_tls_resumed(client->tls) != (resumed == 1))
            host_exit();
        report_wire(names[resumed]);
        saved = resumed ? saved : mote_tls_save_session(client->tls, session, sizeof session);
        if (saved <= 0)
            host_exit();
    }
}

static void prepare_tls(void)
{
    const mote_tls_config ours = {.ca = {ca_pem, sizeof ca_pem},
                                  .time = MOTE_TLS_TIME_OF_FLOOR_UNTIL_CLOCK,
                                  .floor_s = BUILT_S};
    const mote_tls_config theirs = {.server = true,
                                    .cert = {cert_pem, sizeof cert_pem},
                                    .key = {key_pem, sizeof key_pem},
                                    .session_s = 3600};
    const char *why;

    mote_tls_pool(pool, sizeof pool);
    if (mote_tls_context_init(&client->context, &ours, client->context_memory,
                              sizeof client->context_memory, &why) < 0 ||
        mote_tls_context_init(&server->context, &theirs, server->context_memory,
                              sizeof server->context_memory, &why) < 0)
        host_exit();
}

static void write_record(const uint8_t *bytes, size_t len)
{
    if (mote_tls_write(client->tls, bytes, len) != (int)len)
        host_exit();
    say(client, &up);
}

static size_t take_records(void)
{
    size_t bytes = up.passed;

    hear(server, &up);
    up.passed = 0;
    return bytes;
}
#else
static void prepare_tls(void)
{
}

static void handshakes(void)
{
}

static void write_record(const uint8_t *bytes, size_t len)
{
    (void)bytes;
    (void)len;
}

static size_t take_records(void)
{
    return 0;
}
#endif

/* ---- samples ------------------------------------------------------------------------------- */

static mote_grpc grpc;
static uint64_t grpc_memory[sender_memory_size / 8];
static uint8_t answers[4096];
static mote_grpc_call *control, *upload;
static size_t plain_bytes;

static void send_all(bool over_tls)
{
    size_t len;
    const uint8_t *out = mote_grpc_peek(&grpc, &len);

    if (!out)
        return;
    plain_bytes += len;
    if (over_tls)
        write_record(out, len);
    mote_grpc_ack(&grpc, len);
}

static void receive(const uint8_t *in, size_t len)
{
    mote_grpc_event ev;
    size_t used;

    while (mote_grpc_recv(&grpc, in, len, &used, &ev) > 0) {
        in += used;
        len -= used;
    }
}

/* Answers of the collector up to its first one to the upload. */
static void prepare_upload(void)
{
    static const mote_grpc_config config = {MOTE_GRPC_SIZES(sender),
                                            .authority = MOTE_GRPC_AUTHORITY("collector")};
    mote_grpc_request ctl = {.path = &mote_telemetry_Telemetry_Control_path};
    mote_grpc_request begin = {.path = &mote_telemetry_Telemetry_Upload_path};
    mote_telemetry_Report report = {.device = MOTE_PB_STRING("work")};
    int file = host_open("collector.answers");
    size_t len = file < 0 ? 0 : host_read(file, answers, sizeof answers), at = 0;

    mote_grpc_init(&grpc, &config, grpc_memory, sizeof grpc_memory);
    mote_grpc_tick(&grpc, 1);
    send_all(false);
    mote_grpc_start(&grpc, &ctl, &control);
    mote_telemetry_Telemetry_Control_offer(control, &report);
    send_all(false);
    while (at + 9 <= len && answers[at + 8] != UPLOAD) {
        size_t n = 9 + ((size_t)answers[at] << 16 | (size_t)answers[at + 1] << 8 | answers[at + 2]);
        receive(answers + at, n);
        send_all(false);
        at += n;
    }
    mote_grpc_start(&grpc, &begin, &upload);
    if (!upload)
        host_exit();
    send_all(false);
}

static void samples(bool over_tls)
{
    mote_telemetry_Sample sample = {
        .time_ms = 1795298400000, .metric = MOTE_PB_STRING("temperature_celsius"), .value = 21.5};

    size_t record_bytes = 0;

    take_records();
    client_work = 0;
    plain_bytes = 0;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        sample.sequence = 1000 + i;
        sample.time_ms += 100;
        uint32_t start = counter();
        int r = mote_telemetry_Telemetry_Upload_offer(upload, &sample);
        send_all(over_tls);
        client_work += instructions_since(start);
        if (r < 0)
            host_exit();
        record_bytes += take_records();
    }
    host_print(over_tls ? "tls_sample_instructions" : "sample_instructions",
               (uint32_t)(client_work / SAMPLES));
    host_print(over_tls ? "tls_sample_bytes" : "sample_bytes",
               (uint32_t)((over_tls ? record_bytes : plain_bytes) / SAMPLES));
}

int main(void)
{
    start_counting();
    prepare_tls();
    handshakes();
    prepare_upload();
    samples(false);
#ifndef COSTS_PLAIN
    samples(true);
#endif
    host_exit();
    return 0;
}
