/*
 * What comes late: sent before the peer had heard that we have closed a stream, or that we go away.
 * RFC 9113 5.1 lets it come, and a legal peer does not pay for it. How much of it there may be is
 * bounded by what was granted: content by the window that was open, within that of the connection;
 * beside it one frame for each stream that was open (its end, which may be an empty DATA, or its
 * RST_STREAM). A server's first block, and an RST_STREAM behind the end, count as content: there is
 * less of it then. What is beyond costs what it did. h2_stream.c counts what is granted.
 */
#include "h2_internal.h"

/* A late frame that counts as content; DATA that only ends what the peer says does not. */
static bool is_content(const mote_h2 *c)
{
    bool ends = c->frame.flags & FLAG_END_STREAM;

    if (c->frame.type == MOTE_H2_FRAME_RST_STREAM)
        return c->late_frames == 0;
    if (c->frame.type == MOTE_H2_FRAME_DATA)
        return c->frame.length > 0 || !ends;
    return !MOTE_SERVES(c) && !ends; /* HEADERS */
}

int mote_h2_late_frame(mote_h2 *c)
{
    uint32_t len = c->frame.length;

    if (!is_content(c)) {
        if (c->late_frames == 0)
            return mote_h2_charge(c, COST_IGNORED);
        c->late_frames--;
    } else {
        if (len == 0 || len > c->late_bytes)
            return mote_h2_charge(c, COST_IGNORED);
        c->late_bytes -= len;
    }
    return 0;
}
