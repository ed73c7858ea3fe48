/* The preface on a line without connections. */
#include "serial.h"

const uint8_t mote_serial_preface[MOTE_SERIAL_PREFACE] = {
    'P', 'R', 'I',  ' ',  '*',  ' ',  'H', 'T', 'T',  'P',  '/',  '2',
    '.', '0', '\r', '\n', '\r', '\n', 'S', 'M', '\r', '\n', '\r', '\n'};

/* Only its tenth byte, the P of HTTP, may also be the first one of another preface. */
enum { TWICE = 10 };

static bool give(mote_serial_piece *piece, const uint8_t *data, size_t len)
{
    *piece = (mote_serial_piece){data, len, false};
    return true;
}

bool mote_serial_next(mote_serial_sync *sync, const uint8_t **in, size_t *len,
                      mote_serial_piece *piece)
{
    while (*len > 0) {
        if (**in == mote_serial_preface[sync->held]) {
            ++*in;
            --*len;
            if (++sync->held == MOTE_SERIAL_PREFACE) {
                *piece = (mote_serial_piece){.begins = true};
                sync->held = 0;
                return true;
            }
        } else if (sync->held > 0) {
            uint8_t kept = sync->held == TWICE;
            give(piece, mote_serial_preface, (size_t)(sync->held - kept));
            sync->held = kept;
            return true;
        } else {
            const uint8_t *begin = *in;
            while (*len > 0 && **in != mote_serial_preface[0]) {
                ++*in;
                --*len;
            }
            return give(piece, begin, (size_t)(*in - begin));
        }
    }
    return false;
}

bool mote_serial_idle(mote_serial_sync *sync, mote_serial_piece *piece)
{
    size_t len = sync->held;

    sync->held = 0;
    return len > 0 && give(piece, mote_serial_preface, len);
}
