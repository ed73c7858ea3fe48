/* The client side of fuzz_grpc.c. */
#define FUZZ_CLIENT 1
#include "fuzz_grpc.c"
