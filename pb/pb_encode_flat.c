/* Encoder of messages without messages inside of them. */
#include "pb_writer.h"

int mote_pb_put_flat(mote_pb_writer *w, const mote_pb_message *type, const void *message)
{
    mote_pb_frame frame;

    if (MOTE_PB_SHORTCUTS)
        return mote_pb_put_host(w, type, message, &frame, &frame);
    mote_pb_put_fields(w, type, message, type->field_count);
    return 0;
}
