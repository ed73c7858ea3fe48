/* The matrix of all waits, on a transport that adds nothing. */
#include "waits_matrix.h"

int main(void)
{
    RUN(every_wait_ends_at_the_deadline);
    RUN(a_byte_at_a_time_is_an_answer_or_too_slow);
    RUN(a_server_that_never_stops_talking_keeps_nobody);
    RUN(what_returns_has_left);
    RUN(without_time_what_is_there_is_read);
    RUN(an_answer_that_was_there_in_time_is_taken);
    return test_summary();
}
