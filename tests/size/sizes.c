/* Sizes on the device: each is the length of an array, read from the object file. structs.h (of
 * tests/size.mk) includes the public headers and has a line SIZE(name) for each of their structs.
 */
#include "reference.h"

#define SIZE(name) const char size_##name[sizeof(name)] = {1};
#include "structs.h"

const char size_client_1_call[CLIENT_RAM] = {1};
const char size_server_1_call[SERVER_RAM] = {1};
