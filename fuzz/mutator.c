/* Structure-aware mutations of HTTP/2 conversations, for libFuzzer and AFL++: see mutator.h. */
#include "mutator_internal.h"

#include <stdlib.h>

/* Where libFuzzer is linked. */
extern size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) __attribute__((weak));

static const mote_mutator_config defaults;
static const mote_mutator_config *current = &defaults;

void mote_mutator_use(const mote_mutator_config *config)
{
    current = config ? config : &defaults;
}

/* ---- chance ------------------------------------------------------------------------------- */

uint32_t mote_mutator_number(conversation *c)
{
    static const uint32_t numbers[] = {
        0,     1,     2,          100,       255,        256,        16383,      16384,     16385,
        65535, 65536, 0x00ffffff, 0x1000000, 0x7ffffffe, 0x7fffffff, 0x80000000, 0xffffffff};

    return numbers[roll(c, sizeof numbers / sizeof numbers[0])];
}

static const uint8_t *weights(const conversation *c)
{
    static const uint8_t http[MOTE_MUTATE_KINDS] = {6, 1, 6, 4, 2, 1, 2},
                         grpc[MOTE_MUTATE_KINDS] = {3, 1, 3, 24, 1, 1, 1};

    for (int i = 0; i < MOTE_MUTATE_KINDS; i++) {
        if (c->config->weights[i] > 0)
            return c->config->weights;
    }
    return c->config->method_count > 0 ? grpc : http;
}

static mote_mutator_kind choose(conversation *c)
{
    const uint8_t *w = weights(c);
    uint32_t sum = 0, n, kind = 0;

    for (int i = 0; i < MOTE_MUTATE_KINDS; i++)
        sum += w[i];
    for (n = roll(c, sum); n >= w[kind]; kind++)
        n -= w[kind];
    return (mote_mutator_kind)kind;
}

/* ---- plain bytes -------------------------------------------------------------------------- */

static size_t insert_bytes(conversation *c, uint8_t *data, size_t size, size_t max_size)
{
    size_t at = roll(c, (uint32_t)size + 1), n = 1 + roll(c, 1u << roll(c, 7));
    size_t from = roll(c, (uint32_t)size + 1);

    n = n < max_size - size ? n : max_size - size;
    memmove(data + at + n, data + at, size - at);
    for (size_t i = 0; i < n; i++) /* a copy of what is there, or one byte many times */
        data[at + i] = n % 2 && from + i < at ? data[from + i] : (uint8_t)from;
    return size + n;
}

static size_t remove_bytes(conversation *c, uint8_t *data, size_t size)
{
    size_t at = roll(c, (uint32_t)size), n = 1 + roll(c, 1u << roll(c, 7));

    n = n < size - at ? n : size - at;
    memmove(data + at, data + at + n, size - at - n);
    return size - n;
}

/* What there is without libFuzzer. */
static size_t own_mutation(conversation *c, uint8_t *data, size_t size, size_t max_size)
{
    uint8_t number[4];
    size_t n = 1u << roll(c, 3);

    switch (size > 0 ? roll(c, 5) : 0) {
    case 0:
        return insert_bytes(c, data, size, max_size);
    case 1:
        return remove_bytes(c, data, size);
    case 2:
        data[roll(c, (uint32_t)size)] ^= (uint8_t)(1u << roll(c, 8));
        return size;
    case 3:
        data[roll(c, (uint32_t)size)] = (uint8_t)roll(c, 256);
        return size;
    default: /* a number in either order of bytes */
        put32(number, mote_mutator_number(c));
        n = n < size ? n : size;
        for (size_t i = 0, at = roll(c, (uint32_t)(size - n) + 1); i < n; i++)
            data[at + i] = number[c->random & 0x10000 ? i : 3 - i];
        return size;
    }
}

size_t mote_mutator_plain(conversation *c, uint8_t *data, size_t size, size_t max_size)
{
    if (max_size == 0 || size > max_size)
        return size;
    return LLVMFuzzerMutate ? LLVMFuzzerMutate(data, size, max_size)
                            : own_mutation(c, data, size, max_size);
}

void mote_mutator_plain_bytes(conversation *c, uint8_t **data, size_t *len)
{
    size_t room = *len + *len / 2 + 64;
    uint8_t *to = take_bytes(c, room);

    if (!to)
        return;
    memcpy(to, *data, *len);
    *data = to;
    *len = mote_mutator_plain(c, to, *len, room);
}

