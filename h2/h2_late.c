/*
 * What comes late: sent before the peer had heard that we have closed a stream, or that we go away.
 * RFC 9113 5.1 lets it come, and a legal peer does not pay for it. How much of it there may be is
 * bounded by what was granted: content by the window that was open, within that of the connection;
 * beside it one frame for each stream that was open (its trailers, or its RST_STREAM). What is
 * beyond costs what it did. h2_stream.c counts what is granted.
 */
#include "h2_internal.h"

int mote_h2_late_data(mote_h2 *c)
{
    uint32_t len = c->frame.length;

    if (len == 0 || len > c->late_bytes)
        return mote_h2_charge(c, COST_IGNORED);
    c->late_bytes -= len;
    return 0;
}

int mote_h2_late_frame(mote_h2 *c, uint32_t cost)
{
    if (c->late_frames == 0)
        return mote_h2_charge(c, cost);
    c->late_frames--;
    return 0;
}
