/*
 * The engine of gRPC under a script.
 *
 *   grpc server|client calls=4 rx=512 tx=1024 table=4096 field=512 slots=8 user=8 window=N
 *        budget=N limit=N codecs [long_list] message=N tls token=T clear agent=A authority=A
 *        memory=N count
 *   ! begin                  preface and SETTINGS of both sides are done
 *   ! start PATH [timeout=MS] [chunks] [codec=gzip] [deflate] [NAME=VALUE]...
 *                            calls are numbered from 1
 *   ! send N [last] "text" | zsend N "text" | half_close N | cancel N | resume N
 *   ! headers N [NAME=VALUE]... | finish N CODE ["text"] [NAME=VALUE]... | choose N | left N
 *   ! next R [R]...          what the handler returns for the next events; -200 is "not now"
 *   ! defer                  client: the next event is brought back
 *   ! tick MS | life keepalive=MS... | eof | shutdown | active | counters
 *   ! hold | take N | release
 *   ! health NAME STATUS | push     a state changes; watchers are told
 *
 * The server has the service t.T (Call, Single, Chunks, None), health and reflection.
 */
#include "wire_grpc.h"

#include "../../grpc/services/services.h"

enum { MEMORY = 1 << 18, MESSAGE = 1 << 16, CALLS = 64, FINISHES = 1000 };

static mote_grpc grpc;
static mote_grpc_config config;
static mote_grpc_counters counters;
static mote_grpc_life life;
static bool has_life;
static uint64_t memory[MEMORY / 8];
static uint8_t message[MESSAGE];
static mote_grpc_call *calls[CALLS]; /* by number */
static uintptr_t call_count;
static int returns[16];
static size_t return_at, return_count;
static bool holds, defers;

static void over(const mote_grpc_call *call)
{
    for (size_t i = 0; i < CALLS; i++)
        if (calls[i] == call)
            calls[i] = NULL;
}

/* ---- services -------------------------------------------------------------------------------- */

int wire_handler(mote_grpc_call *call, const mote_grpc_event *ev)
{
    (void)call;
    if (ev->type == MOTE_GRPC_METADATA || return_at == return_count)
        return 0;
    int r = returns[return_at++];
    if (r >= FINISHES) { /* another call ends in the middle of this one's events */
        mote_grpc_call *other = calls[(r - FINISHES) % CALLS];
        wire_event(". finish %d", other ? mote_grpc_finish(other, MOTE_GRPC_OK, NULL) : 1);
        return 0;
    }
    if (ev->type == MOTE_GRPC_MESSAGE && r == MOTE_AGAIN)
        wire_event(". not now");
    return r;
}

/* ---- output, events -------------------------------------------------------------------------- */

static const uint8_t *peek(size_t *len)
{
    return mote_grpc_peek(&grpc, len);
}

static void ack(size_t len)
{
    mote_grpc_ack(&grpc, len);
}

static void drain(void)
{
    if (!holds)
        wire_take(peek, ack);
}

static unsigned number_of(mote_grpc_call *call)
{
    uintptr_t n = 1;

    while (n <= call_count && calls[n % CALLS] != call)
        n++;
    if (n > call_count)
        calls[++call_count % CALLS] = call;
    return (unsigned)n;
}

static void log_content(unsigned n, const mote_grpc_event *ev)
{
    char what[64];

    if (ev->type == MOTE_GRPC_MESSAGE) {
        wire_event(". %u MESSAGE %s%s", n, wire_show(ev->data, ev->len),
                   ev->compressed ? " compressed" : "");
        return;
    }
    snprintf(what, sizeof what, "%u CHUNK of %zu", n, ev->total);
    wire_content(what, ev->data, ev->len, ev->offset);
}

static void log_event(const mote_grpc_event *ev)
{
    unsigned n = ev->call ? number_of(ev->call) : 0;

    switch (ev->type) {
    case MOTE_GRPC_METADATA:
        wire_event(". %u METADATA %.*s: %s%s", n, (int)ev->name_len, ev->name,
                   wire_show(ev->value, ev->value_len), ev->trailing ? " trailing" : "");
        break;
    case MOTE_GRPC_START:
        wire_event(". %u START", n);
        break;
    case MOTE_GRPC_MESSAGE:
    case MOTE_GRPC_CHUNK:
        log_content(n, ev);
        break;
    case MOTE_GRPC_HALF_CLOSE:
        wire_event(". %u HALF_CLOSE", n);
        break;
    case MOTE_GRPC_WRITABLE:
        wire_event(". %u WRITABLE", n);
        break;
    case MOTE_GRPC_STATUS:
    case MOTE_GRPC_CLOSED:
        wire_event(". %u %s %s %s%s", n, ev->type == MOTE_GRPC_STATUS ? "STATUS" : "CLOSED",
                   mote_grpc_code_name(ev->code), wire_show(ev->message, ev->message_len),
                   ev->type == MOTE_GRPC_STATUS && ev->unseen ? " unseen" : "");
        break;
    case MOTE_GRPC_GOAWAY:
        wire_event(". GOAWAY %s", mote_h2_code_name((uint32_t)ev->code));
        break;
    default:
        wire_event(". unknown event %u", ev->type);
    }
}

