/* Conversations out of a capture: see recorder.h. */
#define _GNU_SOURCE

#include "frames.h"
#include "recorder.h"

#include <stdlib.h>
#include <string.h>

enum {
    FLOWS = 64,
    ETHERNET = 1,
    RAW = 101,
    LOOPBACK = 0,
    LINUX_SLL = 113,
    LINUX_SLL2 = 276,
    SYN = 2,
    PREFACE = 24
};

/* A packet's part that is still to be read. */
typedef struct {
    const uint8_t *at;
    size_t len;
} span;

/* What one side of a connection has said. */
typedef struct {
    uint8_t ends[36]; /* addresses and ports, the sender's first */
    uint32_t first;   /* sequence number of its first byte */
    size_t len;       /* up to the first byte that is missing */
    uint8_t *bytes, *there;
} flow;

typedef struct {
    flow flows[FLOWS];
    size_t count;
} capture;

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool skip(span *s, size_t n)
{
    if (n > s->len)
        return false;
    s->at += n;
    s->len -= n;
    return true;
}

/* The link's header is left behind. */
static bool skip_link(span *s, uint32_t link)
{
    if (link == ETHERNET) {
        bool tagged = s->len >= 18 && s->at[12] == 0x81 && s->at[13] == 0;
        return skip(s, tagged ? 18 : 14);
    }
    return skip(s, link == LINUX_SLL ? 16 : link == LINUX_SLL2 ? 20 : link == LOOPBACK ? 4 : 0);
}

/* The IP header is left behind: it is TCP, no fragment; fills in the addresses. */
static bool skip_ip(span *s, uint8_t ends[36])
{
    size_t total;

    if (s->len >= 20 && s->at[0] >> 4 == 4) {
        size_t header = (s->at[0] & 15u) * 4u;
        total = (size_t)s->at[2] << 8 | s->at[3];
        if (s->at[9] != 6 || ((s->at[6] & 0x3f) | s->at[7]) != 0 || total < header)
            return false;
        memcpy(ends, s->at + 12, 4);
        memcpy(ends + 18, s->at + 16, 4);
        s->len = total < s->len ? total : s->len; /* Ethernet pads */
        return skip(s, header);
    }
    if (s->len < 40 || s->at[0] >> 4 != 6 || s->at[6] != 6)
        return false;
    total = 40 + ((size_t)s->at[4] << 8 | s->at[5]);
    memcpy(ends, s->at + 8, 16);
    memcpy(ends + 18, s->at + 24, 16);
    s->len = total < s->len ? total : s->len;
    return skip(s, 40);
}

static flow *flow_of(capture *c, const uint8_t ends[36], uint32_t first)
{
    flow *f = c->flows;

    while (f < c->flows + c->count && memcmp(f->ends, ends, sizeof f->ends) != 0)
        f++;
    if (f == c->flows + FLOWS)
        return NULL;
    if (f == c->flows + c->count) {
        c->count++;
        memcpy(f->ends, ends, sizeof f->ends);
        f->first = first;
        f->len = 0;
        f->bytes = malloc(MOTE_FRAMES_MAX);
        f->there = calloc(1, MOTE_FRAMES_MAX + 1);
        if (!f->bytes || !f->there)
            abort();
    }
    return f;
}

static void take_segment(flow *f, uint32_t sequence, span s)
{
    uint32_t at = sequence - f->first;

    for (size_t i = 0; i < s.len && at < MOTE_FRAMES_MAX; i++, at++) {
        f->bytes[at] = f->there[at] ? f->bytes[at] : s.at[i];
        f->there[at] = 1;
    }
    while (f->there[f->len])
        f->len++;
}

static void take_packet(capture *c, span s, uint32_t link)
{
    uint8_t ends[36] = {0};

    if (!skip_link(&s, link) || !skip_ip(&s, ends) || s.len < 20)
        return;
    uint32_t sequence = get32(s.at + 4);
    size_t header = (s.at[12] >> 4) * 4u;
    bool begins = s.at[13] & SYN;
    memcpy(ends + 16, s.at, 2);
    memcpy(ends + 34, s.at + 2, 2);
    if (header < 20 || !skip(&s, header))
        return;
    flow *f = flow_of(c, ends, begins ? sequence + 1 : sequence);
    if (f && !begins)
        take_segment(f, sequence, s);
}

static uint32_t number(const uint8_t *p, bool little)
{
    return little ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0]
                  : get32(p);
}

static const char *read_packets(capture *c, span s)
{
    static const uint8_t magic[4][4] = {{0xd4, 0xc3, 0xb2, 0xa1},
                                        {0x4d, 0x3c, 0xb2, 0xa1},
                                        {0xa1, 0xb2, 0xc3, 0xd4},
                                        {0xa1, 0xb2, 0x3c, 0x4d}};
    bool little = s.len >= 24 && s.at[3] == 0xa1, known = false;

    for (int i = 0; i < 4 && s.len >= 24; i++)
        known |= memcmp(s.at, magic[i], 4) == 0;
    if (!known)
        return "no capture in libpcap's format (pcapng: editcap -F pcap makes one of it)";
    uint32_t link = number(s.at + 20, little) & 0xffff;
    for (skip(&s, 24); s.len >= 16;) {
        size_t len = number(s.at + 8, little);
        skip(&s, 16);
        if (len > s.len)
            return "the capture is cut";
        take_packet(c, (span){s.at, len}, link);
        skip(&s, len);
    }
    return NULL;
}

static bool is_client(const flow *f)
{
    return f->len >= PREFACE && memcmp(f->bytes, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", PREFACE) == 0;
}

/* The other side; NULL: it has said nothing. */
static const flow *answer_to(const capture *c, const flow *f)
{
    for (size_t i = 0; i < c->count; i++) {
        if (memcmp(c->flows[i].ends, f->ends + 18, 18) == 0 &&
            memcmp(c->flows[i].ends + 18, f->ends, 18) == 0)
            return &c->flows[i];
    }
    return NULL;
}

const char *mote_record_pcap(const uint8_t *in, size_t len, const char *folder)
{
    static capture c;
    const char *why = read_packets(&c, (span){in, len});
    unsigned long n = 0;

    for (size_t i = 0; i < c.count && !why; i++) {
        const flow *f = &c.flows[i], *other = answer_to(&c, f);
        if (!is_client(f))
            continue;
        n++;
        if (!mote_record_save(folder, "client", n, f->bytes, f->len) ||
            (other && !mote_record_save(folder, "server", n, other->bytes, other->len)))
            why = "cannot write into the folder";
    }
    for (size_t i = 0; i < c.count; i++) {
        free(c.flows[i].bytes);
        free(c.flows[i].there);
    }
    c.count = 0;
    return why || n > 0 ? why : "no connection in it begins with the preface of HTTP/2";
}
