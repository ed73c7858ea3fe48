/* Places of unary responses: nothing of one may leave before it is known how the call ends, since
 * that is in its HTTP status. */
#include "connect_internal.h"

#include <string.h>

static connect_place *connect_place_at(const mote_connect_config *c, size_t number)
{
    return (connect_place *)(void *)((uint8_t *)c->places + number * c->place_size);
}

connect_place *mote_connect_place_of(const mote_grpc_call *call)
{
    size_t number = connect_kept(connect_of(call)->place);

    return number > 0 ? connect_place_at(connect_config(call), number - 1) : NULL;
}

connect_place *mote_connect_take_place(mote_grpc_call *call)
{
    const mote_connect_config *c = connect_config(call);
    connect_place *its = mote_connect_place_of(call);

    if (its)
        return its;
    for (size_t i = 0; i < c->place_count && i < UINT16_MAX; i++) {
        connect_place *p = connect_place_at(c, i);
        if (!p->taken) {
            memset(p, 0, sizeof *p);
            p->taken = 1;
            connect_keep(connect_of(call)->place, i + 1);
            return p;
        }
    }
    return NULL;
}

void mote_connect_leave_place(mote_grpc_call *call)
{
    connect_place *p = mote_connect_place_of(call);

    if (p)
        p->taken = 0;
    connect_keep(connect_of(call)->place, 0);
}

static uint8_t *connect_place_bytes(connect_place *p)
{
    return (uint8_t *)p + sizeof *p;
}

/* Each field as its two lengths and its two texts. */
int mote_connect_hold_metadata(connect_place *p, size_t size, const mote_grpc_metadata *metadata,
                               size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const mote_grpc_metadata *m = &metadata[i];
        size_t need = 4 + m->name_len + m->value_len;
        if (m->name_len > UINT16_MAX || m->value_len > UINT16_MAX ||
            need > size - sizeof *p - p->metadata_len)
            return MOTE_GRPC_ERR_LIMIT;
        uint8_t *to = connect_place_bytes(p) + p->metadata_len;
        connect_keep(to, m->name_len);
        connect_keep(to + 2, m->value_len);
        memcpy(to + 4, m->name, m->name_len);
        if (m->value_len > 0)
            memcpy(to + 4 + m->name_len, m->value, m->value_len);
        p->metadata_len += (uint32_t)need;
    }
    return 0;
}

void mote_connect_put_metadata(const connect_place *p, mote_h2 *h2)
{
    const uint8_t *from = (const uint8_t *)p + sizeof *p, *end = from + p->metadata_len;

    while (from < end) {
        size_t name_len = connect_kept(from), value_len = connect_kept(from + 2);
        const char *name = (const char *)from + 4;
        mote_h2_put_literal(h2, name, name_len, name + name_len, value_len, 0);
        from += 4 + name_len + value_len;
    }
}

uint8_t *mote_connect_room(connect_place *p, size_t size, size_t *cap)
{
    *cap = size - sizeof *p - p->metadata_len;
    return connect_place_bytes(p) + p->metadata_len;
}
