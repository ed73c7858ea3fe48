/* The matrix of all waits of a server, on a transport that adds nothing. */
#include "served_matrix.h"

int main(void)
{
    layer = plain_layer;
    RUN(every_wait_of_a_server_ends);
    return test_summary();
}
