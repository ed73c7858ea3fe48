/* Messages from JSON, half read. */
#ifndef MOTE_PB_JSON_READ_INTERNAL_H
#define MOTE_PB_JSON_READ_INTERNAL_H

#include "json_internal.h"

enum mote_pb_json_state { MOTE_PB_JSON_MEMBERS, MOTE_PB_JSON_ITEMS, MOTE_PB_JSON_ENTRIES };

/* What a level is of an Any: nothing; its content, member by member; its content, whose JSON is no
 * object, as "value", and that was read. */
enum mote_pb_json_content {
    MOTE_PB_JSON_OF_NO_ANY,
    MOTE_PB_JSON_AS_OBJECT,
    MOTE_PB_JSON_AS_VALUE,
    MOTE_PB_JSON_AS_VALUE_READ
};

typedef struct {
    const mote_pb_json *json;
    uint8_t *message;
    size_t cap;                      /* elements that the array at work has room for */
    const mote_pb_json_known *known; /* of the content of an Any, or NULL ... */
    const mote_pb_json *any_json;    /* ... which is here, and `message` its content */
    uint8_t *any;
    uint16_t row; /* of the list or map at work */
    enum mote_pb_json_state state : 8;
    enum mote_pb_json_content content : 8;
    bool alone; /* the level ends with its list or map */
    bool comma; /* something stands before */
} mote_pb_json_level;

typedef struct {
    mote_pb_json_text text;
    const mote_pb_json_options *options;
    size_t depth;
    mote_pb_json_level levels[MOTE_PB_DEPTH];
} mote_pb_json_parser;

static inline mote_pb_json_level *mote_pb_json_top(mote_pb_json_parser *p)
{
    return &p->levels[p->depth - 1];
}

/* A message is open: 0 or MOTE_PB_ERR_DEPTH. */
int mote_pb_json_push(mote_pb_json_parser *p, const mote_pb_json *json, uint8_t *message);
/* Over a character that opens something: of another one, the value is of another type. */
int mote_pb_json_open_with(mote_pb_json_parser *p, char c);
/* A message as zeros; NULL: the arena is full. */
uint8_t *mote_pb_json_new(mote_pb_json_parser *p, const mote_pb_json *json);
/* A new element, as zeros, at the end of the list or map at work; NULL: the arena is full. */
uint8_t *mote_pb_json_new_element(mote_pb_json_parser *p, mote_pb_json_level *l);
/* A message begins: what is no object is read whole, of the others the opening. */
int mote_pb_json_open(mote_pb_json_parser *p, const mote_pb_json *json, uint8_t *message);
/* Whether a name is "@type". */
bool mote_pb_json_is_type_name(mote_pb_string s);
/* The content of an Any is complete. */
int mote_pb_json_close_any(mote_pb_json_parser *p, const mote_pb_json_level *l);

#endif
