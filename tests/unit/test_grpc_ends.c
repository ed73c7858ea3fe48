/* gRPC: each call has one end, whatever ends it, and when. */
#include "grpc_harness.h"

/* ---- one end for each call ---------------------------------------------------------------------
 */

enum { BY_CANCEL, BY_FINISH, BY_CODE, BY_ERROR, BY_ANSWER, BY_DEADLINE, BY_EOF, BY_PROTOCOL, WAYS };

/* What the handler does when it is told of `phase`; what others do comes once it was told. */
static void prepare_way(int how, unsigned phase)
{
    memset(&way, 0, sizeof way);
    way.act_at =
        how == BY_FINISH || how == BY_CODE || how == BY_ERROR || how == BY_ANSWER ? phase : 0;
    way.finishes = how == BY_FINISH;
    way.answers = how == BY_ANSWER;
    way.returns = how == BY_CODE ? MOTE_GRPC_DATA_LOSS : MOTE_GRPC_ERR_SPACE;
}

static int end_from_outside(int how, client_call *c)
{
    static const uint8_t bad[] = {0, 0, 1, 4, 0, 0, 0, 0, 0, 0};

    if (how == BY_CANCEL && c->call)
        mote_grpc_cancel(c->call);
    if (how == BY_DEADLINE) {
        mote_grpc_tick(&server, 2000);
        return mote_grpc_serve(&server, NULL, 0);
    }
    if (how == BY_EOF)
        mote_grpc_recv_eof(&server);
    if (how == BY_EOF || how == BY_PROTOCOL) {
        int r = mote_grpc_serve(&server, bad, how == BY_EOF ? 0 : sizeof bad);
        mote_grpc_recv_eof(&client);
        return r;
    }
    return 0;
}

static void every_way_out_of_every_phase_is_told_once(void)
{
    static const unsigned phases[] = {MOTE_GRPC_START, MOTE_GRPC_MESSAGE, MOTE_GRPC_HALF_CLOSE};
    static const int codes[WAYS] = {
        MOTE_GRPC_CANCELLED, MOTE_GRPC_ABORTED,           MOTE_GRPC_DATA_LOSS, MOTE_GRPC_INTERNAL,
        MOTE_GRPC_OK,        MOTE_GRPC_DEADLINE_EXCEEDED, MOTE_GRPC_CANCELLED, MOTE_GRPC_CANCELLED};

    for (int how = 0; how < WAYS; how++) {
        for (size_t phase = 0; phase < 3; phase++) {
            connect_with(256, 512, (uint32_t)how);
            prepare_way(how, phases[phase]);
            client_call *c = call_start(0, &way_path, 900);
            settle();
            if (phase > 0)
                call_send(c, "x", 1, 0);
            settle();
            if (phase == 2 && c->call)
                call_end(c);
            int r = end_from_outside(how, c);
            if (r < 0)
                CHECK_INT(mote_grpc_serve(&server, NULL, 0), r); /* for ever */
            settle();
            client_recv(NULL, 0);
            if (how == BY_ANSWER && phase < 2) { /* the status follows the end of the request */
                CHECK_INT(way.ended, 0);
                call_end(c);
            }
            CHECK(way.begun == 1 && way.ended == 1);
            CHECK_INT(way.code, codes[how]);
            CHECK_INT(c->status_count, 1);
            if (how != BY_EOF && how != BY_PROTOCOL)
                CHECK_INT(c->code, codes[how]);
            CHECK(mote_grpc_find(way.handle) == NULL);
            CHECK_INT(mote_grpc_active(&client) + mote_grpc_active(&server), 0);
        }
    }
}

/* A slot goes to the next call, and a handle of the one before does not lead to it. */
static void a_handle_leads_to_its_own_call_alone(void)
{
    connect_with(256, 512, 0);
    memset(&way, 0, sizeof way);
    client_call *c = call_start(0, &way_path, 0);
    settle();
    mote_grpc_handle old = way.handle;
    mote_grpc_call *call = mote_grpc_find(old);
    CHECK(call && call->method->handler == go_a_way);
    CHECK(mote_grpc_find((mote_grpc_handle){0}) == NULL);
    CHECK(mote_grpc_find((mote_grpc_handle){&server, old.generation, CALLS}) == NULL);
    mote_grpc_cancel(c->call);
    settle();
    CHECK(mote_grpc_find(old) == NULL);
    bool again = false;
    for (int i = 0; i < CALLS && !again; i++) { /* until the slot is taken again */
        call_start(i, &way_path, 0);
        settle();
        again = mote_grpc_find(way.handle) == call;
    }
    CHECK(again && mote_grpc_find(old) == NULL);
}

static void one_call_answers_and_finishes(void)
{
    mote_grpc_bytes message = {(const uint8_t *)"y", 1};

    connect_with(256, 512, 0);
    prepare_way(BY_ANSWER, MOTE_GRPC_MESSAGE);
    client_call *c = call_start(0, &once_path, 0);
    call_send(c, "x", 1, 0);
    settle();
    mote_grpc_call *call = mote_grpc_find(way.handle);
    CHECK(c->messages == 1 && c->status_count == 0 && call);
    CHECK_INT(mote_grpc_send(call, &mote_grpc_bytes_source, &message, 0), MOTE_GRPC_ERR_STATE);
    call_end(c);
    CHECK(c->code == 0 && c->messages == 1 && way.ended == 1);
    c = call_start(0, &once_path, 0); /* a second request is not taken, although one was answered */
    call_send(c, "x", 1, 0);
    call_send(c, "x", 1, MOTE_GRPC_LAST);
    settle();
    CHECK(c->code == MOTE_GRPC_UNIMPLEMENTED && way.ended == 2);
}

