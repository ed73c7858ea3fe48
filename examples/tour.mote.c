/* Tables of tour.proto. */
#include "tour.mote.h"

static const mote_pb_field note_fields[] = {
    {MOTE_PB_KEY(1, 2), offsetof(mote_tour_Note, topic), MOTE_PB_IMPLICIT | MOTE_PB_TEXT, 0},
    {MOTE_PB_KEY(2, 2), offsetof(mote_tour_Note, content), MOTE_PB_IMPLICIT | MOTE_PB_TEXT, 0},
    {MOTE_PB_KEY(3, 0), offsetof(mote_tour_Note, time_ms), MOTE_PB_IMPLICIT | MOTE_PB_INT64, 0},
    {MOTE_PB_KEY(4, 2), offsetof(mote_tour_Note, sender), MOTE_PB_IMPLICIT | MOTE_PB_TEXT, 0},
};
const mote_pb_message mote_tour_Note_table = {note_fields, NULL, 4, sizeof(mote_tour_Note)};

static const mote_pb_field query_fields[] = {
    {MOTE_PB_KEY(1, 2), offsetof(mote_tour_Query, topic), MOTE_PB_IMPLICIT | MOTE_PB_TEXT, 0},
    {MOTE_PB_KEY(2, 0), offsetof(mote_tour_Query, maximum), MOTE_PB_IMPLICIT | MOTE_PB_UINT32, 0},
};
const mote_pb_message mote_tour_Query_table = {query_fields, NULL, 2, sizeof(mote_tour_Query)};

static const mote_pb_field summary_fields[] = {
    {MOTE_PB_KEY(1, 0), offsetof(mote_tour_Summary, count), MOTE_PB_IMPLICIT | MOTE_PB_UINT32, 0},
};
const mote_pb_message mote_tour_Summary_table = {summary_fields, NULL, 1,
                                                 sizeof(mote_tour_Summary)};

const mote_hpack_field mote_tour_Tour_Latest_path =
    MOTE_HPACK_FIELD(":path", "/mote.tour.Tour/Latest");
const mote_hpack_field mote_tour_Tour_Subscribe_path =
    MOTE_HPACK_FIELD(":path", "/mote.tour.Tour/Subscribe");
const mote_hpack_field mote_tour_Tour_Publish_path =
    MOTE_HPACK_FIELD(":path", "/mote.tour.Tour/Publish");
const mote_hpack_field mote_tour_Tour_Chat_path = MOTE_HPACK_FIELD(":path", "/mote.tour.Tour/Chat");
