#ifndef MOTE_CHANNEL_INTERNAL_H
#define MOTE_CHANNEL_INTERNAL_H

#include "../grpc.h"
#include "channel.h"

enum { MOTE_GRPC_NO_RETRY = -1 }; /* pushback_ms */
uint32_t mote_channel_random(mote_channel *ch);
void mote_channel_pause(mote_channel *ch, uint32_t ms);
mote_channel_unary_function mote_channel_unary_once;

#endif
