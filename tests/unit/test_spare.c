/* The matrix of two connections, over a transport that has no layers. */
#include "spare_matrix.h"

int main(void)
{
    RUN(an_end_that_nobody_has_read_holds_up_no_call);
    RUN(every_wait_on_the_spare_ends);
    return test_summary();
}
