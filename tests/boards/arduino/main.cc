/* A sketch, as Arduino's builder makes a program of it. */
#include "Arduino.h"

#include SKETCH

int main(int argc, char **argv)
{
    double_take(argc, argv);
    setup();
    for (;;)
        loop();
}
