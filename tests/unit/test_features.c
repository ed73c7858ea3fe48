/* What -DMOTE_CLIENT_ONLY, -DMOTE_NO_TEXTS, -DMOTE_NO_COMPRESSION, -DMOTE_NO_METADATA and
 * -DMOTE_SMALL_TX leave out is refused, not misunderstood; what they leave is tested with grpcio
 * (tests/run.sh). */
#include "../../grpc/grpc.h"
#include "../test.h"

static mote_grpc grpc;
static uint64_t memory[MOTE_GRPC_MEMORY(1, 64, 256, 4096, 64, 8, 0) / 8];

static mote_grpc_config config_of(bool server, const mote_grpc_codecs *codecs)
{
    return (mote_grpc_config){.server = server,
                              .max_calls = 1,
                              .rx_size = 64,
                              .tx_size = 256,
                              .field_size = 64,
                              .slots = 8,
                              .authority = MOTE_GRPC_AUTHORITY("x"),
                              .codecs = codecs};
}

static void a_server_is_refused(void)
{
    static mote_grpc_config config;

    char text[MOTE_GRPC_CONFIG_TEXT];

    config = config_of(true, NULL);
    CHECK_INT(mote_grpc_init(&grpc, &config, memory, sizeof memory), MOTE_H2_ERR_CONFIG);
    mote_grpc_config_text(&config, memory, sizeof memory, text);
    CHECK(strcmp(text, "server: this build has the other role alone") == 0);
    config = config_of(false, NULL);
    CHECK_INT(mote_grpc_init(&grpc, &config, memory, sizeof memory), 0);
}

/* The least that does not fit a frame with its header. */
static void a_buffer_beyond_a_frame_is_refused(void)
{
    static uint64_t large[MOTE_GRPC_MEMORY(1, 64, MOTE_H2_SMALL_TX_MAX + 1, 0, 64, 8, 0) / 8];
    static mote_grpc_config config;
    char text[MOTE_GRPC_CONFIG_TEXT];

    config = config_of(false, NULL);
    config.tx_size = MOTE_H2_SMALL_TX_MAX + 1;
    CHECK_INT(mote_grpc_init(&grpc, &config, large, sizeof large), MOTE_H2_ERR_CONFIG);
    CHECK(strcmp(mote_grpc_config_text(&config, large, sizeof large, text),
                 "tx_size is 16394: at most 16393") == 0);
    config.tx_size--;
    CHECK_INT(mote_grpc_init(&grpc, &config, large, sizeof large), 0);
}

static void codecs_are_refused(void)
{
    static const mote_grpc_codec codec;
    static const mote_grpc_codecs codecs = {.codec = {&codec}, .count = 1};
    static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/a.B/C");
    static mote_grpc_config config;
    mote_grpc_request request = {.path = &path, .codec = &codec};
    mote_grpc_call *call;

    config = config_of(false, &codecs);
    CHECK_INT(mote_grpc_init(&grpc, &config, memory, sizeof memory), MOTE_GRPC_ERR_CONFIG);
    config.codecs = NULL;
    CHECK_INT(mote_grpc_init(&grpc, &config, memory, sizeof memory), 0);
    CHECK_INT(mote_grpc_start(&grpc, &request, &call), MOTE_GRPC_ERR_CONFIG);
}

static void metadata_is_refused(void)
{
    static const mote_grpc_metadata field = MOTE_GRPC_METADATA_FIELD("x", "y");
    static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/a.B/C");
    static mote_grpc_config config;
    mote_grpc_request request = {.path = &path, .metadata = &field, .metadata_count = 1};
    mote_grpc_call *call;

    config = config_of(false, NULL);
    CHECK_INT(mote_grpc_init(&grpc, &config, memory, sizeof memory), 0);
    CHECK_INT(mote_grpc_start(&grpc, &request, &call), MOTE_GRPC_ERR_CONFIG);
    request.metadata_count = 0;
    CHECK_INT(mote_grpc_start(&grpc, &request, &call), 0);
}

static void errors_have_their_codes_alone(void)
{
    static const uint8_t bad[] = {0, 0, 1, 4, 0, 0, 0, 0, 0, 0};
    static mote_grpc_config config;
    mote_grpc_event ev;
    size_t used;

    config = config_of(false, NULL);
    CHECK_INT(mote_grpc_init(&grpc, &config, memory, sizeof memory), 0);
    CHECK_INT(mote_grpc_recv(&grpc, bad, sizeof bad, &used, &ev), MOTE_H2_ERR_PEER);
    CHECK_INT(mote_h2_error_code(&grpc.h2), MOTE_H2_FRAME_SIZE_ERROR);
    CHECK(strcmp(mote_h2_error_text(&grpc.h2), "") == 0);
    CHECK(strcmp(mote_grpc_strerror(MOTE_H2_ERR_PEER), "") == 0);
    CHECK(strcmp(mote_h2_strerror(MOTE_H2_ERR_PEER), "") == 0);
    CHECK(strcmp(mote_h2_code_name(MOTE_H2_CANCEL), "") == 0);
}

int main(void)
{
    RUN(a_server_is_refused);
    RUN(a_buffer_beyond_a_frame_is_refused);
    RUN(codecs_are_refused);
    RUN(metadata_is_refused);
    RUN(errors_have_their_codes_alone);
    return test_summary();
}