static void on_event(const mote_grpc_event *ev)
{
    log_event(ev);
    if (config.server)
        mote_grpc_dispatch(&grpc, ev);
    else if (defers && ev->type != MOTE_GRPC_METADATA)
        mote_grpc_defer(&grpc);
    if (defers && ev->type != MOTE_GRPC_METADATA && !config.server) {
        defers = false;
        return;
    }
    if (ev->type == MOTE_GRPC_STATUS || ev->type == MOTE_GRPC_CLOSED)
        over(ev->call);
}

static void feed(const uint8_t *in, size_t len)
{
    mote_grpc_event ev;
    size_t at = 0, used;
    int r;

    while ((r = mote_grpc_recv(&grpc, in + at, len - at, &used, &ev)) > 0) {
        at += used;
        if (r != 1)
            wire_event("= %d", r);
        on_event(&ev);
        drain();
    }
    if (r == 0 && at + used != len)
        wire_event("= %zu bytes were not used", len - at - used);
    wire_error(&grpc.h2, r);
    drain();
}

static size_t token(void *context, const char **text)
{
    *text = context;
    return strlen(*text);
}

static const char *text_of(const wire_line *l, const char *key, char *keep, size_t cap)
{
    const wire_word *w = wire_find(l, key);

    if (!w)
        return NULL;
    snprintf(keep, cap, "%s", w->value);
    return keep;
}

/* None, those of zlib, or those of zlib with a list that does not fit a small buffer. */
static const mote_grpc_codecs *codecs_of(const wire_line *l)
{
    static const char list[] =
        "identity,deflate,gzip,a-name-that-is-longer-than-any-name-should-be-and-goes-on-and-on-"
        "until-no-buffer-of-the-least-size-has-room-for-a-status-with-it-however-short-its-text";
    static mote_grpc_codecs codecs;

    codecs = mote_grpc_zlib;
    if (wire_has(l, "long_list"))
        codecs.accept = (mote_hpack_field)MOTE_HPACK_FIELD("grpc-accept-encoding", list);
    return wire_has(l, "codecs") ? &codecs : NULL;
}

static void set_config(const wire_line *l)
{
    static char authority_text[256], agent_text[256], bearer[512];
    static mote_grpc_credentials credentials;
    static mote_hpack_field agent;
    const char *authority = text_of(l, "authority", authority_text, sizeof authority_text);

    credentials = (mote_grpc_credentials)MOTE_GRPC_BEARER(token);
    credentials.in_the_clear = wire_has(l, "clear");
    agent = (mote_hpack_field)MOTE_HPACK_FIELD("user-agent", "");
    agent.value = text_of(l, "agent", agent_text, sizeof agent_text);
    if (agent.value)
        agent.value_len = (uint16_t)strlen(agent.value);
    config = (mote_grpc_config){.server = wire_has(l, "server"),
                                .tls = wire_has(l, "tls"),
                                .max_calls = (uint16_t)wire_number(l, "calls", 4),
                                .slots = (uint16_t)wire_number(l, "slots", 8),
                                .rx_size = wire_number(l, "rx", 512),
                                .tx_size = wire_number(l, "tx", 1024),
                                .dynamic = &mote_hpack_dynamic_table,
                                .coder = &mote_hpack_huffman_coder,
                                .table_size = wire_number(l, "table", 4096),
                                .field_size = wire_number(l, "field", 512),
                                .user_size = wire_number(l, "user", 8),
                                .send_limit = wire_number(l, "limit", 0),
                                .services = wire_services,
                                .service_count = 5,
                                .user_agent = agent.value ? &agent : NULL,
                                .connection_window = wire_number(l, "window", 0),
                                .budget = wire_number(l, "budget", 0),
                                .codecs = codecs_of(l),
                                .message = message,
                                .message_size = wire_number(l, "message", MESSAGE),
                                .counters = wire_has(l, "count") ? &counters : NULL,
                                .credentials = wire_has(l, "token") ? &credentials : NULL,
                                .context = bearer};
    if (!wire_has(l, "no_authority"))
        config.authority = mote_grpc_authority(authority ? authority : "a");
    text_of(l, "token", bearer, sizeof bearer);
}

