/* Events as lines of a log. */
#ifndef EVENT_TEXT_H
#define EVENT_TEXT_H

#include "../../grpc/grpc.h"

#include <stdio.h>

enum { EVENT_LINE = 512 };

static uint32_t checksum(const uint8_t *p, size_t len)
{
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < len; i++)
        sum = (sum ^ p[i]) * 16777619u;
    return sum;
}

/* What an event of the call in a slot is called in a log. */
static void event_text(const mote_grpc_event *ev, size_t slot, char line[EVENT_LINE])
{
    static const char *const names[] = {"",           "METADATA", "START",  "MESSAGE", "CHUNK",
                                        "HALF_CLOSE", "WRITABLE", "STATUS", "CLOSED",  "GOAWAY"};

    if (ev->type == MOTE_GRPC_METADATA)
        snprintf(line, EVENT_LINE, "%zu METADATA %s%.*s: %.*s\n", slot, ev->trailing ? "t " : "",
                 (int)ev->name_len, ev->name, (int)ev->value_len, ev->value);
    else if (ev->type == MOTE_GRPC_STATUS || ev->type == MOTE_GRPC_CLOSED)
        snprintf(line, EVENT_LINE, "%zu %s %d %.*s\n", slot, names[ev->type], ev->code,
                 (int)ev->message_len, ev->message);
    else
        snprintf(line, EVENT_LINE, "%zu %s %zu %08x\n", slot, names[ev->type], ev->len,
                 checksum(ev->data, ev->len));
}

#endif
