/*
 * The blocking client under a script: frames that arrive wait until it reads them, at most in=N
 * bytes at a time. When it returns depends on how they are cut, so the cuts of the other engines do
 * not apply here.
 *
 *   channel [connects] [refusals=N] calls=2 rx=512 ...
 *   ! after N        what follows arrives when so many requests were sent
 *   ! unary PATH [timeout=MS] [wait] [size=N] "text"
 *   ! start | send | half_close | recv | finish | collect
 *   ! retry attempts=N codes=MASK backoff=MS max=MS multiplier=N tokens=N ratio=N
 *   ! poll MS | now MS
 *   ! life keepalive=MS
 */
#include "../../grpc/channel/channel.h"
#include "../../pb/pb.h"
#include "wire.h"

enum { MEMORY = 1 << 16, INPUT = 1 << 16, CALLS = 8 };

static mote_channel channel;
static uint64_t memory[MEMORY / 8], now;
static uint8_t in[512], input[INPUT];
static size_t input_len, input_at;
static struct {
    size_t end;
    unsigned after, dials;
} batches[64]; /* what arrives at once, and after how many requests */
static size_t batch, batch_count;
static unsigned after, dials, greetings; /* connections: were made; have SETTINGS */
static bool connects;
static unsigned refusals;
static bool reads_fail, writes_fail;
static unsigned writes_stall;
static mote_grpc_retry retry;
static mote_grpc_life life;
static mote_grpc_call *calls[CALLS];
static unsigned call_count;

/* ---- the transport --------------------------------------------------------------------------- */

static int read_input(void *context, uint8_t *buf, size_t cap)
{
    size_t n = 0;

    (void)context;
    if (batch < batch_count && wire_blocks >= batches[batch].after && dials >= batches[batch].dials)
        n = batches[batch].end - input_at;
    n = n < cap ? n : cap;
    if (n == 0 && reads_fail)
        return -1;
    memcpy(buf, input + input_at, n);
    input_at += n;
    if (batch < batch_count && input_at == batches[batch].end)
        batch++;
    return (int)n;
}

static int write_output(void *context, const uint8_t *buf, size_t len)
{
    (void)context;
    if (writes_fail)
        return -1;
    if (writes_stall > 0) {
        writes_stall--;
        return 0;
    }
    size_t n = wire_ack && wire_ack < len ? wire_ack : len;
    wire_output(buf, n);
    return (int)n;
}

static uint64_t clock_ms(void *context)
{
    (void)context;
    return now;
}

static int dial(void *context, uint64_t until_ms)
{
    (void)context;
    wire_event(". connects at %llu within %u%s", (unsigned long long)now,
               (unsigned)(until_ms - now), refusals ? ", refused" : "");
    if (refusals > 0) {
        refusals--;
        return -1;
    }
    dials++;
    wire_frames_reset();
    return 0;
}

/* The end of the script is the end of the transport. */
static void pass(void *context, bool writing, uint64_t until_ms)
{
    (void)context;
    if (writing)
        now += 10;
    else if (until_ms > now + 1000000)
        reads_fail = true;
    else
        now = until_ms;
}

static void on_metadata(void *context, const mote_grpc_event *ev)
{
    (void)context;
    wire_event(". METADATA %.*s: %s%s", (int)ev->name_len, ev->name,
               wire_show(ev->value, ev->value_len), ev->trailing ? " trailing" : "");
}

static void on_state(void *context, int state, const char *why)
{
    static const char *const names[] = {"IDLE", "CONNECTING", "READY", "TRANSIENT_FAILURE",
                                        "SHUTDOWN"};

    (void)context;
    wire_event(". %s: %s", names[state], why);
}

/* ---- script ---------------------------------------------------------------------------------- */

