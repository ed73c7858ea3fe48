/* A status with details, from a handler to the events of a client. */
#include "../../grpc/services/rpc.h"
#include "../test.h"

enum { SCRATCH = 400, RX = 256, TX = 1024, FIELD = 512 };

static uint64_t memory[2][4096];
static mote_grpc client, server;
static const mote_rpc_Status *answer; /* of the server */
static size_t scratch_size;
static int finished;

static int with_details(mote_grpc_call *call, const mote_grpc_event *ev)
{
    uint8_t scratch[SCRATCH];

    if (ev->type != MOTE_GRPC_HALF_CLOSE)
        return 0;
    finished = mote_rpc_finish(call, answer, scratch, scratch_size);
    memset(scratch, 0xee, sizeof scratch);
    return finished < 0 ? mote_grpc_finish(call, MOTE_GRPC_INTERNAL, "no details") : 0;
}

static const mote_grpc_method methods[] = {{"Fails", with_details, NULL, NULL, NULL, false, false}};
static const mote_grpc_service services[] = {{"test.Service", methods, 1, false}};

/* What the client was told. */
static struct {
    int code, read; /* by the status event; by mote_rpc_read() */
    char text[64];
    mote_rpc_Status status;
} told;
static uint8_t details[SCRATCH];
static size_t details_size;
static uint64_t arena_memory[512];
static mote_pb_arena arena;

static void on_event(const mote_grpc_event *ev)
{
    int r = mote_rpc_read(ev, &told.status, details, details_size, &arena);

    if (r != 0)
        told.read = r;
    if (ev->type != MOTE_GRPC_STATUS)
        return;
    told.code = ev->code;
    snprintf(told.text, sizeof told.text, "%.*s", (int)ev->message_len, ev->message);
}

static void pump(void)
{
    for (int turn = 0; turn < 8; turn++) {
        size_t len, used;
        const uint8_t *out = mote_grpc_peek(&client, &len);
        if (out) {
            mote_grpc_serve(&server, out, len);
            mote_grpc_ack(&client, len);
        }
        out = mote_grpc_peek(&server, &len);
        if (!out)
            continue;
        mote_grpc_event ev;
        const uint8_t *in = out;
        for (size_t left = len; mote_grpc_recv(&client, in, left, &used, &ev) > 0; left -= used) {
            on_event(&ev);
            in += used;
        }
        mote_grpc_ack(&server, len);
    }
}

/* A call that ends with this status. */
static void call(const mote_rpc_Status *status, size_t server_scratch, size_t client_bytes)
{
    static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/test.Service/Fails");
    mote_grpc_config config = {.max_calls = 1,
                               .slots = 4,
                               .rx_size = RX,
                               .tx_size = TX,
                               .field_size = FIELD,
                               .authority = MOTE_GRPC_AUTHORITY("test")};
    mote_grpc_request request = {.path = &path};
    mote_grpc_call *c;

    answer = status;
    scratch_size = server_scratch;
    details_size = client_bytes;
    memset(&told, 0, sizeof told);
    mote_pb_arena_init(&arena, arena_memory, sizeof arena_memory);
    CHECK_INT(mote_grpc_init(&client, &config, memory[0], sizeof memory[0]), 0);
    config.server = true;
    config.services = services;
    config.service_count = 1;
    CHECK_INT(mote_grpc_init(&server, &config, memory[1], sizeof memory[1]), 0);
    pump();
    CHECK_INT(mote_grpc_start(&client, &request, &c), 0);
    CHECK_INT(mote_grpc_half_close(c), 0);
    pump();
}

static const mote_rpc_Duration second = {.seconds = 1, .nanos = 5};
static const mote_rpc_RetryInfo wait_a_second = {.retry_delay = &second};
static const mote_rpc_BadRequest_FieldViolation wrong[] = {
    {MOTE_PB_STRING_INIT("name"), MOTE_PB_STRING_INIT("is empty")}};
static const mote_rpc_BadRequest bad = {.field_violations = {wrong, 1}};
static uint8_t packed[2][64];
static mote_rpc_Any two[2];
static mote_rpc_Status status = {
    MOTE_GRPC_UNAVAILABLE, MOTE_PB_STRING_INIT("busy \xe2\x82\xac"), {two, 2}};

static void pack_both(void)
{
    CHECK_INT(mote_rpc_pack(&two[0], MOTE_RPC_URL(RetryInfo), &mote_rpc_RetryInfo_encoder,
                            &wait_a_second, packed[0], sizeof packed[0]),
              0);
    CHECK_INT(mote_rpc_pack(&two[1], "example.com/types/google.rpc.BadRequest",
                            &mote_rpc_BadRequest_encoder, &bad, packed[1], sizeof packed[1]),
              0);
}

/* The peer's detail without a type, and a program that asks for none: no NULL is compared. */
static void details_without_a_type_are_found_by_no_type(void)
{
    static const mote_rpc_Any bare = {0};
    const mote_rpc_Status one = {.details = {&bare, 1}};

    CHECK(mote_rpc_find(&one, "") == &bare);
    CHECK(mote_rpc_find(&one, "/") == &bare);
    CHECK(!mote_rpc_find(&one, MOTE_RPC_URL(Help)));
}

