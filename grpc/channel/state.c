/* What a channel is doing, and how a connection ends: the drawing is in channel.h. */
#include "channel_internal.h"

void mote_channel_set_state(mote_channel *ch, enum mote_channel_state state, const char *why)
{
    if (ch->state == state)
        return;
    ch->state = state;
    ch->why = why;
    if (ch->on_state)
        ch->on_state(ch->config.context, (int)state, why);
}

const char *mote_channel_reason(mote_channel *ch, const char *otherwise)
{
    const char *text = ch->io.error ? ch->io.error(ch->io.context) : "";

    return text && *text ? text : otherwise;
}

void mote_channel_lose(mote_channel *ch, const char *why)
{
    bool was_ready = ch->state == MOTE_CHANNEL_READY, was_of_use = ch->read_ms >= ch->attempt_ms;
    bool said_goodbye = ch->grpc.h2.peer_goaway_id < INT32_MAX; /* whatever has ended it since */

    if (!was_ready && ch->state != MOTE_CHANNEL_CONNECTING)
        return;
    if (mote_h2_error(&ch->grpc.h2) == MOTE_H2_ERR_CLOSED)
        why = mote_channel_reason(ch, why);
    if (!ch->io.connect) {
        mote_channel_set_state(ch, MOTE_CHANNEL_SHUTDOWN, why);
    } else if (was_ready && (was_of_use || said_goodbye)) {
        if (was_of_use)
            ch->backoff = (mote_backoff){0};
        mote_channel_set_state(ch, MOTE_CHANNEL_IDLE, why);
    } else {
        mote_channel_set_state(ch, MOTE_CHANNEL_TRANSIENT_FAILURE, why);
    }
}