static int send_bytes(client_call *c, size_t len)
{
    static const uint8_t bytes[256];
    mote_grpc_bytes message = {bytes, len};

    return mote_grpc_send(c->call, &mote_grpc_bytes_source, &message, 0);
}

static void running_calls_are_those_whose_end_is_not_decided(void)
{
    connect_with(256, 1024, 0);
    CHECK_INT(mote_grpc_running(&client), 0);
    client_call *one = call_start(0, &silent_path, 0), *two = call_start(1, &silent_path, 0);
    CHECK_INT(mote_grpc_running(&client), 2);
    CHECK_INT(mote_grpc_active(&client), 2);
    mote_grpc_cancel(one->call); /* which is to be told */
    CHECK_INT(mote_grpc_running(&client), 1);
    CHECK_INT(mote_grpc_active(&client), 2);
    client_recv(NULL, 0);
    CHECK_INT(mote_grpc_active(&client), 1);
    mote_grpc_cancel(two->call);
    client_recv(NULL, 0);
    CHECK_INT(mote_grpc_running(&client), 0);
    CHECK_INT(mote_grpc_active(&client), 0);
}

static void a_turn_that_is_due_is_due_at_once(void)
{
    size_t len;

    connect_with(4096, 512, 0);
    client_call *c = call_start(0, &silent_path, 0);
    CHECK_INT(mote_grpc_tick(&client, 1000), UINT32_MAX);
    while (send_bytes(c, 100) == 0)
        ;
    CHECK_INT(client.waiting[MOTE_GRPC_FOR_ROOM], 1);
    CHECK_INT(mote_grpc_tick(&client, 1000), UINT32_MAX);
    while (mote_grpc_peek(&client, &len))
        mote_grpc_ack(&client, len);
    CHECK_INT(mote_grpc_tick(&client, 1000), 0);
    client_recv(NULL, 0);
    CHECK_INT(client.waiting[MOTE_GRPC_FOR_ROOM], 0);
    CHECK_INT(mote_grpc_tick(&client, 1000), UINT32_MAX);
}

/* Of a message so many bytes are sent: nothing else may follow them. */
static void a_message_in_progress_is_not_the_last_one(void)
{
    for (size_t part = 0; part < 8; part++) {
        connect_with(64, 512, 0);
        client_call *c = call_start(0, &silent_path, 0);
        CHECK_INT(send_bytes(c, 64 - 5 - part), 0);
        CHECK_INT(send_bytes(c, 20), MOTE_AGAIN);
        CHECK_INT(c->call->tx_sent, part);
        CHECK_INT(mote_grpc_half_close(c->call), part ? MOTE_GRPC_ERR_STATE : 0);
    }
}

/* The server ends a call that waits for room, and has not got it yet: it waits no more. */
static void a_call_that_ends_waits_no_more(void)
{
    connect_with(256, 512, 0);
    client_call *c = call_start(0, &status_path, 0);
    CHECK_INT(send_bytes(c, 4), 0); /* status 0 */
    write_some(&client, &to_server);
    while (send_bytes(c, 60) == 0)
        ;
    CHECK_INT(client.waiting[MOTE_GRPC_FOR_WINDOW], 1);
    mote_grpc_serve(&server, to_server.bytes, to_server.len);
    write_some(&server, &to_client);
    client_recv(to_client.bytes, to_client.len);
    CHECK_INT(c->status_count, 1);
    CHECK_INT(client.waiting[MOTE_GRPC_FOR_WINDOW], 0);
    CHECK_INT(mote_grpc_tick(&client, 1000), UINT32_MAX);
    CHECK_INT(mote_grpc_active(&client), 0);
}

static int fails_to_encode(const void *type, const void *message, size_t offset, uint8_t *out,
                           size_t cap, size_t *total)
{
    (void)type, (void)message, (void)offset, (void)out, (void)cap, (void)total;
    return MOTE_GRPC_ERR_CODEC;
}

/* What a server sends where there is no room, and what cannot be encoded: the call goes on. */
static void what_is_not_sent_ends_nothing(void)
{
    static const mote_grpc_source broken = {fails_to_encode, mote_grpc_strerror, NULL};
    static const uint8_t bytes[60];
    mote_grpc_bytes message = {bytes, sizeof bytes};

    connect_with(256, 512, 0);
    client_call *c = call_start(0, &silent_path, 0);
    CHECK_INT(mote_grpc_half_close(c->call), 0);
    settle();
    mote_grpc_call *call = &server.calls[0];
    CHECK_INT(mote_grpc_answer(call, &broken, &message), MOTE_GRPC_ERR_CODEC);
    while (mote_grpc_send(call, &mote_grpc_bytes_source, &message, 0) == 0)
        ;
    enum mote_grpc_local local = call->local;
    CHECK_INT(mote_grpc_answer(call, &mote_grpc_bytes_source, &message), MOTE_AGAIN);
    CHECK(call->local == local && !mote_grpc_decided(call));
    while (mote_grpc_answer(call, &mote_grpc_bytes_source, &message) == MOTE_AGAIN && step())
        ;
    settle();
    CHECK_INT(c->code, 0);
    CHECK_INT(c->status_count, 1);
    CHECK(c->messages > 1);
}

int main(void)
{
    RUN(every_way_out_of_every_phase_is_told_once);
    RUN(a_handle_leads_to_its_own_call_alone);
    RUN(one_call_answers_and_finishes);
    RUN(running_calls_are_those_whose_end_is_not_decided);
    RUN(a_turn_that_is_due_is_due_at_once);
    RUN(a_message_in_progress_is_not_the_last_one);
    RUN(a_call_that_ends_waits_no_more);
    RUN(what_is_not_sent_ends_nothing);
    return test_summary();
}
