/* PUSH_PROMISE is refused (RFC 9113 6.6, 8.4): a client never sends it, and ours has set
 * ENABLE_PUSH to 0. */
#include "h2_internal.h"

int mote_h2_on_push_promise(mote_h2 *c)
{
    return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR,
                              MOTE_TEXT("PUSH_PROMISE, which is refused"));
}