static void start(const wire_line *l)
{
    set_config(l);
    wire_set_services(wire_has(l, "many"), wire_has(l, "ring"));
    memset(memory, 0xa5, sizeof memory);
    memset(message, 0xa5, sizeof message);
    memset(calls, 0, sizeof calls);
    memset(&counters, 0, sizeof counters);
    call_count = 0;
    return_at = return_count = 0;
    holds = defers = has_life = false;
    int r = mote_grpc_init(&grpc, &config, memory, wire_number(l, "memory", sizeof memory));
    if (r != 0) {
        wire_event("= %d", r);
        return;
    }
    mote_grpc_tick(&grpc, 1000);
    drain();
}

/* ---- actions --------------------------------------------------------------------------------- */

static mote_grpc_call *call_of(const wire_line *l)
{
    mote_grpc_call *call = calls[wire_at(l, 1) % CALLS];

    if (!call)
        wire_event("= no such call");
    return call;
}

static void start_call(const wire_line *l)
{
    mote_grpc_metadata metadata[WIRE_METADATA];
    const wire_word *codec = wire_find(l, "codec");
    mote_grpc_request request = {.path = wire_path_of(wire_text_at(l, 1)),
                                 .timeout_ms = wire_number(l, "timeout", 0),
                                 .metadata = metadata,
                                 .chunks = wire_has(l, "chunks") ? &mote_grpc_chunks : NULL};
    mote_grpc_call *call;

    request.metadata_count = wire_metadata_of(l, metadata);
    if (codec)
        request.codec =
            strcmp((const char *)codec->value, "gzip") == 0 ? &mote_grpc_gzip : &mote_grpc_deflate;
    int r = mote_grpc_start(&grpc, &request, &call);
    if (r == 0)
        wire_event("= call %u", number_of(call));
    else
        wire_event("= %d%s", r, call ? " and a call" : "");
}

static void send(mote_grpc_call *call, const wire_line *l, bool compressed)
{
    static uint8_t space[MESSAGE];
    mote_grpc_bytes text = wire_bytes_of(l), out = text;
    unsigned flags =
        (wire_has(l, "last") ? MOTE_GRPC_LAST : 0u) | (compressed ? MOTE_GRPC_COMPRESSED : 0u);
    int r = 0;

    if (compressed)
        r = mote_grpc_compress(call, wire_source_of(l), &text, space,
                               wire_number(l, "space", MESSAGE), &out);
    if (r == 0)
        r = mote_grpc_send(call, compressed ? &mote_grpc_bytes_source : wire_source_of(l), &out,
                           flags);
    wire_event("= %d", r);
}

static void finish(mote_grpc_call *call, const wire_line *l)
{
    mote_grpc_metadata metadata[WIRE_METADATA];
    size_t count = wire_metadata_of(l, metadata);
    mote_grpc_bytes text = wire_bytes_of(l);
    int r = count == 0 && text.len == 0
                ? mote_grpc_finish(call, (int)wire_at(l, 2), NULL)
                : mote_grpc_finish_with(call, (int)wire_at(l, 2), (const char *)text.data, text.len,
                                        metadata, count);

    wire_event("= %d", r);
}

static void headers(mote_grpc_call *call, const wire_line *l)
{
    mote_grpc_metadata metadata[WIRE_METADATA];
    size_t count = wire_metadata_of(l, metadata);

    wire_event("= %d", mote_grpc_send_headers(call, metadata, count));
}

static void left(const mote_grpc_call *call)
{
    uint64_t ms = mote_grpc_time_left(call);

    wire_event("= %lld, %u for others", ms == UINT64_MAX ? -1LL : (long long)ms,
               mote_grpc_timeout_for(call));
}

static void choose(mote_grpc_call *call)
{
    const mote_grpc_codec *codec = mote_grpc_choose_codec(call);

    wire_event("= %s", codec ? codec->encoding.value : "none");
}

