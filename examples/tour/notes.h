/* Prints a note of tour.proto. */
#ifndef EXAMPLES_NOTES_H
#define EXAMPLES_NOTES_H

#include "../common/text.h"
#include "tour.mote.h"

static inline void print_note(const mote_tour_Note *note)
{
    print_line(stdout, "%.*s: %.*s (from %.*s)", (int)note->topic.len, note->topic.data,
               (int)note->content.len, note->content.data, (int)note->sender.len,
               note->sender.data);
}

#endif
