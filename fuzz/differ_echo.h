/* The content of an echo's answer (differ.h), made from the fields of a request as they come. */
#ifndef MOTE_DIFFER_ECHO_H
#define MOTE_DIFFER_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOTE_ECHO_FIELDS = 64, MOTE_ECHO_TEXT = 8192, MOTE_ECHO_BODY = 16384 };

typedef struct {
    size_t name, name_len, value_len; /* places in the text; the value lies behind the name */
} mote_echo_field;

/* A request; what is too much is left out of the echo. Begins as zeros (of all but text and body).
 */
typedef struct {
    size_t count, used, body_len;
    mote_echo_field fields[MOTE_ECHO_FIELDS];
    char text[MOTE_ECHO_TEXT];
    uint8_t body[MOTE_ECHO_BODY];
} mote_echo;

void mote_echo_clear(mote_echo *e);
void mote_echo_put(mote_echo *e, const char *name, size_t name_len, const char *value,
                   size_t value_len);
void mote_echo_content(mote_echo *e, const uint8_t *data, size_t len);
/* Whether the answer has content: not to HEAD (RFC 9110 9.3.2). */
bool mote_echo_has_content(const mote_echo *e);
/* Writes the answer; `out` has MOTE_DIFFER_BODY bytes. Returns how many. */
size_t mote_echo_answer(mote_echo *e, uint8_t *out);

#endif
