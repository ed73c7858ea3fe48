/* Asks a server of gRPC for a temperature every five seconds, over WiFi. hello.mote.c is what protoc-gen-mote made of hello.proto
 * with --mote_opt=runtime=mote.h. */
#include <WiFi.h>

#include <MoteClient.h>

#include "ask.h"

static WiFiClient tcp;
static MoteClient transport(tcp, "192.168.1.2", 50051);

void setup()
{
    Serial.begin(115200);
    WiFi.begin("network", "password");
    while (WiFi.status() != WL_CONNECTED)
        delay(100);
    ask_begin(transport.io());
}

void loop()
{
    double celsius;
    char text[96];
    int code = ask(&celsius, text);

    if (code == MOTE_GRPC_OK) {
        Serial.print(celsius);
        Serial.println(" degrees");
    } else {
        Serial.print("error ");
        Serial.print(code);
        Serial.print(": ");
        Serial.println(text);
    }
    delay(5000);
}