static bool act_on_call(const char *what, const wire_line *l)
{
    static const char *const actions[] = {"send",   "zsend",   "half_close", "cancel", "resume",
                                          "finish", "headers", "left",       "choose", "context"};
    mote_grpc_call *call;
    size_t i = 0;

    while (i < 10 && strcmp(actions[i], what) != 0)
        i++;
    if (i == 10 || !(call = call_of(l)))
        return i < 10;
    if (i < 2)
        send(call, l, i == 1);
    else if (i == 2)
        wire_event("= %d", mote_grpc_half_close(call));
    else if (i == 3)
        mote_grpc_cancel(call);
    else if (i == 4)
        mote_grpc_resume(call);
    else if (i == 5)
        finish(call, l);
    else if (i == 6)
        headers(call, l);
    else if (i == 7)
        left(call);
    else if (i == 8)
        choose(call);
    else
        wire_event("= %d %d", mote_grpc_context(call) == config.context, *(uint8_t *)call->user);
    return true;
}

static void tick(const wire_line *l)
{
    uint32_t ms = wire_at(l, 1), at = wire_number(l, "from", ms);
    uint32_t next = mote_grpc_tick(&grpc, at);

    while (at < ms) { /* as often as it wants to be told */
        at = next < ms - at ? at + next : ms;
        next = mote_grpc_tick(&grpc, at);
    }
    if (!has_life) {
        wire_event("= %u", next);
        return;
    }
    uint32_t of_life = mote_grpc_life_tick(&life, &grpc, ms);
    wire_event("= %u, life %u", next, of_life);
}

static void set_life(const wire_line *l)
{
    has_life = true;
    life = (mote_grpc_life){.keepalive_ms = wire_number(l, "keepalive", 0),
                            .keepalive_timeout_ms = wire_number(l, "answer", 0),
                            .keepalive_without_calls = wire_has(l, "always"),
                            .idle_ms = wire_number(l, "idle", 0),
                            .max_age_ms = wire_number(l, "age", 0),
                            .max_age_grace_ms = wire_number(l, "grace", 0)};
}

static void set_returns(const wire_line *l)
{
    return_at = return_count = 0;
    for (size_t i = 1; i < l->count && return_count < 16; i++)
        returns[return_count++] = (int)strtol(wire_text_at(l, i), NULL, 0);
}

static void begin(void)
{
    if (config.server)
        feed((const uint8_t *)"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    feed((const uint8_t *)"\0\0\0\4\0\0\0\0\0", 9);
    feed((const uint8_t *)"\0\0\0\4\1\0\0\0\0", 9);
}

static bool act_on_output(const char *what, const wire_line *l)
{
    if (strcmp(what, "hold") == 0)
        holds = true;
    else if (strcmp(what, "release") == 0)
        holds = false;
    else if (strcmp(what, "take") == 0)
        wire_take_once(peek, ack, wire_at(l, 1));
    else
        return false;
    return true;
}

static void act(const char *what, const wire_line *l)
{
    if (strcmp(what, "begin") == 0)
        begin();
    else if (strcmp(what, "start") == 0)
        start_call(l);
    else if (strcmp(what, "next") == 0)
        set_returns(l);
    else if (strcmp(what, "defer") == 0)
        defers = true;
    else if (strcmp(what, "tick") == 0)
        tick(l);
    else if (strcmp(what, "clock") == 0)
        mote_grpc_clock(&grpc, wire_at(l, 1));
    else if (strcmp(what, "life") == 0)
        set_life(l);
    else if (strcmp(what, "calm") == 0) {
        grpc.h2.calmed = true;
        mote_grpc_life_tick(&life, &grpc, life.now_ms);
        wire_event("= %u", life.keepalive_ms);
    } else if (strcmp(what, "eof") == 0)
        mote_grpc_recv_eof(&grpc);
    else if (strcmp(what, "shutdown") == 0)
        mote_grpc_shutdown(&grpc);
    else if (strcmp(what, "active") == 0)
        wire_event("= %zu", mote_grpc_active(&grpc));
    else if (strcmp(what, "counters") == 0)
        wire_event("= started %d, succeeded %d, failed %d, sent %d, received %d",
                   (int)counters.calls_started, (int)counters.calls_succeeded,
                   (int)counters.calls_failed, (int)counters.messages_sent,
                   (int)counters.messages_received);
    else if (strcmp(what, "health") == 0)
        wire_set_health(l);
    else if (strcmp(what, "push") == 0)
        mote_health_push(&grpc);
    else if (!act_on_output(what, l) && !act_on_call(what, l))
        wire_event("= no such action");
    feed(NULL, 0);
}

const wire_engine wire_grpc = {"grpc", start, feed, act, false};
