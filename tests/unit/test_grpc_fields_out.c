/* Fields of our own, of which none goes out that must not: each kind is in a table. */
#include "fields_harness.h"

/* ---- strict out ------------------------------------------------------------------------------ */

static const struct {
    const char *name, *value;
    int error;
} outgoing[] = {
    {"x", "a", 0},
    {"x", "", 0},
    {"a-z.0_9", "~ !", 0},
    {"x-bin", "YQ", 0},
    {"x-bin", "YQ==,YWI", 0},
    {"bin", "~", 0},
    {"grpc-status-details-bin", "YQ", 0},
    {"grpc-retry-pushback-ms", "10", 0},
    {"grpc-previous-rpc-attempts", "1", 0},
    {"X-User", "a", MOTE_GRPC_ERR_NAME},
    {"x user", "a", MOTE_GRPC_ERR_NAME},
    {"x\r\ny", "a", MOTE_GRPC_ERR_NAME},
    {"x:y", "a", MOTE_GRPC_ERR_NAME},
    {":path", "/", MOTE_GRPC_ERR_NAME},
    {"\xc3\xa4", "a", MOTE_GRPC_ERR_NAME},
    {"", "a", MOTE_GRPC_ERR_NAME},
    {"x-user", "bob\r\nx-admin: 1", MOTE_GRPC_ERR_VALUE},
    {"x-user", "a\rb", MOTE_GRPC_ERR_VALUE},
    {"x-user", "a\nb", MOTE_GRPC_ERR_VALUE},
    {"x-user", "a\tb", MOTE_GRPC_ERR_VALUE},
    {"x-user", "a ", MOTE_GRPC_ERR_VALUE},
    {"x-user", " a", MOTE_GRPC_ERR_VALUE},
    {"x-user", "\x7f", MOTE_GRPC_ERR_VALUE},
    {"x-user", "\xc3\xa4", MOTE_GRPC_ERR_VALUE},
    {"x-bin", "Y", MOTE_GRPC_ERR_BASE64},
    {"x-bin", "a*b", MOTE_GRPC_ERR_BASE64},
    {"x-bin", "YQ,Y", MOTE_GRPC_ERR_BASE64},
    {"x-bin", "Y,YQ", MOTE_GRPC_ERR_BASE64},
    {"-bin", "\x01", MOTE_GRPC_ERR_VALUE},
    {"grpc-timeout", "1S", MOTE_GRPC_ERR_RESERVED},
    {"grpc-status", "0", MOTE_GRPC_ERR_RESERVED},
    {"grpc-message", "a", MOTE_GRPC_ERR_RESERVED},
    {"grpc-encoding", "gzip", MOTE_GRPC_ERR_RESERVED},
    {"grpc-accept-encoding", "gzip", MOTE_GRPC_ERR_RESERVED},
    {"grpc-of-the-future", "a", MOTE_GRPC_ERR_RESERVED},
    {"content-type", "text/html", MOTE_GRPC_ERR_RESERVED},
    {"te", "trailers", MOTE_GRPC_ERR_RESERVED},
    {"user-agent", "me", MOTE_GRPC_ERR_RESERVED},
    {"host", "a", MOTE_GRPC_ERR_RESERVED},
    {"content-length", "5", MOTE_GRPC_ERR_RESERVED},
    {"connection", "close", MOTE_GRPC_ERR_RESERVED},
    {"keep-alive", "a", MOTE_GRPC_ERR_RESERVED},
    {"upgrade", "a", MOTE_GRPC_ERR_RESERVED},
    {"proxy-connection", "a", MOTE_GRPC_ERR_RESERVED},
    {"transfer-encoding", "chunked", MOTE_GRPC_ERR_RESERVED},
};
enum { OUTGOING = sizeof outgoing / sizeof outgoing[0] };