static void start(const wire_line *l)
{
    mote_grpc_config config = {.max_calls = (uint16_t)wire_number(l, "calls", 2),
                               .slots = 8,
                               .rx_size = wire_number(l, "rx", 512),
                               .tx_size = wire_number(l, "tx", 512),
                               .dynamic = &mote_hpack_dynamic_table,
                               .coder = &mote_hpack_huffman_coder,
                               .table_size = wire_number(l, "table", 0),
                               .field_size = 256,
                               .authority = MOTE_GRPC_AUTHORITY("a")};
    mote_io io = {.read = read_input, .write = write_output, .wait = pass, .now_ms = clock_ms};

    if (wire_has(l, "connects"))
        io.connect = dial;
    now = 1000;
    input_len = input_at = batch = batch_count = after = dials = greetings = 0;
    connects = wire_has(l, "connects");
    refusals = wire_number(l, "refusals", 0);
    reads_fail = writes_fail = false;
    writes_stall = 0;
    call_count = 0;
    memset(calls, 0, sizeof calls);
    int r = mote_channel_init(&channel, &config, memory, sizeof memory, in,
                              wire_number(l, "in", sizeof in), io);
    channel.on_metadata = on_metadata;
    channel.on_state = on_state;
    channel.random = wire_number(l, "random", 7);
    if (r != 0)
        wire_event("= %d", r);
}

static void feed_batch(const uint8_t *bytes, size_t len, unsigned requests)
{
    if (input_len + len > INPUT || batch_count == 64)
        abort();
    memcpy(input + input_len, bytes, len);
    input_len += len;
    batches[batch_count].end = input_len;
    batches[batch_count].dials = connects ? greetings : 0;
    batches[batch_count++].after = requests;
}

static size_t frame_size(const uint8_t *frame)
{
    return 9 + ((size_t)frame[0] << 16 | (size_t)frame[1] << 8 | frame[2]);
}

/* SETTINGS at the beginning are said on the next connection; a response follows its request. */
static void feed(const uint8_t *bytes, size_t len)
{
    unsigned requests = after;
    size_t settings = 0, at;

    greetings += len >= 9 && bytes[3] == 4 && !(bytes[4] & 1);
    while (len - settings >= 9 && bytes[settings + 3] == 4)
        settings += frame_size(bytes + settings);
    for (at = settings; at + 9 <= len; at += frame_size(bytes + at)) {
        if (bytes[at + 3] == 1 && (bytes[at + 8] + 1u) / 2 > requests)
            requests = (bytes[at + 8] + 1u) / 2;
    }
    if (settings > 0)
        feed_batch(bytes, settings, after);
    if (settings < len)
        feed_batch(bytes + settings, len - settings, requests);
}

static const mote_hpack_field *path_of(const char *text)
{
    static char keep[8][64];
    static mote_hpack_field fields[8];
    static size_t count;

    for (size_t i = 0; i < count; i++)
        if (strcmp(keep[i], text) == 0)
            return &fields[i];
    if (count == 8)
        abort();
    snprintf(keep[count], 64, "%s", text);
    fields[count] = (mote_hpack_field){":path", keep[count], 5, (uint16_t)strlen(text), 0, 0};
    return &fields[count++];
}

static void note_status(mote_status s)
{
    wire_event("= %s %s", mote_grpc_code_name(s.code), wire_show(s.message, s.message_len));
}

static mote_grpc_request request_of(const wire_line *l)
{
    static mote_grpc_metadata metadata;
    const wire_word *w = wire_find(l, "x");

    if (w)
        metadata = (mote_grpc_metadata){"x", (const char *)w->value, 1, w->len};
    return (mote_grpc_request){.path = path_of(wire_text_at(l, 1)),
                               .timeout_ms = wire_number(l, "timeout", 0),
                               .metadata = &metadata,
                               .metadata_count = w ? 1 : 0,
                               .chunks = wire_has(l, "chunks") ? &mote_grpc_chunks : NULL,
                               .wait_for_ready = wire_has(l, "wait")};
}

static int failing(const void *type, const void *message, size_t offset, uint8_t *out, size_t cap,
                   size_t *total)
{
    (void)type, (void)message, (void)offset, (void)out, (void)cap, (void)total;
    return -405;
}

static const mote_grpc_source fails = {failing, mote_pb_strerror, NULL};

static void unary(const wire_line *l)
{
    const wire_word *w = wire_find(l, "");
    mote_grpc_bytes message = {w ? w->value : NULL, w ? w->len : 0};
    mote_grpc_request request = request_of(l);
    const uint8_t *response;
    size_t len = 99;
    mote_status s = mote_channel_unary(&channel, &request,
                                       wire_has(l, "fails") ? &fails : &mote_grpc_bytes_source,
                                       &message, &response, &len);

    if (response)
        wire_event("= response %s", wire_show(response, len));
    else if (len > 0)
        wire_event("= no response, of %zu bytes", len);
    note_status(s);
}

