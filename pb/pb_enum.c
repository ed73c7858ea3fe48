/* Names of the values of enums. */
#include "pb_internal.h"

const char *mote_pb_enum_name(const mote_pb_enum_names *names, int32_t number)
{
    for (size_t i = 0; i < names->count; i++) {
        if (names->values[i].number == number)
            return names->values[i].name;
    }
    return NULL;
}

bool mote_pb_enum_number(const mote_pb_enum_names *names, mote_pb_string name, int32_t *number)
{
    for (size_t i = 0; i < names->count; i++) {
        mote_pb_string one = mote_pb_cstring(names->values[i].name);
        if (one.len == name.len && memcmp(one.data, name.data, name.len) == 0) {
            *number = names->values[i].number;
            return true;
        }
    }
    return false;
}
