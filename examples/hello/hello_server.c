#include <mote/port/posix/posix.h>

#include "hello.mote.h"

#include <stdio.h>

static int read_room(mote_grpc_call *call, const mote_grpc_event *ev)
{
    hello_Question question;
    hello_Reading reading = {.celsius = 21.5};

    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if (hello_Thermometer_Read_read(ev, &question, NULL) < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    if (question.room.len == 0)
        return mote_grpc_finish(call, MOTE_GRPC_NOT_FOUND, "a room without a name");
    return hello_Thermometer_Read_answer(call, &reading);
}

static const mote_grpc_method methods[] = hello_Thermometer_METHODS(read_room);
static const mote_grpc_service services[] = {hello_Thermometer_SERVICE(methods)};

int main(int argc, char **argv)
{
    mote_posix_server server = {.address = argc > 1 ? argv[1] : "127.0.0.1:50051",
                                .grpc = {.max_calls = 4,
                                         .slots = 8,
                                         .rx_size = 256,
                                         .tx_size = 512,
                                         .table_size = 4096,
                                         .field_size = 256,
                                         .services = services,
                                         .service_count = 1}};

    if (mote_posix_serve(&server) == 0)
        return 0;
    fprintf(stderr, "error: %s\n", mote_posix_error());
    return 1;
}
