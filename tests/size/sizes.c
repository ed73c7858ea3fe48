/* Sizes on the device: each is the length of an array, read from the object file. STRUCTS has a
 * line SIZE(name) for each struct of the public headers. */
#include "../../grpc/channel/channel.h"
#include "../../grpc/services/outbox.h"
#include "../../grpc/services/services.h"
#include "../../h2/trace.h"
#include "../../pb/pb.h"
#include "reference.h"

#define SIZE(name) const char size_##name[sizeof(name)] = {1};
#include "structs.h"

const char size_client_1_call[CLIENT_RAM] = {1};
const char size_server_1_call[SERVER_RAM] = {1};
