/* Defaults of old.proto, as constants of the generated header. */
#include "old.mote.h"

#include <assert.h>
#include <math.h>
#include <string.h>

int main(void)
{
    assert(strcmp(old_Old_name_DEFAULT, "none") == 0);
    assert(old_Old_half_DEFAULT == 0.5 && isinf(old_Old_large_DEFAULT));
    assert((int64_t)old_Old_least_DEFAULT == INT64_MIN &&
           (uint64_t)old_Old_most_DEFAULT == UINT64_MAX);
    assert(old_Old_yes_DEFAULT && old_Old_colour_DEFAULT == old_Old_Colour_BLUE);
    assert(memcmp(old_Old_raw_DEFAULT, "a\0\"b", 4) == 0);
    assert(strcmp(old_Old_quoted_DEFAULT, "\"\xc3\xa9\\") == 0);
    return 0;
}
