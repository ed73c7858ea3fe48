/* What the files of this folder share. */
#ifndef MOTE_MODEM_INTERNAL_H
#define MOTE_MODEM_INTERNAL_H

#include "modem.h"

enum {
    ANSWER_MS = 15000,
    LOOK_MS = 5000 /* whether bytes have arrived that the modem has not told of */
};

/* commands.c: says the command of a step and moves to its state; the step that is being prepared,
 * NULL when all are done. */
void mote_modem_wake(mote_modem *m);
void mote_modem_prepare(mote_modem *m);
const mote_modem_step *mote_modem_step_of(const mote_modem *m);
/* What comes next of a connection on which no command is in progress, if anything does. */
void mote_modem_proceed(mote_modem *m);
/* The command in progress is over. */
void mote_modem_idle(mote_modem *m);

#endif
