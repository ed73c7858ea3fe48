/*
 * What a board pays for TLS, beside tests/firmware/work.c: a client and a server in one program do
 * a full and a resumed handshake, and samples leave plain and in records, on an emulated board
 * under `-icount shift=0`, where SysTick counts instructions. Prints "NAME NUMBER": instructions of
 * the client alone, bytes and records in both directions. An collector's answers come from
 * collector.answers. Certificates are in "costs.h".
 */
#include "../../examples/fleet/telemetry.mote.h"
#include "../../grpc/grpc.h"
#include "../../port/cortex-m/board.h"
#include "../../tls/tls.h"
#include "../size/reference.h"
#include "costs.h"
#include "semihosting.h"

enum { SAMPLES = 64, UPLOAD = 3, WIRE = 8192, CONTEXT = MOTE_TLS_CONTEXT_MEMORY / 8 };

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

static uint64_t pool[16384];
static side client, server;
static wire up, down;
static uint64_t client_work; /* instructions */

/* ---- counting ------------------------------------------------------------------------------ */

static volatile uint32_t *const systick = (volatile uint32_t *)0xe000e010;

static void start_counting(void)
{
    systick[0] = 0;
    systick[1] = 0xffffff;
    systick[2] = 0;
    systick[0] = 5;
}

/* An instruction takes 1 ns; a piece of work is shorter than 671 million of them. */
static uint64_t instructions_since(uint32_t start)
{
    return (uint64_t)((start - systick[2]) & 0xffffff) * (1000000000u / BOARD_HZ);
}

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
    uint32_t start = systick[2];

    mote_tls_handshake(client.tls, NULL, 0, &used);
    client_work += instructions_since(start);
    while (moves) {
        start = systick[2];
        moves = hear(&client, &down);
        moves |= say(&client, &up);
        client_work += instructions_since(start);
        moves |= hear(&server, &up);
        moves |= say(&server, &down);
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
        open_side(&server, NULL);
        open_side(&client, "localhost");
        client_work = 0;
        up.passed = up.records = down.passed = down.records = 0;
        if (resumed && mote_tls_resume(client.tls, session, (size_t)saved) < 0)
            host_exit();
        shake_hands();
        if (!mote_tls_ready(client.tls) || mote_tls_resumed(client.tls) != (resumed == 1))
            host_exit();
        report_wire(names[resumed]);
        saved = resumed ? saved : mote_tls_save_session(client.tls, session, sizeof session);
        if (saved <= 0)
            host_exit();
    }
}

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
    if (over_tls && mote_tls_write(client.tls, out, len) != (int)len)
        host_exit();
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

    client_work = 0;
    plain_bytes = up.passed = up.records = 0;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        sample.sequence = 1000 + i;
        sample.time_ms += 100;
        uint32_t start = systick[2];
        int r = mote_telemetry_Telemetry_Upload_offer(upload, &sample);
        send_all(over_tls);
        if (over_tls)
            say(&client, &up);
        client_work += instructions_since(start);
        if (r < 0)
            host_exit();
        hear(&server, &up);
    }
    host_print(over_tls ? "tls_sample_instructions" : "sample_instructions",
               (uint32_t)(client_work / SAMPLES));
    host_print(over_tls ? "tls_sample_bytes" : "sample_bytes",
               (uint32_t)((over_tls ? up.passed : plain_bytes) / SAMPLES));
}

int main(void)
{
    const mote_tls_config ours = {.ca = {ca_pem, sizeof ca_pem}};
    const mote_tls_config theirs = {.server = true,
                                    .cert = {cert_pem, sizeof cert_pem},
                                    .key = {key_pem, sizeof key_pem},
                                    .session_s = 3600};
    const char *why;

    mote_tls_pool(pool, sizeof pool);
    if (mote_tls_context_init(&client.context, &ours, client.context_memory,
                              sizeof client.context_memory, &why) < 0 ||
        mote_tls_context_init(&server.context, &theirs, server.context_memory,
                              sizeof server.context_memory, &why) < 0)
        host_exit();
    start_counting();
    handshakes();
    prepare_upload();
    samples(false);
    samples(true);
    host_exit();
    return 0;
}
