/* A conversation is made shorter while something still holds of it. */
#ifndef MOTE_FRAMES_MINIMISE_H
#define MOTE_FRAMES_MINIMISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Leaves out frames, then lines below them (frames.h): what does not matter to `holds`, which is
 * true of in[0, len). What is left holds for the reason that the whole did: each line that it
 * depended on in the beginning is there, and it still depends on it. `holds` is asked last of what
 * is left. `choices` as in mote_frames_print(). Returns the new length. */
size_t mote_frames_minimise(uint8_t *in, size_t len, size_t choices,
                            bool (*holds)(void *context, const uint8_t *in, size_t len),
                            void *context);

#endif
