/* A double of what MoteClient.h and its example use of Arduino. */
#ifndef ARDUINO_DOUBLE_H
#define ARDUINO_DOUBLE_H

#include <stdint.h>

#include "../double.h"

static inline unsigned long millis()
{
    return static_cast<uint32_t>(double_ms());
}
static inline void delay(unsigned long ms)
{
    double_sleep(static_cast<int>(ms));
}

struct SerialDouble {
    void begin(long)
    {
    }
    void print(const char *text)
    {
        double_say("%s", text);
    }
    void print(int n)
    {
        double_say("%d", n);
    }
    void print(double d)
    {
        double_say("%.1f", d);
    } /* Arduino: two digits */
    void println(const char *text)
    {
        double_say("%s\n", text);
    }
};
static SerialDouble Serial;

#endif