/* The payload of a frame as the fuzzer alone would change it; the frame's length follows. */
static void change_payload(conversation *c)
{
    frame *f = &c->frames[roll(c, (uint32_t)c->count)];

    if (c->count > 0 && !(c->config->frames && !(c->config->frames >> (f->type & 31) & 1)))
        mote_mutator_plain_bytes(c, &f->payload, &f->len);
}

/* ---- the interfaces ------------------------------------------------------------------------ */

static size_t prefix_size(void)
{
    static size_t said = SIZE_MAX;
    const char *text;

    if (said == SIZE_MAX) {
        text = getenv("MOTE_MUTATOR_PREFIX");
        said = text ? strtoul(text, NULL, 10) : 0;
    }
    return current->choices > 0 ? current->choices : said;
}

static void start(conversation *c, unsigned seed)
{
    c->config = current;
    c->random = seed * 2654435761u | 1u;
    roll(c, 1);
}

static void mutate(conversation *c, mote_mutator_kind kind)
{
    switch (kind) {
    case MOTE_MUTATE_CALLS:
        mote_mutator_repeat_call(c);
        break;
    case MOTE_MUTATE_HEADERS:
        mote_mutator_change_headers(c);
        break;
    case MOTE_MUTATE_MESSAGES:
        mote_mutator_change_messages(c);
        break;
    case MOTE_MUTATE_PAYLOADS:
        change_payload(c);
        break;
    case MOTE_MUTATE_DAMAGE:
        mote_mutator_damage(c);
        break;
    default:
        mote_mutator_change_frames(c);
    }
}

static size_t mutate_all(conversation *c, uint8_t *data, size_t size, size_t max_size)
{
    mote_mutator_kind kind = choose(c);

    if (kind == MOTE_MUTATE_RAW)
        return mote_mutator_plain(c, data, size, max_size);
    mote_mutator_parse(c, data, size);
    mutate(c, kind);
    for (uint32_t n = roll(c, 2) * roll(c, 5); n > 0; n--) {
        kind = choose(c);
        if (kind != MOTE_MUTATE_RAW)
            mutate(c, kind);
    }
    return mote_mutator_print(c, data, max_size);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static conversation c;
    size_t prefix = prefix_size();

    if (max_size <= prefix)
        return size;
    for (; size < prefix; size++)
        data[size] = 0;
    start(&c, seed);
    if (prefix > 0 && roll(&c, 8) == 0)
        data[roll(&c, (uint32_t)prefix)] = (uint8_t)roll(&c, 256);
    size = mutate_all(&c, data + prefix, size - prefix, max_size - prefix);
    if (c.config->after)
        size = c.config->after(c.config->context, data + prefix, size, max_size - prefix);
    return prefix + size;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max_size, unsigned seed)
{
    static conversation c, d;
    size_t prefix = prefix_size(), size;

    if (a_size < prefix || b_size < prefix || max_size < prefix)
        return 0;
    start(&c, seed);
    mote_mutator_parse(&c, a + prefix, a_size - prefix);
    mote_mutator_parse(&d, b + prefix, b_size - prefix);
    c.count = roll(&c, (uint32_t)c.count + 1);
    for (size_t i = roll(&c, (uint32_t)d.count + 1); i < d.count && c.count < MAX_FRAMES; i++)
        c.frames[c.count++] = d.frames[i];
    memcpy(out, a, prefix);
    size = mote_mutator_print(&c, out + prefix, max_size - prefix);
    if (c.config->after)
        size = c.config->after(c.config->context, out + prefix, size, max_size - prefix);
    return prefix + size;
}

typedef struct {
    uint8_t *out;
    size_t cap;
    unsigned seed;
} afl_state;

void *afl_custom_init(void *afl, unsigned seed)
{
    afl_state *s = calloc(1, sizeof *s);

    (void)afl;
    if (s)
        s->seed = seed;
    return s;
}

size_t afl_custom_fuzz(void *state, uint8_t *data, size_t size, uint8_t **out, uint8_t *other,
                       size_t other_size, size_t max_size)
{
    afl_state *s = state;

    if (s->cap < max_size) {
        free(s->out);
        s->cap = max_size;
        s->out = malloc(max_size);
        if (!s->out)
            abort();
    }
    s->seed = s->seed * 1664525u + 1013904223u;
    *out = s->out;
    if (other && s->seed >> 29 == 0)
        return LLVMFuzzerCustomCrossOver(data, size, other, other_size, s->out, max_size, s->seed);
    size = size < max_size ? size : max_size;
    memcpy(s->out, data, size);
    return LLVMFuzzerCustomMutator(s->out, size, max_size, s->seed);
}

void afl_custom_deinit(void *state)
{
    free(((afl_state *)state)->out);
    free(state);
}
