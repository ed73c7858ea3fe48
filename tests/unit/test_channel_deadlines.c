/* The matrix of all waits, on a transport that adds nothing. */
#include "waits_matrix.h"

int main(void)
{
    RUN(every_wait_ends_at_the_deadline);
    return test_summary();
}
