/* One text for each error code of every layer. */
#include "../../pb/pb.h"
#include "posix.h"

const char *mote_strerror(int code)
{
    return code <= -400 && code > -500 ? mote_pb_strerror(code) : mote_channel_strerror(code);
}
