/* Texts that name values: built where they are, and cut to their room. */
#include "grpc_internal.h"

void mote_grpc_put_words(mote_grpc_words *w, const char *text, size_t len)
{
    while (len-- > 0 && w->at < w->end)
        *w->at++ = *text++;
    *w->at = '\0';
}

void mote_grpc_put_word(mote_grpc_words *w, const char *text)
{
    mote_grpc_put_words(w, text, mote_grpc_text_length(text));
}

void mote_grpc_put_number(mote_grpc_words *w, uint64_t value)
{
    char digits[20], *p = digits + sizeof digits;

    do
        *--p = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    mote_grpc_put_words(w, p, (size_t)(digits + sizeof digits - p));
}

#ifndef MOTE_NO_TEXTS
/* The receive buffer of a call whose messages are done with. */
static mote_grpc_words words_of(mote_grpc_call *call)
{
    char *at = (char *)call->rx;

    return (mote_grpc_words){at, at + call->grpc->config->rx_size - 1};
}

const char *mote_grpc_name_it(mote_grpc_call *call, const char *what, const char *name, size_t len)
{
    mote_grpc_words w = words_of(call);

    mote_grpc_put_word(&w, what);
    mote_grpc_put_words(&w, name, len);
    return (const char *)call->rx;
}

static const char *put_limit(mote_grpc_call *call, mote_grpc_words *w, const char *name,
                             uint64_t limit)
{
    mote_grpc_put_word(w, name);
    mote_grpc_put_number(w, limit);
    mote_grpc_put_word(w, mote_grpc_serves(call->grpc) ? " of the server" : " of the client");
    return (const char *)call->rx;
}

const char *mote_grpc_count_it(mote_grpc_call *call, const char *what, uint64_t value,
                               const char *limit_name, uint64_t limit)
{
    mote_grpc_words w = words_of(call);

    mote_grpc_put_word(&w, what);
    mote_grpc_put_number(&w, value);
    return put_limit(call, &w, limit_name, limit);
}

const char *mote_grpc_limit_it(mote_grpc_call *call, const char *limit_name, uint64_t limit)
{
    mote_grpc_words w = words_of(call);

    return put_limit(call, &w, limit_name, limit);
}

const char *mote_grpc_limit_of_fields(mote_grpc_call *call)
{
    const mote_h2 *h2 = &call->grpc->h2;

    if (h2->block.list_size > h2->max_list_size)
        return mote_grpc_limit_it(call, "metadata is larger than MAX_HEADER_LIST_SIZE ",
                                  h2->max_list_size);
    return mote_grpc_limit_it(call, "a field of metadata is larger than field_size ",
                              call->grpc->config->field_size);
}
#endif
