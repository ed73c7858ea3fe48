/* Which token a device has: a file with a line "DEVICE TOKEN" for each, that may be replaced at any
 * time. */
#ifndef EXAMPLES_TOKENS_H
#define EXAMPLES_TOKENS_H

#include "names.h"

enum { TOKEN_LEAST = 16, TOKEN = 128 }; /* characters; fewer can be guessed */

/* Reads the file. 0, or -1: it cannot be read, may be read by others, or has a line that is wrong;
 * the reason is said on standard error, and what was known before still holds. */
int tokens_load(const char *path);

/* Reads it again when it has changed, which is looked for once a second. True: there are others. */
bool tokens_refresh(const char *path, uint64_t now_ms);

/* Whether this is the token of the device, which takes as long for any two tokens of a length. */
bool token_is_of(const char *token, size_t len, const char *device, size_t device_len);

/* The token of an "authorization" field (RFC 6750 2.1), into a text that is all zero. False: it has
 * none, or there is one already. */
bool token_take(const char *value, size_t len, char token[TOKEN + 1]);

#endif
