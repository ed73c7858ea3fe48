/* The content of a stream as messages of gRPC: five bytes of prefix, then a message. */
#include "mutator_internal.h"

enum { PREFIX = 5, MAX_MESSAGES = 64 };

typedef struct {
    uint8_t flag;
    uint32_t says; /* the length in the prefix */
    uint8_t *bytes;
    size_t len;
} message;

typedef struct {
    message messages[MAX_MESSAGES];
    size_t count;
    uint8_t *rest; /* bytes that are no message */
    size_t rest_len;
} message_list;

static bool is_content(const frame *f, uint32_t id)
{
    return f->type == DATA && f->id == id;
}

/* The content of all DATA frames of a stream, in one. */
static uint8_t *gather(conversation *c, uint32_t id, size_t *len)
{
    size_t total = 0, n;
    uint8_t *all;

    for (size_t i = 0; i < c->count; i++) {
        if (is_content(&c->frames[i], id)) {
            mote_mutator_content(&c->frames[i], &n);
            total += n;
        }
    }
    *len = total;
    all = take_bytes(c, total);
    for (size_t i = 0, at = 0; all && i < c->count; i++) {
        if (is_content(&c->frames[i], id)) {
            const uint8_t *from = mote_mutator_content(&c->frames[i], &n);
            memcpy(all + at, from, n);
            at += n;
        }
    }
    return all;
}

static void take_apart(message_list *l, uint8_t *in, size_t len)
{
    l->count = 0;
    while (len >= PREFIX && l->count < MAX_MESSAGES - 2) {
        message *m = &l->messages[l->count];
        m->flag = in[0];
        m->says = (uint32_t)in[1] << 24 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 8 | in[4];
        if (m->flag > 1 || m->says > len - PREFIX)
            break;
        m->bytes = in + PREFIX;
        m->len = m->says;
        in += PREFIX + m->len;
        len -= PREFIX + m->len;
        l->count++;
    }
    l->rest = in;
    l->rest_len = len;
}

static uint8_t *put_together(conversation *c, const message_list *l, size_t *len)
{
    uint8_t *all, *at;

    *len = l->rest_len;
    for (size_t i = 0; i < l->count; i++)
        *len += PREFIX + l->messages[i].len;
    all = at = take_bytes(c, *len);
    for (size_t i = 0; all && i < l->count; i++) {
        const message *m = &l->messages[i];
        at[0] = m->flag;
        put32(at + 1, m->says);
        if (m->len > 0)
            memcpy(at + PREFIX, m->bytes, m->len);
        at += PREFIX + m->len;
    }
    if (all && l->rest_len > 0)
        memcpy(at, l->rest, l->rest_len);
    return all;
}

/* Where frames were cut they are cut again; the last one takes what is more. */
static void scatter(conversation *c, uint32_t id, uint8_t *all, size_t len)
{
    size_t last = 0;

    for (size_t i = 0; i < c->count; i++) {
        if (is_content(&c->frames[i], id))
            last = i;
    }
    for (size_t i = 0; i <= last; i++) {
        frame *f = &c->frames[i];
        size_t n;
        if (!is_content(f, id))
            continue;
        mote_mutator_content(f, &n);
        n = i == last || n > len ? len : n;
        f->payload = all;
        f->len = n;
        f->more = 0;
        f->flags &= (uint8_t)~PADDED;
        all += n;
        len -= n;
    }
}

/* ---- changes of a list --------------------------------------------------------------------- */

/* A prefix that is not right: most of them say one byte more or less, or a number. */
static void break_prefix(conversation *c, message *m)
{
    switch (roll(c, 4)) {
    case 0:
        m->flag = (uint8_t)(roll(c, 2) ? 1 : roll(c, 256));
        break;
    case 1:
        m->says = mote_mutator_number(c);
        break;
    default:
        m->says += roll(c, 2) ? 1 : UINT32_MAX;
    }
}

static void repeat_message(message_list *l, size_t at)
{
    if (l->count == MAX_MESSAGES)
        return;
    memmove(&l->messages[at + 1], &l->messages[at], (l->count - at) * sizeof(message));
    l->count++;
}

static void remove_message(message_list *l, size_t at)
{
    l->count--;
    memmove(&l->messages[at], &l->messages[at + 1], (l->count - at) * sizeof(message));
}

static void change_message(conversation *c, message *m, const mote_pb_message *type)
{
    if (type && m->flag == 0)
        mote_mutator_change_pb(c, type, &m->bytes, &m->len);
    else
        mote_mutator_plain_bytes(c, &m->bytes, &m->len);
    m->says = (uint32_t)m->len;
}

static void change_list(conversation *c, message_list *l, const mote_pb_message *type)
{
    size_t at = roll(c, (uint32_t)l->count);

    if (l->count == 0) { /* the first message, before what is no message */
        l->messages[l->count++] = (message){0, 0, c->bytes, 0};
        if (roll(c, 2))
            l->rest_len = 0;
    }
    switch (roll(c, type ? 24 : 8)) {
    case 0:
        break_prefix(c, &l->messages[at]);
        break;
    case 1:
        repeat_message(l, at);
        break;
    case 2:
        remove_message(l, at);
        break;
    case 3:
        mote_mutator_plain_bytes(c, &l->messages[at].bytes, &l->messages[at].len);
        l->messages[at].says = (uint32_t)l->messages[at].len;
        break;
    default:
        change_message(c, &l->messages[at], type);
    }
}

/* ---- streams ------------------------------------------------------------------------------- */

/* A frame of DATA: one of those that are there, or a new one behind a header block. */
static frame *some_data(conversation *c)
{
    size_t from = roll(c, (uint32_t)c->count);
    frame *f;

    for (size_t i = 0; i < c->count; i++) {
        f = &c->frames[(from + i) % c->count];
        if (f->type == DATA)
            return f;
    }
    for (size_t i = 0; i < c->count; i++) {
        size_t at = (from + i) % c->count;
        if (c->frames[at].type != HEADERS || !(f = mote_mutator_insert(c, at + 1)))
            continue;
        *f = (frame){.type = DATA,
                     .flags = c->frames[at].flags & END_STREAM,
                     .id = c->frames[at].id,
                     .payload = c->bytes};
        c->frames[at].flags &= (uint8_t)~END_STREAM;
        return f;
    }
    return NULL;
}

void mote_mutator_change_messages(conversation *c)
{
    static message_list list;
    const mote_mutator_method *method;
    const mote_pb_message *type = NULL;
    const frame *f = some_data(c);
    uint32_t id;
    size_t len;
    uint8_t *all;

    if (!f)
        return;
    id = f->id;
    if (!(all = gather(c, id, &len)))
        return;
    if ((method = mote_mutator_method_of(c, id)))
        type = mote_mutator_requests(c) ? method->request : method->response;
    take_apart(&list, all, len);
    change_list(c, &list, type);
    if ((all = put_together(c, &list, &len)))
        scatter(c, id, all, len);
}