static void start_call(const wire_line *l)
{
    mote_grpc_request request = request_of(l);
    mote_grpc_call *call = NULL;
    int r = mote_channel_start(&channel, &request, &call);

    if (r == 0)
        calls[++call_count % CALLS] = call;
    wire_event("= %d", r);
}

static void receive(mote_grpc_call *call)
{
    mote_grpc_event ev;
    int r = mote_channel_recv(call, &ev);

    if (ev.type == MOTE_GRPC_STATUS)
        wire_event("= %d STATUS %s %s", r, mote_grpc_code_name(ev.code),
                   wire_show(ev.message, ev.message_len));
    else if (ev.type == MOTE_GRPC_MESSAGE)
        wire_event("= %d MESSAGE %s", r, wire_show(ev.data, ev.len));
    else
        wire_event("= %d event %u", r, ev.type);
}

static void collect(mote_grpc_call *call)
{
    const uint8_t *response;
    size_t len = 99;
    mote_status s = mote_channel_collect(call, &response, &len);

    if (response)
        wire_event("= response %s", wire_show(response, len));
    else if (len > 0)
        wire_event("= no response, of %zu bytes", len);
    note_status(s);
}

static bool act_on_call(const char *what, const wire_line *l)
{
    static const char *const actions[] = {"send",   "half_close", "recv",
                                          "finish", "collect",    "cancel"};
    const wire_word *w = wire_find(l, "");
    mote_grpc_bytes message = {w ? w->value : NULL, w ? w->len : 0};
    mote_grpc_call *call = calls[wire_at(l, 1) % CALLS];
    size_t i = 0;

    while (i < 6 && strcmp(actions[i], what) != 0)
        i++;
    if (i == 6 || !call)
        return false;
    if (i == 0)
        wire_event("= %d", mote_channel_send(call, &mote_grpc_bytes_source, &message,
                                             wire_has(l, "last") ? MOTE_GRPC_LAST : 0));
    else if (i == 1)
        wire_event("= %d", mote_channel_half_close(call));
    else if (i == 2)
        receive(call);
    else if (i == 3)
        note_status(mote_channel_finish(call));
    else if (i == 4)
        collect(call);
    else
        mote_grpc_cancel(call);
    return true;
}

static void set_retry(const wire_line *l)
{
    retry = (mote_grpc_retry){.max_attempts = wire_number(l, "attempts", 3),
                              .initial_backoff_ms = wire_number(l, "backoff", 100),
                              .max_backoff_ms = wire_number(l, "max", 1000),
                              .backoff_multiplier = wire_number(l, "multiplier", 200),
                              .codes = wire_number(l, "codes", 1u << 14),
                              .max_tokens = wire_number(l, "tokens", 0),
                              .token_ratio = wire_number(l, "ratio", 0)};
    mote_channel_set_retry(&channel, wire_has(l, "none") ? NULL : &retry);
}

static void act(const char *what, const wire_line *l)
{
    if (strcmp(what, "unary") == 0)
        unary(l);
    else if (strcmp(what, "start") == 0)
        start_call(l);
    else if (strcmp(what, "retry") == 0)
        set_retry(l);
    else if (strcmp(what, "poll") == 0)
        wire_event("= %d", mote_channel_poll(&channel, wire_at(l, 1)));
    else if (strcmp(what, "now") == 0)
        wire_event("= %llu", (unsigned long long)now);
    else if (strcmp(what, "fail_reads") == 0)
        reads_fail = true;
    else if (strcmp(what, "fail_writes") == 0)
        writes_fail = true;
    else if (strcmp(what, "stall") == 0)
        writes_stall = wire_at(l, 1);
    else if (strcmp(what, "after") == 0)
        after = wire_at(l, 1);
    else if (strcmp(what, "wait") == 0)
        now += wire_at(l, 1);
    else if (strcmp(what, "life") == 0) {
        life = (mote_grpc_life){.keepalive_ms = wire_number(l, "keepalive", 0),
                                .keepalive_without_calls = true};
        channel.life = &life;
    } else if (strcmp(what, "keepalive") == 0)
        wire_event("= %u", life.keepalive_ms);
    else if (strcmp(what, "error") == 0)
        note_status(mote_status_of_error((int)strtol(wire_text_at(l, 1), NULL, 0)));
    else if (!act_on_call(what, l))
        wire_event("= no such action");
}

const wire_engine wire_channel = {"channel", start, feed, act, true};
