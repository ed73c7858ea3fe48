/* PRIORITY is read and ignored (RFC 9113 5.3.2, 6.3). A server still looks for
 * streams that depend on themselves (RFC 7540 5.3.1), a client does not. */
#include "h2_internal.h"

int mote_h2_on_priority(mote_h2 *c)
{
    mote_h2_stream *s = mote_h2_stream_find(c, c->frame.id);
    uint32_t code = MOTE_H2_NO_ERROR;

    if (c->frame.length != 5)
        code = MOTE_H2_FRAME_SIZE_ERROR; /* RFC 9113 6.3 */
    else if (MOTE_SERVES(c) && (mote_h2_get32(c->frame.fixed) & MAX_WINDOW) == c->frame.id)
        code = MOTE_H2_PROTOCOL_ERROR; /* RFC 7540 5.3.1: it depends on itself */
    if (code == MOTE_H2_NO_ERROR || (s && s->state == MOTE_H2_STATE_RESET_OWED))
        return mote_h2_charge(c, COST_IGNORED);
    if (s)
        return mote_h2_stream_error(c, s, code);
    return mote_h2_peer_error(c, code,
                              MOTE_TEXT("PRIORITY of a wrong length, or that depends on itself"));
}