/* The field of a row, behind one that is good. */
static const mote_grpc_metadata *list_of(size_t i, mote_grpc_metadata list[2])
{
    list[0] = (mote_grpc_metadata)MOTE_GRPC_METADATA_FIELD("first", "good");
    list[1] = (mote_grpc_metadata){outgoing[i].name, outgoing[i].value, strlen(outgoing[i].name),
                                   strlen(outgoing[i].value)};
    return list;
}

static void a_call_with_a_field_that_must_not_be_sent_does_not_start(void)
{
    mote_grpc_metadata list[2];

    for (size_t i = 0; i < OUTGOING; i++) {
        begin();
        mote_grpc_cancel(call);
        feed(NULL, 0);
        drain();
        CHECK_INT(start_with(list_of(i, list), 2), outgoing[i].error);
        if (outgoing[i].error == 0)
            continue;
        CHECK(!call && mote_grpc_refused(&client) == &list[1]);
        CHECK_INT(mote_grpc_send(call, &mote_grpc_bytes_source, &(mote_grpc_bytes){0}, 0),
                  MOTE_GRPC_ERR_STATE);
        CHECK_INT(mote_grpc_half_close(call), MOTE_GRPC_ERR_STATE);
        mote_grpc_cancel(call);
        CHECK_INT(drain(), 0);
        CHECK_INT(start_with(list, 1), 0);
    }
}

/* A value with NUL has a length. */
static void nul_is_refused_as_well(void)
{
    static const mote_grpc_metadata list[] = {MOTE_GRPC_METADATA_FIELD("x", "a\0b"),
                                              MOTE_GRPC_METADATA_FIELD("x\0y", "a")};

    begin();
    mote_grpc_cancel(call);
    feed(NULL, 0);
    CHECK_INT(start_with(&list[0], 1), MOTE_GRPC_ERR_VALUE);
    CHECK_INT(start_with(&list[1], 1), MOTE_GRPC_ERR_NAME);
}

/* What a program makes of an address or of a method's name that it was told. */
static void a_request_with_pseudo_fields_that_must_not_be_sent_does_not_start(void)
{
    static const struct {
        const char *path, *authority, *agent;
        int config, start;
    } rows[] = {
        {"/a.B/C", "a", "b c/1 (d)", 0, 0},
        {"/!$%&'()*+,-./0:;<=>?@A[]^_`a{|}~", "[fe80::1%25eth0]:1", NULL, 0, 0},
        {"/", "", NULL, 0, 0},
        {"a.B/C", "a", NULL, 0, MOTE_GRPC_ERR_PATH},
        {"", "a", NULL, 0, MOTE_GRPC_ERR_PATH},
        {"*", "a", NULL, 0, MOTE_GRPC_ERR_PATH},
        {"/a.B/C D", "a", NULL, 0, MOTE_GRPC_ERR_PATH},
        {"/a.B/C\r\nx: 1", "a", NULL, 0, MOTE_GRPC_ERR_PATH},
        {"/a.B/C#d", "a", NULL, 0, MOTE_GRPC_ERR_PATH},
        {"/a.B/\x7f", "a", NULL, 0, MOTE_GRPC_ERR_PATH},
        {"/a.B/\xc3\xa4", "a", NULL, 0, MOTE_GRPC_ERR_PATH},
        {"/a.B/C", "a b", NULL, MOTE_GRPC_ERR_CONFIG, 0},
        {"/a.B/C", "a\r\nx: 1", NULL, MOTE_GRPC_ERR_CONFIG, 0},
        {"/a.B/C", "\xc3\xa4", NULL, MOTE_GRPC_ERR_CONFIG, 0},
        {"/a.B/C", "a", " b", MOTE_GRPC_ERR_CONFIG, 0},
        {"/a.B/C", "a", "b\r\nx: 1", MOTE_GRPC_ERR_CONFIG, 0},
    };
    char why[MOTE_GRPC_CONFIG_TEXT];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const mote_hpack_field path = {":path", rows[i].path, 5, (uint16_t)strlen(rows[i].path), 4,
                                       0};
        const mote_hpack_field agent = {
            "user-agent", rows[i].agent,
            10,           rows[i].agent ? (uint16_t)strlen(rows[i].agent) : (uint16_t)0,
            58,           0};
        const mote_grpc_request request = {.path = &path};
        connect();
        config.authority = mote_grpc_authority(rows[i].authority);
        config.user_agent = rows[i].agent ? &agent : NULL;
        CHECK_INT(mote_grpc_init(&client, &config, memory, sizeof memory), rows[i].config);
        mote_grpc_config_text(&config, memory, sizeof memory, why);
        CHECK(strcmp(why, rows[i].config
                              ? "authority or user_agent has characters that no header field has"
                              : "") == 0);
        if (rows[i].config)
            continue;
        drain();
        CHECK_INT(mote_grpc_start(&client, &request, &call), rows[i].start);
        CHECK_INT(call == NULL, rows[i].start < 0);
        CHECK_INT(drain() > 0, rows[i].start == 0);
    }
}

