/* The server that real peers call.
 *   peer_server --address=127.0.0.1:0 [--small]      (--small: buffers of a device) */
#include "../../examples/common/options.h"
#include "../../port/posix/posix.h"
#include "peer_service.h"

#ifdef MOTE_SMALL_TX
enum { TX = MOTE_H2_SMALL_TX_MAX };
#else
enum { TX = 65536 };
#endif

int main(int argc, char **argv)
{
    int small = 0;
    mote_posix_server server = {.address = "127.0.0.1:0",
                                .max_connections = 64,
                                .grpc = {.max_calls = 128,
                                         .slots = 16,
                                         .rx_size = PEER_MAX_MESSAGE + 1024,
                                         .tx_size = TX,
                                         .table_size = 4096,
                                         .field_size = 8192,
                                         .user_size = sizeof(peer_state),
                                         .services = peer_services,
                                         .service_count = 1}};
    const option options[] = {OPTION("--address", &server.address, "where to listen"),
                              SWITCH("--small", &small, "buffers as on a device"), OPTIONS_END};

    parse_options(argc, argv, "peer_server: mote.peer.Peer for the tests with real peers", options);
    if (small) {
        server.grpc.rx_size = 300;
        server.grpc.tx_size = 512;
        server.grpc.field_size = 256;
        server.grpc.max_calls = 8;
    }
    return mote_posix_serve(&server) < 0;
}
