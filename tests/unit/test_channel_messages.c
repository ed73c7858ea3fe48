/* What becomes of a call one of whose messages cannot be sent, or not be decoded: it is over for
 * this reason, and whoever asks for its end hears so at once. */
#include "../../examples/tour/tour.mote.h"
#include "../../h2/mote_features.h"
#include "waits.h"

static int cannot_be_written(const void *type, const void *message, size_t offset, uint8_t *out,
                             size_t cap, size_t *total)
{
    (void)type, (void)message, (void)offset, (void)out, (void)cap, (void)total;
    return -450;
}

static const char *why_not(int error)
{
    return error == -450 ? "of the message" : "of another one";
}

/* Straight-line code breaks off at the first message that fails, and asks for the end: it hears of
 * that message, whatever it asks, although the server has been told of no end and says none. */
static void who_could_not_send_a_message_is_told_so_at_the_end(void)
{
    enum { RECV, RECV_WITHIN, NEXT, COLLECT, FINISH, WAYS };
    static const mote_grpc_source broken = {cannot_be_written, why_not, NULL};
    static const mote_grpc_bytes four = {(const uint8_t *)"four", 4};
    static const mote_grpc_codec codec = {.encoding = MOTE_HPACK_FIELD("grpc-encoding", "x")};
    static const mote_grpc_codecs codecs = {
        {&codec}, 1, MOTE_HPACK_FIELD("grpc-accept-encoding", "x")};
    static const struct {
        const mote_grpc_source *source;
        int error, code;
        const char *text;
    } rows[] = {
        {&broken, -450, MOTE_GRPC_INTERNAL, "of the message"},
        {&mote_grpc_bytes_source, MOTE_GRPC_ERR_LIMIT, MOTE_GRPC_RESOURCE_EXHAUSTED,
         "grpc: the message is larger than send_limit of 3"},
        {&mote_grpc_bytes_source, MOTE_CHANNEL_ERR_PACKING, MOTE_GRPC_INTERNAL,
         "the call has a codec, and the channel no memory to compress in: set packing, "
         "packing_size"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0] * WAYS * 2; i++) {
        size_t row = i / 2 / WAYS, way = i / 2 % WAYS;
        bool packs = rows[row].error == MOTE_CHANNEL_ERR_PACKING;
        mote_grpc_request request = {.path = &path, .codec = packs ? &codec : NULL};
        mote_grpc_event ev = {0};
        mote_grpc_call *call;
        const uint8_t *data;
        size_t len;
        if (packs && !MOTE_COMPRESSES)
            continue;
        begin(NO_ANSWER);
        channel.config.codecs = packs ? &codecs : NULL;
        channel.config.send_limit = i % 2 == 0 ? 3 : row == 1 ? 3 : 0;
        CHECK_INT(mote_channel_start(&channel, &request, &call), 0);
        if (!packs && i % 2) /* behind one that was good */
            CHECK_INT(mote_channel_send(call, &mote_grpc_bytes_source,
                                        &(mote_grpc_bytes){(const uint8_t *)"one", 3}, 0),
                      0);
        CHECK_INT(mote_channel_send(call, rows[row].source, &four, 0), rows[row].error);
        CHECK_INT(heard[heard_len - 1], MOTE_H2_CANCEL);
        CHECK_INT(heard[heard_len - 10], 3); /* RST_STREAM */
        CHECK_INT(mote_channel_send(call, &mote_grpc_bytes_source, &four, 0), MOTE_GRPC_ERR_STATE);
        mote_status s = {0};
        if (way == COLLECT)
            s = mote_channel_collect(call, &data, &len);
        else if (way == FINISH)
            s = mote_channel_finish(call);
        else if (way == RECV)
            CHECK_INT(mote_channel_recv(call, &ev), 1);
        else if (way == RECV_WITHIN)
            CHECK_INT(mote_channel_recv_within(call, &ev, 60000), 1);
        else
            CHECK_INT(mote_channel_next(&channel, &ev, 60000), 1);
        if (way < COLLECT) {
            CHECK_INT(ev.type, MOTE_GRPC_STATUS);
            s = mote_status_of_event(&ev);
        }
        check_status(s, rows[row].code, rows[row].text);
        CHECK_INT(now, 1000);
        server = WORKS;
        channel.config.send_limit = 0;
        CHECK_INT(unary(LIMIT, false).code, MOTE_GRPC_OK);
    }
}

/* The same of generated functions, of which the obvious program looks at the end alone; and of a
 * message that cannot be decoded. */
static void what_is_no_message_ends_a_generated_call(void)
{
    static const mote_tour_Note bad = {.topic = {"\xff", 1}};
    static const mote_tour_Query query = {.topic = {"\xff", 1}};
    mote_tour_Note note;
    mote_tour_Summary summary;

    for (int row = 0; row < 6; row++) {
        mote_status s = {.code = -1};
        mote_grpc_call *call = NULL;
        bool is_ours = row < 4;
        begin(is_ours ? NO_ANSWER : row == 4 ? NO_TRAILERS : WORKS);
        memcpy(reply, "h\x80", 2);
        if (row < 1)
            s = mote_tour_Tour_Latest(&channel, (mote_grpc_request){0}, &query, &note, NULL);
        else if (row == 1)
            CHECK_INT(mote_tour_Tour_Publish_start(&channel, (mote_grpc_request){0}, &call), 0);
        else if (row == 2)
            CHECK_INT(mote_tour_Tour_Chat_start(&channel, (mote_grpc_request){0}, &call), 0);
        else
            CHECK_INT(mote_tour_Tour_Subscribe_call(&channel, (mote_grpc_request){0},
                                                    is_ours ? &query : &(mote_tour_Query){0},
                                                    &call),
                      0);
        if (row == 1) {
            CHECK_INT(mote_tour_Tour_Publish_send(call, &bad), MOTE_PB_ERR_UTF8);
            s = mote_tour_Tour_Publish_finish(call, &summary, NULL);
        } else if (row == 2) {
            CHECK_INT(mote_tour_Tour_Chat_send(call, &bad), MOTE_PB_ERR_UTF8);
            CHECK_INT(mote_tour_Tour_Chat_recv(call, &note, NULL, &s), 0);
        } else if (row > 2) {
            CHECK_INT(mote_tour_Tour_Subscribe_recv(call, &note, NULL, &s),
                      is_ours ? 0 : MOTE_PB_ERR_TRUNCATED);
        }
        check_status(s, MOTE_GRPC_INTERNAL,
                     is_ours ? "pb: a string is no valid UTF-8"
                             : "pb: the message ends inside of a field");
        CHECK_INT(now, 1000);
        memcpy(reply, "hi", 2);
        server = WORKS;
        CHECK_INT(unary(LIMIT, false).code, MOTE_GRPC_OK);
    }
}

int main(void)
{
    RUN(who_could_not_send_a_message_is_told_so_at_the_end);
    RUN(what_is_no_message_ends_a_generated_call);
    return test_summary();
}
