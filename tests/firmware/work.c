/*
 * How many instructions a sample and a command take: what a collector with grpcio has answered
 * (collector.answers, recorded by tests/golden/record.py) is replayed on an emulated board under
 * `-icount shift=8`, where SysTick counts instructions. Prints "sample N" and "command N".
 */
#include "../../examples/fleet/telemetry.mote.h"
#include "../../grpc/grpc.h"
#include "../../port/cortex-m/board.h"
#include "../size/reference.h"
#include "semihosting.h"

enum { SAMPLES = 64, NS_PER_INSTRUCTION = 256, UPLOAD = 3 };

static mote_grpc grpc;
static uint64_t memory[sender_memory_size / 8];
static uint8_t answers[4096];
static size_t answers_len, at;
static mote_grpc_call *control, *upload;
static uint32_t acknowledged, commands, command_work, sample_work;

/* ---- the emulator -------------------------------------------------------------------------- */

static void read_answers(void)
{
    int file = host_open("collector.answers");

    answers_len = file < 0 ? 0 : host_read(file, answers, sizeof answers);
}

/* SysTick runs down, without interrupts. */
static volatile uint32_t *const systick = (volatile uint32_t *)0xe000e010;

static void start_counting(void)
{
    systick[0] = 0;
    systick[1] = 0xffffff;
    systick[2] = 0;
    systick[0] = 5;
}

static uint32_t ticks_since(uint32_t start)
{
    return (start - systick[2]) & 0xffffff;
}

/* Of each of `count` pieces of work. */
static uint32_t instructions(uint32_t ticks, uint32_t count)
{
    return (uint32_t)((uint64_t)ticks * (1000000000u / BOARD_HZ) / NS_PER_INSTRUCTION / count);
}

/* ---- the work ------------------------------------------------------------------------------ */

static void send_all(void)
{
    size_t len;

    if (mote_grpc_peek(&grpc, &len)) /* all that there is */
        mote_grpc_ack(&grpc, len);
}

static void receive(const uint8_t *in, size_t len)
{
    mote_grpc_event ev;
    mote_telemetry_Command command;
    size_t used;

    while (mote_grpc_recv(&grpc, in, len, &used, &ev) > 0) {
        in += used;
        len -= used;
        if (ev.type == MOTE_GRPC_MESSAGE && ev.call == control &&
            mote_telemetry_Telemetry_Control_take(&ev, &command, NULL) == 0) {
            commands++;
            if (command.is.which == mote_telemetry_Command_acknowledged)
                acknowledged = (uint32_t)command.is.is.acknowledged;
        }
    }
}

/* The next frame of the answers; the work for those that are a command is added up. False: before
 * the first answer to a call that is not yet there, or at the end. */
static bool replay_frame(void)
{
    const uint8_t *frame = answers + at;
    size_t len = 9 + ((size_t)frame[0] << 16 | (size_t)frame[1] << 8 | frame[2]);
    uint32_t before = commands, start;

    if (at + len > answers_len || (frame[8] == UPLOAD && !upload))
        return false;
    at += len;
    start = systick[2];
    receive(frame, len);
    uint32_t work = ticks_since(start);
    if (commands > before)
        command_work += work;
    send_all();
    return true;
}

static void stream_samples(void)
{
    mote_telemetry_Sample sample = {
        .time_ms = 1795298400000, .metric = MOTE_PB_STRING("temperature_celsius"), .value = 21.5};
    size_t size = 0;

    for (uint32_t i = 0; i < SAMPLES; i++) {
        sample.sequence = 1000 + i;
        sample.time_ms += 100;
        uint32_t start = systick[2];
        int r = mote_telemetry_Telemetry_Upload_offer(upload, &sample);
        send_all();
        sample_work += ticks_since(start);
        mote_telemetry_Sample_size(&sample, &size);
        if (r < 0 || size != 40)
            host_exit();
    }
}

int main(void)
{
    static const mote_grpc_config config = {MOTE_GRPC_SIZES(sender),
                                            .authority = MOTE_GRPC_AUTHORITY("collector")};
    mote_grpc_request ctl = {.path = &mote_telemetry_Telemetry_Control_path};
    mote_grpc_request up = {.path = &mote_telemetry_Telemetry_Upload_path};
    mote_telemetry_Report report = {.device = MOTE_PB_STRING("work")};

    read_answers();
    start_counting();
    mote_grpc_init(&grpc, &config, memory, sizeof memory);
    mote_grpc_tick(&grpc, 1);
    send_all();
    mote_grpc_start(&grpc, &ctl, &control);
    mote_telemetry_Telemetry_Control_offer(control, &report);
    send_all();
    while (at < answers_len && replay_frame())
        ;
    mote_grpc_start(&grpc, &up, &upload);
    if (!upload)
        host_exit();
    send_all();
    stream_samples();
    while (at < answers_len && replay_frame())
        ;
    if (at == answers_len && commands > 1 && acknowledged > 0) {
        host_print("sample", instructions(sample_work, SAMPLES));
        host_print("command", instructions(command_work, commands));
    }
    host_exit();
    return 0;
}
