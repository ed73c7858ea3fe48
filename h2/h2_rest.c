/* Connections that rest: see rest.h. */
#include "rest.h"
#include "h2_internal.h"

#include <string.h>

bool mote_h2_at_rest(const mote_h2 *c)
{
    return c->life != MOTE_H2_FAILED && c->active == 0 && c->sweep == 0 && c->owed == 0 &&
           c->acks == 0 && c->pings == 0 && c->tx.head == c->tx.tail && c->block.id == 0 &&
           c->frame.phase != MOTE_H2_IN_FRAME && !c->section.stream;
}

static size_t slots_size(const mote_h2 *c)
{
    return c->encoder.slot_cap * sizeof *c->encoder.slots;
}

size_t mote_h2_rest_size(const mote_h2 *c)
{
    return slots_size(c) + mote_hpack_table_kept(&c->decoder);
}

/* They need no more alignment behind the slots than before. */
void mote_h2_rest(mote_h2 *c, void *kept)
{
    size_t slots = slots_size(c);

    CHECK_CONNECTION(c);
    MOTE_CHECK_THAT(mote_h2_at_rest(c));
    if (slots > 0)
        memcpy(kept, c->encoder.slots, slots);
    c->encoder.slots = kept;
    mote_hpack_table_keep(&c->decoder, (uint8_t *)kept + slots);
    c->frame.stream = NULL;
    c->streams = c->owing = NULL;
    c->tx.bytes = NULL;
    c->decoder.scratch = NULL;
}

/* An implementation of tables that remembers more than entries begins anew. */
static void lend_table(mote_hpack_decoder *d, void *table)
{
    mote_hpack_table resting = d->table;

    if (!d->dynamic)
        return;
    d->dynamic->init(d, table, d->table.memory);
    d->table = resting;
    mote_hpack_table_put(d, table);
}

void mote_h2_lend(mote_h2 *c, const mote_h2_config *spans)
{
    size_t slots = slots_size(c);

    MOTE_CHECK_THAT(!c->tx.bytes && mote_h2_at_rest(c));
    if (slots > 0)
        memcpy(spans->slots, c->encoder.slots, slots);
    c->encoder.slots = spans->slots;
    c->streams = c->owing = spans->streams;
    c->tx.bytes = spans->tx;
    c->decoder.scratch = spans->scratch;
    lend_table(&c->decoder, spans->table);
    CHECK_CONNECTION(c);
}
