/* The end of a call as content (PROTOCOL-WEB, "HTTP/2 trailers in the body"): fields as in
 * HTTP/1.1, written for any piece of it, since the piece of a small window holds no more. */
#include "web_internal.h"

/* The bytes [from, to) of a text, of which `at` bytes were put; they go to out. */
typedef struct {
    uint8_t *out;
    size_t from, to, at;
} web_piece;

static void put_trailer_byte(web_piece *p, char ch)
{
    if (p->at >= p->from && p->at < p->to)
        p->out[p->at - p->from] = (uint8_t)ch;
    p->at++;
}

static void put_trailer_bytes(web_piece *p, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        put_trailer_byte(p, text[i]);
}

/* PROTOCOL-HTTP2, Status-Message; a blank at an end would be lost. */
static void put_percent(web_piece *p, const char *text, size_t len)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < len; i++) {
        char ch = text[i];
        bool at_end = i == 0 || i + 1 == len;
        if (ch >= 0x20 && ch <= 0x7e && ch != '%' && !(ch == ' ' && at_end)) {
            put_trailer_byte(p, ch);
        } else {
            put_trailer_byte(p, '%');
            put_trailer_byte(p, hex[(uint8_t)ch >> 4]);
            put_trailer_byte(p, hex[(uint8_t)ch & 15]);
        }
    }
}

static void put_trailers(web_piece *p, const mote_grpc_end *end)
{
    put_trailer_bytes(p, "grpc-status:", 12);
    if (end->code > 9)
        put_trailer_byte(p, (char)('0' + end->code / 10));
    put_trailer_byte(p, (char)('0' + end->code % 10));
    put_trailer_bytes(p, "\r\n", 2);
    if (end->message_len > 0) {
        put_trailer_bytes(p, "grpc-message:", 13);
        put_percent(p, end->message, end->message_len);
        put_trailer_bytes(p, "\r\n", 2);
    }
    for (size_t i = 0; i < end->count; i++) {
        const mote_grpc_metadata *field = &end->metadata[i];
        put_trailer_bytes(p, field->name, field->name_len);
        put_trailer_byte(p, ':');
        put_trailer_bytes(p, field->value, field->value_len);
        put_trailer_bytes(p, "\r\n", 2);
    }
}

int mote_web_write_trailers(const void *type, const void *end, size_t offset, uint8_t *out,
                            size_t cap, size_t *total)
{
    web_piece whole = {NULL, 0, 0, 0}, part = {out, offset, offset + cap, 0};

    (void)type;
    put_trailers(&whole, end);
    if (*total > 0 || whole.at <= cap)
        put_trailers(&part, end);
    *total = whole.at;
    return 0;
}