static void details_arrive_whole(void)
{
    mote_rpc_RetryInfo retry;
    mote_rpc_BadRequest request;

    pack_both();
    call(&status, SCRATCH, SCRATCH);
    CHECK_INT(finished, 0);
    CHECK_INT(told.read, 1);
    CHECK_INT(told.code, MOTE_GRPC_UNAVAILABLE);
    CHECK(strcmp(told.text, "busy \xe2\x82\xac") == 0);
    CHECK_INT(mote_rpc_Status_equal(&told.status, &status), 1);
    const mote_rpc_Any *any = mote_rpc_find(&told.status, MOTE_RPC_URL(RetryInfo));
    CHECK(any == &told.status.details.items[0]);
    CHECK_INT(mote_rpc_RetryInfo_decode(&retry, any->value.data, any->value.len, &arena), 0);
    CHECK_INT(mote_rpc_RetryInfo_equal(&retry, &wait_a_second), 1);
    any = mote_rpc_find(&told.status, MOTE_RPC_URL(BadRequest)); /* whatever is before the name */
    CHECK(any == &told.status.details.items[1]);
    CHECK_INT(mote_rpc_BadRequest_decode(&request, any->value.data, any->value.len, &arena), 0);
    CHECK_INT(mote_rpc_BadRequest_equal(&request, &bad), 1);
    CHECK(!mote_rpc_find(&told.status, MOTE_RPC_URL(Help)));
    CHECK(!mote_rpc_find(&told.status, MOTE_RPC_URL(Retry)));
    CHECK(!mote_rpc_find(&told.status, "BadReques"));
    CHECK(!mote_rpc_find(&told.status, MOTE_RPC_URL(BadRequests)));
    CHECK(!mote_rpc_find(&told.status, "type.googleapis.com/other.rpc.RetryInfo"));
    CHECK(!mote_rpc_find(&told.status, "RetryInfo"));
    CHECK(mote_rpc_find(&told.status, "google.rpc.BadRequest") == any);
}

/* The scratch of a server, and the bytes of a client, of each size. */
static void memory_that_is_too_small_is_an_error(void)
{
    size_t size;

    pack_both();
    CHECK_INT(mote_rpc_Status_size(&status, &size), 0);
    size_t needed = size + (4 * size + 2) / 3;
    for (size_t n = 0; n <= needed; n++) {
        call(&status, n, SCRATCH);
        CHECK_INT(finished, n < needed ? MOTE_GRPC_ERR_SPACE : 0);
        CHECK_INT(told.code, n < needed ? MOTE_GRPC_INTERNAL : MOTE_GRPC_UNAVAILABLE);
        CHECK_INT(told.read, n == needed);
    }
    for (size_t n = 0; n <= size; n++) {
        call(&status, SCRATCH, n);
        CHECK_INT(told.read, n < size ? MOTE_GRPC_ERR_SPACE : 1);
        CHECK_INT(told.code, MOTE_GRPC_UNAVAILABLE); /* whatever the details do */
    }
    uint8_t out[64];
    mote_rpc_Any any = {.type_url = MOTE_PB_STRING("as it was")};
    CHECK_INT(mote_rpc_pack(&any, "x", &mote_rpc_BadRequest_encoder, &bad, out, 3),
              MOTE_PB_ERR_SPACE);
    CHECK(any.type_url.len == 9 && any.value.data == NULL);
}

/* What a peer may say in place of details. */
static void what_is_no_details_is_not_taken_for_it(void)
{
    static const struct {
        const char *name, *value;
        int type, expected;
    } rows[] = {{"grpc-status-details-bin", "CAU", MOTE_GRPC_METADATA, 1},
                {"grpc-status-details-bin", "", MOTE_GRPC_METADATA, 1},
                {"grpc-status-details-bin", "CAU", MOTE_GRPC_STATUS, 0},
                {"grpc-status-details-bim", "CAU", MOTE_GRPC_METADATA, 0},
                {"grpc-status-details-bi", "CAU", MOTE_GRPC_METADATA, 0},
                {"grpc-status-details-binn", "CAU", MOTE_GRPC_METADATA, 0},
                {"grpc-status-details-bin", "C?U", MOTE_GRPC_METADATA, MOTE_GRPC_ERR_BASE64},
                {"grpc-status-details-bin", "CA", MOTE_GRPC_METADATA, MOTE_PB_ERR_TRUNCATED},
                {"grpc-status-details-bin", "GgQKAv//", MOTE_GRPC_METADATA, MOTE_PB_ERR_UTF8}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mote_grpc_event ev = {.type = (enum mote_grpc_event_type)rows[i].type,
                              .name = rows[i].name,
                              .value = rows[i].value,
                              .name_len = strlen(rows[i].name),
                              .value_len = strlen(rows[i].value)};
        mote_pb_arena_init(&arena, arena_memory, sizeof arena_memory);
        CHECK_INT(mote_rpc_read(&ev, &told.status, details, sizeof details, &arena),
                  rows[i].expected);
    }
}

int main(void)
{
    RUN(details_without_a_type_are_found_by_no_type);
    RUN(details_arrive_whole);
    RUN(memory_that_is_too_small_is_an_error);
    RUN(what_is_no_details_is_not_taken_for_it);
    return test_summary();
}