static const char *secret;

static size_t token(void *context, const char **to)
{
    (void)context;
    *to = secret;
    return strlen(secret);
}

static void a_token_with_a_line_break_does_not_leave(void)
{
    static const mote_grpc_credentials bearer = MOTE_GRPC_BEARER_IN_THE_CLEAR(token);

    begin();
    mote_grpc_cancel(call);
    feed(NULL, 0);
    drain();
    config.credentials = &bearer;
    secret = "abc\n";
    CHECK_INT(start_with(NULL, 0), MOTE_GRPC_ERR_VALUE);
    CHECK(!mote_grpc_refused(&client));
    CHECK_INT(drain(), 0);
    secret = "abc";
    CHECK_INT(start_with(NULL, 0), 0);
}

/* ---- what a server sends --------------------------------------------------------------------- */

static mote_grpc server;
static uint64_t server_memory[MOTE_GRPC_MEMORY(1, RX, TX, 4096, FIELD, 4, 0) / 8];
static size_t row;
static bool in_trailers;
static int result;

static int handler(mote_grpc_call *c, const mote_grpc_event *ev)
{
    mote_grpc_metadata list[2];

    if (ev->type != MOTE_GRPC_START)
        return 0;
    list_of(row, list);
    result = in_trailers ? mote_grpc_finish_with(c, MOTE_GRPC_OK, NULL, 0, list, 2)
                         : mote_grpc_send_headers(c, list, 2);
    if (result < 0)
        CHECK(mote_grpc_refused(c->grpc) == &list[1]);
    return result;
}

static void a_server_does_not_send_it_either(void)
{
    static const mote_grpc_method methods[] = {{.name = "Call", .handler = handler}};
    static const mote_grpc_service services[] = {{"t.T", methods, 1, false}};
    static const mote_grpc_config of_server = {.server = true,
                                               .max_calls = 1,
                                               .slots = 4,
                                               .rx_size = RX,
                                               .tx_size = TX,
                                               .table_size = 4096,
                                               .field_size = FIELD,
                                               .services = services,
                                               .service_count = 1};
    uint8_t wire[1024];
    size_t len;

    for (size_t i = 0; i < 2 * OUTGOING; i++) {
        row = i / 2;
        in_trailers = i % 2;
        connect();
        CHECK_INT(mote_grpc_init(&client, &config, memory, sizeof memory), 0);
        CHECK_INT(mote_grpc_init(&server, &of_server, server_memory, sizeof server_memory), 0);
        CHECK_INT(start_with(NULL, 0), 0);
        const uint8_t *p = mote_grpc_peek(&client, &len);
        memcpy(wire, p, len);
        mote_grpc_ack(&client, len);
        CHECK_INT(mote_grpc_serve(&server, wire, len), 0);
        CHECK_INT(result, outgoing[row].error);
        p = mote_grpc_peek(&server, &len);
        feed(p, len);
        CHECK_INT(code, outgoing[row].error ? MOTE_GRPC_INTERNAL : in_trailers ? 0 : -1);
        CHECK_TEXT(!outgoing[row].error ||
                   strcmp(text, mote_grpc_strerror(outgoing[row].error)) == 0);
        CHECK((strstr(told, "first=good;") != NULL) == !outgoing[row].error);
    }
}

/* ---- the channel's words --------------------------------------------------------------------- */

static int no_bytes(void *context, uint8_t *buf, size_t cap)
{
    static const uint8_t settings[18] = {[3] = 4, [12] = 4, [13] = 1};
    static size_t at;

    (void)context;
    if (cap < sizeof settings || at > 0)
        return 0;
    memcpy(buf, settings, sizeof settings);
    return (int)(at = sizeof settings);
}

static int all_bytes(void *context, const uint8_t *buf, size_t len)
{
    (void)context, (void)buf;
    return (int)len;
}

static void no_time(void *context, bool writing, uint64_t until_ms)
{
    (void)context, (void)writing, (void)until_ms;
}

static uint64_t clock_ms(void *context)
{
    (void)context;
    return 1;
}

static void the_status_of_a_channel_names_the_field(void)
{
    static const struct {
        mote_grpc_metadata field;
        const char *text;
    } cases[] = {
        {MOTE_GRPC_METADATA_FIELD("X-User", "a"),
         "X-User: grpc: a name of metadata has a-z, 0-9, '-', '_' and '.' alone"},
        {MOTE_GRPC_METADATA_FIELD("x\r\ny", "a"),
         "x??y: grpc: a name of metadata has a-z, 0-9, '-', '_' and '.' alone"},
        {MOTE_GRPC_METADATA_FIELD("x-user", "bob\r\nx-admin: 1"),
         "x-user: grpc: a value of metadata has printable ASCII alone, and no blank at its ends"},
        {MOTE_GRPC_METADATA_FIELD("grpc-timeout", "1S"),
         "grpc-timeout: grpc: this name is not for metadata of an application"},
        {MOTE_GRPC_METADATA_FIELD("x-bin", "*"), "x-bin: grpc: value of a -bin field is no base64"},
    };
    static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/t.T/Call");
    static mote_channel channel;
    static uint8_t in[256];
    const mote_io io = {.read = no_bytes, .write = all_bytes, .wait = no_time, .now_ms = clock_ms};

    connect();
    CHECK_INT(mote_channel_init(&channel, &config, memory, sizeof memory, in, sizeof in, io), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const mote_grpc_request request = {
            .path = &path, .metadata = &cases[i].field, .metadata_count = 1};
        const mote_grpc_bytes message = {(const uint8_t *)"", 0};
        const uint8_t *response;
        size_t len;
        mote_status s = mote_channel_unary(&channel, &request, &mote_grpc_bytes_source, &message,
                                           &response, &len);
        CHECK_INT(s.code, MOTE_GRPC_INTERNAL);
        CHECK_TEXT(s.message_len == strlen(cases[i].text) &&
                   memcmp(s.message, cases[i].text, s.message_len) == 0);
    }
    const mote_grpc_request request = {.path =
                                           &(mote_hpack_field){":path", "t.T/Call", 5, 8, 4, 0}};
    CHECK_INT(mote_channel_start(&channel, &request, &call), MOTE_GRPC_ERR_PATH);
    mote_status s = mote_channel_status(&channel, MOTE_GRPC_ERR_PATH);
    CHECK_INT(s.code, MOTE_GRPC_INTERNAL);
    CHECK_TEXT(strcmp(s.message, "grpc: :path begins with /, and has printable ASCII alone") == 0);
}

int main(void)
{
    RUN(a_call_with_a_field_that_must_not_be_sent_does_not_start);
    RUN(nul_is_refused_as_well);
    RUN(a_request_with_pseudo_fields_that_must_not_be_sent_does_not_start);
    RUN(a_token_with_a_line_break_does_not_leave);
    RUN(a_server_does_not_send_it_either);
    RUN(the_status_of_a_channel_names_the_field);
    return test_summary();
}
